"""The functions, deployed into moto. The tests see what a subscriber and the owner of the bucket see."""

import csv
import gzip
import io
import json
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from search_coverage.names import SERVICE, Variable
from simulators.backup_search import BackupSimulator
from tests.functions import ENVIRONMENT, function
from tests.invocation import ACCOUNT, REGION, Context
from tests.planted import refuse_planted
from tests.planted_simulator import PlantedSimulator


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """One moto server for the session."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def simulator() -> Iterator[BackupSimulator]:
    """A fresh AWS Backup search."""
    with PlantedSimulator(account=ACCOUNT, region=REGION, enforce_quotas=False) as simulator:
        yield simulator


@pytest.fixture
def sdk_environment(moto_url: str, simulator: BackupSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point every SDK client of this process to the two servers, and nowhere else."""
    simulated = dict.fromkeys(("BACKUPSEARCH", "BACKUP", "EC2"), simulator.endpoint_url)
    endpoints = {f"AWS_ENDPOINT_URL_{service}": url for service, url in simulated.items()}
    for name, value in {**ENVIRONMENT, **endpoints, "AWS_ENDPOINT_URL": moto_url}.items():
        monkeypatch.setenv(name, value)


class Deployment:
    """The product's resources in moto, and the two functions."""

    def __init__(self, moto_url: str, simulator: BackupSimulator, monkeypatch: pytest.MonkeyPatch) -> None:
        self.simulator = simulator
        self._monkeypatch = monkeypatch
        urllib.request.urlopen(urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST")).close()
        self.s3 = boto3.client("s3")
        self.sqs = boto3.client("sqs")
        self.dynamodb = boto3.client("dynamodb")
        self.events = boto3.client("events")
        self.bucket = ENVIRONMENT[Variable.REPORT_BUCKET]
        self.s3.create_bucket(Bucket=self.bucket)
        self.s3.put_bucket_versioning(Bucket=self.bucket, VersioningConfiguration={"Status": "Enabled"})
        self.table = ENVIRONMENT[Variable.IDEMPOTENCY_TABLE]
        self.dynamodb.create_table(
            TableName=self.table,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        sns = boto3.client("sns")
        self.topic = sns.create_topic(Name="alerts")["TopicArn"]
        self.machines, self.people, self.bus_queue = (self._queue(name) for name in ("machines", "people", "bus"))
        for queue, policy in ((self.machines, None), (self.people, {"kind": ["digest"]})):
            attributes = {"FilterPolicy": json.dumps(policy)} if policy else {}
            sns.subscribe(TopicArn=self.topic, Protocol="sqs", Endpoint=_arn(queue), Attributes=attributes)
        self.events.put_rule(Name="all", EventPattern=json.dumps({"source": [SERVICE]}))
        self.events.put_targets(Rule="all", Targets=[{"Id": "queue", "Arn": _arn(self.bus_queue)}])
        self.environment = {**ENVIRONMENT, Variable.ALERTS_TOPIC_ARN: self.topic, Variable.KEEP_ITEM_FILTERS: "ON"}

    def report(self, event: Any, context: Context | None = None, **changes: str) -> dict[str, Any]:
        """Invoke the report function in a fresh environment, with changes to its variables."""
        result: dict[str, Any] = self.function("report", **changes).handler(event, context or Context())
        return result

    def sweep(self, **changes: str) -> dict[str, int]:
        """Invoke the watch function in a fresh environment."""
        result: dict[str, int] = self.function("watch", **changes).handler({}, Context(function_name="watch"))
        return result

    def posture(self, event: Any = None, context: Context | None = None, **changes: str) -> dict[str, Any]:
        """Invoke the posture function in a fresh environment; without an event, take the posture."""
        context = context or Context(function_name="posture")
        result: dict[str, Any] = self.function("posture", **changes).handler(event or {"posture": {}}, context)
        return result

    def function(self, name: str, **changes: str) -> ModuleType:
        """Import a handler's module anew, as a cold start does."""
        return function(name, self._monkeypatch, {**self.environment, **changes})

    def hooked(self, name: str, hooks: Mapping[str, Callable[..., Any]], **changes: str) -> ModuleType:
        """Import it anew, with changes; the clients that it makes at init have these handlers of the SDK's events."""
        session = boto3.DEFAULT_SESSION
        assert session  # the clients above have made it
        for event, hook in hooks.items():
            session.events.register(event, hook)
        try:
            return self.function(name, **changes)
        finally:
            for event, hook in hooks.items():
                session.events.unregister(event, hook)

    def stored(self) -> list[str]:
        """List what is in the bucket."""
        return [entry["Key"] for entry in self.s3.list_objects_v2(Bucket=self.bucket).get("Contents", [])]

    def read(self, key: str) -> bytes:
        """Read an object."""
        body: bytes = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def summary(self, search_job: str) -> dict[str, Any] | None:
        """Read a search job's summary, if there is one."""
        found = [key for key in self.stored() if key.endswith(f"{search_job}/summary.json")]
        return json.loads(self.read(found[0])) if found else None

    def csv_rows(self, search_job: str) -> list[dict[str, str]]:
        """Read a search job's CSV."""
        (key,) = [key for key in self.stored() if key.endswith(f"{search_job}/excluded-backups.csv")]
        return list(csv.DictReader(io.StringIO(self.read(key).decode(), newline="")))

    def json_rows(self, search_job: str) -> list[dict[str, Any]]:
        """Read a search job's JSON Lines."""
        (key,) = [key for key in self.stored() if key.endswith(f"{search_job}.jsonl.gz")]
        return [json.loads(line) for line in gzip.decompress(self.read(key)).splitlines()]

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """Take all messages from a queue, as their subscriber gets them."""
        taken: list[dict[str, Any]] = []
        while batch := self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            for message in batch:
                refuse_planted(message, "a message")
                taken.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return taken

    def put_events(self) -> list[dict[str, Any]]:
        """Take all events that were put on the bus."""
        return self.messages(self.bus_queue)

    def forget_idempotency(self) -> None:
        """Delete every record of the table."""
        for item in self.dynamodb.scan(TableName=self.table)["Items"]:
            self.dynamodb.delete_item(TableName=self.table, Key={"id": item["id"]})

    def _queue(self, name: str) -> str:
        url: str = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        return url


def _arn(queue_url: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue_url.rsplit('/', 1)[-1]}"


@pytest.fixture
def deployment(
    sdk_environment: None, moto_url: str, simulator: BackupSimulator, monkeypatch: pytest.MonkeyPatch
) -> Deployment:
    """The product, deployed."""
    return Deployment(moto_url, simulator, monkeypatch)
