"""summary.json of a posture: the posture in numbers. Written last, it is the mark that the posture is whole."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from search_coverage import __version__
from search_coverage.coverage.posture import Counts, Newest, Posture, RulePosture
from search_coverage.coverage.timestamp import utc_text
from search_coverage.report.files.summary import file_members
from search_coverage.report.stored_file import StoredFile

_VERSION = 1


class MailStatus(StrEnum):
    """What became of the mail about a posture."""

    SENT = "SENT"
    NOT_DUE = "NOT_DUE"
    OFF = "OFF"
    PENDING = "PENDING"


@dataclass(frozen=True, slots=True)
class Mailed:
    """The mail about a posture.

    Attributes:
        message_id: Of the message that was sent.
        why: Why it could not be sent, if it is PENDING.
    """

    status: MailStatus
    message_id: str | None = None
    why: str | None = None


def posture_summary(posture: Posture, files: Mapping[str, StoredFile], mailed: Mailed) -> dict[str, Any]:
    """Write the summary; ``files`` are ``csv``, ``jsonl`` and ``html``."""
    failures = posture.index_failures
    return {
        "version": _VERSION,
        **posture_members(posture),
        "vaultsRead": posture.vaults_read,
        "leftOut": posture.left_out,
        "vaults": [
            {
                "name": vault.name,
                "type": vault.type,
                "total": vault.counts.backups,
                "searchable": vault.counts.searchable,
                "bySearchability": vault.counts.members(),
            }
            for vault in posture.vaults
        ],
        "rules": [_rule(posture, rule) for rule in posture.rules],
        "ages": [
            {"days": age.days, "total": age.counts.backups, "searchable": age.counts.searchable} for age in posture.ages
        ],
        "unreachable": [each.members() for each in posture.unreachable],
        "indexFailures": {
            "count": failures.count,
            "since": utc_text(failures.since),
            "examples": [
                {"recoveryPointArn": each.recovery_point_arn, "message": each.message, "at": utc_text(each.at)}
                for each in failures.examples
            ],
        },
        "files": {kind: file_members(stored, stored.file) for kind, stored in files.items()},
        "mail": {"status": mailed.status.value, "messageId": mailed.message_id, "why": mailed.why},
        "generatedAt": utc_text(posture.taken_at),
        "generatorVersion": __version__,
    }


def posture_members(posture: Posture) -> dict[str, Any]:
    """Write the numbers that the summary and the message share."""
    since = posture.since
    return {
        "account": posture.account,
        "region": posture.region,
        "takenAt": utc_text(posture.taken_at),
        "status": posture.status.value,
        "problems": list(posture.problems),
        "notes": list(posture.notes),
        "backups": _counts(posture.total),
        "bySearchability": posture.total.members(),
        "byResourceType": {
            kind: {**_counts(counts), **_newest(posture.newest_by_type.get(kind, Newest()), "sources")}
            for kind, counts in sorted(posture.by_type.items())
        },
        "sources": _newest(posture.newest, "total"),
        "target": {"percent": posture.target, "missed": posture.misses_target},
        "since": None
        if since is None
        else {
            "takenAt": utc_text(since.taken_at),
            "summaryKey": since.summary_key,
            "newestShare": rounded_down(since.share),
            "better": since.better,
            "worse": since.worse,
            "newNotSearchable": since.new_not_searchable,
            "gone": since.gone,
        },
    }


def posture_event_detail(summary: Mapping[str, Any], bucket: str, summary_key: str) -> dict[str, Any]:
    """Return the detail of the event "Searchability Report Created"."""
    return {
        "status": summary["status"],
        "backups": {name: summary["backups"][name] for name in ("total", "searchable", "notSearchable")},
        "sources": {name: summary["sources"][name] for name in ("total", "newestSearchable")},
        "target": summary["target"],
        "bucket": bucket,
        "summaryKey": summary_key,
    }


def rounded_down(share: float | None) -> float | None:
    """Round a percentage down to two decimals, so that 99.999 % is never 100 %."""
    return None if share is None else math.floor(round(share * 100, 6)) / 100


def _counts(counts: Counts) -> dict[str, Any]:
    return {
        "total": counts.backups,
        "searchable": counts.searchable,
        "notSearchable": counts.not_searchable,
        "share": rounded_down(counts.share),
    }


def _newest(newest: Newest, total: str) -> dict[str, Any]:
    return {total: newest.sources, "newestSearchable": newest.searchable, "newestShare": rounded_down(newest.share)}


def _rule(posture: Posture, rule: RulePosture) -> dict[str, Any]:
    plan, of_plan = posture.in_plan(rule)
    return {
        "planId": rule.plan_id,
        "planName": plan.name if plan else None,
        "rule": rule.rule,
        "indexes": sorted(of_plan.indexed_types) if of_plan else None,
        "sources": rule.sources,
        "sourcesNotSearchable": rule.sources_not_searchable,
        "byResourceType": {
            kind: {"total": counts.backups, "searchable": counts.searchable}
            for kind, counts in sorted(rule.by_type.items())
        },
    }
