"""One deployment for all end-to-end tests: deploying takes most of the time."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from search_coverage.names import STACK
from simulators.backup_search import BackupSimulator
from simulators.embedded_aws.embedded_aws import EmbeddedAws
from tests.planted import refuse_planted
from tests.planted_simulator import PlantedSimulator

ROOT = Path(__file__).resolve().parents[2]
MAIL_ADDRESS = "backup-admin@example.com"
T = TypeVar("T")

# Commands that the tests interrupt inherit SIGINT from here; a shell that runs tests in the background ignores it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def simulator() -> Iterator[BackupSimulator]:
    """AWS Backup search, with the account and Region of the embedded AWS."""
    with PlantedSimulator(account=EmbeddedAws.account_id, region=EmbeddedAws.region, enforce_quotas=False) as simulator:
        yield simulator


class Stack:
    """The deployed stack, seen from outside."""

    def __init__(self, aws: EmbeddedAws, outputs: dict[str, str]) -> None:
        self.aws = aws
        self.outputs = outputs
        self.bucket = outputs["ReportBucketName"]
        self._s3 = aws.client("s3")
        self._sqs = aws.client("sqs")
        self._lambda = aws.client("lambda")
        self.subscriber = self._subscribe_a_queue()

    def sweep(self) -> dict[str, Any]:
        """Run the watch function now, instead of waiting for its schedule."""
        return self.invoke(self.outputs["WatchFunctionName"], {})

    def invoke(self, function: str, event: object) -> dict[str, Any]:
        """Invoke a function and wait for its answer."""
        answer = self._lambda.invoke(FunctionName=function, Payload=json.dumps(event).encode())
        result: dict[str, Any] = json.loads(answer["Payload"].read())
        return result

    def summary(self, search_job: str) -> dict[str, Any] | None:
        """Return the summary of a search job's report, if it is there."""
        for key in self.stored_keys("reports/"):
            if key.endswith(f"{search_job}/summary.json"):
                summary: dict[str, Any] = json.loads(self.read(key))
                return summary
        return None

    def stored_keys(self, prefix: str = "") -> list[str]:
        """Return the keys of what is in the bucket."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def read(self, key: str) -> bytes:
        """Read an object of the bucket."""
        body: bytes = self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        return body

    def received(self, search_job: str) -> list[dict[str, Any]]:
        """Return the messages about a search job that the queue has received so far; they stay there."""
        about_searches = (message for message in self._all_received() if "searchJob" in message)
        return [message for message in about_searches if message["searchJob"]["identifier"] == search_job]

    def mails(self, search_job: str) -> list[str]:
        """Return the e-mails about a search job."""
        return [mail.text for mail in self.aws.mails() if search_job in mail.text]

    def failures(self, search_job: str) -> list[dict[str, Any]]:
        """Take the failure records about a search job out of the failure queue."""
        records = []
        for message in self._receive(self.outputs["FailureQueueUrl"]):
            refuse_planted(message, "a failure")
            record = json.loads(message["Body"])
            if search_job in json.dumps(record["requestPayload"]):
                records.append(record)
        return records

    def refuse_planted(self) -> None:
        """Refuse a planted word in what the functions logged, in every mail and in every message."""
        for function in ("ReportFunctionName", "WatchFunctionName", "PostureFunctionName"):
            refuse_planted(self.aws.lambda_logs(self.outputs[function]), f"the log of {function}")
        refuse_planted([mail.text for mail in self.aws.mails()], "a mail")
        refuse_planted(self._all_received(), "a message")

    def _all_received(self) -> list[dict[str, Any]]:
        for message in self._receive(self.subscriber):
            self._received.append(json.loads(json.loads(message["Body"])["Message"]))
        return self._received

    def _receive(self, queue: str) -> list[dict[str, Any]]:
        taken: list[dict[str, Any]] = []
        while messages := self._sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                self._sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            taken += messages
        return taken

    def _subscribe_a_queue(self) -> str:
        self._received: list[dict[str, Any]] = []
        url: str = self._sqs.create_queue(QueueName="subscriber")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.aws.client("sns").subscribe(TopicArn=self.outputs["AlertsTopicArn"], Protocol="sqs", Endpoint=arn)
        return url


@pytest.fixture(scope="session")
def stack(simulator: BackupSimulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack `SearchCoverage`, deployed with `cdk deploy`."""
    state = tmp_path_factory.mktemp("aws")
    with EmbeddedAws(state_dir=state, simulator_url=simulator.endpoint_url) as aws:
        simulator.send_events(aws.event_sink())
        outputs = aws.deploy(
            ROOT,
            context={"notificationEmails": MAIL_ADDRESS, "keepItemFilters": "true", "keepResults": "true"},
            outputs_file=state / "outputs.json",
            progress=print,
        )
        stack = Stack(aws, outputs[STACK])
        yield stack
        stack.refuse_planted()


def eventually(look: Callable[[], T | None], *, seconds: float) -> T:
    """Repeat until there is a result or the time is up."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(0.3)
    raise AssertionError(f"Nothing came within {seconds} s.")
