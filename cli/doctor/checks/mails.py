"""Does anybody get the mails?"""

from botocore.exceptions import ClientError

from cli.doctor.aws_answers import is_missing
from cli.doctor.deployment import Deployment
from cli.doctor.finding import Finding, attention, ok, wrong
from cli.doctor.section import Section


def reports(deployment: Deployment) -> Finding:
    """Look who is told of reports."""
    return _look(deployment, "AlertsTopicArn", construct="AlertsTopic", setting="notificationEmails")


def alarms(deployment: Deployment) -> Finding:
    """Look who is told of alarms."""
    return _look(deployment, "AlarmTopicArn", construct="MonitoringTopic", setting="alarmEmails")


def _look(deployment: Deployment, output: str, *, construct: str, setting: str) -> Finding:
    topic = deployment.output(output)
    try:
        pages = list(deployment.client("sns").get_paginator("list_subscriptions_by_topic").paginate(TopicArn=topic))
    except ClientError as error:
        if is_missing(error):
            return wrong(f"There is no topic {topic}.", "See who deleted it, and put it back", Section.CHANGED)
        raise
    listed = [subscription for page in pages for subscription in page["Subscriptions"]]
    # An ARN is given to a subscription when it is confirmed; before, a word stands there.
    confirmed = [each for each in listed if each["SubscriptionArn"].startswith("arn:")]
    waiting = [each["Endpoint"] for each in listed if each["SubscriptionArn"] == "PendingConfirmation"]
    if waiting:
        return attention(
            f"{', '.join(waiting)} did not confirm the subscription, and gets nothing.",
            "Follow the link in the mail from AWS; it is valid for two days, and after that deploy once without the "
            "address and once with it, for a new one",
            Section.DOCTOR,
        )
    addresses = [each["Endpoint"] for each in confirmed if each["Protocol"] == "email"]
    made = [each for each in deployment.of_type("AWS::SNS::Subscription") if each.logical_id.startswith(construct)]
    if len(addresses) < len(made):
        return attention(
            f"The stack subscribed {_addresses(len(made))}, of which {len(addresses)} {_is(len(addresses))} left: "
            "somebody unsubscribed, or did not confirm in time.",
            "Deploy once without the address that is missing and once with it",
            Section.DOCTOR,
        )
    if not confirmed:
        return attention(
            "Nobody is subscribed, so that nobody is told.",
            f"Write addresses into {setting}, and deploy",
            Section.DOCTOR,
        )
    others = len(confirmed) - len(addresses)
    told = ([", ".join(addresses)] if addresses else []) + ([f"{others} that are no mail addresses"] if others else [])
    return ok(f"Confirmed: {' and '.join(told)}.")


def _addresses(count: int) -> str:
    return "1 address" if count == 1 else f"{count} addresses"


def _is(count: int) -> str:
    return "is" if count == 1 else "are"
