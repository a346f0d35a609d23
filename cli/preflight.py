"""`search-coverage preflight`: what a search would look into, and what it would miss, before anyone pays for it."""

import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

from botocore.config import Config

from cli.deployment import QUICK, Deployment
from cli.errors import CommandError
from search_coverage.aws.backup_vaults import BackupVaults
from search_coverage.aws.snapshots import Snapshots
from search_coverage.coverage.preflight import PreflightResult
from search_coverage.coverage.remedies import BACKUPS_IN_A_SEARCH
from search_coverage.coverage.scope_request import InvalidScope, scope_of
from search_coverage.coverage.search_scope import SearchScope
from search_coverage.report.posture.wording import state_in_words
from search_coverage.use_cases.preflight import Preflight

_PATIENT: Final = QUICK.merge(Config(retries={"mode": "adaptive", "total_max_attempts": 8}))
_SECONDS: Final = 24 * 60 * 60.0
"""A person can interrupt it; nothing else cuts it short."""

_ACTIONS: Final = ("backup:SearchRecoveryPoint",)
_ACTIONS_ON_ANYTHING: Final = ("backup-search:StartSearchJob", "backup:ListIndexedRecoveryPointsForSearch")
_AT_ONCE: Final = 50

NOT_SEEN: Final = (
    "The policy simulator of IAM does not see the access policies of vaults, the policies of KMS keys, the policies of "
    "a session, or conditions that only a real call meets."
)


@dataclass(frozen=True, slots=True)
class Rights:
    """What IAM says of a role that is to search.

    Attributes:
        asked: About how many backups IAM was asked.
        denied: The actions that the role may not do, each with the resource.
    """

    role: str
    asked: int
    denied: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """Return it as a part of the document."""
        return {"role": self.role, "askedAbout": self.asked, "denied": list(self.denied), "notSeen": NOT_SEEN}

    def as_lines(self, searchable: int) -> Iterator[str]:
        """Return it as lines for people."""
        if self.denied:
            yield f"The role may NOT: {self.denied[0]}"
            yield from (f"                  {each}" for each in self.denied[1:5])
            if len(self.denied) > 5:
                yield f"                  and {len(self.denied) - 5:,} more"
        else:
            yield f"The role may search {'all' if self.asked == searchable else f'the first {self.asked:,}'} of them."
        yield NOT_SEEN


def requested_scope(given: Mapping[str, Any]) -> SearchScope:
    """Return the scope that the options of the command describe.

    Raises:
        CommandError: They are not one.
    """
    whole = {name: given[name] for name in ("search_scope", "cli_input_json") if given[name]}
    simple = {name: given[name] for name in ("type", "source", "backup", "after", "before", "tag") if given[name]}
    if len(whole) + bool(simple) > 1:
        raise CommandError("Describe the scope in one way: --search-scope, --cli-input-json, or the simple options.")
    try:
        if whole:
            ((name, text),) = whole.items()
            document = _json(f"--{name.replace('_', '-')}", text)
            return scope_of(document.get("SearchScope") if name == "cli_input_json" else document)
        return scope_of(_simple_scope(simple))
    except InvalidScope as error:
        raise CommandError(str(error)) from error


def run_preflight(deployment: Deployment, scope: SearchScope) -> PreflightResult:
    """Read the vaults with the operator's own rights. No stack is needed."""
    preflight = Preflight(
        lambda: BackupVaults(deployment.client("backup", _PATIENT)),
        lambda: Snapshots(deployment.client("ec2", _PATIENT)),
        lambda: datetime.now(UTC),
        time.monotonic,
    )
    return preflight.run(scope, deployment.account, deployment.region, _SECONDS)


def rights_of(deployment: Deployment, role: str, result: PreflightResult) -> Rights:
    """Ask IAM whether a role may search the backups, at most the first 500."""
    iam, denied = deployment.client("iam"), list[str]()
    denied += _denied(iam, role, _ACTIONS_ON_ANYTHING, ["*"])
    arns = iter(result.first_searchable)
    while some := list(islice(arns, _AT_ONCE)):
        denied += _denied(iam, role, _ACTIONS, some)
    return Rights(role, len(result.first_searchable), tuple(denied))


