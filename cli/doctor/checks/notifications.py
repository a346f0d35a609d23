"""Checks that the emails have recipients, and that each alarm notifies."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from cli.deployment import Deployment
from cli.doctor.finding import Finding, attention, ok, wrong, wrong_if_missing
from cli.doctor.section import Section

_NAMES_PER_CALL: Final = 100  # the most that DescribeAlarms takes


def reports(deployment: Deployment) -> Finding:
    """Check who receives the emails about reports."""
    return _emails(deployment, "AlertsTopicArn", construct="AlertsTopic", setting="notificationEmails")


def alarms(deployment: Deployment) -> Finding:
    """Check who receives the emails about alarms."""
    return _emails(deployment, "AlarmTopicArn", construct="MonitoringTopic", setting="alarmEmails")


def alarm_states(deployment: Deployment) -> Finding:
    """Check all alarms of the stack."""
    names = [each.physical_id for each in deployment.of_type("AWS::CloudWatch::Alarm")]
    found = {alarm["AlarmName"]: alarm for alarm in _describe(deployment, names)}
    if missing := sorted(set(names) - found.keys()):
        return wrong(f"{_alarms_are(missing, 'missing')}.", "Find out who deleted them, and restore them")
    if mute := sorted(name for name, alarm in found.items() if not alarm["ActionsEnabled"]):
        remedy = f"aws cloudwatch enable-alarm-actions --alarm-names {' '.join(mute)}"
        return wrong(f"{_alarms_are(mute, 'switched off')}; no notification is sent.", remedy)
    if on := sorted(name for name, alarm in found.items() if alarm["StateValue"] == "ALARM"):
        remedy = "Read the description of each alarm, which names the section that says what to do"
        return attention(f"{_alarms_are(on, 'on')}.", remedy, Section.ALARMS)
    without_data = sum(alarm["StateValue"] == "INSUFFICIENT_DATA" for alarm in found.values())
    note = f"; {without_data} have no data yet" if without_data else ""
    return ok(f"None of the {len(found)} alarms is on, and all notify{note}.")


def _emails(deployment: Deployment, output: str, *, construct: str, setting: str) -> Finding:
    topic = deployment.output(output)
    paginator = deployment.client("sns").get_paginator("list_subscriptions_by_topic")
    with wrong_if_missing(f"topic {topic}"):
        listed = [each for page in paginator.paginate(TopicArn=topic) for each in page["Subscriptions"]]
    # A subscription receives its ARN when it is confirmed; until then SNS shows a word instead.
    confirmed = [each for each in listed if each["SubscriptionArn"].startswith("arn:")]
    pending = [each["Endpoint"] for each in listed if each["SubscriptionArn"] == "PendingConfirmation"]
    again = "deploy once without the address and once with it"
    if pending:
        remedy = f"Follow the link in the email from AWS; it is valid for two days. For a new one, {again}"
        return attention(f"Not confirmed, and so without emails: {', '.join(pending)}.", remedy, Section.DOCTOR)
    addresses = [each["Endpoint"] for each in confirmed if each["Protocol"] == "email"]
    in_stack = [each for each in deployment.of_type("AWS::SNS::Subscription") if each.logical_id.startswith(construct)]
    if len(addresses) < len(in_stack):
        found = f"{len(addresses)} of the {len(in_stack)} email subscriptions remain: an address unsubscribed"
        return attention(f"{found}, or did not confirm in time.", again.capitalize(), Section.DOCTOR)
    if not confirmed:
        return attention("There is no subscriber.", f"Add addresses to {setting}, and deploy", Section.DOCTOR)
    others = len(confirmed) - len(addresses)
    return ok(f"Confirmed: {', '.join([*addresses, *([f'other endpoints: {others}'] if others else [])])}.")


def _describe(deployment: Deployment, names: list[str]) -> Iterator[Mapping[str, Any]]:
    paginator = deployment.client("cloudwatch").get_paginator("describe_alarms")
    for start in range(0, len(names), _NAMES_PER_CALL):
        for page in paginator.paginate(AlarmNames=names[start : start + _NAMES_PER_CALL]):
            yield from page["MetricAlarms"]


def _alarms_are(names: list[str], state: str) -> str:
    return f"{'1 alarm is' if len(names) == 1 else f'{len(names)} alarms are'} {state}: {', '.join(names)}"
