"""The AWS of an operator who runs the command: moto, and fakes of the report function and of AWS Backup search."""

import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import boto3
from click.testing import CliRunner, Result

from cli.__main__ import main
from search_coverage.names import STACK
from tests.invocation import ACCOUNT, REGION
from tests.planted import refuse_planted

JOB, OTHER_JOB, THIRD_JOB = (f"{digit * 8}-2222-3333-4444-555555555555" for digit in "123")
ARN = f"arn:aws:backup-search:{REGION}:{ACCOUNT}:search-job/{JOB}"
BUCKET = "reports-bucket"
FOLDER = f"reports/{ACCOUNT}/{REGION}/2026/11/20/{JOB}/"
SUMMARY = {
    "searchJob": {"identifier": JOB, "name": "audit", "status": "COMPLETED"},
    "verdict": "PARTIAL",
    "verdictReasons": ["4 backups were not searched."],
    "backups": {"listed": 9, "searched": 5, "excluded": 4, "failed": 3},
    "excludedByReason": {"NOT_FINISHED": 1, "PERMISSION_DENIED": 3},
    "notification": {"failedBackups": 3, "messageIds": ["1"], "pending": None},
    "generatedAt": "2026-11-20T10:00:00Z",
}
ANSWER = {"verdict": "PARTIAL", "backups": SUMMARY["backups"], "created": True}


@dataclass
class OperatorAws:
    """AWS as the command sees it. The session that the command makes is listened to.

    Attributes:
        function: What the report function does with an event: the answer, or the error.
        search_jobs: The search jobs that AWS Backup knows: their statuses.
        errors: The error codes that operations answer.
        denied_actions: The actions that IAM does not allow the roles that it is asked about.
        denied_buckets: The buckets whose objects the caller may not read.
        events: The events that the report function received.
        calls: The IAM actions of the calls.
    """

    function: Callable[[dict[str, Any]], Any] = lambda _: ANSWER
    search_jobs: dict[str, str] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)
    denied_buckets: set[str] = field(default_factory=set)
    denied_actions: set[str] = field(default_factory=set)
    events: list[dict[str, Any]] = field(default_factory=list)
    calls: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.s3, self.sqs = boto3.client("s3", REGION), boto3.client("sqs", REGION)
        self.s3.create_bucket(Bucket=BUCKET, ObjectLockEnabledForBucket=True)
        self.queue = self.sqs.create_queue(QueueName="failures")["QueueUrl"]
        outputs = {"ReportBucketName": BUCKET, "ReportFunctionName": "report", "FailureQueueUrl": self.queue}
        template = {
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {name: {"Value": text} for name, text in outputs.items()},
        }
        boto3.client("cloudformation", REGION).create_stack(StackName=STACK, TemplateBody=json.dumps(template))

    def session(self, **options: Any) -> boto3.session.Session:
        """Make a session as boto3 does, and listen to it."""
        session = boto3.Session(**options)
        register: Any = session.events.register
        register("before-call", self._answer)
        return session

    def run(self, *arguments: str, stdin: str | None = None) -> Result:
        """Run the command."""
        result = CliRunner().invoke(main, arguments, input=stdin)
        refuse_planted(result.output, "what the command prints")
        return result

    def store(self, **changes: Any) -> None:
        """Write a report into the bucket."""
        self.s3.put_object(Bucket=BUCKET, Key=f"{FOLDER}summary.json", Body=json.dumps(SUMMARY | changes))
        for name in (JOB, OTHER_JOB):
            line = f"summaries/account={ACCOUNT}/region={REGION}/date=2026-11-20/{name}.json"
            self.s3.put_object(Bucket=BUCKET, Key=line, Body=b"{}")

    def fail(self, *payloads: object) -> None:
        """Write what Lambda writes into the failure queue, for events that the report function failed at."""
        for payload in payloads:
            record = {"requestContext": {"condition": "RetriesExhausted"}, "requestPayload": payload}
            self.sqs.send_message(QueueUrl=self.queue, MessageBody=json.dumps(record))

    def waiting(self) -> list[Any]:
        """Return the payloads of the messages that a consumer can receive."""
        received = self.sqs.receive_message(QueueUrl=self.queue, MaxNumberOfMessages=10, VisibilityTimeout=0)
        return [json.loads(each["Body"])["requestPayload"] for each in received.get("Messages", [])]

    def _answer(self, model: Any, params: dict[str, Any], **_: object) -> tuple[Any, dict[str, Any]] | None:
        self.calls.add(f"{model.service_model.signing_name}:{model.name}")
        if code := self._refusal(model.name, params):
            return _Status(400), {"Error": {"Code": code, "Message": "Not you."}}
        if model.name == "Invoke":
            event = json.loads(params["body"])
            self.events.append(event)
            outcome = self.function(event)
            failed = {"FunctionError": "Unhandled"} if "errorMessage" in (outcome or ()) else {}
            return _Status(200), {"Payload": io.BytesIO(json.dumps(outcome).encode()), **failed}
        if model.name == "SimulatePrincipalPolicy":
            asked = params["body"]
            actions, resources = (
                [value for key, value in asked.items() if key.startswith(f"{name}.member")]
                for name in ("ActionNames", "ResourceArns")
            )
            results = [
                {
                    "EvalActionName": action,
                    "EvalResourceName": resource,
                    "EvalDecision": "implicitDeny" if action in self.denied_actions else "allowed",
                }
                for action in actions
                for resource in resources
            ]
            return _Status(200), {"EvaluationResults": results}
        if model.name == "GetSearchJob":
            identifier = params["url_path"].rpartition("/")[2]
            if identifier not in self.search_jobs:
                return _Status(404), {"Error": {"Code": "ResourceNotFoundException", "Message": "Unknown."}}
            return _Status(200), {
                "SearchJobIdentifier": identifier,
                "SearchJobArn": ARN,
                "Status": self.search_jobs[identifier],
                "CompletionTime": datetime(2026, 11, 20, 9, tzinfo=UTC),
            }
        return None

    def _refusal(self, operation: str, params: dict[str, Any]) -> str | None:
        if operation == "GetObject" and any(bucket in params["url"] for bucket in self.denied_buckets):
            return "AccessDenied"
        # moto has no GetObjectRetention; of a lock that exists, HeadObject tells
        without_lock = "NoSuchObjectLockConfiguration" if operation == "GetObjectRetention" else None
        return self.errors.get(operation, without_lock)


@dataclass
class _Status:
    status_code: int
