"""Does somebody receive the emails?"""

from cli.deployment import Deployment
from cli.doctor.finding import Finding, attention, ok, wrong_if_missing
from cli.doctor.section import Section


def reports(deployment: Deployment) -> Finding:
    """Check who receives the emails about reports."""
    return _check(deployment, "AlertsTopicArn", construct="AlertsTopic", setting="notificationEmails")


def alarms(deployment: Deployment) -> Finding:
    """Check who receives the emails about alarms."""
    return _check(deployment, "AlarmTopicArn", construct="MonitoringTopic", setting="alarmEmails")


def _check(deployment: Deployment, output: str, *, construct: str, setting: str) -> Finding:
    topic = deployment.output(output)
    paginator = deployment.client("sns").get_paginator("list_subscriptions_by_topic")
    with wrong_if_missing(f"topic {topic}"):
        listed = [each for page in paginator.paginate(TopicArn=topic) for each in page["Subscriptions"]]
    # A subscription receives its ARN when it is confirmed; until then SNS shows a word in place of it.
    confirmed = [each for each in listed if each["SubscriptionArn"].startswith("arn:")]
    pending = [each["Endpoint"] for each in listed if each["SubscriptionArn"] == "PendingConfirmation"]
    if pending:
        return attention(
            f"Not confirmed, and so without emails: {', '.join(pending)}.",
            "Follow the link in the email from AWS; it is valid for two days. For a new one, deploy once without the "
            "address and once with it",
            Section.DOCTOR,
        )
    addresses = [each["Endpoint"] for each in confirmed if each["Protocol"] == "email"]
    in_stack = [each for each in deployment.of_type("AWS::SNS::Subscription") if each.logical_id.startswith(construct)]
    if len(addresses) < len(in_stack):
        return attention(
            f"The stack has {_count(len(in_stack), 'address', 'addresses')}, SNS only {len(addresses)}: somebody "
            "unsubscribed, or did not confirm in time.",
            "Deploy once without the missing address and once with it",
            Section.DOCTOR,
        )
    if not confirmed:
        return attention("There is no subscriber.", f"Add addresses to {setting}, and deploy", Section.DOCTOR)
    others = len(confirmed) - len(addresses)
    subscribers = [*addresses, *([_count(others, "other endpoint", "other endpoints")] if others else [])]
    return ok(f"Confirmed: {', '.join(subscribers)}.")


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
