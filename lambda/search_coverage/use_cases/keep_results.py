"""Keep what a search found, where the setting ``keepResults`` asks for it.

A report without its results is better than none: what goes wrong here becomes the reason why they are missing. Results
that could not be read to their end are not kept at all, since nobody could tell them from the whole.
"""

import errno
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from aws_lambda_powertools import Logger

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.search_job import SearchJob, SearchJobStatus
from search_coverage.coverage.search_result import ResultsStatus
from search_coverage.names import RESULTS_CSV, RESULTS_JSONL, SERVICE
from search_coverage.report.files.result_row import RESULT_COLUMNS, result_row
from search_coverage.report.files.table_files import TableFiles
from search_coverage.report.findings import KeptResults
from search_coverage.report.stored_file import SpooledFile, StoredFile
from search_coverage.use_cases.ports import FileStore, SearchResultsReader
from search_coverage.use_cases.report_attempt import ReportAttempt

_SHARE_KEPT_BACK = 1 / 3
"""The share of the time that is left when the results begin, and that the files and messages of the report need."""

CSV, JSONL = "text/csv; charset=utf-8", "application/gzip"

_logger = Logger(service=SERVICE, child=True)


@dataclass(frozen=True, slots=True)
class KeepResults:
    """Reads the results of a search and puts them into a bucket of their own.

    Attributes:
        at_most: How many results are kept (the setting ``maxResults``).
    """

    search: SearchResultsReader
    store: FileStore
    at_most: int

    def run(self, attempt: ReportAttempt, folder: Path) -> KeptResults:
        """Keep the results of a search job, or say why they are missing.

        Args:
            folder: Where there is room for files.

        Raises:
            LeaseLost: Another attempt is at work.
        """
        paths = folder / RESULTS_CSV, folder / RESULTS_JSONL
        try:
            with TableFiles(*paths, RESULT_COLUMNS) as files:
                is_cut = self._read(attempt, files)
                csv, jsonl = files.finish()
            stored = self._store(attempt, csv, jsonl)
        except (AwsCallFailed, OSError) as error:
            if isinstance(error, OSError) and error.errno != errno.ENOSPC:
                raise
            why = (
                str(error) if isinstance(error, AwsCallFailed) else "There is no room for them on the function's disk."
            )
            _logger.warning("results are missing: %s", why)
            return KeptResults(ResultsStatus.UNAVAILABLE, why, bucket=self.store.name)
        finally:
            for path in paths:
                with suppress(FileNotFoundError):
                    path.unlink()
        lacks = " ".join(_what_they_lack(attempt.job, csv.rows, is_cut=is_cut))
        status = ResultsStatus.PARTIAL if lacks else ResultsStatus.COMPLETE
        return KeptResults(status, lacks or None, csv.rows, self.store.name, stored)

    def _read(self, attempt: ReportAttempt, files: TableFiles) -> bool:
        """Write the results to the files; return whether there are more of them than are kept."""
        job, has_time = attempt.job, _has_time(attempt)
        for page in self.search.pages_of_results(job.identifier, job.encryption_key_arn):
            if not has_time():
                raise AwsCallFailed(
                    f"There was no time to read more than {files.rows:,} of them. Lower the setting maxResults, or "
                    "raise the memory of the report function."
                )
            for result in page:
                if files.rows == self.at_most:
                    return True
                files.add(result_row(job.identifier, result))
        return False

    def _store(self, attempt: ReportAttempt, csv: SpooledFile, jsonl: SpooledFile) -> dict[str, StoredFile]:
        keys, put = attempt.keys, self.store.put_file
        return {
            "csv": StoredFile(keys.results_csv, put(keys.results_csv, csv.path, CSV, attempt.lease), csv),
            "jsonl": StoredFile(keys.results_jsonl, put(keys.results_jsonl, jsonl.path, JSONL, attempt.lease), jsonl),
        }


def _has_time(attempt: ReportAttempt) -> Callable[[], bool]:
    kept_back = attempt.deadline.spare_seconds() * _SHARE_KEPT_BACK
    return lambda: attempt.deadline.spare_seconds() > kept_back


def _what_they_lack(job: SearchJob, rows: int, *, is_cut: bool) -> list[str]:
    sentences = []
    if job.status != SearchJobStatus.COMPLETED:
        sentences.append(
            f"The search ended as {job.status or 'a job without a status'}; these are the results until then."
        )
    if is_cut:
        of_all = f" of {job.items_matched:,}" if job.items_matched is not None else ""
        sentences.append(f"Only the first {rows:,}{of_all} are kept, which is the setting maxResults.")
    elif job.items_matched not in {None, rows}:
        sentences.append(f"AWS counts {job.items_matched:,} matches, but lists {rows:,} results.")
    return sentences
