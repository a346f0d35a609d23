"""What a user would get: collected into a folder, and shown."""

import json
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from local.demo.search_jobs import VERDICT_STYLES
from local.emulator.embedded_aws import EmbeddedAws

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
        summaries = [self._summary(key) for key in self._keys() if key.endswith("/summary.json")]
        return {summary["searchJob"]["identifier"]: summary["verdict"] for summary in summaries}

    def collect(self) -> None:
        """Put every object, every message and every mail into the folder."""
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

    def show(self, console: Console) -> None:
        """Show the verdicts, one mail, and where the rest is."""
        table = Table("ended as", "verdict", "listed", "searched", "not searched", "failed", "search job")
        for path in sorted(self._folder.glob("bucket/reports/**/summary.json")):
            summary = json.loads(path.read_text())
            job, backups, verdict = summary["searchJob"], summary["backups"], summary["verdict"]
            counts = [str(backups[name]) for name in ("listed", "searched", "excluded", "failed")]
            table.add_row(job["status"], f"[{VERDICT_STYLES[verdict]}]{verdict}[/]", *counts, job["name"])
        console.print(table)
        mails = sorted(self._folder.glob("email-*.txt"))
        console.print(f"   {len(mails)} mails, one for each search job with a failure. One of them:")
        if mails:
            console.rule("[dim]mail")
            console.print(mails[0].read_text(encoding="utf-8"), markup=False, soft_wrap=True)
            console.rule()
        for what, pattern in (
            ("the reports to open in a browser", "bucket/reports/**/report.html"),
            ("the mails", "email-*.txt"),
            ("the messages for machines", "alerts/*.json"),
            ("all objects of the bucket", "bucket"),
        ):
            console.print(f"   {what}:")
            for path in sorted(self._folder.glob(pattern)):
                console.print(f"      {path.relative_to(self._folder.parents[1])}", soft_wrap=True)

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
