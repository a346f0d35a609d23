"""Is an alarm on, and would anybody be told?"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cli.doctor.deployment import Deployment
from cli.doctor.finding import Finding, attention, ok, wrong
from cli.doctor.section import Section

_AT_ONCE: Final = 100
"""The most that DescribeAlarms takes."""


def look(deployment: Deployment) -> Finding:
    """Look at all alarms of the stack."""
    names = {each.physical_id: each.logical_id for each in deployment.of_type("AWS::CloudWatch::Alarm")}
    found = {alarm["AlarmName"]: alarm for alarm in _described(deployment, list(names))}
    if missing := sorted(names.keys() - found.keys()):
        return wrong(
            f"{_alarms(len(missing))} not there: {', '.join(missing)}.",
            "See who deleted them, and put them back",
            Section.CHANGED,
        )
    if mute := sorted(name for name, alarm in found.items() if not alarm["ActionsEnabled"]):
        return wrong(
            f"{_alarms(len(mute))} switched off, so that nobody would be told: {', '.join(mute)}.",
            f"aws cloudwatch enable-alarm-actions --alarm-names {' '.join(mute)}",
            Section.CHANGED,
        )
    if on := sorted(name for name, alarm in found.items() if alarm["StateValue"] == "ALARM"):
        return attention(
            f"{_alarms(len(on))} on: {', '.join(on)}.",
            "Read the description of each, which ends with the section that says what to do",
            Section.ALARMS,
        )
    silent = sum(alarm["StateValue"] == "INSUFFICIENT_DATA" for alarm in found.values())
    without = f"; {silent} of them have no data yet" if silent else ""
    return ok(f"None of the {len(found)} is on, and all would tell{without}.")


def _described(deployment: Deployment, names: list[str]) -> Iterator[Mapping[str, Any]]:
    paginator = deployment.client("cloudwatch").get_paginator("describe_alarms")
    for start in range(0, len(names), _AT_ONCE):
        for page in paginator.paginate(AlarmNames=names[start : start + _AT_ONCE]):
            yield from page["MetricAlarms"]


def _alarms(count: int) -> str:
    return "1 alarm is" if count == 1 else f"{count} alarms are"
