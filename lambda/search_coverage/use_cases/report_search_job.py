"""Report one search job: read its whole list, write the files, tell who wants to know, set the mark.

The order is what makes it safe to stop anywhere: nothing is written before the list was read to its end, the people's
message goes out last of all messages, and summary.json after everything. A run that was cut short left no mark, so
the next one does it all again under the same keys. Where SNS refuses the messages the report is marked all the same,
beside a second mark that says so: the sweeps announce such a job as if it had no report.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from search_coverage.aws.alerts_topic import AlertsTopic
from search_coverage.aws.backup_search import BackupSearch
from search_coverage.aws.errors import AwsCallFailed, NotPublished
from search_coverage.aws.event_bus import EventBus
from search_coverage.aws.report_bucket import ReportBucket, StoredSummary
from search_coverage.aws.report_lease import ReportLease
from search_coverage.aws.sent_digests import SentDigests
from search_coverage.coverage.errors import SearchCoverageError
from search_coverage.coverage.exclusion import Exclusion, exclusion_reason
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import EarlierReport, Verdict, judge
from search_coverage.names import SERVICE
from search_coverage.report.files.keys import ReportKeys
from search_coverage.report.files.spool import Spool, spool_folder
from search_coverage.report.files.summary import Notified, StoredFile, summary
from search_coverage.report.findings import Findings
from search_coverage.report.mail import alert
from search_coverage.report.mail.messages import Message
from search_coverage.report.page.html import page

if TYPE_CHECKING:
    from pathlib import Path

    from search_coverage.use_cases.no_inventory import NoInventory
    from search_coverage.use_cases.take_inventory import InventoryOfScope

# The share of an invocation's time that is left for the steps that must not be cut in two: digest and summary.
_SHARE_KEPT_BACK = 1 / 15

# The share that the inventory of the vaults may take; the list of the search itself comes first.
_SHARE_OF_THE_INVENTORY = 1 / 3

_logger = Logger(service=SERVICE, child=True)


class SearchJobNotEnded(SearchCoverageError):
    """A search job that is still running has no whole list yet (aws-facts.md §2)."""


class TimeRunningOut(SearchCoverageError):
    """The invocation is about to be ended; a report that is cut short must not look whole."""


class NotificationPending(SearchCoverageError):
    """The report is whole, and SNS did not take its messages."""

    def __init__(self, search_job: str, why: str) -> None:
        super().__init__(
            f"The report of search job {search_job} is whole, but its messages are not sent: {why.rstrip('.')}. Lambda "
            "tries again; later the sweeps announce the search job every hour until they are sent."
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run did.

    Attributes:
        created: False if the report was there already.
        news: The detail of the event "Search Coverage Report Created".
        excluded_by_reason: How many backups were excluded for which reason.
        seconds: How long it took.
        pending: Why the messages could not be sent, if so.
    """

    created: bool
    news: dict[str, Any]
    excluded_by_reason: dict[str, int]
    seconds: float
    pending: str | None

    @property
    def is_complete(self) -> bool:
        """Whether the verdict is COMPLETE."""
        return bool(self.news["verdict"] == Verdict.COMPLETE)


