"""A deployed stack whose AWS returns scripted answers: those of a stack in order, but for what a test changes."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import boto3
import botocore.session
from botocore.exceptions import BotoCoreError, ClientError

from cli.deployment import Deployment, Resource
from cli.doctor.checkup import CHECKS, STACK, run_check
from cli.doctor.finding import Finding
from search_coverage.names import SWEEP_DONE, Variable

ACCOUNT, REGION = "123456789012", "us-east-1"
CREATED = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
NOW = CREATED + timedelta(days=1)
ROLE = f"arn:aws:iam::{ACCOUNT}:role/its-role"
_QUEUE = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}"
_FUNCTION = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"

OUTPUTS = {
    "ReportBucketName": "reports",
    "AlertsTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts",
    "AlarmTopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:alarms",
    "ReportFunctionName": "report",
    "WatchFunctionName": "watch",
    "IdempotencyTableName": "table",
    "ScheduleName": "schedule",
    "FailureQueueUrl": f"{_QUEUE}/failures",
    "RuleDeadLetterQueueUrl": f"{_QUEUE}/rule-failures",
    "ScheduleDeadLetterQueueUrl": f"{_QUEUE}/schedule-failures",
}
REPORTS_KEY, MESSAGES_KEY = (f"{digit * 8}-2222-3333-4444-555555555555" for digit in "16")
RESOURCES = [
    Resource("AWS::KMS::Key", "ReportStoreKey8458C457", REPORTS_KEY),
    Resource("AWS::KMS::Key", "AlertsKey9E1197AF", MESSAGES_KEY),
    Resource("AWS::Scheduler::Schedule", "WatcherSchedule56D5C7A5", "schedule"),
    Resource("AWS::Events::Rule", "ReporterRule05AE7282", "rule"),
    Resource("AWS::SNS::Subscription", "AlertsTopicbackup9CC23003", "arn:subscription"),
    Resource("AWS::CloudWatch::Alarm", "MonitoringWatchSilent0CE4722F", "silent"),
]
FUNCTION = {
    "State": "Active",
    "LastUpdateStatus": "Successful",
    "Role": ROLE,
    "LoggingConfig": {"LogGroup": "watch-log"},
    "Environment": {"Variables": {Variable.SEARCH_JOB_STATUSES: "COMPLETED,FAILED,STOPPED", Variable.INVENTORY: "ON"}},
}
SCHEDULE = {
    "State": "ENABLED",
    "ScheduleExpression": "rate(1 minute)",
    "Target": {"Arn": f"{_FUNCTION}:watch", "RoleArn": ROLE},
}
SUBSCRIPTION = {"SubscriptionArn": "arn:1", "Protocol": "email", "Endpoint": "me@example.com"}
ALARM = {"AlarmName": "silent", "ActionsEnabled": True, "StateValue": "OK"}
BUCKET_STATEMENTS = {
    "OnlyTheReportFunctionWritesReports": "others can write reports",
    "NothingIsReplicatedIntoTheEvidence": "others can replicate reports into it",
    "NobodyLiftsALock": "others can remove a lock",
}
POSTURE_STATEMENTS = {"OnlyThePostureFunctionWritesPostures": "others can write postures"}
RESULTS_STATEMENTS = {
    "OnlyTheReportFunctionWritesResults": "others can write results",
    "NothingIsReplicatedIntoTheResults": "others can replicate results into it",
}

Answer = Mapping[str, Any] | Callable[[dict[str, Any]], Mapping[str, Any]] | BotoCoreError | ClientError
Answers = Mapping[str, Answer]


def refused(operation: str, code: str, message: str = "No.") -> ClientError:
    """Return the error that boto3 raises."""
    return ClientError({"Error": {"Code": code, "Message": message}}, operation)


def log_of(*lines: tuple[timedelta, str]) -> Callable[..., Mapping[str, Any]]:
    """Return a log that answers as CloudWatch Logs does to one term: lines of an age that contain it."""

    def answer(params: dict[str, Any]) -> Mapping[str, Any]:
        asked = json.loads(params["body"])
        events = [{"timestamp": int((NOW - age).timestamp() * 1000), "message": text} for age, text in lines]
        term = asked["filterPattern"].strip('"')
        return {"events": [e for e in events if term in str(e["message"]) and e["timestamp"] >= asked["startTime"]]}

    return answer


def log_line(message: str, level: str = "INFO") -> str:
    """Return a line as the functions write it."""
    return json.dumps({"level": level, "message": message})


def policy_simulator(*denied: str, organization: bool = True, conditions: bool = True) -> Answers:
    """Return an IAM that allows all but some actions.

    Args:
        denied: The actions that it denies.
        organization: Whether the policies of the organization allow them.
        conditions: Whether the simulator evaluates conditions.
    """

    def answer(params: dict[str, Any]) -> Mapping[str, Any]:
        actions = [value for key, value in params["body"].items() if key.startswith("ActionNames.member")]
        return {
            "EvaluationResults": [
                {
                    "EvalActionName": action,
                    "EvalDecision": "implicitDeny" if action in denied else "allowed",
                    "OrganizationsDecisionDetail": {"AllowedByOrganizations": organization or action not in denied},
                }
                for action in actions
            ]
        }

    custom = {"EvaluationResults": [{"EvalDecision": "allowed" if conditions else "implicitDeny"}]}
    return {"SimulatePrincipalPolicy": answer, "SimulateCustomPolicy": custom}


def bucket_policy(*sids: str) -> Mapping[str, Any]:
    """Return a policy of the bucket with these statements."""
    return {"Policy": json.dumps({"Statement": [{"Sid": sid} for sid in sids]})}


def invoke_policy(**statement: Any) -> Mapping[str, Any]:
    """Return a policy of the report function that allows EventBridge to invoke it."""
    allow = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}}
    return {"Policy": json.dumps({"Statement": [allow | statement]})}


def bucket_encryption(**rule: str) -> Mapping[str, Any]:
    """Return the encryption of the bucket."""
    return {"ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": rule}]}}


def failure_destination(queue: str) -> Mapping[str, Any]:
    """Return where Lambda sends failures."""
    return {"DestinationConfig": {"OnFailure": {"Destination": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}"}}}


IN_ORDER: Answers = {
    "GetFunctionConfiguration": FUNCTION,
    "GetFunctionConcurrency": {},
    "GetFunctionEventInvokeConfig": failure_destination("failures"),
    "GetPolicy": invoke_policy(Condition={"ArnLike": {"AWS:SourceArn": "arn:rule"}}),
    "GetSchedule": SCHEDULE,
    "DescribeRule": {"State": "ENABLED", "Arn": "arn:rule"},
    "ListTargetsByRule": {"Targets": [{"Arn": f"{_FUNCTION}:report"}]},
    "FilterLogEvents": log_of((timedelta(seconds=30), log_line(SWEEP_DONE))),
    "ListSubscriptionsByTopic": {"Subscriptions": [SUBSCRIPTION]},
    "DescribeKey": {"KeyMetadata": {"KeyState": "Enabled"}},
    "HeadBucket": {},
    "GetBucketVersioning": {"Status": "Enabled"},
    "GetBucketEncryption": bucket_encryption(SSEAlgorithm="aws:kms", KMSMasterKeyID=REPORTS_KEY),
    "GetBucketPolicy": bucket_policy(*BUCKET_STATEMENTS, *POSTURE_STATEMENTS, *RESULTS_STATEMENTS),
    "DescribeTable": {"Table": {"TableStatus": "ACTIVE"}},
    "ListSearchJobs": {"SearchJobs": []},
    "ListObjectsV2": {"Contents": []},
    "GetQueueAttributes": {"Attributes": {"ApproximateNumberOfMessages": "0"}},
    "DescribeAlarms": {"MetricAlarms": [ALARM]},
    **policy_simulator(),
}


class ScriptedStack(Deployment):
    """The stack. All of them share one session, since a client takes most of the time; the latest one answers."""

    _shared: ClassVar[boto3.session.Session | None] = None
    _shared_clients: ClassVar[dict[Any, Any]] = {}
    answers: ClassVar[Answers] = {}

    def __init__(
        self,
        answers: Answers = IN_ORDER,
        *,
        now: datetime = NOW,
        status: str = "CREATE_COMPLETE",
        keeps_results: bool = False,
        takes_postures: bool = False,
    ) -> None:
        if ScriptedStack._shared is None:
            core: Any = botocore.session.Session()
            core.set_credentials("testing", "testing")
            core.register("before-call", _answer)
            ScriptedStack._shared = boto3.session.Session(botocore_session=core, region_name=REGION)
        super().__init__(ScriptedStack._shared, account=ACCOUNT, now=lambda: now)
        self._clients = ScriptedStack._shared_clients
        ScriptedStack.answers = answers
        self.__dict__["stack"] = {"StackStatus": status, "CreationTime": CREATED}
        results_key = Resource("AWS::KMS::Key", "ResultsStoreKey1C3DE8E6", REPORTS_KEY)
        outputs = {"ResultsBucketName": "results"} if keeps_results else {}
        resources = [results_key] if keeps_results else []
        if takes_postures:
            outputs |= {
                "PostureFunctionName": "posture",
                "PostureScheduleName": "posture-schedule",
                "PostureDeadLetterQueueUrl": f"{_QUEUE}/posture-failures",
            }
            resources.append(Resource("AWS::Scheduler::Schedule", "PosterSchedule4E2F0A11", "posture-schedule"))
        self.__dict__["outputs"] = {**OUTPUTS, **outputs}
        self.__dict__["resources"] = [*RESOURCES, *resources]


def _answer(model: Any, params: dict[str, Any], **_: object) -> tuple[Any, Mapping[str, Any]]:
    answer = ScriptedStack.answers[model.name]
    if isinstance(answer, BotoCoreError | ClientError):
        raise answer
    return _Ok(), answer(params) if callable(answer) else answer


class _Ok:
    status_code = 200


def find(check: str, stack: Deployment) -> Finding:
    """Run one check."""
    return run_check(next(each for each in (STACK, *CHECKS) if each.name == check), stack)
