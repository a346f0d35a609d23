"""What changed since the previous search with the same question.

The previous search is found by its key: the keys of a question sort by the end of its searches, latest first, so that
one listing that starts at this search's own key finds it. What it left out is in the file that its summary names. The
report is made in any case: what goes wrong here becomes the reason why the two could not be compared.
"""

import gzip
import json
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger

from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.timestamp import utc_text
from search_coverage.names import SERVICE
from search_coverage.report.files.keys import search_of_question_key
from search_coverage.report.findings import Previous
from search_coverage.report.stored_file import SpooledFile
from search_coverage.use_cases.excluded_before import ExcludedBefore
from search_coverage.use_cases.ports import ReportStore
from search_coverage.use_cases.report_attempt import ReportAttempt

_CANDIDATES = 10
"""How many keys are looked at. Only an attempt that was cut short leaves a key without a report."""

_SHARE_OF_THE_TIME = 1 / 4
"""The share of the time that is left which reading the previous search may take."""

_ROWS_AT_ONCE = 1000

_logger = Logger(service=SERVICE, child=True)


@dataclass(slots=True)
class SincePrevious:
    """Compares a search with the previous one while its list is read.

    Attributes:
        own_end: When this search ended, as text.
        previous: The previous search, as far as it is known; None if there is none.
        before: What it left out; None if there is nothing to compare with.
    """

    own_end: str
    previous: Previous | None = None
    before: ExcludedBefore | None = None

    def mark_listed(self, arns: Iterable[str | None]) -> None:
        """Record backups that this search lists."""
        if self.before:
            with self._giving_up():
                self.before.mark_searched(arn for arn in arns if arn)

    def dated(self, exclusion: Exclusion) -> Exclusion:
        """Return an exclusion of this search with the time since when searches with this question leave it out.

        It has none if that is not known: the next report would repeat what this one says.
        """
        arn, since = exclusion.backup.backup_arn, None
        if self.previous is None:
            since = self.own_end
        elif not arn:
            self.previous = replace(self.previous, without_arn=self.previous.without_arn + 1)
        elif self.before:
            with self._giving_up():
                since = self.before.exclude(arn, self.own_end)
        return replace(exclusion, since=since)

    def result(self) -> Previous | None:
        """Return the previous search and what changed since; the list of this search must have been read."""
        if self.before and self.previous:
            with self._giving_up():
                return replace(self.previous, changes=self.before.changes())
        return self.previous

    def find(self, bucket: ReportStore, attempt: ReportAttempt, before: ExcludedBefore, folder: Path) -> None:
        """Find the previous search, and read what it left out."""
        with self._giving_up():
            for key in bucket.keys_after(attempt.keys.question, _CANDIDATES):
                identifier, ended, summary_key = search_of_question_key(key)
                stored = bucket.summary(summary_key)
                if stored and stored.content:
                    then = utc_text(ended) or ""
                    self.previous = Previous(identifier, then, summary_key, stored.content["verdict"])
                    without_arn = _load(bucket, attempt, stored.content, then, before, folder / "previous.jsonl.gz")
                    self.previous, self.before = replace(self.previous, without_arn=without_arn), before
                    return

    @contextmanager
    def _giving_up(self) -> Iterator[None]:
        """Turn an error in the block into the reason why there is nothing to compare with."""
        try:
            yield
        except AwsCallFailed as error:
            self._give_up(str(error))
        except (sqlite3.Error, OSError) as error:
            self._give_up(f"The function's disk has no room for the comparison ({error}).")

    def _give_up(self, why: str) -> None:
        _logger.warning("not compared with the previous search: %s", why)
        self.previous, self.before = replace(self.previous or Previous(), message=why), None


@contextmanager
def since_previous(bucket: ReportStore, attempt: ReportAttempt, folder: Path) -> Iterator[SincePrevious]:
    """Find the previous search with the same question, and yield what compares with it."""
    compared = SincePrevious(utc_text(attempt.job.ended) or "")
    with ExcludedBefore(folder) as before:
        compared.find(bucket, attempt, before, folder)
        yield compared


def _load(  # noqa: PLR0913, PLR0917 - what is read, by whom, and where to
    bucket: ReportStore,
    attempt: ReportAttempt,
    summary: dict[str, Any],
    ended: str,
    before: ExcludedBefore,
    path: Path,
) -> int:
    """Read what the previous search left out; return how many of its backups AWS did not name."""
    key, sha256 = summary["files"]["jsonl"]["key"], summary["files"]["jsonl"].get("sha256")
    bucket.get_file(key, path)
    if SpooledFile.of(path, 0).sha256 != sha256:
        raise AwsCallFailed(f"{key} is not the file that the summary of the previous search names.")
    without_arn, latest = 0, attempt.deadline.spare_seconds() * (1 - _SHARE_OF_THE_TIME)
    for rows in _rows(path, key):
        if attempt.deadline.spare_seconds() < latest:
            raise AwsCallFailed("There was no time to read all that the previous search left out.")
        named = [(arn, since or ended) for arn, since in rows if arn]
        before.add(named)
        without_arn += len(rows) - len(named)
    path.unlink()
    return without_arn


def _rows(path: Path, key: str) -> Iterator[list[tuple[str | None, str | None]]]:
    """Yield what the rows say, some at a time: the backup, and since when it is left out."""
    try:
        with gzip.open(path) as lines:
            while texts := list(islice(lines, _ROWS_AT_ONCE)):
                rows = map(json.loads, texts)
                yield [(row["backup_arn"], row["excluded_since"]) for row in rows]
    except (OSError, EOFError, zlib.error, ValueError, LookupError, TypeError) as error:
        raise AwsCallFailed(f"{key} is damaged ({type(error).__name__}).") from error
