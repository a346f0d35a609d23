"""The product, deployed without CloudFormation into an `AwsProcess`, and seen from outside."""

import csv
import gzip
import hashlib
import io
import json
from collections import defaultdict
from typing import Any

import boto3

from search_coverage.names import METRICS_NAMESPACE, SERVICE, STATE_CHANGE, Variable
from tests.examples import JANE
from tests.faults.aws_process import BUCKET, RESULTS_BUCKET, TABLE, AwsProcess
from tests.faults.functions import Attempt, Functions
from tests.invocation import ACCOUNT, REGION, Context, state_change
from tests.planted import refuse_planted

_FORGOTTEN_SECONDS = 8 * 24 * 60 * 60
SDK = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "POWERTOOLS_SERVICE_NAME": SERVICE,
    "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
}
_QUEUES = {name: f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}" for name in ("machines", "bus")}


class Deployed:
    """Bucket, topic, table, bus and functions.

    Attributes:
        digests: How many digests a subscriber received, by search job.
        entries: The backups that machines received in all parts, by search job.
        created: How many "Search Coverage Report Created" events the bus carried, by search job.
    """

    def __init__(self, aws: AwsProcess, scenario: dict[str, Any]) -> None:
        """Deploy, and warm the functions up with a search job of a scenario.

        Args:
            scenario: The scenario of `end_search_job`, unless it gets another one. If it has results, they are kept.
        """
        self.aws = aws
        self._scenario = scenario
        topic = create_resources(aws.url)
        self.digests: dict[str, int] = defaultdict(int)
        self.entries: dict[str, set[str]] = defaultdict(set)
        self.created: dict[str, int] = defaultdict(int)
        environment = {
            "AWS_ENDPOINT_URL": aws.url,
            Variable.REPORT_BUCKET: BUCKET,
            Variable.ALERTS_TOPIC_ARN: topic,
            Variable.EVENT_BUS_NAME: "default",
            Variable.IDEMPOTENCY_TABLE: TABLE,
            Variable.NOTIFY_ON: "FAILED",
            Variable.SEARCH_JOB_STATUSES: "COMPLETED,FAILED,STOPPED",
            Variable.INVENTORY: "ON",
            Variable.KEEP_ITEM_FILTERS: "ON",
            **({Variable.RESULTS_BUCKET: RESULTS_BUCKET} if scenario.get("results") else {}),
        }
        self.functions = Functions(aws, environment, "watch", "report")
        self.functions.warm_up(watch={}, report=state_change(self.end_search_job()))
        self.begin_anew()

    def report(self, event: object, context: Context | None = None) -> Attempt:
        return self.functions.invoke("report", event, context or Context())

    def sweep(self) -> Attempt:
        return self.functions.invoke("watch", {}, Context("watch"))

    def end_search_job(self, scenario: dict[str, Any] | None = None) -> str:
        identifier: str = self.aws.finish_job(scenario or self._scenario)
        return identifier

    def announcements(self, search_job: str | None = None) -> list[dict[str, Any]]:
        """Take the events from the bus: count those of reports, and return the state changes (of one search job)."""
        announced = []
        for event in self.aws.take_messages("bus"):
            refuse_planted(event, "an event")
            identifier = event["detail"]["searchJobIdentifier"]
            if event["detail-type"] != STATE_CHANGE:
                self.created[identifier] += 1
            elif search_job in {None, identifier}:
                announced.append(event)
        return announced

    def count_messages(self) -> None:
        for message in self.aws.take_messages("machines"):
            refuse_planted(message, "a message")
            body = json.loads(message["Message"])
            search_job = body["searchJob"]["identifier"]
            self.digests[search_job] += message["MessageAttributes"]["kind"]["Value"] == "digest"
            self.entries[search_job].update(backup["backup_arn"] for backup in body["failedBackups"])

    def let_pass(self, seconds: int) -> None:
        self.aws.let_pass(seconds)

    def begin_anew(self) -> None:
        """Move AWS Backup's clock until it has forgotten all search jobs, and empty the bucket, the table, the bus."""
        self.aws.move_clock(_FORGOTTEN_SECONDS)
        self.aws.empty()
        self.announcements()

    def summaries(self) -> dict[str, dict[str, Any]]:
        found = {key.split("/")[-2]: content for key, (content, _) in self.aws.objects().items() if _is_summary(key)}
        return {search_job: json.loads(content) for search_job, content in found.items()}

    def summary(self, search_job: str) -> dict[str, Any] | None:
        return self.summaries().get(search_job)

    def flaws(self, summary: dict[str, Any], counts: dict[str, int] | None = None) -> list[str]:
        """Return what is wrong with a report whose summary is there.

        Args:
            counts: The counts of its backups, of which some failed; None if they are checked elsewhere.
        """
        flaws = []
        objects = self.aws.objects()
        results = {f"results {kind}": file for kind, file in summary["results"]["files"].items()}
        for kind, file in {**summary["files"], **results}.items():
            content, version = objects.get(file["key"], (None, ""))
            if content is None:
                flaws.append(f"{kind} is missing")
            elif hashlib.sha256(content).hexdigest() != file["sha256"] or version != file["versionId"]:
                flaws.append(f"{kind} is not what the summary vouches for")
            elif (
                kind.endswith("csv")
                and len(list(csv.reader(io.StringIO(content.decode(), newline="")))) != file["rows"] + 1
            ):
                flaws.append("the CSV has other rows than the summary says")
            elif kind.endswith("jsonl") and len(gzip.decompress(content).splitlines()) != file["rows"]:
                flaws.append("the JSON Lines have other rows than the summary says")
        if JANE not in json.dumps(summary["searchJob"]["itemFilters"]):
            flaws.append("the filters are not kept")
        if counts and summary["verdict"] == "COMPLETE":
            flaws.append("a false COMPLETE")
        if counts and summary["backups"] != counts:
            flaws.append(f"wrong counts: {summary['backups']}")
        return flaws


def scenario_of(listed: int, failed: int, message: str, *, results: int = 0) -> tuple[dict[str, Any], dict[str, int]]:
    """Return a scenario in which the last backups failed, and the counts of its report."""
    backups = [{"count": listed - failed}, {"count": failed, "status": "FAILED", "status_message": message}]
    counts = {"listed": listed, "searched": listed - failed, "excluded": failed, "failed": failed}
    found = [{"count": results}] if results else []
    return {"name": "worst-day", "backups": backups, "results": found}, counts


def _is_summary(key: str) -> bool:
    return key.startswith("reports/") and key.endswith("/summary.json")


def create_resources(url: str) -> str:
    """Create what the stack creates, and queues that receive what it sends; return the topic's ARN."""
    clients: dict[str, Any] = {}
    for service in ("s3", "sqs", "sns", "events", "dynamodb"):
        clients[service] = boto3.client(service, endpoint_url=url)
    s3, sqs, sns, events, dynamodb = clients.values()
    for bucket in (BUCKET, RESULTS_BUCKET):
        s3.create_bucket(Bucket=bucket)
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    dynamodb.create_table(
        TableName=TABLE,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    for queue in _QUEUES:
        sqs.create_queue(QueueName=queue)
    topic: str = sns.create_topic(Name="alerts")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=_QUEUES["machines"])
    events.put_rule(Name="all", EventPattern=json.dumps({"source": [SERVICE]}))
    events.put_targets(Rule="all", Targets=[{"Id": "queue", "Arn": _QUEUES["bus"]}])
    return topic
