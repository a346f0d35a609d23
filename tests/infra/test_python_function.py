"""What holds for both functions."""

import pytest

from infra.settings import Settings
from tests.infra.conftest import Synthesise, SynthesisedStack

FUNCTIONS = {
    "ReporterReport": "search_coverage.handlers.report.handler",
    "WatcherWatch": "search_coverage.handlers.watch.handler",
}


def test_the_stack_has_our_two_functions_and_none_that_the_cdk_added(stack: SynthesisedStack) -> None:
    assert {name: function["Handler"] for name, function in stack.resources("AWS::Lambda::Function").items()} == {
        f"{name}Function": handler for name, handler in FUNCTIONS.items()
    }


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_runs_on_python_3_13_for_arm_and_is_traced(stack: SynthesisedStack, name: str) -> None:
    function = stack.resource(f"{name}Function")

    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    assert function["TracingConfig"] == {"Mode": "Active"}


def test_both_functions_share_one_asset(stack: SynthesisedStack) -> None:
    report, watch = (stack.resource(f"{name}Function")["Code"] for name in FUNCTIONS)

    assert report == watch


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_log_is_kept_for_the_days_asked_for(synthesise: Synthesise, name: str) -> None:
    # Given a retention of two years, which CloudWatch counts as 731 days
    stack = synthesise(Settings(log_retention_days=731))

    # Then the function writes to a log group of its own that has it, and no custom resource is needed for that
    assert stack.resource(f"{name}Function")["LoggingConfig"] == {"LogGroup": f"<{name}Logs>"}
    assert stack.resource(f"{name}Logs")["RetentionInDays"] == 731
    assert stack.deletion_policy(f"{name}Logs") == ("Delete", "Delete")
    assert not [
        resource["Type"] for resource in stack.template["Resources"].values() if resource["Type"].startswith("Custom::")
    ]


def test_an_account_with_little_concurrency_can_do_without_reserving_any(synthesise: Synthesise) -> None:
    stack = synthesise(Settings(reserved_concurrency=False))

    assert all(
        "ReservedConcurrentExecutions" not in function for function in stack.resources("AWS::Lambda::Function").values()
    )
