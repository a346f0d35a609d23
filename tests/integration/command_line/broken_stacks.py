"""What can be broken in a stack: how AWS answers then, and what the doctor says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from cli.doctor.finding import State
from cli.doctor.section import Section
from tests.integration.command_line.scripted_aws import (
    ALARM,
    BUCKET_STATEMENTS,
    CREATED,
    FUNCTION,
    IN_ORDER,
    MESSAGES_KEY,
    REPORTS_KEY,
    SCHEDULE,
    SUBSCRIPTION,
    bucket_encryption,
    bucket_policy,
    failure_destination,
    invoke_policy,
    refused,
)

ATTENTION, WRONG = State.ATTENTION, State.WRONG
NOT_FOUND = "ResourceNotFoundException"


@dataclass(frozen=True)
class For:
    """An answer to the requests that contain a text. The other requests get the answer of a stack in order."""

    part: str
    answer: Mapping[str, Any] | str


def answers(operation: str, changed: Any) -> dict[str, Any]:
    """Return the answers of a stack in order, but for one operation. A text is the code of an error."""
    condition = changed if isinstance(changed, For) else For("", changed)

    def respond(params: dict[str, Any]) -> Any:
        if condition.part not in str(params):
            return IN_ORDER[operation]
        if isinstance(condition.answer, str):
            raise refused(operation, condition.answer)
        return condition.answer

    return {**IN_ORDER, operation: respond}


class Row(NamedTuple):
    """An answer, the state that follows, parts of the sentence and of the remedy, and the section of the runbook."""

    answer: For | Mapping[str, Any] | str
    state: State
    found: str
    remedy: str
    section: Section


def _function_states(name: str) -> list[Row]:
    rows: tuple[tuple[dict[str, str], State, str, str], ...] = (
        ({"State": "Pending"}, ATTENTION, "is Pending", "Wait"),
        ({"LastUpdateStatus": "InProgress"}, ATTENTION, "last update InProgress", "Wait"),
        ({"State": "Failed", "StateReason": "The key is off."}, WRONG, "The key is off.", "Remove the cause"),
        ({"LastUpdateStatus": "Failed"}, WRONG, "last update Failed", "Remove the cause"),
    )
    return [
        Row(For(f"/{name}/", {**FUNCTION, **change}), state, found, remedy, Section.UPGRADE)
        for change, state, found, remedy in rows
    ]


def _messages(visible: int, hidden: int = 0) -> dict[str, Any]:
    numbers = {"": visible, "NotVisible": hidden}
    return {"Attributes": {f"ApproximateNumberOfMessages{kind}": str(number) for kind, number in numbers.items()}}


_STOPPED = {"ReservedConcurrentExecutions": 0}
_OTHER_TARGET = {**SCHEDULE, "Target": {"Arn": "arn:another-function"}}
_PENDING = {"Subscriptions": [{**SUBSCRIPTION, "SubscriptionArn": "PendingConfirmation"}]}
SQS_ENDPOINT = {"SubscriptionArn": "arn:2", "Protocol": "sqs", "Endpoint": "arn:aws:sqs"}
_DELETED_ON = {"KeyMetadata": {"KeyState": "PendingDeletion", "DeletionDate": CREATED}}
_DISABLED = {"KeyMetadata": {"KeyState": "Disabled"}}
_AES = bucket_encryption(SSEAlgorithm="AES256")
_UNENCRYPTED = "ServerSideEncryptionConfigurationNotFoundError"
_NO_QUEUE = "AWS.SimpleQueueService.NonExistentQueue"
_UNCONFIRMED = "Not confirmed, and so without emails: me@example.com."
_FOLLOW = "Follow the link in the email from AWS; it is valid for two days"
_UNSUBSCRIBED = "0 of the 1 email subscriptions remain: an address unsubscribed, or did not confirm in time."

TABLE: dict[tuple[str, str], list[Row]] = {
    ("report function", "GetFunctionConfiguration"): _function_states("report"),
    ("watch function", "GetFunctionConfiguration"): [
        *_function_states("watch"),
        Row(For("/watch/", NOT_FOUND), WRONG, "There is no function watch", "restore", Section.CHANGED),
    ],
    ("report function", "GetFunctionConcurrency"): [
        Row(For("/report/", _STOPPED), WRONG, "concurrency of 0", "Restore", Section.THROTTLED)
    ],
    ("watch function", "GetFunctionConcurrency"): [
        Row(For("/watch/", _STOPPED), WRONG, "concurrency of 0", "Restore", Section.SILENT)
    ],
    ("schedule", "GetSchedule"): [
        Row(NOT_FOUND, WRONG, "There is no schedule", "restore", Section.SILENT),
        Row({**SCHEDULE, "State": "DISABLED"}, WRONG, "is DISABLED", "Enable it", Section.SILENT),
        Row(_OTHER_TARGET, WRONG, "starts arn:another-function", "target", Section.SILENT),
    ],
    ("rule", "DescribeRule"): [
        Row(NOT_FOUND, WRONG, "There is no rule", "restore", Section.CHANGED),
        Row({"State": "DISABLED"}, WRONG, "is DISABLED", "Enable it", Section.OVERDUE),
    ],
    ("rule", "ListTargetsByRule"): [
        Row({"Targets": []}, WRONG, "The report function is not a target of rule.", "target", Section.OVERDUE)
    ],
    ("rule", "GetPolicy"): [
        Row(NOT_FOUND, WRONG, "does not allow the rule", "permission", Section.RULE_QUEUE),
        Row(invoke_policy(Condition="arn:2"), WRONG, "does not allow the rule", "permission", Section.RULE_QUEUE),
        Row(invoke_policy(Effect="Deny"), WRONG, "does not allow the rule", "permission", Section.RULE_QUEUE),
    ],
    ("report emails", "ListSubscriptionsByTopic"): [
        Row(For(":alerts", "NotFound"), WRONG, "There is no topic", "restore", Section.CHANGED),
        Row(For(":alerts", _PENDING), ATTENTION, _UNCONFIRMED, _FOLLOW, Section.DOCTOR),
        Row(For(":alerts", {"Subscriptions": [SQS_ENDPOINT]}), ATTENTION, _UNSUBSCRIBED, "Deploy once", Section.DOCTOR),
    ],
    ("alarm emails", "ListSubscriptionsByTopic"): [
        Row(For(":alarms", _PENDING), ATTENTION, _UNCONFIRMED, _FOLLOW, Section.DOCTOR),
        Row(For(":alarms", {"Subscriptions": []}), ATTENTION, "no subscriber", "to alarmEmails", Section.DOCTOR),
    ],
    ("KMS key of the reports", "DescribeKey"): [
        Row(For(REPORTS_KEY, "NotFoundException"), WRONG, "There is no key", "lost for good", Section.CHANGED),
        Row(For(REPORTS_KEY, _DISABLED), WRONG, "is Disabled", "enable-key", Section.CHANGED),
    ],
    ("KMS key of the messages", "DescribeKey"): [
        Row(For(MESSAGES_KEY, _DELETED_ON), WRONG, "deleted on 2026-11-20", "cancel-key-deletion", Section.CHANGED)
    ],
    ("bucket", "HeadBucket"): [Row("404", WRONG, "There is no bucket", "restore", Section.CHANGED)],
    ("bucket", "GetBucketVersioning"): [
        Row({"Status": "Suspended"}, WRONG, "versioning is Suspended", "undo it", Section.CHANGED),
        Row({}, WRONG, "versioning is Off", "undo it", Section.CHANGED),
    ],
    ("bucket", "GetBucketEncryption"): [
        Row(_AES, WRONG, "encrypted with AES256, not with the key of the stack", "undo it", Section.CHANGED),
        Row(_UNENCRYPTED, WRONG, "is not encrypted", "undo it", Section.CHANGED),
    ],
    ("bucket", "GetBucketPolicy"): [
        Row("NoSuchBucketPolicy", WRONG, "has no policy", "undo it", Section.CHANGED),
        *(
            Row(
                bucket_policy(*(each for each in BUCKET_STATEMENTS if each != sid)),
                WRONG,
                f"reports has a policy without {sid}, so {consequence}.",
                "undo it",
                Section.CHANGED,
            )
            for sid, consequence in BUCKET_STATEMENTS.items()
        ),
    ],
    ("table", "DescribeTable"): [
        Row(NOT_FOUND, WRONG, "There is no table", "under its old name", Section.TABLE_DELETED),
        Row({"Table": {"TableStatus": "CREATING"}}, ATTENTION, "is CREATING", "Wait", Section.TABLE_DELETED),
        Row({"Table": {"TableStatus": "ARCHIVED"}}, WRONG, "is ARCHIVED", "undo", Section.TABLE_DELETED),
    ],
    ("failure destination", "GetFunctionEventInvokeConfig"): [
        Row(NOT_FOUND, WRONG, "has no failure destination", "failure queue", Section.NOT_KEPT),
        Row({}, WRONG, "has no failure destination", "failure queue", Section.NOT_KEPT),
        Row(failure_destination("x"), WRONG, ":x, not to the failure queue", "failure queue", Section.NOT_KEPT),
    ],
    ("failure queue", "GetQueueAttributes"): [
        Row(For("/failures", _NO_QUEUE), WRONG, "no queue failures", "its old name", Section.NOT_KEPT),
        Row(For("/failures", _messages(1)), ATTENTION, "1 message", "replay --failed", Section.FAILURE_QUEUE),
    ],
    ("queue of the rule", "GetQueueAttributes"): [
        Row(For("/rule", _NO_QUEUE), WRONG, "no queue rule-failures", "its old name", Section.NOT_KEPT),
        Row(For("/rule", _messages(0, 2)), ATTENTION, "2 message", "empty the queue", Section.RULE_QUEUE),
    ],
    ("queue of the schedule", "GetQueueAttributes"): [
        Row(For("/schedule", "QueueDoesNotExist"), WRONG, "no queue schedule-", "its old name", Section.CHANGED),
        Row(For("/schedule", _messages(1)), ATTENTION, "1 message", "empty the queue", Section.SCHEDULE_QUEUE),
    ],
    ("alarms", "DescribeAlarms"): [
        Row({"MetricAlarms": []}, WRONG, "1 alarm is missing: silent.", "restore", Section.CHANGED),
        Row(
            {"MetricAlarms": [{**ALARM, "ActionsEnabled": False}]},
            WRONG,
            "1 alarm is switched off",
            "enable-alarm-actions",
            Section.CHANGED,
        ),
        Row(
            {"MetricAlarms": [{**ALARM, "StateValue": "ALARM"}]},
            ATTENTION,
            "1 alarm is on: silent",
            "description",
            Section.ALARMS,
        ),
    ],
    ("last sweep", "FilterLogEvents"): [
        Row(NOT_FOUND, WRONG, "There is no log group watch-log.", "restore", Section.CHANGED)
    ],
}
