"""An operator's shell, and the AWS that it reaches."""

from collections.abc import Iterator

import pytest
from moto import mock_aws

from tests.integration.command_line.operator_aws import OperatorAws
from tests.invocation import REGION


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An operator's shell with credentials and a Region."""
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/nowhere",
        "AWS_SHARED_CREDENTIALS_FILE": "/nowhere",
    }.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


@pytest.fixture
def aws(environment: pytest.MonkeyPatch) -> Iterator[OperatorAws]:
    """The AWS of an operator, in moto."""
    with mock_aws():
        aws = OperatorAws()
        environment.setattr("cli.credentials.Session", aws.session)
        yield aws
