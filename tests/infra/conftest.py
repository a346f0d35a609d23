"""The stack, synthesised without its bundle and made readable: `<ReportStoreBucket.Arn>/reports/*` instead of joins.

What the embedded AWS of the other tests leaves out or does not enforce (encryption, lifecycle, TTL, policies) is
proven here, on the template itself.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from infra.settings import Settings
from infra.stack import SearchCoverageStack

ROOT = Path(__file__).parents[2]

Json = Any
"""A template is JSON, whose shape only CloudFormation knows."""


@dataclass(frozen=True)
class SynthesisedStack:
    """A template whose intrinsic functions are written out as text, and whose logical ids have lost their hashes."""

    template: Mapping[str, Json]
    text: str

    def resources(self, resource_type: str) -> dict[str, Json]:
        """Give the properties of all resources of a type, by logical id."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == resource_type
        }

    def resource(self, name: str) -> Json:
        """Give the properties of one resource."""
        return self.template["Resources"][name]["Properties"]

    def deletion_policy(self, name: str) -> tuple[str, str]:
        """Give what happens to a resource that is removed, and to one that is replaced."""
        resource = self.template["Resources"][name]
        return resource["DeletionPolicy"], resource["UpdateReplacePolicy"]


Synthesise = Callable[[Settings], SynthesisedStack]
"""Synthesises the stack with the settings of a test."""


def cdk_context() -> dict[str, Any]:
    """Give the context that the CDK command line hands to the app, with the bundling switched off."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return {**context, "aws:cdk:bundling-stacks": []}


@cache
def synthesised(settings: Settings) -> SynthesisedStack:
    """Synthesise the stack; the same settings are synthesised once."""
    stack = SearchCoverageStack(App(context=cdk_context()), settings=settings)
    template = Template.from_stack(stack).to_json()
    return SynthesisedStack(_readable(template), json.dumps(template))


@pytest.fixture(scope="session")
def synthesise() -> Synthesise:
    """Synthesise the stack, for tests that choose the settings."""
    return synthesised


@pytest.fixture(scope="session")
def stack() -> SynthesisedStack:
    """The stack with the settings that ship, and somebody to write to."""
    return synthesised(
        Settings(
            notification_emails=("backup@example.com", "legal@example.com"),
            alarm_emails=("on-call@example.com",),
        )
    )


def _readable(value: Json) -> Json:
    """Write intrinsic functions out as text, and drop the hashes at the end of logical ids."""
    written: Json
    match value:
        case {"Ref": name}:
            written = f"<{_name(name)}>"
        case {"Fn::GetAtt": [name, attribute]}:
            written = f"<{_name(name)}.{attribute}>"
        case {"Fn::Join": [separator, parts]}:
            written = separator.join(_readable(part) for part in parts)
        case {"Fn::Sub": [text, values]}:
            own = {name: _readable(part) for name, part in values.items()}
            written = re.sub(r"\$\{(!?)(\w+)\}", lambda found: own.get(found[2], f"${{{found[2]}}}"), text)
        case {"Fn::Sub": written}:
            pass
        case dict():
            written = {_name(key): _readable(part) for key, part in value.items()}
        case list():
            written = [_readable(part) for part in value]
        case _:
            written = value
    return written


def _name(logical_id: str) -> str:
    """Drop the eight hexadecimal digits that the CDK puts at the end of a logical id."""
    return re.sub(r"(?<=[a-z])[0-9A-F]{8}$", "", logical_id)
