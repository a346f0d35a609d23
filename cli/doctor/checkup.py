"""The check-up: all checks, in the order in which their findings are told."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from botocore.exceptions import ClientError

from cli.doctor.aws_answers import is_denied, message_of
from cli.doctor.checks import (
    alarms,
    functions,
    mails,
    queues,
    rights,
    search_keys,
    searches,
    stack,
    storage,
    sweeps,
    triggers,
)
from cli.doctor.deployment import Deployment, PartMissing
from cli.doctor.finding import Finding, unknown
from cli.doctor.section import Section
from search_coverage.aws.errors import reading
from search_coverage.coverage.errors import AwsCallFailed

_AT_ONCE: Final = 8
"""Most of the time is spent waiting for AWS."""


@dataclass(frozen=True, slots=True)
class Check:
    """One check.

    Attributes:
        name: What it is about, in a few words.
        look: Looks, and gives what was found.
        needs_stack: Whether it makes sense without the stack.
    """

    name: str
    look: Callable[[Deployment], Finding]
    needs_stack: bool = True


STACK: Final = Check("stack", stack.look, needs_stack=False)

CHECKS: Final = (
    Check("watch function", functions.watch),
    Check("report function", functions.report),
    Check("schedule", triggers.schedule),
    Check("rule", triggers.rule),
    Check("last sweep", sweeps.look),
    Check("mails of reports", mails.reports),
    Check("mails of alarms", mails.alarms),
    Check("key of the reports", storage.key_of_the_reports),
    Check("key of the messages", storage.key_of_the_messages),
    Check("bucket", storage.bucket),
    Check("table", storage.table),
    Check("AWS Backup search", searches.answers, needs_stack=False),
    Check("rights of the watch function", rights.watch),
    Check("rights of the report function", rights.report),
    Check("rights of the schedule", rights.schedule),
    Check("keys of search jobs", search_keys.look),
    Check("failure destination", queues.failure_destination),
    Check("failure queue", queues.failure_queue),
    Check("queue of the rule", queues.rule_queue),
    Check("queue of the schedule", queues.schedule_queue),
    Check("alarms", alarms.look),
    Check("overdue reports", searches.overdue),
)
"""All but the credentials, with which it begins, and the stack, which most of the others need."""


def examine(deployment: Deployment) -> Iterator[tuple[str, Finding]]:
    """Make all checks that can be made, several at a time.

    Yields:
        The name of a check and what it found, in the order of the checks. Those that need the stack are left out
        where there is none.
    """
    yield STACK.name, examine_one(STACK, deployment)
    is_there = _is_there(deployment)
    due = [check for check in CHECKS if is_there or not check.needs_stack]
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for check, finding in zip(due, pool.map(lambda check: examine_one(check, deployment), due), strict=True):
            yield check.name, finding


def examine_one(check: Check, deployment: Deployment) -> Finding:
    """Make one check. Whatever AWS answers, the outcome is a finding."""
    try:
        with reading(f"Looking at '{check.name}'"):
            return check.look(deployment)
    except PartMissing as missing:
        return unknown(
            f"{missing}, so that this is not known.",
            "Deploy the version that this command belongs to, or use the command of the version that is deployed",
            Section.UPGRADE,
        )
    except AwsCallFailed as failed:
        return _not_known(failed)


def _not_known(failed: AwsCallFailed) -> Finding:
    cause = failed.__cause__
    if isinstance(cause, ClientError) and is_denied(cause):
        return unknown(
            f"You may not call {cause.operation_name}, so that this is not known ({message_of(cause)}).",
            "Look with credentials that have the permissions listed there",
            Section.DOCTOR,
        )
    return unknown(
        f"This is not known. {str(failed).removesuffix('.')}.",
        "Try again; if it stays, see what was changed or deleted",
        Section.CHANGED,
    )


def _is_there(deployment: Deployment) -> bool:
    try:
        with reading("Reading the stack"):
            return bool(deployment.outputs and deployment.resources)
    except AwsCallFailed:
        return False  # the check of the stack has said why
