"""The check-up: all checks, in the order in which their findings are shown."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from botocore.exceptions import ClientError

from cli.aws_errors import is_denied, message_of
from cli.deployment import Deployment
from cli.doctor.checks import (
    alarms,
    emails,
    functions,
    queues,
    rights,
    search_keys,
    searches,
    stack,
    storage,
    sweeps,
    triggers,
)
from cli.doctor.finding import Concluded, Finding, unknown
from cli.doctor.section import Section
from cli.errors import PartMissing, StackMissing
from search_coverage.aws.errors import reading
from search_coverage.coverage.errors import AwsCallFailed

_CONCURRENT_CHECKS: Final = 8  # most of the time is spent waiting for AWS


@dataclass(frozen=True, slots=True)
class Check:
    """One check: its name as it is shown, what it runs, and whether it needs the stack."""

    name: str
    run: Callable[[Deployment], Finding]
    needs_stack: bool = True


STACK: Final = Check("stack", stack.check, needs_stack=False)

CHECKS: Final = (
    Check("watch function", functions.watch),
    Check("report function", functions.report),
    Check("schedule", triggers.schedule),
    Check("rule", triggers.rule),
    Check("last sweep", sweeps.check),
    Check("report emails", emails.reports),
    Check("alarm emails", emails.alarms),
    Check("KMS key of the reports", storage.key_of_the_reports),
    Check("KMS key of the messages", storage.key_of_the_messages),
    Check("bucket", storage.bucket),
    Check("table", storage.table),
    Check("AWS Backup search", searches.answers, needs_stack=False),
    Check("role of the watch function", rights.watch),
    Check("role of the report function", rights.report),
    Check("role of the schedule", rights.schedule),
    Check("KMS keys of search jobs", search_keys.check),
    Check("failure destination", queues.failure_destination),
    Check("failure queue", queues.failure_queue),
    Check("queue of the rule", queues.rule_queue),
    Check("queue of the schedule", queues.schedule_queue),
    Check("alarms", alarms.check),
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
            return check.run(deployment)
    except Concluded as concluded:
        return concluded.finding
    except PartMissing as missing:
        return unknown(
            str(missing),
            "Deploy the version that this command belongs to, or use the command of the deployed version",
            Section.UPGRADE,
        )
    except AwsCallFailed as failed:
        return _unknown(failed)


def _unknown(failed: AwsCallFailed) -> Finding:
    cause = failed.__cause__
    if isinstance(cause, ClientError) and is_denied(cause):
        return unknown(
            f"You do not have permission to call {cause.operation_name} ({message_of(cause)}).",
            "Use credentials that have the permissions listed there",
            Section.DOCTOR,
        )
    return unknown(
        f"{str(failed).removesuffix('.')}.",
        "Try again; if the error stays, find out what was changed or deleted",
        Section.CHANGED,
    )


def _stack_exists(deployment: Deployment) -> bool:
    try:
        with reading("Reading the stack"):
            return bool(deployment.outputs and deployment.resources)
    except (AwsCallFailed, StackMissing):
        return False  # the check of the stack reports why
