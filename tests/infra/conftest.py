"""The stack, synthesized without its bundle and made readable: `<ReportStoreBucket.Arn>/reports/*` instead of joins.

The embedded AWS of the other tests ignores or does not enforce encryption, lifecycle, TTL and policies. They are tested
here, in the template itself.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from infra.settings import Settings
from infra.stack import SearchCoverageStack

ROOT = Path(__file__).parents[2]

Json = Any
"""A template is JSON, whose shape only CloudFormation defines."""

STANDARD: Final = Settings(
    notification_emails=("backup@example.com", "legal@example.com"), alarm_emails=("on-call@example.com",)
)
"""The settings that ship, and addresses."""

CHANGED: Final = Settings(
    notification_emails=("a@example.com",),
    alarm_emails=("b@example.com",),
    notify_on="ALWAYS",
    search_job_statuses=("FAILED", "STOPPED"),
    poll_minutes=15,
    report_retention_days=10,
    object_lock_days=9,
    log_retention_days=731,
    inventory=False,
    searchable_target=95,
    posture_mail="WEEKLY",
    keep_item_filters=True,
    keep_results=True,
    result_retention_days=10,
    max_results=7,
    result_reader_arns=("arn:aws:iam::111122223333:role/case-team",),
    reserved_concurrency=False,
    alarm_on_incomplete=True,
    search_key_arns=("arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555",),
)
"""A value that is not the default, for each setting."""

TARGET: Final = Settings(posture_schedule="rate(12 hours)", searchable_target=95, posture_mail="NEVER")
"""Settings of the posture that are not the defaults."""

ABSENT: Final = object()
"""Stands for a property that a resource does not have."""


@dataclass(frozen=True)
class SynthesizedStack:
    """A template whose intrinsic functions are written out as text, and whose logical ids have lost their hashes."""

    template: Mapping[str, Json]
    text: str

    def resources(self, resource_type: str) -> dict[str, Json]:
        """Return the properties of all resources of a type, by logical id."""
        return {
            name: resource.get("Properties", {})
            for name, resource in self.template["Resources"].items()
            if resource["Type"] == resource_type
        }

    def resource(self, name: str) -> Json:
        """Return the properties of one resource."""
        return self.template["Resources"][name]["Properties"]

    def deletion_policy(self, name: str) -> tuple[str, str]:
        """Return what happens to a resource that is deleted, and to one that is replaced."""
        resource = self.template["Resources"][name]
        return resource["DeletionPolicy"], resource["UpdateReplacePolicy"]


class Promise(NamedTuple):
    """What the template promises about one resource: the values of some properties."""

    sentence: str
    resource: str
    properties: Mapping[str, Json]
    settings: Settings = STANDARD

    def check(self) -> None:
        """Assert that the promise is kept."""
        found = synthesized(self.settings).resource(self.resource)
        assert {name: found.get(name, ABSENT) for name in self.properties} == self.properties


def promises(*rows: Promise) -> pytest.MarkDecorator:
    """Parametrize a test with promises, each named by its sentence."""
    return pytest.mark.parametrize("promise", rows, ids=[f"{row.sentence} ({row.resource})" for row in rows])


def cdk_context() -> dict[str, Any]:
    """Return the context that the CDK command line hands to the app, with the bundling switched off."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    return {**context, "aws:cdk:bundling-stacks": []}


@cache
def synthesized(settings: Settings) -> SynthesizedStack:
    """Synthesize the stack; the same settings are synthesized once."""
    stack = SearchCoverageStack(App(context=cdk_context()), settings=settings)
    template = Template.from_stack(stack).to_json()
    return SynthesizedStack(_readable(template), json.dumps(template))


@pytest.fixture(scope="session")
def stack() -> SynthesizedStack:
    """The stack with the standard settings."""
    return synthesized(STANDARD)


@pytest.fixture(scope="session")
def changed_stack() -> SynthesizedStack:
    """The stack with every setting changed."""
    return synthesized(CHANGED)


def _readable(value: Json) -> Json:
    """Write intrinsic functions as text, and drop the hashes at the end of logical ids."""
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
    return re.sub(r"(?<=[a-z])[0-9A-F]{8}$", "", logical_id)
