"""Each case of a posture as it would happen in AWS: the schedule's invocation, Lambda's retries, and the next day.

A posture was taken and mailed eight days before, an index was made since, and AWS Backup has said that another failed.
"""

import csv
import gzip
import hashlib
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from search_coverage.names import INDEX_STATE_CHANGE, LAST_MAIL_JSON, POSTURES, Variable
from tests.faults.aws_process import BUCKET, TABLE, AwsProcess
from tests.faults.crash import Row
from tests.faults.deployed import create_resources
from tests.faults.faults import ALL_ATTEMPTS, ONE_ATTEMPT, Case, Fault, Kind
from tests.faults.functions import Attempt, Functions, Special
from tests.invocation import ACCOUNT, REGION, Context
from tests.planted import refuse_planted

_POINT = f"arn:aws:backup:{REGION}:{ACCOUNT}:recovery-point"
_INDEXED_SINCE = f"{_POINT}:payroll"
_PLAN_ID = "44444444-5555-6666-7777-888888888888"
_PLAN = {"BackupPlanName": "nightly", "Rules": [{"RuleName": "nightly", "TargetBackupVaultName": "nightly"}]}
_MADE = {"plan": _PLAN_ID, "rule": "nightly", "index": None}
_POINTS: list[dict[str, Any]] = [
    {"source": "arn:aws:s3:::invoices", "count": 2},
    {"source": "arn:aws:s3:::payroll", "arn": _INDEXED_SINCE, **_MADE},
    {"source": "arn:aws:s3:::mail", "index": "FAILED", "index_message": "Access denied."},
    {"resource_type": "EBS", "count": 21, **_MADE},
    {"resource_type": "EC2"},
]
_COUNTS = {"SEARCHABLE": 3, "INDEX_FAILED": 1, "INDEX_MISSING": 21}
_INDEX_FAILED = {
    "version": "0",
    "id": "e-1",
    "source": "aws.backup",
    "detail-type": INDEX_STATE_CHANGE,
    "account": ACCOUNT,
    "region": REGION,
    "resources": [f"{_POINT}:mail"],
    "detail": {"recoveryPointArn": f"{_POINT}:mail", "indexStatus": "FAILED", "indexStatusMessage": "Access denied."},
}
_TAKE: dict[str, Any] = {"posture": {}}
_DAY, _NEXT_DAY = 8, 9  # after the posture before
_KINDS = {Kind.KILLED_BEFORE: ONE_ATTEMPT, Kind.KILLED_AFTER: ONE_ATTEMPT, Kind.DENIED: ALL_ATTEMPTS}
_READS = ("Get", "Head", "List")  # to die after one of these is to die before the next call
_ATTEMPTS = 3
_TRIES_IN_A_WEEK = 3  # of a mail, until one is recorded


