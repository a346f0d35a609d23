"""The mail about postures: one in a week at most, whatever goes wrong.

A record in the bucket holds the last mail and what it was about. Before a message is published, the record says that it
is being tried: an invocation that dies in between leaves it in doubt whether the message went out, and the next one
tries again. After three such tries, a mail waits until a week after the last of them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from search_coverage.coverage.posture import Posture
from search_coverage.coverage.timestamp import utc_text
from search_coverage.report.mail.messages import Message
from search_coverage.report.posture.keys import PostureKeys
from search_coverage.report.posture.summary import Mailed, MailStatus, posture_summary
from search_coverage.report.stored_file import StoredFile
from search_coverage.use_cases.ports import AlertsTopic, Lease, NotPublished
from search_coverage.use_cases.posture_ports import PostureStore

_BETWEEN_MAILS = timedelta(days=7)
_EARLY = timedelta(hours=1)
"""How much earlier than a week after the last mail the next one may go out: a schedule is not exact."""

_TRIES_IN_A_WEEK = 3
_KEPT = ("summaryKey", "takenAt", "status", "sources", "target", "files")

Write = Callable[[Posture, str, PostureKeys], Message]
"""Writes the message about a posture, which names the bucket and the keys."""


class PostureMailOn(StrEnum):
    """The setting ``postureMail``: when postures are mailed, never twice within a week."""

    NEVER = "NEVER"
    WEEKLY = "WEEKLY"
    ON_CHANGE = "ON_CHANGE"


@dataclass(frozen=True, slots=True)
class PostureMail:
    """Mails a posture, if that is due."""

    store: PostureStore
    topic: AlertsTopic
    mail_on: PostureMailOn
    write: Write
    now: Callable[[], datetime]

    @property
    def is_on(self) -> bool:
        """Whether any posture is mailed."""
        return self.mail_on is not PostureMailOn.NEVER

    def send_if_due(self, posture: Posture, keys: PostureKeys, files: Mapping[str, StoredFile], lease: Lease) -> Mailed:
        """Mail a posture, if that is due.

        Raises:
            LeaseLost: Another attempt is at work.
            AwsCallFailed: The record could not be read or written.
        """
        if not self.is_on:
            return Mailed(MailStatus.OFF)
        stored = self.store.stored_json(keys.last_mail)
        record = (stored.content if stored else None) or {}
        now = self.now()
        tries = record.get("tries") if _is_within_a_week(record.get("triedAt"), now) else 0
        tries = tries if isinstance(tries, int) else 0
        if record.get("summaryKey") == keys.summary and _is_within_a_week(record.get("sentAt"), now):
            return Mailed(MailStatus.SENT, record.get("messageId"))
        if not self._is_due(posture, record, now) or tries >= _TRIES_IN_A_WEEK:
            return Mailed(MailStatus.NOT_DUE)
        trying = {"tries": tries + 1, "triedAt": utc_text(now)}
        seen = self.store.put_json(keys.last_mail, {**record, **trying}, lease)
        lease.confirm()
        try:
            message_id = self.topic.publish(self.write(posture, self.store.name, keys))
        except NotPublished as error:
            self.store.put_json(keys.last_mail, {**record, "tries": tries}, lease, seen)
            return Mailed(MailStatus.PENDING, why=str(error))
        mailed = Mailed(MailStatus.SENT, message_id)
        about = _record(posture, keys, files, mailed, now)
        self.store.put_json(keys.last_mail, {**about, "before": _kept(record)}, lease, seen)  # one call after the mail
        return mailed

    def _is_due(self, posture: Posture, record: Mapping[str, Any], now: datetime) -> bool:
        if _is_within_a_week(record.get("sentAt"), now):
            return False
        if self.mail_on is PostureMailOn.WEEKLY or not record.get("sentAt"):
            return True
        if posture.since is None or posture.since.summary_key != record.get("summaryKey"):
            return True  # what changed since the last mail is not known
        target: Any = record.get("target")
        missed_before = isinstance(target, dict) and target.get("missed") is True
        target_changed = posture.misses_target is not None and posture.misses_target != missed_before
        return posture.since.is_change or posture.index_failures.count > 0 or target_changed


def _record(
    posture: Posture, keys: PostureKeys, files: Mapping[str, StoredFile], mailed: Mailed, now: datetime
) -> dict[str, Any]:
    """Return what the record keeps of a mail: enough to compare a later posture with what it said."""
    summary = posture_summary(posture, files, mailed)
    return {
        "version": 1,
        "sentAt": utc_text(now),
        "messageId": mailed.message_id,
        "tries": 0,
        **_kept({**summary, "summaryKey": keys.summary, "files": {"jsonl": summary["files"]["jsonl"]}}),
    }


def _kept(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return what identifies a posture, and what it is compared by."""
    return {name: summary[name] for name in _KEPT if name in summary}


def _is_within_a_week(text: object, now: datetime) -> bool:
    if not isinstance(text, str):
        return False
    try:
        return abs(now - datetime.fromisoformat(text)) < _BETWEEN_MAILS - _EARLY
    except (ValueError, TypeError):
        return False
