"""IAM's evaluation of conditions, as `role_policy` implements it."""

import pytest

from tests.integration.aws_calls import ContextValue
from tests.integration.role_policy import Condition, UnknownOperator

MANY, ONE, NONE = ("a", "b"), ("a",), ()


@pytest.mark.parametrize(
    ("operator", "wanted", "found", "holds"),
    [
        ("StringEquals", ("a",), "a", True),
        ("StringEquals", ("b", "a"), "a", True),
        ("StringEquals", ("a",), "A", False),
        ("StringEquals", ("a",), None, False),
        ("StringEquals", ("a",), ONE, False),
        ("StringLike", ("r/*",), "r/1", True),
        ("StringLike", ("r/*",), "s/1", False),
        ("ForAllValues:StringEquals", ("a", "b", "c"), MANY, True),
        ("ForAllValues:StringEquals", ("a",), MANY, False),
        ("ForAllValues:StringEquals", ("a",), NONE, True),
        ("ForAllValues:StringEquals", ("a",), None, True),
        ("ForAllValues:StringLike", ("r/*",), ("r/1", "r/2"), True),
        ("ForAllValues:StringLike", ("r/*",), ("r/1", "s/2"), False),
        ("ForAnyValue:StringEquals", ("a",), MANY, True),
        ("ForAnyValue:StringEquals", ("c",), MANY, False),
        ("ForAnyValue:StringEquals", ("a",), None, False),
        ("Null", ("false",), "a", True),
        ("Null", ("false",), MANY, True),
        ("Null", ("false",), NONE, False),
        ("Null", ("false",), None, False),
        ("Null", ("true",), None, True),
        ("Null", ("true",), "a", False),
        ("Bool", ("false",), "false", True),
        ("ArnNotEquals", ("arn:1",), "arn:2", True),
        ("ArnNotEquals", ("arn:1", "arn:2"), "arn:2", False),
        ("ArnNotEquals", ("arn:1",), None, True),
    ],
)
def test_a_condition_holds_as_iam_documents_it(
    operator: str, wanted: tuple[str, ...], found: ContextValue | None, *, holds: bool
) -> None:
    context = {} if found is None else {"key": found}

    assert Condition(operator, "key", wanted).holds(context) is holds


@pytest.mark.parametrize("operator", ["StringNotEquals", "ForAllValues:Null", "ForSomeValues:StringLike", "Nothing"])
def test_an_operator_that_the_evaluation_does_not_know_stops_it(operator: str) -> None:
    with pytest.raises(UnknownOperator, match=operator):
        Condition(operator, "key", ("a",)).holds({"key": "a"})
