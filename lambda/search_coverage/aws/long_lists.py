"""Lists that AWS gives in pages: read to their end, each token once, the next page while this one is worked on."""

from collections.abc import Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import Any, TypeVar

from search_coverage.coverage.errors import AwsCallFailed

PAGE_SIZE = 1000  # the most that AWS Backup gives (aws-facts.md §2)

_Page = TypeVar("_Page")


def pages_of(what: str, read: Callable[[str | None], tuple[_Page, str | None]]) -> Generator[_Page, None, None]:
    """Read a list page by page. While one is worked on, the next is on its way; no more than one.

    Args:
        what: The list, for the sentence that says that it has no end.
        read: Reads the page of a token (none for the first) and gives it with the token of the next, if there is one.

    Raises:
        AwsCallFailed: The list could not be read to its end; what came before is not the whole list.
    """
    seen: set[int] = set()
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="next-page")
    try:
        coming = pool.submit(read, None)
        while True:
            page, token = coming.result()
            is_repeated = hash(token) in seen
            if token and not is_repeated:
                seen.add(hash(token))
                coming = pool.submit(read, token)
            yield page
            if not token:
                return
            if is_repeated:  # it would make the list endless, and never whole
                raise AwsCallFailed(
                    f"AWS gave a page token of {what} a second time, so the list has no end that can be trusted."
                )
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def rows_of(answer: Any, name: str, what: str) -> list[Any]:
    """Take the rows out of an answer.

    botocore lets an answer pass that is no JSON at all: it looks like one without any member.

    Raises:
        AwsCallFailed: There are none, not even an empty list.
    """
    rows = answer.get(name)
    if not isinstance(rows, list):
        raise AwsCallFailed(f"{what} failed: {answer_without(name)}")
    return rows


def epoch(moment: Any) -> float | None:
    """Take a moment, however it came, as seconds since the epoch.

    Raises:
        TypeError: It is none.
    """
    if isinstance(moment, datetime):
        return moment.timestamp()
    if moment is None or type(moment) in {int, float}:
        return moment  # type: ignore[no-any-return]
    raise TypeError(f"not a moment: {moment!r}")


def answer_without(name: str) -> str:
    """Say that an answer lacks a member that it must have."""
    return f"AWS answered without {name}, so the answer cannot be trusted."