class DeployedPosture:
    """Bucket, topic, table, bus and the posture function.

    Attributes:
        last_record: Which PutObject of a posture records that its mail was sent.
    """

    last_record = 0

    def __init__(self, aws: AwsProcess) -> None:
        self.aws = aws
        environment = {
            "AWS_ENDPOINT_URL": aws.url,
            Variable.REPORT_BUCKET: BUCKET,
            Variable.ALERTS_TOPIC_ARN: create_resources(aws.url),
            Variable.EVENT_BUS_NAME: "default",
            Variable.IDEMPOTENCY_TABLE: TABLE,
            Variable.POSTURE_MAIL: "ON_CHANGE",
            Variable.SEARCHABLE_TARGET: "95",
        }
        self._functions = Functions(aws, environment, "posture")
        self._functions.warm_up(posture=_TAKE)
        aws.empty()
        aws.add_plan(_PLAN_ID, _PLAN)
        aws.add_vault("nightly", _POINTS)
        before = self.invoke(_TAKE, days=0)
        aws.make_index(_INDEXED_SINCE)
        failed = self.invoke(_INDEX_FAILED, days=1)
        if not (before.ok and failed.ok):
            raise RuntimeError(f"Without any fault: {before.message} {failed.message}")
        aws.keep()
        self.begin_anew()

    def invoke(self, event: object, days: int, fault: Fault | None = None, request_id: str = "") -> Attempt:
        context = Context("posture")
        context.aws_request_id = request_id or context.aws_request_id
        return self._functions.invoke("posture", event, context, fault, Special(posture_days_ahead=days))

    def begin_anew(self) -> None:
        """Go back to the day after the posture before; nothing was sent."""
        self.aws.restore()
        self.mails()
        self.created()

    def mails(self) -> int:
        """Take the messages, and return how many of them are mailed to people."""
        messages = self.aws.take_messages("machines")
        refuse_planted(messages, "a message")
        return sum(message["MessageAttributes"]["kind"]["Value"] == "digest" for message in messages)

    def created(self) -> int:
        """Take the events from the bus."""
        return len(self.aws.take_messages("bus"))

    def summaries(self) -> list[dict[str, Any]]:
        """Return the summaries, without that of the posture before, by day."""
        objects = self.aws.objects()
        keys = sorted(key for key in objects if key.startswith("posture/") and key.endswith("/summary.json"))
        return [json.loads(objects[key][0]) for key in keys][1:]

    def flaws(self, summary: dict[str, Any]) -> Iterator[str]:
        """Yield what is wrong with a posture whose summary is there."""
        objects = self.aws.objects()
        for kind, file in summary["files"].items():
            content, version = objects.get(file["key"], (None, ""))
            if content is None:
                yield f"{kind} is missing"
            elif hashlib.sha256(content).hexdigest() != file["sha256"] or version != file["versionId"]:
                yield f"{kind} is not what the summary vouches for"
            elif _rows_in(kind, content) not in {None, file["rows"]}:
                yield f"{kind} has other rows than the summary says"
        lines = [json.loads(content) for key, (content, _) in objects.items() if key.startswith(POSTURES)]
        if summary not in lines:
            yield "the line for Athena is missing, or another one"
        if summary["status"] == "PARTIAL" and not summary["problems"]:
            yield "PARTIAL without a problem"
        if summary["status"] == "COMPLETE" and summary["bySearchability"] != _COUNTS:
            yield f"wrong counts: {summary['bySearchability']}"
        if (since := summary["since"]) and (since["worse"] or since["gone"]):
            yield f"what did not happen: {since}"


def play(deployed: DeployedPosture, lane: int, lanes: int) -> Iterator[dict[str, Any]]:
    """Play every n-th case, and return the number of all cases, then what became of each."""
    everything = _cases(deployed)
    yield {"cases": len(everything)}
    for number, case in list(enumerate(everything, start=1))[lane::lanes]:
        deployed.begin_anew()
        played = _play_event if case.function == "event" else _play_posture
        yield asdict(played(deployed, case, Row(number, case.function, case.call, case.fault.kind.value, case.lasting)))


def _cases(deployed: DeployedPosture) -> list[Case]:
    """Record the calls of a posture and of an event, and return each with each kind of fault.

    Of a second posture of the same day only what it writes fails: it replaces the first one.
    """
    posture = deployed.invoke(_TAKE, _DAY).calls
    puts = (call for call in posture if call["operation"] == "PutObject")
    deployed.last_record = max(call["number"] for call in puts if call["subject"] == LAST_MAIL_JSON)
    again = [call for call in deployed.invoke(_TAKE, _DAY).calls if call["operation"] in {"PutObject", "DeleteObject"}]
    event = deployed.invoke(_event("e-2"), _DAY).calls
    return [
        Case(
            function,
            Fault(call["service"], call["operation"], call["number"], kind, once=False),
            call["subject"],
            lasting,
        )
        for function, made in {"posture": posture, "again": again, "event": event}.items()
        for call in made
        for kind, lasting in _KINDS.items()
        if not (kind is Kind.KILLED_AFTER and call["operation"].startswith(_READS))
    ]


