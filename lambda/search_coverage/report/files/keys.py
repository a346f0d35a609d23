"""Where a report is in the bucket. The keys depend on the search job alone, so a retry writes the same keys."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Self

from search_coverage.coverage.errors import SearchCoverageError
from search_coverage.coverage.search_job import SearchJob
from search_coverage.names import (
    EXCLUDED_BACKUPS,
    EXCLUDED_BACKUPS_CSV,
    NOTIFICATION_PENDING_JSON,
    QUESTIONS,
    REPORT_HTML,
    REPORTS,
    RESULTS,
    RESULTS_CSV,
    RESULTS_JSONL,
    RESULTS_PENDING_JSON,
    SEARCH_RESULTS,
    SUMMARIES,
    SUMMARY_JSON,
)

_END_OF_TIME = 9_999_999_999_999
"""In milliseconds since the epoch. Keys that count down to it sort latest first."""


class NoReportDate(SearchCoverageError):
    """A search job has no date, which its keys need."""


@dataclass(frozen=True, slots=True)
class ReportKeys:
    """The S3 keys of one report.

    Attributes:
        prefix: The folder of the files for people, with ``/`` at its end.
        jsonl: The file in the partition of the Athena table of excluded backups.
        summary_line: The summary again, as one line, in the partition of the Athena table of search jobs.
        notification_pending: Exists while a whole report waits for its messages to be sent.
        question: Leads from a search to the previous one with the same question.
        results_pending: Exists while a whole report waits for the results of its search.
        results_csv: The results for people, in the bucket of the results.
        results_jsonl: The file in the partition of the Athena table of results, in the same bucket.
    """

    prefix: str
    csv: str
    html: str
    summary: str
    jsonl: str
    summary_line: str
    notification_pending: str
    question: str
    results_pending: str
    results_csv: str
    results_jsonl: str

    @classmethod
    def of(cls, job: SearchJob) -> Self:
        """Return the keys of a job's report.

        Raises:
            NoReportDate: AWS sent neither a creation nor a completion time.
        """
        day = job.date
        if day is None:
            raise NoReportDate(f"Search job {job.identifier} has neither a completion nor a creation time.")
        account, region = job.arn.account, job.arn.region
        until_the_end_of_time = _END_OF_TIME - int(job.ended.timestamp() * 1000) if job.ended else 0
        prefix = f"{day_prefix(account, region, day)}/{job.identifier}/"
        partition = f"account={account}/region={region}/date={day:%Y-%m-%d}"
        return cls(
            prefix=prefix,
            csv=f"{prefix}{EXCLUDED_BACKUPS_CSV}",
            html=f"{prefix}{REPORT_HTML}",
            summary=f"{prefix}{SUMMARY_JSON}",
            jsonl=f"{EXCLUDED_BACKUPS}{partition}/{job.identifier}.jsonl.gz",
            summary_line=f"{SUMMARIES}{partition}/{job.identifier}.json",
            notification_pending=f"{prefix}{NOTIFICATION_PENDING_JSON}",
            question=(
                f"{QUESTIONS}{account}/{region}/{job.fingerprint}/{until_the_end_of_time:013d}-{job.identifier}.json"
            ),
            results_pending=f"{prefix}{RESULTS_PENDING_JSON}",
            results_csv=f"{RESULTS}{prefix.removeprefix(REPORTS)}{RESULTS_CSV}",
            results_jsonl=f"{SEARCH_RESULTS}{partition}/{job.identifier}/{RESULTS_JSONL}",
        )


def search_of_question_key(key: str) -> tuple[str, datetime, str]:
    """Return the identifier of the search that a question's key is of, its end, and the key of its summary.

    Raises:
        ValueError: It is not such a key.
    """
    account, region, _, name = key.removeprefix(QUESTIONS).split("/")
    until_the_end_of_time, _, identifier = name.removesuffix(".json").partition("-")
    ended = datetime.fromtimestamp((_END_OF_TIME - int(until_the_end_of_time)) / 1000, UTC)
    return identifier, ended, f"{day_prefix(account, region, ended.date())}/{identifier}/{SUMMARY_JSON}"


def reports_prefix(account: str, region: str) -> str:
    """Return the prefix of all reports of an account in a Region."""
    return f"{REPORTS}{account}/{region}/"


def day_prefix(account: str, region: str, day: date) -> str:
    """Return the prefix of a day's reports, without ``/``. Keys sort by day, so a listing can start at one."""
    return f"{reports_prefix(account, region)}{day:%Y/%m/%d}"


def search_job_and_name(key: str) -> tuple[str, str]:
    """Split the key of an object of a report into the identifier of its search job and its name in the folder."""
    *_, identifier, name = ("", *key.split("/"))
    return identifier, name
