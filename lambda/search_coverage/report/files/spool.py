"""The files of a report while it is made: on disk, so that memory does not grow with the search."""

import errno
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Self

from search_coverage.coverage.errors import SearchCoverageError
from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.search_job import SearchJob
from search_coverage.names import EXCLUDED_BACKUPS_CSV, REPORT_HTML
from search_coverage.report.files.row import COLUMNS, row
from search_coverage.report.files.table_files import TableFiles
from search_coverage.report.findings import Examples
from search_coverage.report.mail.messages import FailedRows
from search_coverage.report.page.table import row_bytes
from search_coverage.report.stored_file import SpooledFile
from search_coverage.report.tally import Tally

_ROWS_ON_PAGE = 2000
_ROWS_BYTES = 1_400_000  # so that the page stays under 2 MB whatever AWS sends
# Kept in memory for the page's commands: how many backups of a reason, and how long as a row. For more of them, the
# commands read the CSV.
_EXAMPLES_OF_REASON = 200
_EXAMPLE_CHARACTERS = 5000
_FOLDER_PREFIX = "search-coverage-"
# Lambda ends an invocation after 900 s at the latest; an older folder was left behind by one that was killed.
_ABANDONED_AFTER_SECONDS = 900


class DiskFull(SearchCoverageError):
    """The function's disk has no room left for the files of a report."""


class Spool:
    """Takes exclusions one by one and writes them as CSV, as JSON Lines and, if failed, for the messages.

    Attributes:
        tally: The counts so far.
        examples: The first exclusions, for page and mail.
        failed_rows: The FAILED backups, on their way to the messages.
    """

    def __init__(self, folder: Path, job: SearchJob) -> None:
        """Open the files in ``folder``."""
        self.tally = Tally(searched_at=job.creation_time.timestamp() if job.creation_time else None)
        self._first: list[Exclusion] = []
        self._first_of_reason: dict[Reason, list[Exclusion]] = {}
        self._first_failed: dict[Reason, Exclusion] = {}
        self.examples = Examples(self._first, self._first_of_reason, self._first_failed)
        self._job = job
        self._bytes_of_rows = 0
        self._folder = folder
        self._tables = TableFiles(folder / EXCLUDED_BACKUPS_CSV, folder / "excluded-backups.jsonl.gz", COLUMNS)
        self._failed_file = (folder / "failed.jsonl").open("w+b")
        self.failed_rows = FailedRows(self._failed_file)

    def __enter__(self) -> Self:
        """Stay open for the block."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close what is open."""
        with self._failed_file, self._tables:
            pass

    def add(self, exclusion: Exclusion) -> None:
        """Write and count one exclusion."""
        self.tally.count(exclusion)
        excluded = row(self._job, exclusion)
        text = self._tables.add(excluded)
        if exclusion.is_failed:
            self.failed_rows.add(excluded, text)
            self._first_failed.setdefault(exclusion.reason, exclusion)
        if len(self._first) < _ROWS_ON_PAGE and self._bytes_of_rows < _ROWS_BYTES:
            self._bytes_of_rows += row_bytes(exclusion)
            if self._bytes_of_rows < _ROWS_BYTES:
                self._first.append(exclusion)
        of_reason = self._first_of_reason.setdefault(exclusion.reason, [])
        if len(of_reason) < _EXAMPLES_OF_REASON and len(text) <= _EXAMPLE_CHARACTERS:
            of_reason.append(exclusion)

    def finish_tables(self) -> tuple[SpooledFile, SpooledFile]:
        """Close and measure the CSV and the JSON Lines file."""
        return self._tables.finish()

    def write_page(self, page: str) -> SpooledFile:
        """Write and measure the page."""
        path = self._folder / REPORT_HTML
        path.write_text(page, encoding="utf-8", errors="backslashreplace")
        return SpooledFile.of(path, len(self.examples.of_all))


@contextmanager
def spool_folder() -> Iterator[Path]:
    """Yield an empty folder on the function's disk, and remove it after the block.

    It first removes the folders of killed invocations: Lambda keeps /tmp for the next one.

    Raises:
        DiskFull: There was no room on the disk for what was written in the block.
    """
    disk = Path(tempfile.gettempdir())
    for abandoned in disk.glob(f"{_FOLDER_PREFIX}*"):
        with suppress(FileNotFoundError):  # another process has removed it
            if time.time() - abandoned.stat().st_mtime > _ABANDONED_AFTER_SECONDS:
                shutil.rmtree(abandoned, ignore_errors=True)
    try:
        with tempfile.TemporaryDirectory(prefix=_FOLDER_PREFIX) as folder:
            yield Path(folder)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        megabytes = shutil.disk_usage(disk).total // 1024**2
        raise DiskFull(
            f"The function's {disk} is full: all of it is {megabytes:,} MB, which is too little for this report. The "
            "report was not finished and counts as not written. Lambda tries again; if it ends here each time, raise "
            "TEMPORARY_STORAGE (the function's ephemeral storage, at most 10,240 MB) in infra/reporter.py and deploy."
        ) from error
