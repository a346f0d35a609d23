"""A running simulator with a clock that stands still, and clients that do not retry."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from simulators.backup_search import BackupSimulator, RecoveryPointGroup
from simulators.backup_search.protocol import Reply, Request

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
ROLE = "arn:aws:iam::000000000000:role/indexer"
SNAPSHOT = "arn:aws:ec2:us-east-1::snapshot/snap-00000000000000001"
POINT = "arn:aws:backup:us-east-1:000000000000:recovery-point"
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "simulated",
    "AWS_SECRET_ACCESS_KEY": "simulated",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
}


@dataclass
class Sandbox:
    """A simulator, and a client for each service."""

    simulator: BackupSimulator
    search: Any
    backup: Any
    ec2: Any

    def move(self, **span: float) -> None:
        self.simulator.move_clock(timedelta(**span))

    def start(self, name: str | None = None, resource_type: str = "S3", **scope: Any) -> str:
        named = {} if name is None else {"Name": name}
        job = self.search.start_search_job(SearchScope={"BackupResourceTypes": [resource_type], **scope}, **named)
        return str(job["SearchJobIdentifier"])

    def job(self, identifier: str) -> dict[str, Any]:
        return dict(self.search.get_search_job(SearchJobIdentifier=identifier))

    def status(self, identifier: str) -> str:
        return str(self.job(identifier)["Status"])

    def rows(self, identifier: str) -> list[dict[str, Any]]:
        pages = self.search.get_paginator("list_search_job_backups").paginate(SearchJobIdentifier=identifier)
        return [row for page in pages for row in page["Results"]]

    def points(self, *vaults: str, **filters: Any) -> list[dict[str, Any]]:
        """Return the recovery points of these vaults; of all of them, if none is named."""
        known = [vault["BackupVaultName"] for vault in self.backup.list_backup_vaults()["BackupVaultList"]]
        paginator = self.backup.get_paginator("list_recovery_points_by_backup_vault")
        pages = [page for vault in vaults or known for page in paginator.paginate(BackupVaultName=vault, **filters)]
        return [point for page in pages for point in page["RecoveryPoints"]]

    def index(self, vault: str, arn: str, setting: str | None = None) -> str | None:
        """Enable or disable an index if asked to, and return its status."""
        point: Any = {"BackupVaultName": vault, "RecoveryPointArn": arn}
        if setting:
            self.backup.update_recovery_point_index_settings(**point, Index=setting, IamRoleArn=ROLE)
        status: str | None = self.backup.get_recovery_point_index_details(**point).get("IndexStatus")
        return status


def refusal(call: Any, **params: Any) -> dict[str, Any]:
    """Return the code, the message, the status and the other members of the error that a call ends with."""
    with pytest.raises(ClientError) as caught:
        call(**params)
    response: dict[str, Any] = dict(caught.value.response)
    return {"Status": response["ResponseMetadata"]["HTTPStatusCode"], **response["Error"], **response}


def ask(simulator: BackupSimulator, method: str, target: str, body: bytes = b"") -> Reply:
    """Return the reply to a request without a socket."""
    return simulator.answer(Request.from_primitives(method, f"http://127.0.0.1{target}", {}, body))


def named(name: str, **attributes: Any) -> RecoveryPointGroup:
    return RecoveryPointGroup(arn=f"{POINT}:{name}", **attributes)


def last_words(rows: list[dict[str, Any]]) -> list[str]:
    """Return the last word of the ARN of each row or recovery point."""
    arns = [row.get("BackupResourceArn") or row["RecoveryPointArn"] for row in rows]
    return [arn.rpartition(":")[2] for arn in arns]


def aws(url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the AWS CLI against the simulator, with nothing of the caller's AWS settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {**CREDENTIALS, "AWS_PAGER": "", "AWS_MAX_ATTEMPTS": "1", "AWS_ENDPOINT_URL": url}
    command = [sys.executable, "-m", "awscli", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


def json_of(result: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    assert result.returncode == 0, result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


@pytest.fixture(autouse=True)
def aws_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {**CREDENTIALS, "NO_PROXY": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def sandbox(aws_settings: None) -> Iterator[Sandbox]:
    with BackupSimulator(clock=lambda: NOW) as simulator:
        config = Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5)
        make: Any = boto3.client
        services = ("backupsearch", "backup", "ec2")
        clients = [make(name, endpoint_url=simulator.endpoint_url, config=config) for name in services]
        yield Sandbox(simulator, *clients)
        for client in clients:
            client.close()
