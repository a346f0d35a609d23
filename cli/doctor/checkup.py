"""The check-up: all checks, in the order in which their findings are shown."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Final

from botocore.exceptions import ClientError

from cli.aws_errors import is_denied, sentence_about
from cli.deployment import Deployment
from cli.doctor.checks import functions, notifications, postures, rights, search_keys, searches, stack, storage, sweeps
from cli.doctor.finding import Concluded, Finding, ok, unknown
from cli.doctor.section import Section
from cli.errors import PartMissing, StackMissing
from search_coverage.aws.errors import reading
from search_coverage.coverage.errors import AwsCallFailed

_CONCURRENT_CHECKS: Final = 8  # most of the time is spent waiting for AWS


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name as it is shown, what it runs, and whether it needs the stack, and one that takes postures."""

    name: str
    run: Callable[[Deployment], Finding]
    needs_stack: bool = True
    needs_postures: bool = False


STACK: Final = Check("stack", stack.check, needs_stack=False)

_REPLAY = "Find the cause, and run: search-coverage replay --failed"
_EMPTY = "Remove the cause, and empty the queue"

CHECKS: Final = (
    Check("watch function", functions.watch),
    Check("report function", functions.report),
    Check("posture function", functions.posture, needs_postures=True),
    Check("schedule", functions.schedule),
    Check("schedule of the posture", functions.posture_schedule, needs_postures=True),
    Check("rule", functions.rule),
    Check("last sweep", sweeps.check),
    Check("last posture", postures.check, needs_postures=True),
    Check("report emails", notifications.reports),
    Check("alarm emails", notifications.alarms),
    Check("KMS key of the reports", storage.key_of_the_reports),
    Check("KMS key of the messages", storage.key_of_the_messages),
    Check("bucket", storage.bucket),
    Check("bucket of the results", storage.bucket_of_results),
    Check("table", storage.table),
    Check("AWS Backup search", searches.answers, needs_stack=False),
    Check("role of the watch function", rights.watch),
    Check("role of the report function", rights.report),
    Check("role of the posture function", rights.posture, needs_postures=True),
    Check("role of the schedule", rights.schedule),
    Check("role of the schedule of the posture", rights.posture_schedule, needs_postures=True),
    Check("KMS keys of search jobs", search_keys.check),
    Check("failure destination", functions.failure_destination),
    Check(
        "failure queue",
        partial(functions.queue, "FailureQueueUrl", Section.FAILURE_QUEUE, _REPLAY, Section.NOT_KEPT),
    ),
    Check(
        "queue of the rule",
        partial(functions.queue, "RuleDeadLetterQueueUrl", Section.RULE_QUEUE, _EMPTY, Section.NOT_KEPT),
    ),
    Check(
        "queue of the schedule",
        partial(functions.queue, "ScheduleDeadLetterQueueUrl", Section.SCHEDULE_QUEUE, _EMPTY, Section.CHANGED),
    ),
    Check(
        "queue of the posture",
        partial(functions.queue, "PostureDeadLetterQueueUrl", Section.POSTURE_QUEUE, _EMPTY, Section.CHANGED),
        needs_postures=True,
    ),
    Check("alarms", notifications.alarm_states),
    Check("overdue reports", searches.overdue),
)
"""All checks but the one of the stack, which most of them need."""


def run_checks(deployment: Deployment) -> Iterator[tuple[str, Finding]]:
    """Run all checks that can run, several at a time.

    Yields:
        The name of a check and its finding, in the order of the checks. Without a stack, only the checks that do not
        need it.
    """
    yield STACK.name, run_check(STACK, deployment)
    stack_exists = _stack_exists(deployment)
    checks = [check for check in CHECKS if stack_exists or not check.needs_stack]
    with ThreadPoolExecutor(_CONCURRENT_CHECKS) as pool:
        findings = pool.map(lambda check: run_check(check, deployment), checks)
        yield from zip([check.name for check in checks], findings, strict=True)


def run_check(check: Check, deployment: Deployment) -> Finding:
    """Run one check. Whatever AWS answers, the result is a finding."""
    try:
        with reading(f"The check '{check.name}'"):
            if check.needs_postures and "PostureFunctionName" not in deployment.outputs:
                return ok("No posture is taken (setting postureSchedule).")
            return check.run(deployment)
    except Concluded as concluded:
        return concluded.finding
    except PartMissing as missing:
        remedy = "Deploy the version that this command belongs to, or use the command of the deployed version"
        return unknown(missing.message, remedy, Section.UPGRADE)
    except AwsCallFailed as failed:
        if isinstance(failed.__cause__, ClientError) and is_denied(failed.__cause__):
            remedy, section = "Use credentials that have the permissions listed there", Section.DOCTOR
        else:
            remedy, section = "Try again; if the error stays, find out what was changed or deleted", Section.CHANGED
        return unknown(sentence_about(failed), remedy, section)


def _stack_exists(deployment: Deployment) -> bool:
    try:
        with reading("Reading the stack"):
            return bool(deployment.outputs and deployment.resources)
    except (AwsCallFailed, StackMissing):
        return False  # the check of the stack reports why
