"""The stack that the demo deploys, and what it delivers, collected into a folder."""

import json
from pathlib import Path
from typing import Any

from demo.results import WHY_NO_MAIL, Result
from search_coverage.names import REPORT_HTML, REPORTS, SUMMARY_JSON, Variable
from simulators.embedded_aws.embedded_aws import EmbeddedAws


class DeployedStack:
    """The bucket, the messages and the mails of a deployment."""

    def __init__(self, aws: EmbeddedAws, outputs: dict[str, str], folder: Path) -> None:
        """Subscribe a queue to the topic, as a ticket system would; the e-mail subscription is the stack's own.

        Args:
            outputs: The outputs of the stack.
            folder: Where `collect` puts everything.
        """
        self._aws = aws
        self._outputs = outputs
        self._bucket = outputs["ReportBucketName"]
        self._folder = folder
        self._s3 = aws.client("s3")
        self._sqs = aws.client("sqs")
        self._queue = self._sqs.create_queue(QueueName="ticket-system")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._queue, AttributeNames=["QueueArn"])["Attributes"]
        topic = outputs["AlertsTopicArn"]
        aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=attributes["QueueArn"])

    def verdicts(self) -> dict[str, str]:
        """Return the verdicts of the reports so far, by search job."""
        summaries = [self._read(key) for key in self._keys() if key.endswith(f"/{SUMMARY_JSON}")]
        return {summary["searchJob"]["identifier"]: summary["verdict"] for summary in summaries}

    def collect(self) -> list[Result]:
        """Put every object, every message and every mail into the folder, and return the result of each search job."""
        for key in self._keys():
            path = self._folder / "bucket" / key
            path.parent.mkdir(parents=True, exist_ok=True)
            self._s3.download_file(self._bucket, key, str(path))
        alerts = self._folder / "alerts"
        alerts.mkdir()
        for number, message in enumerate(self._messages(), start=1):
            (alerts / f"{number}.json").write_text(json.dumps(message, indent=2, ensure_ascii=False) + "\n")
        for number, mail in enumerate(self._aws.mails(), start=1):
            (self._folder / f"email-{number}.txt").write_text(f"{mail.subject}\n\n{mail.text}", encoding="utf-8")
        (self._folder / "reports").mkdir()
        results = [self._result(path) for path in self._folder.glob(f"bucket/{REPORTS}**/{SUMMARY_JSON}")]
        return sorted(results, key=lambda result: result.page)

    def _result(self, summary_file: Path) -> Result:
        """Find the mail of a report, and link to its folder by a name that a person can type."""
        summary = json.loads(summary_file.read_text())
        named = self._folder / "reports" / summary["searchJob"]["name"]
        named.symlink_to(Path("..") / summary_file.parent.relative_to(self._folder), target_is_directory=True)
        identifier = summary["searchJob"]["identifier"]
        mails = sorted(self._folder.glob("email-*.txt"))
        mail = next((mail for mail in mails if identifier in mail.read_text(encoding="utf-8")), None)
        return Result(
            summary,
            page=named.relative_to(self._folder) / REPORT_HTML,
            mail=mail and mail.relative_to(self._folder),
            why_no_mail="" if mail else self._why_no_mail(summary),
        )

    def _why_no_mail(self, summary: dict[str, Any]) -> str:
        if summary["notification"]["messageIds"]:
            return "it was sent, and did not arrive"
        name = self._outputs["ReportFunctionName"]
        function = self._aws.client("lambda").get_function_configuration(FunctionName=name)
        return WHY_NO_MAIL[function["Environment"]["Variables"][Variable.NOTIFY_ON]]

    def _keys(self) -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def _read(self, key: str) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read())
        return content

    def _messages(self) -> list[dict[str, Any]]:
        taken: list[dict[str, Any]] = []
        request = {"QueueUrl": self._queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1}
        while messages := self._sqs.receive_message(**request).get("Messages"):
            for message in messages:
                taken.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return taken
