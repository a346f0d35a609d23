"""Report one search job: read its whole list, write the files, notify, and set the mark.

The order makes it safe to stop anywhere: nothing is written before the list was read to its end, the digest goes out
last of all messages, and summary.json after everything. An attempt that was cut short left no mark, so the next one
does it all again under the same keys. Where SNS refuses the messages the report is marked all the same, beside a second
mark that says so: the sweeps announce such a job as if it had no report.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger

from search_coverage.coverage.errors import AwsCallFailed, SearchCoverageError
from search_coverage.coverage.exclusion import Exclusion, exclusion_reason
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.search_result import ResultsStatus
from search_coverage.coverage.timestamp import utc_text
from search_coverage.coverage.verdict import Verdict, judge
from search_coverage.names import SERVICE
from search_coverage.report.files.keys import ReportKeys
from search_coverage.report.files.spool import Spool, spool_folder
from search_coverage.report.files.summary import Notified, summary, without_item_filters
from search_coverage.report.findings import Findings, KeptResults
from search_coverage.report.page.html import page
from search_coverage.report.stored_file import SpooledFile, StoredFile
from search_coverage.use_cases.deadline import Deadline
from search_coverage.use_cases.keep_results import CSV, JSONL, KeepResults
from search_coverage.use_cases.notifier import Notifier
from search_coverage.use_cases.ports import (
    InventoryTaker,
    Leases,
    ReportEvents,
    ReportStore,
    ScopeInventory,
    SearchJobReader,
    StoredSummary,
)
from search_coverage.use_cases.report_attempt import Phases, ReportAttempt, earlier_report

if TYPE_CHECKING:
    from search_coverage.use_cases.compare_with_previous import SincePrevious

_SHARE_OF_THE_INVENTORY = 1 / 3
"""The share of an invocation's time that the inventory may take; the list of the search itself comes first."""

_CONTENT_TYPES = {
    "csv": CSV,
    "jsonl": JSONL,
    "html": "text/html; charset=utf-8",
}

_logger = Logger(service=SERVICE, child=True)


class SearchJobNotEnded(SearchCoverageError):
    """A search job that is still running has no whole list yet (aws-facts.md §2)."""