def as_text(result: PreflightResult, rights: Rights | None) -> str:
    """Return what a search would see as lines for people."""
    counts, kind = result.counts, result.scope.resource_type
    lines = [_row("In scope", f"{counts.backups:,} backups of {kind}"), _row("Searchable", f"{counts.searchable:,}")]
    gaps = [gap for gap in result.as_json()["gaps"] if gap["backups"]]
    lines += [_row(state_in_words(state), f"{counts.by_searchability[state]:,}") for state in result.examples]
    if result.named_missing:
        lines.append(_row("Not found", f"{result.named_missing:,} of the backups that the scope names"))
    if counts.backups:
        beyond = f"{BACKUPS_IN_A_SEARCH} backups are the quota of one search"
        lines.append(_row("Searches", f"{result.searches:,}{f', since {beyond}' if result.searches > 1 else ''}"))
    for each in result.unreachable:
        text = f"{each.backups:,} backups of EC2 instances in {each.vault}: no search looks into their volumes"
        lines.append(_row("Out of reach", text))
    lines += ["", *(f"NOT KNOWN: {problem}" for problem in result.problems), *result.notes]
    for gap in gaps:
        lines += ["", f"{gap['backups']:,} x {gap['title']}: {gap['remedy']}"]
        lines += [f"  {command}" for command in gap["commands"]]
        if gap["backups"] > 1:
            lines.append(f"  The commands are for the first of {gap['backups']:,}; --json names more.")
    lines += ["", _conclusion(result)]
    if rights:
        lines += rights.as_lines(counts.searchable)
    else:
        lines.append("Permissions were not looked at: --as ROLE_ARN asks IAM about a role.")
    return "\n".join(lines)


def _conclusion(result: PreflightResult) -> str:
    if result.sees_all:
        return "One search would look into all of them. It looks at their indexes: names, sizes and times."
    if not result.counts.backups:
        return "A search would look into nothing: there is no backup in this scope, as far as the vaults were read."
    if result.counts.searchable == result.counts.backups and not (result.problems or result.named_missing):
        return f"One search would NOT look into all of them: it takes {result.searches:,} searches."
    return "A search would NOT look into all of them."


def _row(label: str, text: str) -> str:
    return f"{label:24} {text}"


def _denied(iam: Any, role: str, actions: Iterable[str], resources: list[str]) -> Iterator[str]:
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=role, ActionNames=list(actions), ResourceArns=resources
    )
    for page in pages:
        for result in page["EvaluationResults"]:
            on = result.get("ResourceSpecificResults") or [
                {"EvalResourceName": result.get("EvalResourceName"), "EvalResourceDecision": result["EvalDecision"]}
            ]
            for each in on:
                if each["EvalResourceDecision"] != "allowed":
                    yield f"{result['EvalActionName']} on {each['EvalResourceName']}"


def _json(option: str, text: str) -> dict[str, Any]:
    if text.startswith("file://"):
        path = Path(text.removeprefix("file://"))
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{option}: {path} cannot be read: {error}.") from error
    try:
        found = json.loads(text)
    except ValueError as error:
        raise CommandError(
            f"{option} takes JSON, or file:// and the path of a file with JSON: {error}. The shorthand of the AWS CLI "
            "is not read."
        ) from error
    if not isinstance(found, dict):
        raise CommandError(f"{option} takes a JSON object.")
    return found


def _simple_scope(given: Mapping[str, Any]) -> dict[str, Any]:
    if "type" not in given:
        raise CommandError("Pass --type S3 or --type EBS: a search is about one of them.")
    window = {name: given[option] for option, name in _WINDOW.items() if option in given}
    tags = {}
    for pair in given.get("tag", ()):
        key, equals, value = pair.partition("=")
        if not (key and equals):
            raise CommandError(f"--tag takes key=value, not {pair!r}.")
        tags[key] = value
    members = {
        "BackupResourceTypes": [given["type"]],
        "BackupResourceCreationTime": window,
        "SourceResourceArns": list(given.get("source", ())),
        "BackupResourceArns": list(given.get("backup", ())),
        "BackupResourceTags": tags,
    }
    return {name: value for name, value in members.items() if value}


_WINDOW: Final = {"after": "CreatedAfter", "before": "CreatedBefore"}
