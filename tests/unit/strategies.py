"""What AWS may send, for the property tests: every member of its model, there or not."""

from datetime import UTC, datetime
from typing import Any

import botocore.session
from hypothesis import strategies as st

_SERVICE: Any = botocore.session.get_session().get_service_model("backupsearch")
OUTPUT = _SERVICE.operation_model("ListSearchJobBackups").output_shape
"""The model of ListSearchJobBackups' answer."""

MEMBERS = OUTPUT.members["Results"].member.members

_STATUSES = st.sampled_from(["COMPLETED", "FAILED", "RUNNING", "STOPPED", "PENDING"])
_MESSAGES = st.sampled_from(["Access denied", "Index status is PENDING", " "])
_TEXTS = {
    "Status": st.none() | st.text(max_size=12) | _STATUSES,
    "StatusMessage": st.none() | st.text(st.characters(), max_size=200) | _MESSAGES,
}
_SECONDS = (
    st.none() | st.floats(0, 4_000_000_000) | st.datetimes(timezones=st.just(UTC), min_value=datetime(1970, 1, 2))  # noqa: DTZ001 - as hypothesis wants it
)
ROWS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        name: _SECONDS if member.type_name == "timestamp" else _TEXTS.get(name, st.none() | st.text(max_size=20))
        for name, member in MEMBERS.items()
    },
)
"""Rows of ListSearchJobBackups as botocore returns them."""
