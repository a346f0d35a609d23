"""Every policy that we make or advise, held against AWS's own reference of actions, resources and condition keys."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Any

import pytest

from infra.settings import Settings
from tests.infra.authorization_reference import SERVICES, Difference, differences
from tests.infra.conftest import ROOT, Json, SynthesisedStack, synthesised

HERE = "eu-central-1:111122223333"

EXCEPTIONS: Mapping[Difference, str] = MappingProxyType(
    {
        Difference("backup:*", "arn:aws:ec2:eu-central-1::snapshot/*", "the action takes no such resource"): (
            "The reference knows recovery points as vendor:region:*:type:id only. A backup of EBS is a snapshot, whose "
            "ARN ends in snapshot/snap-…, and AWS's own managed policy AWSBackupSearchOperatorAccess names "
            "arn:aws:ec2:*::snapshot/* beside it."
        ),
        Difference(
            "kms:Decrypt",
            "kms:EncryptionContextKeys",
            "without a Null of false it also allows a request that lacks the key",
        ): (
            "The conditions are word for word those of AWS's own managed policy AWSBackupSearchOperatorAccess, so that "
            "whatever AWS Backup search asks KMS for is allowed here as it is there. kms:ViaService stands beside it."
        ),
    }
)
"""What the reference does not know although it is right, and by what source. The action may have wildcards."""

ANOTHER_VALUE: Mapping[str, object] = MappingProxyType(
    {
        "notification_emails": ("a@example.com",),
        "alarm_emails": ("b@example.com",),
        "notify_on": "ALWAYS",
        "search_job_statuses": ("FAILED",),
        "poll_minutes": 5,
        "report_retention_days": 365,
        "object_lock_days": 30,
        "log_retention_days": 30,
        "search_key_arns": (f"arn:aws:kms:{HERE}:key/11111111-2222-3333-4444-555555555555",),
    }
)
"""For each setting that is not true or false, a value that is not its default."""


def variants() -> Iterator[Settings]:
    """Give the defaults, the defaults with one setting changed, for each setting, and all of them changed."""
    defaults = Settings()
    others = {
        field.name: not getattr(defaults, field.name) if field.type is bool else ANOTHER_VALUE[field.name]
        for field in fields(Settings)
    }
    yield defaults
    for name, value in others.items():
        yield replace(defaults, **{name: value})  # type: ignore[arg-type]  # the table holds the types
    yield replace(defaults, **others)  # type: ignore[arg-type]


def changed(settings: Settings) -> str:
    """Name a variant by what it changes."""
    names = [each.name for each in fields(Settings) if getattr(settings, each.name) != getattr(Settings(), each.name)]
    return "defaults" if not names else names[0] if len(names) == 1 else "all changed"


def statements(stack: SynthesisedStack) -> Iterator[tuple[Json, str]]:
    """Give every statement of every policy in the template, with the ARN of the resource that it is attached to."""
    for name, resource in stack.template["Resources"].items():
        properties = resource.get("Properties", {})
        match resource["Type"]:
            case "AWS::IAM::Role":
                yield from ((each, arn(stack, name)) for each in _in(properties["AssumeRolePolicyDocument"]))
                for policy in properties.get("Policies", []):
                    yield from ((each, "") for each in _in(policy["PolicyDocument"]))
            case "AWS::IAM::Policy" | "AWS::IAM::ManagedPolicy":
                yield from ((each, "") for each in _in(properties["PolicyDocument"]))
            case "AWS::KMS::Key":
                yield from ((each, arn(stack, name)) for each in _in(properties["KeyPolicy"]))
            case "AWS::S3::BucketPolicy" | "AWS::SNS::TopicPolicy" | "AWS::SQS::QueuePolicy":
                yield from ((each, "") for each in _in(properties["PolicyDocument"]))
            case "AWS::Lambda::Permission":
                yield _as_statement(properties), ""
            case other:
                assert not other.endswith(("Policy", "Permission")), f"{other} may hold statements: read them here"


def _in(document: Json) -> list[Json]:
    listed: list[Json] = document["Statement"]
    return listed


def _as_statement(permission: Json) -> Json:
    """Write a permission of a function as the statement that Lambda makes of it."""
    source = {key: permission[key] for key in ("SourceArn", "SourceAccount") if key in permission}
    operators = {"SourceArn": "ArnLike", "SourceAccount": "StringEquals"}
    return {
        "Effect": "Allow",
        "Action": permission["Action"],
        "Resource": permission["FunctionName"],
        "Condition": {operators[key]: {f"aws:{key}": value} for key, value in source.items()},
    }


def arn(stack: SynthesisedStack, name: str) -> str:
    """Give the ARN that a resource of the template might get."""
    kind = stack.template["Resources"][name]["Type"]
    return {
        "AWS::DynamoDB::Table": f"arn:aws:dynamodb:{HERE}:table/{name}",
        "AWS::Events::Rule": f"arn:aws:events:{HERE}:rule/{name}",
        "AWS::IAM::Role": f"arn:aws:iam::111122223333:role/{name}",
        "AWS::KMS::Key": f"arn:aws:kms:{HERE}:key/{name}",
        "AWS::Lambda::Function": f"arn:aws:lambda:{HERE}:function:{name}",
        "AWS::Logs::LogGroup": f"arn:aws:logs:{HERE}:log-group:{name}:*",
        "AWS::S3::Bucket": f"arn:aws:s3:::{name.lower()}",
        "AWS::SNS::Topic": f"arn:aws:sns:{HERE}:{name}",
        "AWS::SQS::Queue": f"arn:aws:sqs:{HERE}:{name}",
    }[kind]


def filled_in(statement: Json, stack: SynthesisedStack) -> Json:
    """Write what is there after a deployment in place of the references of the template."""
    real = {"<AWS::Partition>": "aws", "<AWS::Region>": "eu-central-1", "<AWS::AccountId>": "111122223333"}

    def written(found: re.Match[str]) -> str:
        return real.get(found[0]) or arn(stack, found[0].strip("<>").removesuffix(".Arn"))

    filled: Json = json.loads(re.sub(r"<[^>]+>", written, json.dumps(statement)))
    return filled


def unexplained(found: set[Difference]) -> set[Difference]:
    """Leave out what is an exception."""
    return {each for each in found if not any(_is(each, exception) for exception in EXCEPTIONS)}


def _is(found: Difference, exception: Difference) -> bool:
    return fnmatchcase(found.action, exception.action) and (found.subject, found.problem) == (
        exception.subject,
        exception.problem,
    )


@pytest.mark.parametrize("settings", list(variants()), ids=changed)
def test_every_statement_of_the_stack_is_as_the_reference_of_aws_knows_it(settings: Settings) -> None:
    stack = synthesised(settings)

    found = {
        difference
        for statement, attached_to in statements(stack)
        for difference in differences(filled_in(statement, stack), attached_to)
    }

    assert unexplained(found) == set()


def test_every_exception_is_still_needed_and_gives_its_source() -> None:
    stack = synthesised(replace(Settings(), search_key_arns=ANOTHER_VALUE["search_key_arns"]))  # type: ignore[arg-type]
    found = {each for statement, of in statements(stack) for each in differences(filled_in(statement, stack), of)}

    for exception, source in EXCEPTIONS.items():
        assert any(_is(each, exception) for each in found), exception
        assert "AWS" in source


def test_the_statements_are_all_read() -> None:
    # Given the template as it is
    stack = synthesised(Settings())

    # Then as many statements are read as there are effects written in it, and one for each permission of a function
    permissions = len(stack.resources("AWS::Lambda::Permission"))
    assert len(list(statements(stack))) == stack.text.count('"Effect": ') + permissions > 30


def of_the_runbook() -> Iterator[Json]:
    """Give every statement that the documentation advises, with real names in place of those in capitals."""
    real = {
        "REGION": "eu-central-1",
        "ACCOUNT": "111122223333",
        "KEY-ARN": f"arn:aws:kms:{HERE}:key/reports",
        "ROLE-ARN": "arn:aws:iam::111122223333:role/report",
        "BUCKET": "reports",
        "RESULTS": "results",
        "WORKGROUP": "SearchCoverage",
        "DATABASE": "search_coverage",
    }
    text = (ROOT / "docs" / "access.md").read_text()
    for block in re.findall(r"```json\n(.*?)```", text, flags=re.DOTALL):
        written = json.loads(re.sub(r"\b[A-Z][A-Z-]{4,}\b", lambda found: real.get(found[0], found[0]), block))
        yield from written.get("Statement", [written] if "Effect" in written else [])


@pytest.mark.parametrize("statement", list(of_the_runbook()), ids=lambda each: str(each["Action"])[:40])
def test_every_statement_that_the_runbook_advises_is_as_the_reference_of_aws_knows_it(statement: Json) -> None:
    # A statement of a key's policy, the only one of a resource here, is attached to some key.
    attached_to = f"arn:aws:kms:{HERE}:key/any" if "Principal" in statement else ""

    assert unexplained(differences(statement, attached_to)) == set()


BUS = f"arn:aws:events:{HERE}:event-bus/default"
ALLOWED = {"Effect": "Allow", "Action": "events:PutEvents", "Resource": BUS}
OURS = {"events:source": "search-coverage"}
PRESENT = {"Null": {"events:source": "false"}}


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        # The statement as it stood before AWS's reference was read.
        ({"Condition": {"StringEquals": OURS}}, "a multivalued key needs a set operator"),
        ({"Condition": {"StringEquals": OURS, **PRESENT}}, "a multivalued key needs a set operator"),
        (
            {"Condition": {"ForAllValues:StringEquals": OURS}},
            "without a Null of false it also allows a request that lacks the key",
        ),
        ({"Action": "events:PutEvent"}, "there is no such action"),
        ({"Action": "event:PutEvents"}, "there is no such action"),
        ({"Action": "events:Put*Evnts"}, "there is no such action"),
        ({"Resource": f"arn:aws:events:{HERE}:rule/default"}, "the action takes no such resource"),
        ({"Resource": [BUS, "arn:aws:s3:::reports"]}, "the action takes no such resource"),
        ({"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::reports/*"}, "the action takes no such resource"),
        ({"Action": "s3:PutObject", "Resource": "arn:aws:s3:::reports"}, "the action takes no such resource"),
        ({"Action": "backup:ListBackupVaults"}, "the action takes no such resource"),
        (
            {"Action": "dynamodb:PutItem", "Resource": f"arn:aws:dynamodb:{HERE}:table/t/index/*"},
            "the action takes no such resource",
        ),
        ({"Condition": {"StringEquals": {"s3:prefix": "reports/*"}}}, "the action does not know this condition key"),
        ({"Condition": {"StringEquals": {"aws:Anything": "a"}}}, "the action does not know this condition key"),
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
