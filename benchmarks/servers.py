"""The AWS of a measurement: the simulator of AWS Backup search and the stub of the rest, each its own process."""

import json
import os
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks.stub_aws import CALLS_PATH, KEYS_PATH
from search_coverage.names import METRICS_NAMESPACE, SERVICE, Variable

ROOT = Path(__file__).resolve().parents[1]
ACCOUNT = "123456789012"
REGION = "us-east-1"
BUCKET = "reports-bucket"

_BACKUP_SEARCH_PAGES = "ListSearchJobBackups"


@dataclass(frozen=True, slots=True)
class Aws:
    """Both servers.

    Attributes:
        stub_url: S3, SNS, EventBridge, DynamoDB.
        simulator_url: AWS Backup search.
        temporary: Where measured processes put their temporary files.
    """

    stub_url: str
    simulator_url: str
    temporary: Path

    def search_job(self, backups: int, *, failed: int, name: str = "measured", ended_seconds_ago: float = 60) -> str:
        """Add a search job that has ended, the last ``failed`` of its backups FAILED, and give its identifier."""
        groups: list[dict[str, Any]] = [
            {"count": backups - failed},
            {"count": failed, "status": "FAILED", "status_message": "Access denied when reading backup {i}"},
        ]
        scenario = {"name": name, "backups": [group for group in groups if group["count"]]}
        details = {"scenario": scenario, "ended_seconds_ago": ended_seconds_ago}
        identifier: str = self._control("POST", "search-jobs", details)["SearchJobIdentifier"]
        return identifier

    def delay_pages(self, seconds: float) -> None:
        """Let every page of a list of backups come so much later."""
        self._control(
            "POST", "faults", {"effect": "delay", "operation": _BACKUP_SEARCH_PAGES, "delay_seconds": seconds}
        )

    def vault(self, name: str, recovery_points: list[dict[str, object]]) -> None:
        """Add a vault with these groups of recovery points."""
        self._control("POST", "vaults", {"name": name, "recovery_points": recovery_points})

    def search(self, created_after: datetime | None = None) -> str:
        """Search the vaults, and wait for the end; gives the identifier of the search job."""
        scope: dict[str, Any] = {"BackupResourceTypes": ["S3"]}
        if created_after:
            scope["BackupResourceCreationTime"] = {"CreatedAfter": created_after.timestamp()}
        answer = _request("PUT", f"{self.simulator_url}/search-jobs", {"Name": "all", "SearchScope": scope})
        self._control("POST", "clock", {"forward_seconds": 600})
        return str(answer["SearchJobIdentifier"])

    def delay_vaults(self, seconds: float) -> None:
        """Let every page of a vault come so much later."""
        operation = "ListRecoveryPointsByBackupVault"
        self._control("POST", "faults", {"effect": "delay", "operation": operation, "delay_seconds": seconds})

    def set_keys(self, keys: list[str]) -> None:
        """Say what ListObjectsV2 finds."""
        _request("PUT", self.stub_url + KEYS_PATH, keys)

    def forget_calls(self) -> None:
        """Start counting at none."""
        _request("DELETE", self.stub_url + CALLS_PATH)
        self._control("DELETE", "requests")

    def calls(self) -> Counter[str]:
        """Count the requests that reached the servers, by service and operation; 10,000 to the simulator at most."""
        requests = self._control("GET", "requests")["requests"]
        return Counter(_request("GET", self.stub_url + CALLS_PATH)) + Counter(
            f"AWS Backup search {request['operation']}" for request in requests
        )

    def environment(self) -> dict[str, str]:
        """Give the whole environment of a measured process: no AWS but these servers, no proxy, no profile."""
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "TMPDIR": str(self.temporary),
            "TZ": ":UTC",  # as Lambda has it; in another zone botocore takes twice as long for a time stamp
            "AWS_ENDPOINT_URL": self.stub_url,
            "AWS_ENDPOINT_URL_BACKUP": self.simulator_url,
            "AWS_ENDPOINT_URL_EC2": self.simulator_url,
            "AWS_ENDPOINT_URL_BACKUPSEARCH": self.simulator_url,
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

    def _control(self, method: str, action: str, details: object = None) -> dict[str, Any]:
        return _request(method, f"{self.simulator_url}/_simulator/{action}", details)


@contextmanager
def aws(folder: Path) -> Iterator[Aws]:
    """Start both servers, empty, and end them.

    Args:
        folder: Where temporary files may be.
    """
    temporary = folder / "tmp"
    temporary.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        stub = stack.enter_context(_server("benchmarks.stub_aws"))
        options = ("--account", ACCOUNT, "--region", REGION, "--quotas", "off")
        simulator = stack.enter_context(_server("simulators.backup_search", *options))
        yield Aws(stub, simulator, temporary)


@contextmanager
def _server(module: str, *arguments: str) -> Iterator[str]:
    """Run a module that prints one line when it is ready, with its address at the end."""
    process = subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            assert process.stdout is not None
            words = process.stdout.readline().split()
            if not words:
                raise RuntimeError(f"The server {module} did not start; its error is above.")
            yield words[-1]
        finally:
            process.terminate()


def _request(method: str, url: str, content: object = None) -> dict[str, Any]:
    body = None if content is None else json.dumps(content).encode()
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(
        urllib.request.Request(url, body, method=method), timeout=60
    ) as answer:
        result: dict[str, Any] = json.loads(answer.read())
    return result