def _play_posture(deployed: DeployedPosture, case: Case, row: Row) -> Row:
    if case.function == "again":
        deployed.invoke(_TAKE, _DAY)
        deployed.created()
    first = Context()
    for number in range(1, _ATTEMPTS + 1):
        fault = case.fault if number <= case.attempts else None
        attempt = deployed.invoke(_TAKE, _DAY, fault, first.aws_request_id)
        row.attempts.append(attempt.error or "done")
        if number == 1 and not any(call["fault"] for call in attempt.calls):
            row.wrong.append("the fault did not happen: the call was not made")
        _look(deployed, row)
        if row.made_by == "nothing" and deployed.summaries():
            row.made_by = f"attempt {number}"
        if attempt.ok:
            break
    row.in_failure_queue = not attempt.ok
    row.created = deployed.created()
    if attempt.ok and not (deployed.summaries() and row.created):
        row.wrong.append("lost: it ended well, and there is no posture, or no event")
    for summary in deployed.summaries():
        if summary["indexFailures"]["count"] != 1 or (summary["since"] or {"better": 1})["better"] > 1:
            row.wrong.append(f"wrong since the posture before: {summary['indexFailures']}, {summary['since']}")
    on_the_day = deployed.mails()
    # The next day
    later = deployed.invoke(_TAKE, _NEXT_DAY)
    _look(deployed, row)
    row.digests, row.digests_allowed = on_the_day + deployed.mails(), _mails_allowed(case, deployed.last_record)
    taken = deployed.summaries()[-1:]
    if not later.ok or not taken or taken[0]["status"] != "COMPLETE":
        row.wrong.append(f"lost: no whole posture on the next day; {later.message}")
    elif row.made_by == "nothing":
        row.made_by = "the next day"
    if not 1 <= row.digests <= row.digests_allowed:
        row.wrong.append(f"{row.digests} digests")
    return row


def _play_event(deployed: DeployedPosture, case: Case, row: Row) -> Row:
    event = _event("e-2")
    for number in range(1, _ATTEMPTS + 1):
        attempt = deployed.invoke(event, _DAY, case.fault if number <= case.attempts else None)
        row.attempts.append(attempt.error or "done")
        if attempt.ok:
            break
    row.in_failure_queue = not attempt.ok
    kept = sum(key.startswith("index_failures/") for key in deployed.aws.objects())
    row.made_by = f"attempt {len(row.attempts)}" if kept == 2 else "nothing"
    if kept != (2 if attempt.ok else 1):
        row.wrong.append(f"lost: {kept} of 2 failed indexes are kept")
    return row


def _look(deployed: DeployedPosture, row: Row) -> None:
    """Check the postures, if there are any: they must be right at any moment."""
    for summary in deployed.summaries():
        row.wrong += [flaw for flaw in deployed.flaws(summary) if flaw not in row.wrong]


def _mails_allowed(case: Case, last_record: int) -> int:
    """One mail, and one more for each attempt that ended between the mail and its record."""
    is_record = (case.function, case.fault.operation, case.fault.number) == ("posture", "PutObject", last_record)
    if is_record and case.fault.kind is not Kind.KILLED_AFTER:
        return min(1 + case.attempts, _TRIES_IN_A_WEEK)
    return 2 if case.subject == "digest" and case.fault.kind is Kind.KILLED_AFTER else 1


def _event(event_id: str) -> dict[str, Any]:
    return {**_INDEX_FAILED, "id": event_id}


def _rows_in(kind: str, content: bytes) -> int | None:
    if kind == "csv":
        return len(list(csv.reader(io.StringIO(content.decode(), newline="")))) - 1
    return len(gzip.decompress(content).splitlines()) if kind == "jsonl" else None
