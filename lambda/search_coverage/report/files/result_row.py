"""One result of a search as one row, with the columns that CSV and JSON Lines share."""

from search_coverage.coverage.search_result import SearchResult
from search_coverage.coverage.timestamp import utc_text

RESULT_COLUMNS = ("search_job_id", *SearchResult._fields)


def result_row(search_job: str, result: SearchResult) -> dict[str, str | int | None]:
    """Write a result as a row. What AWS did not send is None; times are ISO 8601 UTC."""
    return {
        "search_job_id": search_job,
        **result._asdict(),
        "created": utc_text(result.created),
        "last_modified": utc_text(result.last_modified),
    }