@dataclass(frozen=True, slots=True)
class ReportSearchJob:
    """The use case, with what it works on.

    Attributes:
        take_inventory: Reads what the vaults hold in a job's scope, into a folder, within some seconds.
        now: Gives the current time, aware.
    """

    search: BackupSearch
    bucket: ReportBucket
    topic: AlertsTopic
    bus: EventBus
    sent: SentDigests
    notify_on: alert.NotifyOn
    take_inventory: "Callable[[SearchJob, Path, float], InventoryOfScope | NoInventory]"
    now: Callable[[], datetime]

    def run(
        self,
        identifier: str,
        *,
        replay: bool,
        request_id: str,
        lease: ReportLease,
        seconds_left: Callable[[], float],
    ) -> Outcome:
        """Make the report, unless there is one and it is not a replay; announce it either way.

        Args:
            replay: Write and notify again although the report exists.
            request_id: Of the invocation; Lambda's retries have the same, so that they do not replay twice.
            lease: What makes this the only attempt.
            seconds_left: How long the invocation may still run.

        Raises:
            SearchJobUnknown: AWS does not know the job.
            SearchJobNotEnded: The job still runs.
            TimeRunningOut: There is no time to finish.
            ClaimLost: Another attempt has taken over.
            NotificationPending: An earlier attempt made the report, and its messages could not be sent now either.
            AwsCallFailed: AWS did not do what it was asked.
        """
        started = time.monotonic()
        deadline = _Deadline(identifier, seconds_left, seconds_left() * _SHARE_KEPT_BACK)
        job = self.search.search_job(identifier)
        if not job.is_terminal:
            raise SearchJobNotEnded(
                f"Search job {identifier} is {job.status}; its list of backups is whole only when it has ended. "
                "Nothing was written; the sweep announces the job when it ends."
            )
        keys = ReportKeys.of(job)
        stored = self.bucket.summary(keys.summary)
        if stored and stored.content and not self._is_to_be_made(stored, request_id, replay=replay):
            written = stored.content
            created = False
            # One that was left by an attempt that woke up too late would have the job announced for ever.
            self.bucket.remove(keys.notification_pending, lease)
        else:
            attempt = _Attempt(keys, stored, request_id, lease, deadline, is_replay=replay)
            written = self._write(job, attempt)
            created = True
        news = self._news(job, written, keys)
        self.bus.report_created(job.arn, news)
        pending = written["notification"].get("pending")
        return Outcome(created, news, written["excludedByReason"], time.monotonic() - started, pending)

    def _is_to_be_made(self, stored: StoredSummary, request_id: str, *, replay: bool) -> bool:
        """Tell whether a report that has its mark has to be made again all the same."""
        if (replay and stored.request_id != request_id) or stored.pending:
            return True
        if self.bucket.vouched_for(stored.content or {"files": {}}):
            return False
        _logger.warning("the files of the report are not those that its summary names; it is made again")
        return True

    def _write(self, job: SearchJob, attempt: "_Attempt") -> dict[str, Any]:
        keys, lease, deadline = attempt.keys, attempt.lease, attempt.deadline
        stored = attempt.stored
        earlier = stored if stored and stored.content else self.bucket.summary(keys.summary_line)
        seconds = deadline.seconds_left() * _SHARE_OF_THE_INVENTORY
        phases = _Phases()
        with (
            spool_folder() as folder,
            Spool(folder, job) as spool,
            self.take_inventory(job, folder, seconds) as inventory,
        ):
            named_not_listed = self._read_backups(job, spool, inventory, deadline)
            backups = spool.tally.backups
            counted = inventory.result(backups.listed)
            judgement = judge(job, backups, counted, named_not_listed, _as_earlier(earlier))
            findings = Findings(job, spool.tally, counted, judgement, self.now(), spool.examples)
            phases.end("backups read", listed=backups.listed, excluded=backups.excluded, failed=backups.failed)
            notified, line = None, None
            if attempt.only_the_messages_are_missing:
                # The report stays as it is as long as SNS refuses them.
                notified = self._notify(findings, spool, attempt)
                if notified.pending:
                    raise NotificationPending(job.identifier, notified.pending)
            lease.confirm()
            if stored:
                self._unmark(findings, attempt, stored)
            files = self._upload(findings, spool, attempt)
            phases.end("files written", bytes=sum(stored.file.bytes for stored in files.values()))
            if notified is None:
                if judgement.verdict is not Verdict.COMPLETE and alert.is_due(self.notify_on, findings):
                    # What people are about to be told, a later attempt has to know, whatever happens to this one.
                    not_yet = summary(findings, files, Notified(pending="They were about to be sent."))
                    line = self.bucket.put_summary_line(keys.summary_line, not_yet, lease)
                notified = self._notify(findings, spool, attempt)
            phases.end("failed backups published", messages=len(notified.message_ids))
            lease.confirm()
            written = summary(findings, files, notified)
            # The line says whether there is a mark of pending messages, so that it goes first, and last where it goes.
            if earlier and earlier.pending and not notified.pending:
                self.bucket.remove(keys.notification_pending, lease)
            self.bucket.put_summary_line(keys.summary_line, written, lease, line)
            if notified.pending:
                self.bucket.put_notification_pending(keys.notification_pending, notified.pending, lease)
            self.bucket.put_summary(keys.summary, written, attempt.request_id, lease)
            phases.end("report marked as whole", verdict=written["verdict"])
        return written

    def _unmark(self, findings: Findings, attempt: "_Attempt", stored: StoredSummary) -> None:
        """Take the mark off: while the files of an earlier report are replaced, nothing may vouch for them."""
        job = findings.job
        if attempt.is_replay and not self.sent.message_id(attempt.told_key(job), _what_people_hear(findings)):
            self.sent.forget(job.identifier)  # people are to be told again, also if another attempt has to do it
        self.bucket.remove(attempt.keys.summary, attempt.lease, stored.etag)

    def _read_backups(
        self, job: SearchJob, spool: Spool, inventory: "InventoryOfScope | NoInventory", deadline: "_Deadline"
    ) -> int:
        """Read the list to its end, then what it lacks; give how many backups that the scope names are not in it."""
        tally, named = spool.tally, set(job.scope.backup_arns)
        for page_of_backups in self.search.pages_of_backups(job.identifier, job.encryption_key_arn):
            deadline.check("reading the list of backups")
            inventory.mark_listed(page_of_backups)
            named.difference_update(filter(None, page_of_backups.listed) if named else ())
            tally.listed += len(page_of_backups.listed)
            tally.searched += len(page_of_backups.listed) - len(page_of_backups.not_searched)
            for backup in page_of_backups.not_searched:
                index = inventory.index_of(backup)
                reason = exclusion_reason(backup, index)
                if reason is None:
                    tally.searched += 1
                else:
                    spool.add(Exclusion(backup, reason, index))
        for exclusion in inventory.not_listed(deadline.spare_seconds() * _SHARE_OF_THE_INVENTORY):
            spool.add(exclusion)
        return len(named)

    def _upload(self, findings: Findings, spool: Spool, attempt: "_Attempt") -> dict[str, StoredFile]:
        keys = attempt.keys
        csv, jsonl = spool.finish_tables()
        html = spool.write_page(page(findings, keys.csv))
        stored = {}
        for kind, key, file in (("csv", keys.csv, csv), ("jsonl", keys.jsonl, jsonl), ("html", keys.html, html)):
            attempt.deadline.check(f"writing the {kind} file")
            version = self.bucket.put_file(key, file.path, _CONTENT_TYPES[kind], attempt.lease)
            stored[kind] = StoredFile(key, version, file)
        return stored

    def _notify(self, findings: Findings, spool: Spool, attempt: "_Attempt") -> Notified:
        """Publish the failed backups, if asked for.

        The digest, part 1, goes last: a run that dies between two parts repeats parts for machines, which can tell
        them by their number, but not the mail to people.
        """
        if not alert.is_due(self.notify_on, findings):
            return Notified()
        messages = alert.messages(findings, spool.failed_rows, self.bucket.name)
        digest = next(messages)
        message_ids = []
        attempt.lease.confirm()
        try:
            for message in messages:
                attempt.deadline.check("publishing the failed backups")
                message_ids.append(self.topic.publish(message))
            attempt.deadline.check("publishing the digest")
            if message_ids:
                attempt.lease.confirm()
            return Notified((self._tell_people_once(digest, findings, attempt), *message_ids))
        except NotPublished as error:
            return Notified(pending=str(error))

    def _tell_people_once(self, digest: Message, findings: Findings, attempt: "_Attempt") -> str:
        """Publish the digest, unless an earlier attempt did; give the id of the message."""
        key, what = attempt.told_key(findings.job), _what_people_hear(findings)
        if message_id := self.sent.message_id(key, what):
            _logger.info("people were told already", message_id=message_id)
            return message_id
        message_id = self.topic.publish(digest)
        try:
            for told in dict.fromkeys((key, findings.job.identifier)):
                self.sent.record(told, what, message_id)
        except AwsCallFailed as error:
            # They were told. Only if this attempt fails later are they told again.
            _logger.warning(str(error))
        return message_id

    def _news(self, job: SearchJob, written: dict[str, Any], keys: ReportKeys) -> dict[str, Any]:
        return {
            "searchJobIdentifier": job.identifier,
            "searchJobArn": job.arn.text,
            "verdict": written["verdict"],
            "backups": written["backups"],
            "bucket": self.bucket.name,
            "summaryKey": keys.summary,
        }


_CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/gzip",
    "html": "text/html; charset=utf-8",
}


def _as_earlier(stored: StoredSummary | None) -> EarlierReport | None:
    return (
        EarlierReport(stored.content["verdict"], stored.content["generatedAt"]) if stored and stored.content else None
    )


def _what_people_hear(findings: Findings) -> str:
    """Name what people are told once. Not the verdict: the inventory is of now, and may differ at each attempt."""
    return f"{findings.job.status}: {findings.tally.listed} listed, {findings.tally.failed} failed"


class _Phases:
    """Logs each phase of a report when it ends, and how long it took."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def end(self, what: str, **counts: object) -> None:
        now = time.monotonic()
        _logger.info(what, extra={**counts, "seconds": round(now - self._since, 3)})
        self._since = now


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt at a report: where it goes, what is there, who makes it, and until when."""

    keys: ReportKeys
    stored: StoredSummary | None
    request_id: str
    lease: ReportLease
    deadline: "_Deadline"
    is_replay: bool

    @property
    def only_the_messages_are_missing(self) -> bool:
        """Whether an earlier attempt made the report that is asked for, and SNS did not take its messages."""
        stored = self.stored
        return bool(stored and stored.pending and (not self.is_replay or stored.request_id == self.request_id))

    def told_key(self, job: SearchJob) -> str:
        """Say for what people are told once: for the search job, and anew for each replay."""
        return f"{job.identifier}#{self.request_id}" if self.is_replay else job.identifier


@dataclass(frozen=True, slots=True)
class _Deadline:
    identifier: str
    seconds_left: Callable[[], float]
    seconds_kept_back: float

    def spare_seconds(self) -> float:
        return max(self.seconds_left() - self.seconds_kept_back, 0.0)

    def check(self, step: str) -> None:
        left = self.seconds_left()
        if left < self.seconds_kept_back:
            raise TimeRunningOut(
                f"Only {left:.0f} s are left while {step} of search job {self.identifier}; the report was not "
                "finished and counts as not written. Lambda tries again; if it ends here each time, raise the "
                "function's timeout or memory."
            )
