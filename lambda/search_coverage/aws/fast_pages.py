"""The fast path for a page of a long list: the body is decoded once, and not walked shape by shape.

botocore spends most of a report's time on turning each member of each row into Python by its model, timestamps into
datetimes above all. A handler of its event ``before-parse`` can decode the body; signing, retries, errors and
pagination stay botocore's. A page that differs from the model is left to botocore (aws-facts.md §6).
"""

import json
from collections.abc import Callable
from typing import Any

_LAST_SECOND = 253_402_300_800.0  # the year 10000, which no calendar here can write
_NUMBERS = frozenset({int, float})


def take_pages(client: Any, operation: str, list_name: str, *times: str, whatever_rows: bool = False) -> None:
    """Register the decoder for the pages of one list operation on a client; repeated calls change nothing.

    Args:
        client: The client; two objects may share it.
        operation: Such as ``ListSearchJobs``.
        list_name: As for `page_taker`.
        times: As for `page_taker`.
        whatever_rows: As for `page_taker`.
    """
    event = f"before-parse.{client.meta.service_model.service_name}.{operation}"
    # A second handler would find the body that the first has emptied.
    client.meta.events.register(event, page_taker(list_name, *times, whatever_rows=whatever_rows), unique_id=event)


def page_taker(list_name: str, *times: str, whatever_rows: bool = False) -> Callable[..., None]:
    """Make a handler of ``before-parse`` that decodes the pages of one list operation instead of botocore's parser.

    Rows come as they are on the wire: times as seconds since the epoch, members that AWS did not send missing or None
    (AWS Backup does both, aws-facts.md §7).

    Args:
        list_name: The member of the answer that holds the rows.
        times: The members of a row that are timestamps.
        whatever_rows: Whether to take rows that are not objects, too; the caller reads each on its own.

    Returns:
        A handler. It empties the body of an answer that it took, and leaves any other answer as it is.
    """

    def take_page(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
        if response_dict["status_code"] != 200:
            return
        try:
            page = json.loads(response_dict["body"])
        except ValueError:
            return
        if not isinstance(page, dict):
            return
        rows = page.get(list_name)
        if not isinstance(rows, list):
            # botocore would make an empty list of some of it, and an empty list is an answer.
            customized_response_dict[list_name] = rows
        elif whatever_rows or all(map(is_as_modelled, rows)):
            customized_response_dict[list_name] = rows
            if page.get("NextToken") is not None:
                customized_response_dict["NextToken"] = page["NextToken"]
        else:
            return
        response_dict["body"] = b"{}"

    def is_as_modelled(row: Any) -> bool:
        if not isinstance(row, dict):
            return False
        for name in times:
            moment: Any = row.get(name)
            if moment is not None and (type(moment) not in _NUMBERS or not 0 <= moment < _LAST_SECOND):
                return False
        return True

    return take_page
