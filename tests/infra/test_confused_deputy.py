"""A service acts for whoever asks it: nothing here listens to one that does not say on whose behalf it asks."""

from collections.abc import Iterator

import pytest

from infra.settings import Settings
from tests.infra.conftest import Json, Synthesise, SynthesisedStack

POLICIES = {
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
}
"""The resource policies of the stack, and the member that holds the statements."""

ON_WHOSE_BEHALF = {"aws:SourceArn", "aws:SourceAccount"}

WITHOUT_A_POLICY = {
    *("AWS::CDK::Metadata", "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::DynamoDB::Table"),
    *("AWS::Events::Rule", "AWS::IAM::Role", "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::Function"),
    *("AWS::Lambda::Permission", "AWS::Logs::LogGroup", "AWS::Logs::QueryDefinition", "AWS::S3::Bucket"),
    *("AWS::SNS::Subscription", "AWS::SNS::Topic", "AWS::SQS::Queue", "AWS::Scheduler::Schedule"),
    *("AWS::Athena::NamedQuery", "AWS::Athena::WorkGroup", "AWS::Glue::Database", "AWS::Glue::Table"),
}
"""Resources whose policies are resources of their own, or that have none. A role's trust is looked at below."""


def statements_for_services(stack: SynthesisedStack) -> Iterator[tuple[str, Json]]:
    """Give each statement of a resource policy that lets an AWS service in, with the resource that it is of."""
    for name, resource in stack.template["Resources"].items():
        if document := POLICIES.get(resource["Type"]):
            for statement in resource["Properties"][document]["Statement"]:
                if statement["Effect"] == "Allow" and "Service" in statement["Principal"]:
                    yield name, statement


@pytest.fixture(params=["defaults", "everything on"])
def any_stack(request: pytest.FixtureRequest, synthesise: Synthesise) -> SynthesisedStack:
    """The stack, with little and with all that settings can add."""
    if request.param == "defaults":
        return synthesise(Settings())
    return synthesise(Settings(alarm_emails=("a@example.com",), object_lock_days=30, alarm_on_incomplete=True))


def test_no_resource_type_came_that_nobody_has_looked_at(any_stack: SynthesisedStack) -> None:
    types = {resource["Type"] for resource in any_stack.template["Resources"].values()}

    assert types <= POLICIES.keys() | WITHOUT_A_POLICY


def test_every_service_that_a_resource_policy_lets_in_says_on_whose_behalf_it_comes(
    any_stack: SynthesisedStack,
) -> None:
    let_in = list(statements_for_services(any_stack))

    assert len(let_in) >= 3
    for name, statement in let_in:
        keys = {key for condition in statement.get("Condition", {}).values() for key in condition}
        assert keys & ON_WHOSE_BEHALF, f"{name}: {statement}"


def test_no_resource_policy_lets_in_everybody_or_another_account(any_stack: SynthesisedStack) -> None:
    for resource in any_stack.template["Resources"].values():
        if document := POLICIES.get(resource["Type"]):
            for statement in resource["Properties"][document]["Statement"]:
                if statement["Effect"] == "Allow" and "Service" not in statement["Principal"]:
                    assert statement["Principal"] == {"AWS": "arn:<AWS::Partition>:iam::<AWS::AccountId>:root"}


def test_a_service_invokes_a_function_for_one_resource_of_ours_only(any_stack: SynthesisedStack) -> None:
    for permission in any_stack.resources("AWS::Lambda::Permission").values():
        assert permission["SourceArn"].endswith(".Arn>")


def test_every_role_is_taken_by_a_service_for_this_account_only(any_stack: SynthesisedStack) -> None:
    # Lambda takes a role for a function only if the caller who set it may pass the role (iam:PassRole), which nobody
    # outside the account can; Scheduler's trust names the account and the group besides.
    for name, role in any_stack.resources("AWS::IAM::Role").items():
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        if trust["Principal"] != {"Service": "lambda.amazonaws.com"}:
            assert trust["Condition"]["StringEquals"].keys() >= ON_WHOSE_BEHALF, name
