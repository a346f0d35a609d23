"""The product, deployed by hand into one lane's AWS, and seen from outside."""

import csv
import gzip
import hashlib
import io
import json
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Any

import boto3

from search_coverage.names import METRICS_NAMESPACE, SERVICE, STATE_CHANGE, Variable
from tests.faults.functions import Attempt, Functions
from tests.faults.surroundings import Surroundings
from tests.invocation import ACCOUNT, REGION

BUCKET = "reports-bucket"
TABLE = "idempotency"
_FORGOTTEN_SECONDS = 8 * 24 * 60 * 60
SDK = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_SERVICE_NAME": SERVICE,
    "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
}


class Deployed:
    """Bucket, topic, table, bus and functions.

    Attributes:
        digests: How many digests a subscriber got, by search job.
        entries: How many backups machines got in all parts, by search job.
        created: How many times the bus carried "Search Coverage Report Created", by search job.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings
        quiet = surroundings.quiet_url
        self.s3 = boto3.client("s3", endpoint_url=quiet)
        self.sqs = boto3.client("sqs", endpoint_url=quiet)
        self._dynamodb = boto3.client("dynamodb", endpoint_url=quiet)
        sns, events = boto3.client("sns", endpoint_url=quiet), boto3.client("events", endpoint_url=quiet)
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        self._dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        topic = sns.create_topic(Name="alerts")["TopicArn"]
        self._machines, self._bus = (self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("machines", "bus"))
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=_arn("machines"))
        events.put_rule(Name="all", EventPattern=json.dumps({"source": [SERVICE]}))
        events.put_targets(Rule="all", Targets=[{"Id": "queue", "Arn": _arn("bus")}])
        self.digests: dict[str, int] = defaultdict(int)
        self.entries: dict[str, set[str]] = defaultdict(set)
        self.created: dict[str, int] = defaultdict(int)
        environment = SDK | {
            "AWS_ENDPOINT_URL": surroundings.url,
            Variable.REPORT_BUCKET: BUCKET,
            Variable.ALERTS_TOPIC_ARN: topic,
            Variable.EVENT_BUS_NAME: "default",
            Variable.IDEMPOTENCY_TABLE: TABLE,
            Variable.NOTIFY_ON: "FAILED",
            Variable.SEARCH_JOB_STATUSES: "COMPLETED,FAILED,STOPPED",
            Variable.INVENTORY: "ON" if surroundings.has_vaults else "OFF",
        }
        self._first_key = ""
        self.functions = Functions(surroundings, environment)
        self.invoke: Callable[..., Attempt] = self.functions.invoke

    def simulate(self, control: str, **details: object) -> dict[str, Any]:
        """Use the simulator's control path."""
        request = urllib.request.Request(
            f"{self.surroundings.simulator_url}/_simulator/{control}", json.dumps(details).encode(), method="POST"
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            result: dict[str, Any] = json.loads(answer.read())
        return result

    def finish_job(self, scenario: dict[str, Any]) -> str:
        """Let a search job end, and give its identifier."""
        identifier: str = self.simulate("search-jobs", scenario=scenario)["SearchJobIdentifier"]
        return identifier

    def announcements(self) -> list[dict[str, Any]]:
        """Take the events from the bus: count the news of reports, and return the state changes."""
        announced = []
        for event in self._take(self._bus):
            if event["detail-type"] == STATE_CHANGE:
                announced.append(event)
            else:
                self.created[event["detail"]["searchJobIdentifier"]] += 1
        return announced

    def count_messages(self) -> None:
        """Take the messages that a subscriber got, and count them."""
        for message in self._take(self._machines):
            body = json.loads(message["Message"])
            search_job = body["searchJob"]["identifier"]
            self.digests[search_job] += message["MessageAttributes"]["kind"]["Value"] == "digest"
            self.entries[search_job].update(backup["backup_arn"] for backup in body["failedBackups"])

    def let_pass(self, seconds: int) -> None:
        """Let time pass: every moment in the table moves back."""
        for item in self._dynamodb.scan(TableName=TABLE)["Items"]:
            for name in {"expiration", "announced_at"} & item.keys():
                item[name] = {"N": str(float(item[name]["N"]) - seconds)}
            self._dynamodb.put_item(TableName=TABLE, Item=item)

    def begin_anew(self) -> None:
        """Move AWS Backup's clock until it has forgotten all search jobs: they must not slow down what follows."""
        now = self.simulate("clock", forward_seconds=_FORGOTTEN_SECONDS)["now"]
        self._first_key = f"reports/{ACCOUNT}/{REGION}/{now[:10].replace('-', '/')}"
        for item in self._dynamodb.scan(TableName=TABLE)["Items"]:
            self._dynamodb.delete_item(TableName=TABLE, Key={"id": item["id"]})

    def summary(self, search_job: str) -> dict[str, Any] | None:
        """Give the summary of a search job, if there is one."""
        return self.summaries([search_job])[search_job]

    def summaries(self, search_jobs: Iterable[str]) -> dict[str, dict[str, Any] | None]:
        """Give the summaries of search jobs, where there is one."""
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=BUCKET, Prefix="reports/", StartAfter=self._first_key
        )
        keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
        marks = {key.split("/")[-2]: key for key in keys if key.endswith("/summary.json")}
        return {job: json.loads(self.read(marks[job])) if job in marks else None for job in search_jobs}

    def read(self, key: str) -> bytes:
        """Read an object."""
        body: bytes = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return body

    def flaws(self, summary: dict[str, Any]) -> list[str]:
        """Say what is wrong with a report whose summary is there."""
        flaws = []
        for kind, file in summary["files"].items():
            try:
                content = self.read(file["key"])
            except self.s3.exceptions.NoSuchKey:
                flaws.append(f"{kind} is missing")
                continue
            version = self.s3.head_object(Bucket=BUCKET, Key=file["key"])["VersionId"]
            if hashlib.sha256(content).hexdigest() != file["sha256"] or version != file["versionId"]:
                flaws.append(f"{kind} is not what the summary vouches for")
            elif kind == "csv" and len(list(csv.reader(io.StringIO(content.decode(), newline="")))) != file["rows"] + 1:
                flaws.append("the CSV has other rows than the summary says")
            elif kind == "jsonl" and len(gzip.decompress(content).splitlines()) != file["rows"]:
                flaws.append("the JSON Lines have other rows than the summary says")
        return flaws

    def _take(self, queue: str) -> list[dict[str, Any]]:
        taken: list[dict[str, Any]] = []
        while batch := self.sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            taken += [json.loads(message["Body"]) for message in batch]
            self.sqs.delete_message_batch(
                QueueUrl=queue,
                Entries=[{"Id": str(n), "ReceiptHandle": m["ReceiptHandle"]} for n, m in enumerate(batch)],
            )
        return taken


def _arn(queue: str) -> str:
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"
