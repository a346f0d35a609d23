"""The operator's credentials and Region, found in the places where the AWS CLI looks."""

import os

from boto3.session import Session
from botocore.exceptions import BotoCoreError, ClientError

from cli.aws_errors import summarize
from cli.deployment import QUICK, Deployment
from cli.errors import CommandError


def connect(profile: str | None = None, region: str | None = None) -> Deployment:
    """Find the credentials and the Region, and ask AWS STS who the caller is.

    Args:
        profile: A profile of the AWS configuration; the default is `AWS_PROFILE`.
        region: The default is `AWS_REGION`, `AWS_DEFAULT_REGION` or the Region of the profile.

    Raises:
        CommandError: There are no valid credentials, there is no Region, or AWS does not answer.
    """
    try:
        # The AWS CLI reads AWS_REGION, botocore does not.
        session = Session(profile_name=profile, region_name=region or os.environ.get("AWS_REGION"))
        if not session.region_name:
            raise CommandError("There is no Region: set AWS_REGION, or pass --region.")
        if session.get_credentials() is None:
            raise CommandError("There are no AWS credentials: set AWS_PROFILE, or log in as for the AWS CLI.")
        client = session.client("sts", config=QUICK)
        caller = client.get_caller_identity()
    except ClientError as error:
        raise CommandError(f"AWS rejects these credentials; log in again. {summarize(error)}.") from error
    except (BotoCoreError, ValueError) as error:  # a ValueError: the endpoint is not a URL
        raise CommandError(f"AWS cannot confirm who you are: {summarize(error)}.") from error
    endpoint = client.meta.endpoint_url
    custom_endpoint = "" if "amazonaws" in endpoint else f", at {endpoint}"
    return Deployment(
        session,
        account=caller["Account"],
        partition=caller["Arn"].split(":", maxsplit=2)[1],
        identity=f"Account {caller['Account']}, Region {session.region_name}, as {caller['Arn']}{custom_endpoint}.",
    )
