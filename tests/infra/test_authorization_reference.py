"""Every policy that we make or advise, compared with AWS's own reference of actions, resources and condition keys."""

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any

import pytest

from infra.settings import Settings
from tests.infra.authorization_reference import SERVICES, Difference, differences
from tests.infra.conftest import CHANGED, ROOT, STANDARD, Json, SynthesizedStack, synthesized

HERE = "eu-central-1:111122223333"
NO_SUCH_ACTION = "there is no such action"
NO_SUCH_RESOURCE = "the action takes no such resource"
NO_SUCH_KEY = "the action does not know this condition key"
NEEDS_SET = "a multivalued key needs a set operator"
NO_SET = "a single-valued key takes no set operator"
NEEDS_NULL = "without a Null of false it also allows a request that lacks the key"

EXCEPTIONS: Mapping[Difference, str] = MappingProxyType(
    {
        Difference("backup:*", "arn:aws:ec2:eu-central-1::snapshot/*", NO_SUCH_RESOURCE): (
            "The reference knows recovery points as vendor:region:*:type:id only. A backup of EBS is a snapshot, whose "
            "ARN ends in snapshot/snap-…, and AWS's own managed policy AWSBackupSearchOperatorAccess names "
            "arn:aws:ec2:*::snapshot/* beside it."
        ),
        Difference("kms:Decrypt", "kms:EncryptionContextKeys", NEEDS_NULL): (
            "The conditions are word for word those of AWS's own managed policy AWSBackupSearchOperatorAccess, so that "
            "whatever AWS Backup search asks KMS for is allowed here as it is there. kms:ViaService stands beside it."
        ),
    }
)
"""What is right and missing in the reference, with the source. The action may have wildcards."""

IN_A_POLICY = {
    "AWS::IAM::Role": "AssumeRolePolicyDocument",
    "AWS::KMS::Key": "KeyPolicy",
    "AWS::S3::BucketPolicy": "PolicyDocument",
    "AWS::SNS::TopicPolicy": "PolicyDocument",
    "AWS::SQS::QueuePolicy": "PolicyDocument",
}
ATTACHED = ("AWS::IAM::Role", "AWS::KMS::Key")
"""Resources with statements about themselves."""

ARNS = {
    "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{HERE}:table/{{}}",
    "AWS::Events::Rule": f"arn:aws:events:{HERE}:rule/{{}}",
    "AWS::IAM::Role": "arn:aws:iam::111122223333:role/{}",
    "AWS::KMS::Key": f"arn:aws:kms:{HERE}:key/{{}}",
    "AWS::Lambda::Function": f"arn:aws:lambda:{HERE}:function:{{}}",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{HERE}:log-group:{{}}:*",
    "AWS::S3::Bucket": "arn:aws:s3:::{}",
    "AWS::SNS::Topic": f"arn:aws:sns:{HERE}:{{}}",
    "AWS::SQS::Queue": f"arn:aws:sqs:{HERE}:{{}}",
}


def statements(stack: SynthesizedStack) -> Iterator[tuple[Json, str]]:
    """Yield every statement of every policy in the template, with the ARN of the resource that it is attached to."""
    for name, resource in stack.template["Resources"].items():
        kind, properties = resource["Type"], resource.get("Properties", {})
        if document := IN_A_POLICY.get(kind):
            attached_to = arn(stack, name) if kind in ATTACHED else ""
            yield from ((each, attached_to) for each in properties[document]["Statement"])
            for policy in properties.get("Policies", []):
                yield from ((each, "") for each in policy["PolicyDocument"]["Statement"])
        elif kind == "AWS::Lambda::Permission":
            yield _as_statement(properties), ""
        else:
            assert not kind.endswith(("Policy", "Permission")), f"{kind} may hold statements: read them here"


def _as_statement(permission: Json) -> Json:
    """Write a permission of a function as the statement that Lambda makes of it."""
    assert "SourceAccount" not in permission
    return {
        "Effect": "Allow",
        "Action": permission["Action"],
        "Resource": permission["FunctionName"],
        "Condition": {"ArnLike": {"aws:SourceArn": permission["SourceArn"]}},
    }


def arn(stack: SynthesizedStack, name: str) -> str:
    """Return the ARN that a resource of the template might get."""
    return ARNS[stack.template["Resources"][name]["Type"]].format(name.lower())


def filled_in(statement: Json, stack: SynthesizedStack) -> Json:
    """Replace the references of the template by names as after a deployment."""
    real = {"<AWS::Partition>": "aws", "<AWS::Region>": "eu-central-1", "<AWS::AccountId>": "111122223333"}

    def written(found: re.Match[str]) -> str:
        return real.get(found[0]) or arn(stack, found[0].strip("<>").removesuffix(".Arn"))

    filled: Json = json.loads(re.sub(r"<[^>]+>", written, json.dumps(statement)))
    return filled


def found_in(stack: SynthesizedStack) -> set[Difference]:
    return {each for one, of in statements(stack) for each in differences(filled_in(one, stack), of)}


def unexplained(found: set[Difference]) -> set[Difference]:
    return {each for each in found if not any(_is(each, exception) for exception in EXCEPTIONS)}


def _is(found: Difference, exception: Difference) -> bool:
    same = (found.subject, found.problem) == (exception.subject, exception.problem)
    return same and fnmatchcase(found.action, exception.action)


@pytest.mark.parametrize("settings", [Settings(), STANDARD, CHANGED], ids=["defaults", "standard", "all changed"])
def test_every_statement_of_the_stack_is_as_the_reference_of_aws_knows_it(settings: Settings) -> None:
    assert unexplained(found_in(synthesized(settings))) == set()


