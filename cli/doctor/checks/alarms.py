"""Is an alarm on, and does each alarm notify somebody?"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cli.deployment import Deployment
from cli.doctor.finding import Finding, attention, ok, wrong
from cli.doctor.section import Section

_NAMES_PER_CALL: Final = 100  # the most that DescribeAlarms takes


def check(deployment: Deployment) -> Finding:
    """Check all alarms of the stack."""
    names = [each.physical_id for each in deployment.of_type("AWS::CloudWatch::Alarm")]
    found = {alarm["AlarmName"]: alarm for alarm in _describe(deployment, names)}
    if missing := sorted(set(names) - found.keys()):
        return wrong(
            f"{_alarms(len(missing))} missing: {', '.join(missing)}.",
            "Find out who deleted them, and restore them",
            Section.CHANGED,
        )
    if mute := sorted(name for name, alarm in found.items() if not alarm["ActionsEnabled"]):
        return wrong(
            f"{_alarms(len(mute))} switched off and will notify nobody: {', '.join(mute)}.",
            f"aws cloudwatch enable-alarm-actions --alarm-names {' '.join(mute)}",
            Section.CHANGED,
        )
    if on := sorted(name for name, alarm in found.items() if alarm["StateValue"] == "ALARM"):
        return attention(
            f"{_alarms(len(on))} on: {', '.join(on)}.",
            "Read the description of each alarm, which names the section that says what to do",
            Section.ALARMS,
        )
    without_data = sum(alarm["StateValue"] == "INSUFFICIENT_DATA" for alarm in found.values())
    note = f"; {without_data} have no data yet" if without_data else ""
    return ok(f"None of the {len(found)} alarms is on, and all notify{note}.")


def _describe(deployment: Deployment, names: list[str]) -> Iterator[Mapping[str, Any]]:
    paginator = deployment.client("cloudwatch").get_paginator("describe_alarms")
    for start in range(0, len(names), _NAMES_PER_CALL):
        for page in paginator.paginate(AlarmNames=names[start : start + _NAMES_PER_CALL]):
            yield from page["MetricAlarms"]


def _alarms(count: int) -> str:
    return "1 alarm is" if count == 1 else f"{count} alarms are"
