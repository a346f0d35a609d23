"""The beginning of a check-up: credentials and a Region, or one sentence that says what is missing."""

import os

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from cli.doctor.aws_answers import told
from cli.doctor.deployment import PATIENCE, Deployment
from cli.doctor.finding import Finding, ok


class CannotBegin(Exception):
    """There is nothing to look with; the text is one sentence."""


def begin(*, profile: str | None = None, region: str | None = None) -> tuple[Deployment, Finding]:
    """Find the credentials and the Region in the usual places, and ask AWS whose they are.

    Args:
        profile: A profile of the AWS configuration; by default what `AWS_PROFILE` says.
        region: The Region; by default what `AWS_REGION`, `AWS_DEFAULT_REGION` or the profile says, as for the AWS CLI.

    Returns:
        The deployment, and who looks at it.

    Raises:
        CannotBegin: There are no credentials, they are not valid (any more), there is no Region, or no network.
    """
    try:
        # The AWS CLI reads AWS_REGION, botocore does not.
        session = boto3.session.Session(profile_name=profile, region_name=region or os.environ.get("AWS_REGION"))
        if not session.region_name:
            raise CannotBegin("There is no Region: set AWS_REGION, or give --region.")
        if session.get_credentials() is None:
            raise CannotBegin("There are no AWS credentials: set AWS_PROFILE, or log in as you do for the AWS CLI.")
        client = session.client("sts", config=PATIENCE)
        caller = client.get_caller_identity()
    except ClientError as error:
        raise CannotBegin(f"AWS does not take these credentials; log in again. {told(error)}.") from error
    except (BotoCoreError, ValueError) as error:  # a ValueError: an endpoint that is no URL
        raise CannotBegin(f"AWS cannot be asked who you are: {error}".rstrip(".") + ".") from error
    endpoint = client.meta.endpoint_url
    elsewhere = "" if "amazonaws" in endpoint else f", at {endpoint}"
    deployment = Deployment(session, account=caller["Account"], partition=str(caller["Arn"]).split(":", maxsplit=2)[1])
    found = f"Account {caller['Account']}, Region {session.region_name}, as {caller['Arn']}{elsewhere}."
    return deployment, ok(found)
