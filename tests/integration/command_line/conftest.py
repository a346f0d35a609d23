"""An operator's shell, the AWS that it reaches, and a pack of evidence."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from search_coverage.names import STACK
from tests.integration.command_line.operator_aws import JOB, OTHER_JOB, OperatorAws
from tests.integration.command_line.stored_report import keep_results, store_report
from tests.invocation import REGION


@contextmanager
def _environment() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as monkeypatch:
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
        yield monkeypatch


@contextmanager
def _operator_aws(environment: pytest.MonkeyPatch) -> Iterator[OperatorAws]:
    with mock_aws():
        aws = OperatorAws()
        environment.setattr("cli.credentials.Session", aws.session)
        yield aws


@pytest.fixture
def environment() -> Iterator[pytest.MonkeyPatch]:
    """An operator's shell with credentials and a Region."""
    with _environment() as environment:
        yield environment


@pytest.fixture
def aws(environment: pytest.MonkeyPatch) -> Iterator[OperatorAws]:
    """The AWS of an operator, in moto."""
    with _operator_aws(environment) as aws:
        yield aws


@pytest.fixture
def report(aws: OperatorAws) -> dict[str, Any]:
    """The summary of a report in the bucket, with results."""
    keep_results(STACK)
    return store_report(aws)


@pytest.fixture
def pack(aws: OperatorAws, report: dict[str, Any], tmp_path: Path) -> Path:
    """A pack of that report."""
    return _packed(aws, JOB, tmp_path / "pack.zip")


@dataclass(frozen=True)
class Packs:
    """Two packs that nothing changes: of a report and of another one."""

    one: bytes
    other: bytes


@pytest.fixture(scope="session")
def packs(tmp_path_factory: pytest.TempPathFactory) -> Packs:
    """Packs for what needs no AWS, made once."""
    folder = tmp_path_factory.mktemp("packs")
    with _environment() as environment, _operator_aws(environment) as aws:
        keep_results(STACK)
        store_report(aws)
        store_report(aws, OTHER_JOB, name="another")
        one, other = (_packed(aws, job, folder / f"{job}.zip") for job in (JOB, OTHER_JOB))
    return Packs(one.read_bytes(), other.read_bytes())


@pytest.fixture
def sealed(packs: Packs, tmp_path: Path) -> Path:
    """A pack on a machine without AWS."""
    path = tmp_path / "sealed.zip"
    path.write_bytes(packs.one)
    return path


def _packed(aws: OperatorAws, job: str, path: Path) -> Path:
    result = aws.run("evidence", job, "--output", str(path))
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return path
