"""The AWS of a measurement: the simulator of AWS Backup and the stub of the rest, in a process of their own."""

import multiprocessing
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from multiprocessing.managers import BaseManager
from pathlib import Path
from typing import Any

from benchmarks.stub_aws import StubAws
from search_coverage.names import METRICS_NAMESPACE, SERVICE, Variable
from simulators.backup_search import BackupGroup, BackupSimulator, RecoveryPointGroup, Scenario, Vault

ACCOUNT = "123456789012"
REGION = "us-east-1"
BUCKET = "reports-bucket"


class Servers:
    """Both servers, empty."""

    def __init__(self) -> None:
        self._stub = StubAws()
        self._simulator = BackupSimulator(account=ACCOUNT, region=REGION, enforce_quotas=False)
        self._simulator.start()

    def search_job(self, backups: int, failed: int, ended_seconds_ago: float = 60) -> str:
        """Add a search job that has ended, the last `failed` of its backups FAILED, and return its identifier."""
        groups = (
            BackupGroup(count=backups - failed),
            BackupGroup(count=failed, status="FAILED", status_message="Access denied when reading backup {i}"),
        )
        scenario = Scenario("measured", tuple(group for group in groups if group.count))
        return self._simulator.finish_job(scenario, ended_ago=timedelta(seconds=ended_seconds_ago))

    def delay(self, operation: str, seconds: float) -> None:
        self._simulator.faults.add("delay", operation=operation, delay_seconds=seconds)

    def vault(self, name: str, *groups: RecoveryPointGroup) -> None:
        """Add a vault with these groups of recovery points."""
        self._simulator.add_vault(Vault(name, groups))

    def search(self, created_after: datetime | None = None) -> str:
        """Search the vaults for backups of S3, wait for the end, and return the identifier of the search job."""
        scope: dict[str, Any] = {"BackupResourceTypes": ["S3"]}
        if created_after:
            scope["BackupResourceCreationTime"] = {"CreatedAfter": created_after}
        search_job: str = self._client().start_search_job(Name="all", SearchScope=scope)["SearchJobIdentifier"]
        self._simulator.move_clock(timedelta(minutes=10))
        return search_job

    def search_jobs(self) -> list[tuple[str, datetime]]:
        pages = self._client().get_paginator("list_search_jobs").paginate()
        return [(job["SearchJobIdentifier"], job["CompletionTime"]) for page in pages for job in page["SearchJobs"]]

    def set_keys(self, keys: list[str]) -> None:
        """Set what ListObjectsV2 finds."""
        self._stub.keys = sorted(keys)

    def forget_calls(self) -> None:
        self._stub.calls.clear()
        self._simulator.clear_requests()

    def calls(self) -> Counter[str]:
        """Count the requests by service and operation; 10,000 to the simulator at most."""
        requests = (f"AWS Backup search {request.operation}" for request in self._simulator.requests)
        return self._stub.calls + Counter(requests)

    def simulator_url(self) -> str:
        return self._simulator.endpoint_url

    def environment(self, temporary: Path) -> dict[str, str]:
        """Return the whole environment of a measured process: no AWS but these servers, no proxy, no profile."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "TMPDIR": str(temporary),
            "TZ": ":UTC",  # as Lambda has it; in another zone botocore takes twice as long for a time stamp
            "AWS_ENDPOINT_URL": self._stub.url,
            "AWS_ENDPOINT_URL_BACKUP": self._simulator.endpoint_url,
            "AWS_ENDPOINT_URL_EC2": self._simulator.endpoint_url,
            "AWS_ENDPOINT_URL_BACKUPSEARCH": self._simulator.endpoint_url,
            "AWS_ACCESS_KEY_ID": "benchmark",
            "AWS_SECRET_ACCESS_KEY": "benchmark",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "POWERTOOLS_SERVICE_NAME": SERVICE,
            "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
            Variable.REPORT_BUCKET: BUCKET,
            Variable.ALERTS_TOPIC_ARN: f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts",
            Variable.EVENT_BUS_NAME: "default",
            Variable.IDEMPOTENCY_TABLE: "idempotency",
            Variable.NOTIFY_ON: "EXCLUDED",
            Variable.INVENTORY: "OFF",
            Variable.SEARCH_JOB_STATUSES: "COMPLETED,FAILED,STOPPED",
        }

    def _client(self) -> Any:
        import boto3  # noqa: PLC0415 - the parent process does without

        session = boto3.Session("benchmark", "benchmark", region_name=REGION)
        return session.client("backupsearch", endpoint_url=self._simulator.endpoint_url)


class _Manager(BaseManager):
    """Runs the servers in a process of their own, so that their CPU does not count."""


_Manager.register("Servers", Servers)


@contextmanager
def aws(folder: Path) -> Iterator[tuple[Servers, dict[str, str]]]:
    """Start both servers, and end them.

    Args:
        folder: Where measured processes may put temporary files.

    Yields:
        The servers, and the environment of a measured process.
    """
    temporary = folder / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    with _Manager(ctx=multiprocessing.get_context("spawn")) as manager:
        servers: Servers = manager.Servers()  # type: ignore[attr-defined]
        yield servers, servers.environment(temporary)
