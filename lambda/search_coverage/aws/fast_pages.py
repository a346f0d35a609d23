"""The quick way through a page of backups: the body is decoded once, and not walked shape by shape.

botocore spends most of a report's time on turning each member of each row into Python by its model, timestamps into
datetimes above all. Its event ``before-parse`` lets a client decode the body itself; signing, retries, errors and
pagination stay botocore's. Whatever is not as the model says is left to botocore (aws-facts.md §6).
"""

import json
from typing import Any

_LAST_SECOND = 253_402_300_800.0  # the year 10000, which no calendar here can write


def take_page(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    """Decode a page of ListSearchJobBackups in place of botocore's parser; a handler of ``before-parse``.

    Rows come as they are on the wire: times as seconds since the epoch, members that AWS did not send missing.

    Args:
        response_dict: The answer, with ``status_code`` and ``body``; the body is emptied if it was taken.
        customized_response_dict: What botocore adds to its own result.
    """
    if response_dict["status_code"] != 200:
        return
    try:
        page = json.loads(response_dict["body"])
    except ValueError:
        return
    if isinstance(page, dict) and not isinstance(page.get("Results"), list):
        # botocore would make an empty list of some of it, and an empty list is an answer.
        customized_response_dict["Results"] = page.get("Results")
        response_dict["body"] = b"{}"
    elif isinstance(page, dict) and all(map(_is_as_modelled, page["Results"])):
        customized_response_dict["Results"] = page["Results"]
        if page.get("NextToken") is not None:
            customized_response_dict["NextToken"] = page["NextToken"]
        response_dict["body"] = b"{}"


def _is_as_modelled(row: Any) -> bool:
    if not isinstance(row, dict):
        return False
    created: Any = row.get("BackupCreationTime", 0)
    indexed: Any = row.get("IndexCreationTime", 0)
    return (
        type(created) in _NUMBERS
        and type(indexed) in _NUMBERS
        and 0 <= created < _LAST_SECOND
        and 0 <= indexed < _LAST_SECOND
    )


_NUMBERS = frozenset({int, float})
