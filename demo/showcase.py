"""What a user would get, collected into a folder."""

import json
from pathlib import Path
from typing import Any

from demo.arrivals import WHY_NO_MAIL, Arrival
from search_coverage.names import REPORT_HTML, REPORTS, SUMMARY_JSON, Variable
from simulators.embedded_aws.embedded_aws import EmbeddedAws

_RECEIVE_SECONDS = 1


class Showcase:
    """The bucket, the messages and the mails of a deployment."""

    def __init__(self, aws: EmbeddedAws, outputs: dict[str, str], folder: Path) -> None:
        """Take the deployment.

        Args:
            aws: Where it is deployed.
            outputs: The outputs of the stack.
            folder: Where what landed is put.
        """
        self._aws = aws
        self._bucket = outputs["ReportBucketName"]
        self._report_function = outputs["ReportFunctionName"]
        self._topic = outputs["AlertsTopicArn"]
        self._folder = folder
        self._s3 = aws.client("s3")
        self._queue = ""

    def subscribe_a_queue(self) -> None:
        """Subscribe a queue to the topic, as a ticket system would; the e-mail subscription is the stack's own."""
        sqs = self._aws.client("sqs")
        self._queue = sqs.create_queue(QueueName="ticket-system")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self._aws.client("sns").subscribe(TopicArn=self._topic, Protocol="sqs", Endpoint=arn)

    def verdicts(self) -> dict[str, str]:
        """The verdicts of the whole reports so far, by search job."""
        summaries = [self._summary(key) for key in self._keys() if key.endswith(f"/{SUMMARY_JSON}")]
        return {summary["searchJob"]["identifier"]: summary["verdict"] for summary in summaries}

    def collect(self) -> list[Arrival]:
        """Put every object, every message and every mail into the folder, and give what arrived of each search job."""
        for key in self._keys():
            path = self._folder / "bucket" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            self._s3.download_file(self._bucket, key, str(path))
        alerts = self._folder / "alerts"
        alerts.mkdir()
        for number, message in enumerate(self._received(), start=1):
            (alerts / f"{number}.json").write_text(json.dumps(message, indent=2, ensure_ascii=False) + "\n")
        for number, mail in enumerate(self._aws.mails(), start=1):
            (self._folder / f"email-{number}.txt").write_text(f"{mail.subject}\n\n{mail.text}", encoding="utf-8")
        reports = self._folder / "reports"
        reports.mkdir()
        arrivals = [self._arrival(path, reports) for path in self._folder.glob(f"bucket/{REPORTS}**/{SUMMARY_JSON}")]
        return sorted(arrivals, key=lambda arrival: arrival.page)

    def _arrival(self, summary_file: Path, reports: Path) -> Arrival:
        """Find the mail of a report, and give its folder a name that a person can type."""
        summary = json.loads(summary_file.read_text())
        named = reports / summary["searchJob"]["name"]
        named.symlink_to(Path("..") / summary_file.parent.relative_to(self._folder), target_is_directory=True)
        identifier = summary["searchJob"]["identifier"]
        mails = [
            path.relative_to(self._folder)
            for path in sorted(self._folder.glob("email-*.txt"))
            if identifier in path.read_text(encoding="utf-8")
        ]
        return Arrival(
            summary,
            page=named.relative_to(self._folder) / REPORT_HTML,
            mail=mails[0] if mails else None,
            why_no_mail="" if mails else self._why_no_mail(summary),
        )

    def _why_no_mail(self, summary: dict[str, Any]) -> str:
        if summary["notification"]["messageIds"]:
            return "it was sent, and did not arrive"
        function = self._aws.client("lambda").get_function_configuration(FunctionName=self._report_function)
        return WHY_NO_MAIL[function["Environment"]["Variables"][Variable.NOTIFY_ON]]

    def _keys(self) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def _summary(self, key: str) -> dict[str, Any]:
        summary: dict[str, Any] = json.loads(self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())
        return summary

    def _received(self) -> list[dict[str, Any]]:
        sqs = self._aws.client("sqs")
        received: list[dict[str, Any]] = []
        while messages := sqs.receive_message(
            QueueUrl=self._queue, MaxNumberOfMessages=10, WaitTimeSeconds=_RECEIVE_SECONDS
        ).get("Messages"):
            for message in messages:
                received.append(json.loads(message["Body"]))
                sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return received
