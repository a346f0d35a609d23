"""One attempt at a report: what it is for, what it found in the bucket, and what it works under."""

import time
from dataclasses import dataclass

from aws_lambda_powertools import Logger

from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import EarlierReport
from search_coverage.names import SERVICE
from search_coverage.report.files.keys import ReportKeys
from search_coverage.report.files.summary import Notified
from search_coverage.use_cases.deadline import Deadline
from search_coverage.use_cases.ports import Lease, StoredSummary

_logger = Logger(service=SERVICE, child=True)


@dataclass(frozen=True, slots=True)
class ReportAttempt:
    """One attempt.

    Attributes:
        stored: The summary in the bucket, if there is one: the mark that there is a report.
        request_id: The request that it works for; Lambda's retries have the same.
    """

    job: SearchJob
    keys: ReportKeys
    stored: StoredSummary | None
    is_replay: bool
    request_id: str
    lease: Lease
    deadline: Deadline

    @property
    def made_the_stored_report(self) -> bool:
        """Whether this very request has made the report that is stored."""
        return bool(self.stored and self.stored.request_id == self.request_id)

    @property
    def report_that_lacks_something(self) -> StoredSummary | None:
        """The report that is asked for, if an earlier attempt made it and its messages or results are missing."""
        stored = self.stored
        is_asked_for = not self.is_replay or self.made_the_stored_report
        return stored if stored and is_asked_for and (stored.pending or stored.results_pending) else None

    def notified_before(self, verdict: str) -> Notified | None:
        """Return what the stored report says of its messages, if they said this verdict."""
        content = self.stored.content if self.stored else None
        if not content or content["verdict"] != verdict:
            return None
        return Notified(tuple(content["notification"]["messageIds"]))

    @property
    def digest_key(self) -> str:
        """What the digest is sent once for: the search job, and each replay."""
        return f"{self.job.identifier}#{self.request_id}" if self.is_replay else self.job.identifier


def earlier_report(stored: StoredSummary | None) -> EarlierReport | None:
    """Return what an earlier report said."""
    content = stored.content if stored else None
    return EarlierReport(content["verdict"], content["generatedAt"]) if content else None


class Phases:
    """Logs each phase of a report when it ends, and how long it took."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def end(self, what: str, **counts: object) -> None:
        """Log the end of a phase."""
        now = time.monotonic()
        _logger.info(what, extra={**counts, "seconds": round(now - self._since, 3)})
        self._since = now
