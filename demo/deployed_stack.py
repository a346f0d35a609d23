"""The stack that the demo deploys, and what it delivers, collected into a folder."""

import json
from pathlib import Path
from typing import Any

from demo.results import WHY_NO_MAIL, Result
from search_coverage.names import (
    EXCLUDED_BACKUPS_CSV,
    POSTURE,
    POSTURE_HTML,
    REPORT_HTML,
    REPORTS,
    SUMMARY_JSON,
    Variable,
)
from simulators.embedded_aws.embedded_aws import EmbeddedAws
from simulators.embedded_aws.errors import EmulatorError


class DeployedStack:
    """The buckets, the functions, the messages and the mails of a deployment."""

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
        summaries = [
            json.loads(self._read(key)) for key in self._keys(self._bucket, REPORTS) if key.endswith(f"/{SUMMARY_JSON}")
        ]
        return {summary["searchJob"]["identifier"]: summary["verdict"] for summary in summaries}

    def summary(self, search_job: str) -> dict[str, Any]:
        """Return the summary of a report."""
        summary: dict[str, Any] = json.loads(self._file(search_job, SUMMARY_JSON))
        return summary

    def excluded_backups(self, search_job: str) -> str:
        """Return the content of a report's CSV file."""
        return self._file(search_job, EXCLUDED_BACKUPS_CSV).decode()

    def sweep(self) -> None:
        """Run the watch function now, instead of waiting for its schedule."""
        self._aws.client("lambda").invoke(FunctionName=self._outputs["WatchFunctionName"])

    def take_posture(self) -> dict[str, Any]:
        """Run the posture function now, instead of waiting for its schedule; return the summary that it wrote.

        Raises:
            EmulatorError: It took no posture.
        """
        answer = self._aws.client("lambda").invoke(
            FunctionName=self._outputs["PostureFunctionName"], Payload='{"posture": {}}'
        )
        outcome = json.loads(answer["Payload"].read())
        if "summaryKey" not in outcome:
            raise EmulatorError(f"There is no posture: {outcome}. See out/emulator.")
        summary: dict[str, Any] = json.loads(self._read(outcome["summaryKey"]))
        return summary

    def posture_page(self) -> Path:
        """Return the page of the newest posture that was collected, relative to the folder."""
        return max(self._folder.glob(f"bucket/{POSTURE}**/{POSTURE_HTML}")).relative_to(self._folder)

    def collect(self) -> list[Result]:
        """Put every object, every message and every mail into the folder, and return the result of each search job."""
        self._download(self._bucket, self._folder / "bucket")
        self._download(self._outputs["ResultsBucketName"], self._folder / "results")
        alerts = self._folder / "alerts"
        alerts.mkdir()
        for number, message in enumerate(self._messages(), start=1):
            (alerts / f"{number}.json").write_text(json.dumps(message, indent=2, ensure_ascii=False) + "\n")
        for number, mail in enumerate(self._aws.mails(), start=1):
            (self._folder / f"email-{number}.txt").write_text(f"{mail.subject}\n\n{mail.text}", encoding="utf-8")
        (self._folder / "reports").mkdir()
        found = self._folder.glob(f"bucket/{REPORTS}**/{SUMMARY_JSON}")
        summaries = [(json.loads(path.read_text(encoding="utf-8")), path.parent) for path in found]
        summaries.sort(key=lambda one: str(one[0]["searchJob"]["completionTime"]))
        results = [self._result(summary, folder) for summary, folder in summaries]
        return sorted(results, key=lambda result: result.page)

    def _result(self, summary: dict[str, Any], report: Path) -> Result:
        """Find the mail of a report, and link to its folder by a name that a person can type."""
        job = summary["searchJob"]
        named = self._folder / "reports" / job["name"]
        if named.exists():
            named = named.with_name(f"{job['name']}-again")
        named.symlink_to(Path("..") / report.relative_to(self._folder), target_is_directory=True)
        mails = sorted(self._folder.glob("email-*.txt"))
        its_own = f"Identifier: {job['identifier']}"
        mail = next((mail for mail in mails if its_own in mail.read_text(encoding="utf-8")), None)
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

    def _download(self, bucket: str, folder: Path) -> None:
        for key in self._keys(bucket):
            path = folder / key
            path.parent.mkdir(parents=True, exist_ok=True)
            self._s3.download_file(bucket, key, str(path))

    def _keys(self, bucket: str, prefix: str = "") -> list[str]:
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        return [entry["Key"] for page in pages for entry in page.get("Contents", [])]

    def _file(self, search_job: str, name: str) -> bytes:
        return self._read(next(key for key in self._keys(self._bucket) if key.endswith(f"/{search_job}/{name}")))

    def _read(self, key: str) -> bytes:
        content: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        return content

    def _messages(self) -> list[dict[str, Any]]:
        taken: list[dict[str, Any]] = []
        request = {"QueueUrl": self._queue, "MaxNumberOfMessages": 10, "WaitTimeSeconds": 1}
        while messages := self._sqs.receive_message(**request).get("Messages"):
            for message in messages:
                taken.append(json.loads(message["Body"]))
                self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return taken