class ResultsPending(SearchCoverageError):
    """The report is whole, and the results of the search are not kept."""

    def __init__(self, search_job: str, why: str) -> None:
        super().__init__(
            f"The report of search job {search_job} is whole, but the results of the search are not kept: {why} Lambda "
            "tries again; later the sweeps announce the search job every hour until they are kept, or AWS has "
            "forgotten the search job."
        )


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
        event_detail: The detail of the event "Search Coverage Report Created".
        excluded_by_reason: How many backups were excluded for which reason.
        seconds: How long it took.
        pending: What keeps the report from being done, though it is whole, if so.
    """

    created: bool
    event_detail: dict[str, Any]
    excluded_by_reason: dict[str, int]
    seconds: float
    pending: SearchCoverageError | None

    @property
    def is_complete(self) -> bool:
        """Whether the verdict is COMPLETE."""
        return bool(self.event_detail["verdict"] == Verdict.COMPLETE)


@dataclass(frozen=True, slots=True)
class ReportSearchJob:
    """The use case, with what it works on.

    Attributes:
        keep_results: Keeps what the search found; None if nobody asked for it.
        keep_item_filters: Whether the report holds the filters of the search, and not only what they filter by.
        now: Returns the current time, aware.
    """

    search: SearchJobReader
    bucket: ReportStore
    leases: Leases
    notifier: Notifier
    bus: ReportEvents
    take_inventory: InventoryTaker
    keep_results: KeepResults | None
    keep_item_filters: bool
    now: Callable[[], datetime]

    def run(self, identifier: str, *, replay: bool, request_id: str, seconds_left: Callable[[], float]) -> Outcome:
        """Make the report, unless there is one and it is not a replay; put the event either way.

        Args:
            replay: Write and notify again although the report exists.
            request_id: Of the invocation; Lambda's retries have the same, so that they do not replay twice.
            seconds_left: How long the invocation may still run.

        Raises:
            SearchJobNotEnded: The job still runs.
            TimeRunningOut: There is no time to finish.
            NotificationPending: An earlier attempt made the report, and its messages could not be sent now either.
            SearchCoverageError: What the ports raise.
        """
        with self.leases.hold(identifier, request_id) as lease:
            started = time.monotonic()
            deadline = Deadline.of(identifier, seconds_left)
            job = self._ended_job(identifier)
            keys = ReportKeys.of(job)
            stored = self.bucket.summary(keys.summary)
            attempt = ReportAttempt(job, keys, stored, replay, request_id, lease, deadline)
            content = self._report_that_stands(attempt)
            created = content is None
            if content is None:
                content = self._make(attempt)
            else:
                # A mark that was left by an attempt that woke up too late would have the job announced for ever.
                self.bucket.remove(keys.notification_pending, lease)
                self.bucket.remove(keys.results_pending, lease)
            detail = self._event_detail(attempt, content)
            self.bus.report_created(job.arn, detail)
            pending = self._pending(identifier, content) if created else None
            return Outcome(created, detail, content["excludedByReason"], time.monotonic() - started, pending)

    def _pending(self, identifier: str, content: dict[str, Any]) -> SearchCoverageError | None:
        if why := content["notification"]["pending"]:
            return NotificationPending(identifier, why)
        if content["results"]["status"] == ResultsStatus.UNAVAILABLE:
            return ResultsPending(identifier, content["results"]["message"])
        return None

    def _ended_job(self, identifier: str) -> SearchJob:
        job = self.search.search_job(identifier)
        if not job.is_terminal:
            raise SearchJobNotEnded(
                f"Search job {identifier} is {job.status}; its list of backups is whole only when it has ended. "
                "Nothing was written; the sweep announces the job when it ends."
            )
        return job if self.keep_item_filters else replace(job, item_filters=job.item_filters.without_values())

    def _tags(self, job: SearchJob) -> tuple[tuple[str, str], ...] | None:
        """Read the tags; a report without them is better than none."""
        try:
            return self.search.tags(job.arn)
        except AwsCallFailed as error:
            _logger.warning(str(error))
            return None

    def _report_that_stands(self, attempt: ReportAttempt) -> dict[str, Any] | None:
        """Return the summary of a report that need not be made again."""
        stored = attempt.stored
        if not stored or not stored.content or stored.pending or (self.keep_results and stored.results_pending):
            return None
        if attempt.is_replay and not attempt.made_the_stored_report:
            return None
        if not self.bucket.has_files_of(stored.content):
            _logger.warning("the files of the report are not those that its summary names; it is made again")
            return None
        return stored.content

    def _make(self, attempt: ReportAttempt) -> dict[str, Any]:
        """Make the report and return its summary."""
        with spool_folder() as folder:
            results = self._results_that_were_missing(attempt, folder)
            attempt = replace(attempt, job=replace(attempt.job, tags=self._tags(attempt.job)))
            return self._make_in(folder, attempt, results)

    def _results_that_were_missing(self, attempt: ReportAttempt, folder: Path) -> KeptResults | None:
        """Keep the results before all else, if nothing else is missing.

        While they are missing, the report stays as it is.

        Raises:
            ResultsPending: They could not be kept now either.
        """
        stored = attempt.report_that_lacks_something
        if self.keep_results is None or stored is None or stored.pending:
            return None
        results = self.keep_results.run(attempt, folder)
        if results.are_missing:
            raise ResultsPending(attempt.job.identifier, str(results.message))
        return results

    def _make_in(self, folder: Path, attempt: ReportAttempt, results: KeptResults | None) -> dict[str, Any]:
        job, lease, phases = attempt.job, attempt.lease, Phases()
        # Not at the top: a cold start does not need SQLite.
        from search_coverage.use_cases.compare_with_previous import since_previous  # noqa: PLC0415

        stored = attempt.stored
        earlier = stored if stored and stored.content else self.bucket.summary(attempt.keys.summary_line)
        seconds = attempt.deadline.seconds_left() * _SHARE_OF_THE_INVENTORY
        with (
            Spool(folder, job) as spool,
            since_previous(self.bucket, attempt, folder) as compared,
            self.take_inventory(job, folder, seconds) as inventory,
        ):
            findings = self._find(attempt, spool, inventory, compared, earlier)
            backups = findings.tally.backups
            phases.end("backups read", listed=backups.listed, excluded=backups.excluded, failed=backups.failed)
            notified = self._add_what_is_missing(findings, spool, attempt)
            self._unmark(findings, attempt)
            if self.keep_results:
                findings = replace(findings, results=results or self.keep_results.run(attempt, folder))
                phases.end("results kept", rows=findings.results.rows, status=findings.results.status)
            files = self._upload(findings, spool, attempt)
            phases.end("files written", bytes=sum(stored.file.bytes for stored in files.values()))
            line = None
            if notified is None:
                line = self._write_early_line(findings, files, attempt)
                notified = self.notifier.notify(findings, spool, attempt)
            phases.end("failed backups published", messages=len(notified.message_ids))
            lease.confirm()
            content = summary(findings, files, notified)
            self._mark(content, attempt, earlier, line)
            phases.end("report marked as whole", verdict=content["verdict"])
        return content

    def _find(
        self,
        attempt: ReportAttempt,
        spool: Spool,
        inventory: ScopeInventory,
        compared: "SincePrevious",
        earlier: StoredSummary | None,
    ) -> Findings:
        named_not_listed = self._read_backups(attempt, spool, inventory, compared)
        backups = spool.tally.backups
        counted = inventory.result(backups.listed)
        judgement = judge(attempt.job, backups, counted, named_not_listed, earlier_report(earlier))
        return Findings(
            attempt.job, spool.tally, counted, judgement, self.now(), spool.examples, previous=compared.result()
        )

    def _read_backups(
        self, attempt: ReportAttempt, spool: Spool, inventory: ScopeInventory, compared: "SincePrevious"
    ) -> int:
        """Read the list to its end, then what it lacks; return how many backups that the scope names are not in it."""
        job, deadline = attempt.job, attempt.deadline
        tally, named = spool.tally, set(job.scope.backup_arns)
        for page_of_backups in self.search.pages_of_backups(job.identifier, job.encryption_key_arn):
            deadline.check("reading the list of backups")
            inventory.mark_listed(page_of_backups)
            compared.mark_listed(page_of_backups.listed)
            named.difference_update(filter(None, page_of_backups.listed) if named else ())
            tally.listed += len(page_of_backups.listed)
            tally.searched += len(page_of_backups.listed) - len(page_of_backups.not_searched)
            for backup in page_of_backups.not_searched:
                index = inventory.index_of(backup)
                reason = exclusion_reason(backup, index)
                if reason is None:
                    tally.searched += 1
                else:
                    spool.add(compared.dated(Exclusion(backup, reason, index)))
        for exclusion in inventory.not_listed(deadline.spare_seconds() * _SHARE_OF_THE_INVENTORY):
            spool.add(compared.dated(exclusion))
        return len(named)

    def _add_what_is_missing(self, findings: Findings, spool: Spool, attempt: ReportAttempt) -> Notified | None:
        """Send what SNS refused before; the report stays as it is for as long as SNS refuses it.

        Returns:
            What was sent, now or before; None if the messages of this report are yet to be sent.
        """
        stored = attempt.report_that_lacks_something
        if stored is None:
            return None
        if not stored.pending:
            return attempt.notified_before(findings.judgement.verdict)
        kept_before = replace(findings, results=stored.results)
        notified = self.notifier.notify(kept_before, spool, attempt)
        if notified.pending:
            raise NotificationPending(attempt.job.identifier, notified.pending)
        return notified

    def _unmark(self, findings: Findings, attempt: ReportAttempt) -> None:
        """Remove the mark: while files and results of an earlier report are replaced, no mark may confirm them."""
        attempt.lease.confirm()
        if attempt.stored:
            self.notifier.clear_record_for_replay(findings, attempt)
            self.bucket.remove(attempt.keys.summary, attempt.lease, attempt.stored.etag)

    def _upload(self, findings: Findings, spool: Spool, attempt: ReportAttempt) -> dict[str, StoredFile]:
        keys = attempt.keys
        csv, jsonl = spool.finish_tables()
        tables = {
            kind: self._put(kind, key, file, attempt)
            for kind, key, file in (("csv", keys.csv, csv), ("jsonl", keys.jsonl, jsonl))
        }
        content = summary(findings, tables, Notified())
        html = spool.write_page(page(findings, keys.csv, content["contentSha256"]))
        return {**tables, "html": self._put("html", keys.html, html, attempt)}

    def _put(self, kind: str, key: str, file: SpooledFile, attempt: ReportAttempt) -> StoredFile:
        attempt.deadline.check(f"writing the {kind} file")
        version = self.bucket.put_file(key, file.path, _CONTENT_TYPES[kind], attempt.lease)
        return StoredFile(key, version, file)

    def _write_early_line(self, findings: Findings, files: dict[str, StoredFile], attempt: ReportAttempt) -> str | None:
        """Write the summary line before the notification, so that a later attempt knows what the digest says.

        Returns:
            The ETag of the line; None if no notification of a doubt is due.
        """
        if findings.judgement.verdict is Verdict.COMPLETE or not self.notifier.is_due(findings):
            return None
        not_yet = summary(findings, files, Notified(pending="They were about to be sent."))
        return self.bucket.put_summary_line(attempt.keys.summary_line, without_item_filters(not_yet), attempt.lease)

    def _mark(
        self, content: dict[str, Any], attempt: ReportAttempt, earlier: StoredSummary | None, line: str | None
    ) -> None:
        """Write the summary line, the marks of what is missing, and summary.json last.

        The line says which of these marks there are: it is written before a mark is, and after a mark is removed.

        Args:
            earlier: What an earlier attempt has written.
            line: The ETag of the line that this attempt has written.
        """
        keys, lease, now = attempt.keys, attempt.lease, StoredSummary(content, None, "")
        marks = (
            (keys.notification_pending, earlier and earlier.pending, now.pending),
            (keys.results_pending, earlier and earlier.results_pending, now.results_pending),
        )
        for key, before, why in marks:
            if before and not why:
                self.bucket.remove(key, lease)
        self.bucket.put_summary_line(keys.summary_line, without_item_filters(content), lease, line)
        for key, _, why in marks:
            if why:
                self.bucket.put_json(key, {"status": "pending", "why": why}, lease)
        job = attempt.job
        leads_here = {"version": 1, "searchJobIdentifier": job.identifier, "summaryKey": keys.summary}
        self.bucket.put_json(keys.question, {**leads_here, "endedAt": utc_text(job.ended)}, lease)
        self.bucket.put_summary(keys.summary, content, attempt.request_id, lease)

    def _event_detail(self, attempt: ReportAttempt, content: dict[str, Any]) -> dict[str, Any]:
        return {
            "searchJobIdentifier": attempt.job.identifier,
            "searchJobArn": attempt.job.arn.text,
            "verdict": content["verdict"],
            "backups": content["backups"],
            "bucket": self.bucket.name,
            "summaryKey": attempt.keys.summary,
        }
