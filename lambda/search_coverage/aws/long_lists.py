"""Lists that AWS returns in pages: read to their end, each token once, the next page while the caller uses this one."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from search_coverage.aws.errors import reading
from search_coverage.coverage.errors import AwsCallFailed

PAGE_SIZE = 1000  # the most that AWS Backup returns (aws-facts.md §2)

_Page = TypeVar("_Page")
_Row = TypeVar("_Row")


def pages_of(
    what: str, read: Callable[[str | None], tuple[_Page, str | None]], *, ahead: bool = True
) -> Generator[_Page, None, None]:
    """Read a list page by page. While the caller uses a page, the next one is on its way; no more than one.

    Args:
        what: The name of the list, for the error where it has no end.
        ahead: Whether the next page is on its way. Without it, one page is in memory, and not two, and no thread is
            started.
        read: Reads the page of a token (None for the first) and returns it with the token of the next one, if any.

    Raises:
        AwsCallFailed: The list could not be read to its end; what came before is not the whole list.
    """
    seen: set[int] = set()
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="next-page") if ahead else None

    def order(token: str | None) -> Callable[[], tuple[_Page, str | None]]:
        return pool.submit(read, token).result if pool else partial(read, token)

    try:
        take = order(None)
        while True:
            page, token = take()
            is_repeated = hash(token) in seen
            if token and not is_repeated:
                seen.add(hash(token))
                take = order(token)
            yield page
            del page  # or it would stay in memory beside the next one
            if not token:
                return
            if is_repeated:
                raise AwsCallFailed(
                    f"AWS gave a page token of {what} a second time, so the list has no end that can be trusted."
                )
    finally:
        if pool:
            pool.shutdown(wait=False, cancel_futures=True)


def pages_of_rows(  # noqa: PLR0913 - what a list is asked for
    what: str,
    call: Callable[..., Any],
    request: dict[str, Any],
    member: str,
    row: Callable[[Any], _Row],
    *,
    ahead: bool = True,
) -> Generator[list[_Row], None, None]:
    """Read a list page by page, as `pages_of` does, with an operation of a client.

    Args:
        what: The name of the list; errors begin with "Listing <what>".
        member: The member of an answer that holds the rows.
        row: Takes what is needed out of a row.
        ahead: As for `pages_of`.

    Raises:
        AwsCallFailed: The list could not be read to its end.
    """
    doing = f"Listing {what}"

    def read(token: str | None) -> tuple[list[_Row], str | None]:
        with reading(doing):
            answer = call(**with_token(request, token))
            return [row(each) for each in rows_of(answer, member, doing)], answer.get("NextToken")

    return pages_of(what, read, ahead=ahead)


def with_token(request: dict[str, Any], token: str | None) -> dict[str, Any]:
    """Add the token of a page to a request, if there is one."""
    return {**request, "NextToken": token} if token else request


def rows_of(answer: Any, name: str, what: str) -> list[Any]:
    """Take the rows out of an answer; botocore reads an answer that is not JSON as one without members.

    Raises:
        AwsCallFailed: The answer has no rows, not even an empty list.
    """
    rows = answer.get(name)
    if not isinstance(rows, list):
        raise AwsCallFailed(f"{what} failed: {answer_without(name)}")
    return rows


def epoch(moment: Any) -> float | None:
    """Return a time, as botocore reads it or as it is on the wire, in seconds since the epoch.

    Raises:
        TypeError: It is not a time.
    """
    if isinstance(moment, datetime):
        return moment.timestamp()
    if moment is None or type(moment) in {int, float}:
        return moment  # type: ignore[no-any-return]
    raise TypeError(f"not a time: {moment!r}")


def answer_without(name: str) -> str:
    """Return the sentence about an answer that lacks a required member."""
    return f"AWS answered without {name}, so the answer cannot be trusted."