def test_the_variants_change_every_setting() -> None:
    for key, other in CHANGED:
        assert getattr(Settings(), key) != other, key


def test_every_exception_is_still_needed_and_gives_its_source(
    stack: SynthesizedStack, changed_stack: SynthesizedStack
) -> None:
    found = found_in(stack) | found_in(changed_stack)

    for exception, source in EXCEPTIONS.items():
        assert any(_is(each, exception) for each in found), exception
        assert "AWS" in source


def test_every_statement_is_read(stack: SynthesizedStack) -> None:
    # As many as there are effects in the template, and one per permission of a function
    permissions = len(stack.resources("AWS::Lambda::Permission"))

    assert len(list(statements(stack))) == stack.text.count('"Effect": ') + permissions > 30


def of_the_runbook() -> Iterator[Json]:
    """Yield every statement that the documentation advises, with real names instead of those in capitals."""
    real = {
        "REGION": "eu-central-1",
        "ACCOUNT": "111122223333",
        "KEY-ARN": f"arn:aws:kms:{HERE}:key/reports",
        "RESULTS-KEY-ARN": f"arn:aws:kms:{HERE}:key/results",
        "ROLE-ARN": "arn:aws:iam::111122223333:role/report",
        "BUCKET": "reports",
        "RESULTS": "results",
        "WORKGROUP": "SearchCoverage",
        "DATABASE": "search_coverage",
    }
    text = "".join((ROOT / "docs" / name).read_text() for name in ("access.md", "command-line.md"))
    for block in re.findall(r"```json\n(.*?)```", text, flags=re.DOTALL):
        written = json.loads(re.sub(r"\b[A-Z][A-Z-]{4,}\b", lambda found: real.get(found[0], found[0]), block))
        yield from written.get("Statement", [written] if "Effect" in written else [])


@pytest.mark.parametrize("statement", list(of_the_runbook()), ids=lambda each: str(each["Action"])[:40])
def test_every_statement_that_the_runbook_advises_is_as_the_reference_of_aws_knows_it(statement: Json) -> None:
    # A statement of a key policy, the only one of a resource here, is attached to some key.
    attached_to = f"arn:aws:kms:{HERE}:key/any" if "Principal" in statement else ""

    assert unexplained(differences(statement, attached_to)) == set()


BUS = f"arn:aws:events:{HERE}:event-bus/default"
ALLOWED = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": BUS}
OURS = {"events:source": "search-coverage"}
PRESENT = {"Null": {"events:source": "false"}}
ITEMS_OF_AN_INDEX = f"arn:aws:dynamodb:{HERE}:table/t/index/*"


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"Condition": {"StringEquals": OURS}}, NEEDS_SET),
        ({"Condition": {"StringEquals": OURS, **PRESENT}}, NEEDS_SET),
        ({"Condition": {"ForAllValues:StringEquals": OURS}}, NEEDS_NULL),
        ({"Action": "events:PutEvent"}, NO_SUCH_ACTION),
        ({"Action": "event:PutEvents"}, NO_SUCH_ACTION),
        ({"Action": "events:Put*Evnts"}, NO_SUCH_ACTION),
        ({"Resource": f"arn:aws:events:{HERE}:rule/default"}, NO_SUCH_RESOURCE),
        ({"Resource": [BUS, "arn:aws:s3:::reports"]}, NO_SUCH_RESOURCE),
        ({"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::reports/*"}, NO_SUCH_RESOURCE),
        ({"Action": "s3:PutObject", "Resource": "arn:aws:s3:::reports"}, NO_SUCH_RESOURCE),
        ({"Action": "backup:ListBackupVaults"}, NO_SUCH_RESOURCE),
        ({"Action": "dynamodb:PutItem", "Resource": ITEMS_OF_AN_INDEX}, NO_SUCH_RESOURCE),
        ({"Condition": {"StringEquals": {"s3:prefix": "reports/*"}}}, NO_SUCH_KEY),
        ({"Condition": {"StringEquals": {"aws:Anything": "a"}}}, NO_SUCH_KEY),
        (
            {"Condition": {"ForAnyValue:ArnLike": {"aws:SourceArn": "arn:*"}}},
            "a single-valued key takes no set operator",
        ),
        ({"Condition": {"ArnLike": {"aws:SourceAccount": "1"}}}, "ArnLike does not compare a key of type String"),
    ],
)
def test_a_statement_that_differs_from_the_reference_is_found(wrong: dict[str, Any], problem: str) -> None:
    assert {each.problem for each in differences({**ALLOWED, **wrong})} == {problem}


@pytest.mark.parametrize(
    "right",
    [
        {"Condition": {"ForAllValues:StringEquals": OURS, **PRESENT}},
        {"Effect": "Deny", "Condition": {"ForAnyValue:StringEquals": OURS}},
        {"Action": "backup:ListBackupVaults", "Resource": "*"},
        {"Action": ["s3:ListBucket", "s3:GetObject"], "Resource": ["arn:aws:s3:::a", "arn:aws:s3:::a/b/c"]},
        {"Action": "logs:PutLogEvents", "Resource": f"arn:aws:logs:{HERE}:log-group:/aws/lambda/a:*"},
    ],
)
def test_a_statement_as_the_reference_has_it_is_not_called_wrong(right: dict[str, Any]) -> None:
    assert differences({**ALLOWED, **right}) == set()


def test_the_reference_knows_the_services_that_the_product_is_about() -> None:
    assert "ListSearchJobBackups" in SERVICES["backup-search"]["privileges"]
    assert "GetRecoveryPointIndexDetails" in SERVICES["backup"]["privileges"]
