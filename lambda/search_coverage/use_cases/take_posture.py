"""Take the posture of an account and Region: read all vaults, write the files, mail, and set the mark.

As with a report, nothing is written before everything was read, and summary.json comes last: an attempt that was cut
short leaves no mark, and the next one does it all again under the keys of the day.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger

from search_coverage.coverage.errors import SearchCoverageError
from search_coverage.coverage.posture import Counts, Newest, Posture, PostureStatus, VaultPosture
from search_coverage.coverage.searchability import search_now
from search_coverage.inventory.ports import Vaults
from search_coverage.inventory.posture_reader import PostureReader
from search_coverage.inventory.posture_table import PostureTable
from search_coverage.inventory.time_budget import TimeBudget
from search_coverage.inventory.vault_contents import VaultContents
from search_coverage.inventory.vault_lists import VaultLists
from search_coverage.names import POSTURE_HTML, SERVICE, SOURCES_CSV
from search_coverage.report.files.spool import spool_folder
from search_coverage.report.files.table_files import TableFiles
from search_coverage.report.posture.keys import PostureKeys
from search_coverage.report.posture.rows import SOURCE_COLUMNS, source_row
from search_coverage.report.posture.summary import Mailed, MailStatus, posture_event_detail, posture_summary
from search_coverage.report.stored_file import SpooledFile, StoredFile
from search_coverage.use_cases.index_failures import FailedIndexes
from search_coverage.use_cases.ports import Lease, Leases
from search_coverage.use_cases.posture_changes import PostureChanges
from search_coverage.use_cases.posture_mail import PostureMail
from search_coverage.use_cases.posture_plans import plans_without_index
from search_coverage.use_cases.posture_ports import BackupPlans, PostureEvents, PostureStore
from search_coverage.use_cases.report_attempt import Phases

_SHARE_OF_READING = 2 / 3
"""The share of an invocation's time that the vaults may take, and"""
_SHARE_OF_PLANS = 1 / 6
"""the share that the plans may take; the rest is for the files and the mail."""

_FIRST_SOURCES = 100
_FAILED = 20

_NAME = "posture"

_HTML, _CSV, _JSONL = "text/html; charset=utf-8", "text/csv; charset=utf-8", "application/gzip"

_logger = Logger(service=SERVICE, child=True)


class PostureMailPending(SearchCoverageError):
    """The posture is whole, and SNS did not take its mail."""

    def __init__(self, why: str | None) -> None:
        super().__init__(
            f"The posture is whole, but its mail is not sent: {str(why).rstrip('.')}. Lambda tries again; then the "
            "next posture does."
        )


@dataclass(frozen=True, slots=True)
class Place:
    """An account and a Region."""

    account: str
    region: str
    partition: str = "aws"


@dataclass(frozen=True, slots=True)
class PostureOutcome:
    """What a run did.

    Attributes:
        created: False if an earlier attempt at this request had taken the posture already.
        summary: Its summary.
        event_detail: The detail of the event "Searchability Report Created".
        pending: Why its mail could not be sent, if so.
    """

    created: bool
    summary: dict[str, Any]
    event_detail: dict[str, Any]
    pending: PostureMailPending | None


@dataclass(frozen=True, slots=True)
class TakePosture:
    """The use case, with what it works on.

    Attributes:
        page: Writes the page of a posture, which names the key of the CSV.
        target: The setting ``searchableTarget`` in percent; None if it is off.
        now: Returns the current time, aware.
    """

    vaults: Vaults
    plans: BackupPlans
    store: PostureStore
    leases: Leases
    mail: PostureMail
    bus: PostureEvents
    page: Callable[[Posture, str], str]
    target: int | None
    now: Callable[[], datetime]
    clock: Callable[[], float] = time.monotonic

    def run(self, place: Place, request_id: str, seconds_left: Callable[[], float]) -> PostureOutcome:
        """Take the posture, unless this very request has; put the event either way.

        Raises:
            ReportInProgress: Another invocation takes it.
            SearchCoverageError: What the ports raise.
        """
        with self.leases.hold(_NAME, request_id) as lease:
            taken_at = self.now()
            keys = PostureKeys.of(place.account, place.region, taken_at)
            summary = self._taken_by(request_id, keys)
            created = summary is None
            if summary is None:
                with spool_folder() as folder:
                    attempt = _Attempt(self, place, taken_at, keys, folder, lease, seconds_left())
                    summary = attempt.make(request_id)
            detail = posture_event_detail(summary, self.store.name, keys.summary)
            self.bus.posture_created(detail)
            mail = summary["mail"]
            pending = PostureMailPending(mail.get("why")) if mail["status"] == MailStatus.PENDING else None
            return PostureOutcome(created, summary, detail, pending)

    def _taken_by(self, request_id: str, keys: PostureKeys) -> dict[str, Any] | None:
        """Return the summary of today, if an earlier attempt at this request wrote it and nothing is missing."""
        stored = self.store.stored_json(keys.summary)
        if stored is None or stored.content is None or stored.request_id != request_id:
            return None
        return None if stored.content["mail"]["status"] == MailStatus.PENDING else stored.content


