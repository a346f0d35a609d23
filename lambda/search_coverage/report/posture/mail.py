"""The mail about a posture: plain text, made for phones, with the same numbers for machines."""

from collections.abc import Sequence

from search_coverage.coverage.posture import Change, Posture
from search_coverage.names import POSTURE_HTML, SUMMARY_JSON
from search_coverage.report.files.json_text import compact_json
from search_coverage.report.mail.alert import console_url
from search_coverage.report.mail.messages import (
    SUBJECT_CHARACTERS,
    Attribute,
    Message,
    bulleted,
    fitting_text,
    head_text,
    joined,
    wrapped,
)
from search_coverage.report.plain_text import one_line
from search_coverage.report.posture import wording
from search_coverage.report.posture.keys import PostureKeys
from search_coverage.report.posture.summary import posture_members
from search_coverage.report.sources import source_name
from search_coverage.report.wording import moment_in_words

_NAMED = 5
_TEXT_CHARACTERS = 300
_TEXTS = 10  # of each kind for machines: AWS does not bound them, and a message has 256 KiB

_TRUTH = {True: "true", False: "false", None: "unknown"}


def posture_message(posture: Posture, bucket: str, keys: PostureKeys) -> Message:
    """Write the one message about a posture."""
    url = console_url(posture.partition, posture.region, bucket, keys.prefix)
    report = {"bucket": bucket, "prefix": keys.prefix, "consoleUrl": url}
    members = {
        **posture_members(posture),
        "problems": _some(posture.problems),
        "notes": _some(posture.notes),
    }
    default = {"version": 1, "type": "SearchabilityReport", **members, "report": report}
    body = {"default": compact_json(default), "email": fitting_text(_text(posture, bucket, keys, url))}
    attributes = {
        "kind": Attribute("String", "digest"),
        "account": Attribute("String", posture.account),
        "region": Attribute("String", posture.region),
        "targetMissed": Attribute("String", _TRUTH[posture.misses_target]),
        "sourcesNotSearchable": Attribute("Number", str(posture.newest.not_searchable)),
    }
    return Message(subject(posture), compact_json(body), attributes)


def subject(posture: Posture) -> str:
    """Write the subject, under 100 characters."""
    newest = posture.newest
    line = f"{newest.searchable:,} of {newest.sources:,} sources can be searched" if newest.sources else "no backups"
    line += ", PARTIAL" if posture.problems else ""
    if posture.misses_target:  # there is no room for both
        line += f", target {posture.target}% MISSED"
    elif posture.since and posture.since.worse:
        line += f", {posture.since.worse:,} worse"
    return one_line(f"Search Coverage: {line} - {posture.account} {posture.region}", SUBJECT_CHARACTERS)


def _some(texts: Sequence[str]) -> list[str | None]:
    """Return the first texts; summary.json has the others."""
    some = [head_text(text) for text in texts[:_TEXTS]]
    more = len(texts) - len(some)
    return [*some, f"And {more:,} more: {SUMMARY_JSON} has them."] if more else some


def _text(posture: Posture, bucket: str, keys: PostureKeys, url: str) -> str:
    sections = (
        _beginning(posture),
        _since(posture),
        _first(posture),
        ["THE FULL REPORT", f"{POSTURE_HTML} in", url, f"s3://{bucket}/{keys.prefix}"],
        _failures(posture),
        _unreachable(posture),
        [
            "WHAT THIS DOES NOT SAY",
            *bulleted(one_line(note, _TEXT_CHARACTERS) for note in posture.notes[:_NAMED]),
            *bulleted(f"{about}: {limit}" for about, limit in wording.LIMITS.items()),
        ],
        [
            *wrapped(
                f"Account {posture.account}, Region {posture.region}, taken {moment_in_words(posture.taken_at)}. You "
                "get this mail once in a week at most; the setting postureMail turns it off."
            )
        ],
    )
    return joined(sections)


def _beginning(posture: Posture) -> list[str]:
    lines = []
    if posture.problems:
        lines += wrapped(f"NOT THE WHOLE PICTURE: {one_line(posture.problems[0], _TEXT_CHARACTERS)}", indent="  ")
        lines += wrapped(f"And {len(posture.problems) - 1} more.") if len(posture.problems) > 1 else []
        lines.append("")
    lines += wrapped(f"{wording.headline(posture)}.")
    if target := wording.target_in_words(posture):
        lines += wrapped(target)
    total = posture.total
    lines += wrapped(
        f"Of all {total.backups:,} backups of S3 and EBS, a search could look into {total.searchable:,} "
        f"({wording.percent(total.share)})."
    )
    return lines


def _since(posture: Posture) -> list[str]:
    since = posture.since
    if since is None:
        return []
    lines = [f"SINCE {moment_in_words(since.taken_at)}"]
    for sentence in wording.since_in_words(posture):
        lines += wrapped(sentence)
    for title, changes, count in (
        ("Worse", since.examples_worse, since.worse),
        ("New, not searchable", since.examples_new, since.new_not_searchable),
        ("Better", since.examples_better, since.better),
    ):
        lines += _named(title, changes, count)
    return lines


def _named(title: str, changes: Sequence[Change], count: int) -> list[str]:
    if not changes:
        return []
    lines = [f"{title}:"]
    for change in changes[:_NAMED]:
        name = one_line(source_name(change.source_arn), 80)
        state = f" ({wording.state_in_words(change.now).lower()})" if change.now and change.now.reason else ""
        lines += wrapped(f"- {name}{state}", indent="  ")
    return [*lines, f"- and {count - _NAMED:,} more"] if count > _NAMED else lines


def _first(posture: Posture) -> list[str]:
    lines = []
    for number, change in enumerate(wording.first_changes(posture), start=1):
        lines += wrapped(f"{number}. {change.title}", indent="   ")
        lines += wrapped(f"   {change.sentence}", indent="   ")
    return ["WHAT HELPS MOST", *lines, *wrapped(f"{POSTURE_HTML} has the commands.")] if lines else []


def _failures(posture: Posture) -> list[str]:
    failures = posture.index_failures
    if not failures.count:
        return []
    lines = [f"INDEXES THAT FAILED ({failures.count:,})"]
    for failure in failures.examples[:_NAMED]:
        lines += [
            f"- {one_line(failure.recovery_point_arn, _TEXT_CHARACTERS)}",
            *wrapped(f"  {one_line(failure.message, _TEXT_CHARACTERS) or 'AWS gave no message'}", indent="  "),
        ]
    return [*lines, f"- and {failures.count - _NAMED:,} more"] if failures.count > _NAMED else lines


def _unreachable(posture: Posture) -> list[str]:
    backups = sum(each.backups for each in posture.unreachable)
    if not backups:
        return []
    return [
        "WHAT NO SEARCH CAN REACH",
        *wrapped(
            f"{backups:,} {'backup' if backups == 1 else 'backups'} of EC2 instances: no search looks into the EBS "
            "volumes in them."
        ),
    ]
