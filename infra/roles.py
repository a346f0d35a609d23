"""The roles of the stack, made from the grants in `infra/permissions.py`."""

from collections.abc import Iterable, Mapping
from typing import Any

from aws_cdk import Acknowledgment, Aws, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.permissions import WILDCARDS, Grant


def make_role(  # noqa: PLR0913  # a bill of materials
    scope: Construct,
    construct_id: str,
    grants: Iterable[Grant],
    places: Mapping[str, str],
    *,
    principal: iam.ServicePrincipal,
    description: str,
    policy_name: str,
) -> iam.Role:
    """Make a role whose only policy is inline and holds the grants.

    Args:
        scope: The construct that the role belongs to.
        construct_id: The name of the role in the scope.
        grants: What the role allows.
        places: The ARNs of the stack's resources, by the places that the grants name.
        principal: The service that assumes the role.
        description: What the role is for.
        policy_name: The name of the inline policy.
    """
    everywhere = {"partition": Aws.PARTITION, "region": Aws.REGION, "account": Aws.ACCOUNT_ID}
    filled = [grant.fill({**everywhere, **dict.fromkeys(WILDCARDS, "*"), **places}) for grant in grants]
    statements = [
        iam.PolicyStatement(
            sid=grant.sid,
            actions=list(grant.actions),
            resources=list(grant.resources),
            conditions={
                operator: {key: value if isinstance(value, str) else list(value) for key, value in values.items()}
                for operator, values in grant.conditions.items()
            },
        )
        for grant in filled
    ]
    role = iam.Role(
        scope,
        construct_id,
        assumed_by=principal,
        description=description,
        inline_policies={policy_name: iam.PolicyDocument(statements=statements)},
    )
    _acknowledge_wildcards(role, filled)
    return role


def _acknowledge_wildcards(role: iam.Role, grants: Iterable[Grant]) -> None:
    """Pass cdk-nag the reasons for each resource with a wildcard."""
    reasons: dict[str, list[str]] = {}
    for grant in grants:
        for resource in grant.resources:
            if "*" in resource:
                reasons.setdefault(_readable(Stack.of(role).resolve(resource)), []).append(grant.why_wildcard)
    Validations.of(role).acknowledge(
        *(
            Acknowledgment(id=f"AwsSolutions-IAM5[Resource::{name}]", reason=" ".join(dict.fromkeys(why)))
            for name, why in reasons.items()
        )
    )


def _readable(resolved: Any) -> str:
    """Write a resolved token as cdk-nag does, such as `<Bucket.Arn>/reports/*`."""
    match resolved:
        case {"Ref": name}:
            return f"<{name}>"
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(_readable(part) for part in parts)
    return str(resolved)