@dataclass(frozen=True, slots=True)
class _Attempt:
    """One attempt at a posture, in so many seconds."""

    use_case: TakePosture
    place: Place
    taken_at: datetime
    keys: PostureKeys
    folder: Path
    lease: Lease
    seconds: float

    def make(self, request_id: str) -> dict[str, Any]:
        use_case, store, phases = self.use_case, self.use_case.store, Phases()
        with PostureTable(self.folder) as table:
            lists = VaultLists(use_case.vaults, self._budget(_SHARE_OF_READING))
            contents = PostureReader(
                search_now(self.place.account, self.place.region, self.taken_at), lists, table
            ).read()
            table.finish_adding(self.taken_at)
            phases.end("vaults read", vaults=contents.vaults_read, of=len(contents.vaults), backups=lists.points_read)
            csv, jsonl = self._write_tables(table)
            posture = self._posture(table, contents, jsonl.path)
        phases.end("posture worked out", sources=posture.newest.sources, searchable=posture.newest.searchable)
        store.remove(self.keys.summary, self.lease)  # while files are replaced, no mark may confirm them
        html = self.folder / POSTURE_HTML
        html.write_text(use_case.page(posture, self.keys.csv), encoding="utf-8", errors="backslashreplace")
        files = {
            "csv": self._put(self.keys.csv, csv, _CSV),
            "jsonl": self._put(self.keys.sources_jsonl, jsonl, _JSONL),
            "html": self._put(self.keys.html, SpooledFile.of(html, len(posture.first_sources)), _HTML),
        }
        phases.end("files written", bytes=sum(stored.file.bytes for stored in files.values()))
        mailed = use_case.mail.send_if_due(posture, self.keys, files, self.lease)
        phases.end("mail", status=mailed.status.value)
        summary = posture_summary(posture, files, mailed)
        self._mark(summary, mailed, request_id)
        return summary

    def _write_tables(self, table: PostureTable) -> tuple[SpooledFile, SpooledFile]:
        paths = self.folder / SOURCES_CSV, self.folder / "sources.jsonl.gz"
        with TableFiles(*paths, SOURCE_COLUMNS) as files:
            for source in table.sources():
                files.add(source_row(source))
            return files.finish()

    def _posture(self, table: PostureTable, contents: VaultContents, sources: Path) -> Posture:
        use_case, place, taken_at = self.use_case, self.place, self.taken_at
        is_partial = bool(contents.problems)
        changes = PostureChanges(use_case.store, place.account, place.region, mails=use_case.mail.is_on)
        compared = changes.since_before(taken_at, sources, is_partial=is_partial)
        failures = FailedIndexes(use_case.store, place.account, place.region).since(compared.before, taken_at)
        rules = table.rules()
        plans, of_plans = plans_without_index(use_case.plans, rules, self._budget(_SHARE_OF_PLANS))
        by_vault, newest_by_type = table.by_vault(), table.newest_by_type()
        return Posture(
            account=place.account,
            region=place.region,
            partition=place.partition,
            taken_at=taken_at,
            status=PostureStatus.PARTIAL if is_partial else PostureStatus.COMPLETE,
            problems=contents.problems,
            notes=(*_notes(table, contents), *of_plans, *compared.notes),
            vaults_read=contents.vaults_read,
            total=table.total(),
            by_type=table.by_type(),
            newest=Newest.sum_of(newest_by_type.values()),
            newest_by_type=newest_by_type,
            left_out=table.left_out,
            vaults=tuple(
                VaultPosture(vault.name, vault.type, by_vault.get(vault.name, Counts())) for vault in contents.vaults
            ),
            rules=rules,
            ages=table.ages(),
            plans=plans,
            first_sources=table.first_sources(_FIRST_SOURCES),
            failed=table.failed(_FAILED),
            unreachable=contents.not_searchable,
            index_failures=failures,
            target=use_case.target,
            since=compared.since,
        )

    def _budget(self, share: float) -> TimeBudget:
        return TimeBudget(self.seconds * share, self.use_case.clock)

    def _put(self, key: str, file: SpooledFile, content_type: str) -> StoredFile:
        return StoredFile(key, self.use_case.store.put_file(key, file.path, content_type, self.lease), file)

    def _mark(self, summary: dict[str, Any], mailed: Mailed, request_id: str) -> None:
        store, keys = self.use_case.store, self.keys
        store.put_summary_line(keys.summary_line, summary, self.lease)
        self.lease.confirm()
        store.put_summary(keys.summary, summary, request_id, self.lease)
        if mailed.why:
            _logger.warning("the mail is not sent: %s", mailed.why)


def _notes(table: PostureTable, contents: VaultContents) -> Iterable[str]:
    if without_source := table.without_source:
        yield (
            f"AWS names no source for {without_source} backups: they are counted as backups, and are no source's "
            "newest one."
        )
    if left_out := table.left_out:
        yield f"{left_out} backups are not counted, because they are still being made, or being deleted."
    yield from contents.not_counted_in_words()
