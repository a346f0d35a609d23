"""The form of a message is encoded as the standard library encodes it."""

from typing import Any
from urllib.parse import parse_qsl, quote_plus, urlencode

from hypothesis import given
from hypothesis import strategies as st

from search_coverage.aws.alerts_topic import _encode_form


@given(form=st.dictionaries(st.text(min_size=1, max_size=20), st.text(max_size=60), max_size=5))
def test_a_form_reads_back_as_it_was_and_is_that_of_the_standard_library(form: dict[str, str]) -> None:
    params: dict[str, Any] = {"body": dict(form)}

    _encode_form(params)

    encoded = params["body"].decode("ascii")
    assert dict(parse_qsl(encoded, keep_blank_values=True)) == form
    assert encoded == urlencode(form).replace(quote_plus(" "), "%20")
