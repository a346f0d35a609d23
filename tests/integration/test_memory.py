"""The memory of the report function does not grow with the search."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from search_coverage.names import Variable
from simulators.backup_search import BackupGroup, ResultGroup, Scenario
from tests.integration.conftest import Deployment

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the peak memory of a process is read from /proc/self/status"
)

RESULTS = "results-bucket"

# In a process of its own: a peak never goes down again, and a forked child inherits its parent's.
REPORT = """
import json, pathlib, sys
from search_coverage.handlers import report
from tests.invocation import Context

outcome = report.handler({"searchJobIdentifier": sys.argv[1]}, Context())
status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
print(json.dumps({"kibibytes": int(status["VmHWM"].split()[0]), "backups": outcome["backups"]}))
"""


def peak_kibibytes(deployment: Deployment, backups: int, results: int = 0) -> int:
    scenario = Scenario(
        f"of-{backups}",
        (
            BackupGroup(count=backups * 8 // 10),
            BackupGroup(count=backups // 10, status="FAILED", status_message="Access denied on {i}"),
            BackupGroup(count=backups // 10, status="STOPPED"),
        ),
        results=(ResultGroup(count=results, item="people/{i}/invoice.pdf"),) if results else (),
    )
    search_job = deployment.simulator.finish_job(scenario)
    finished = subprocess.run(
        [sys.executable, "-c", REPORT, search_job],
        env={**os.environ, **deployment.environment, **({Variable.RESULTS_BUCKET: RESULTS} if results else {})},
        capture_output=True,
        text=True,
        check=True,
    )
    printed = json.loads(finished.stdout.splitlines()[-1])
    assert printed["backups"]["listed"] == backups
    assert printed["backups"]["excluded"] == backups // 5
    summary = deployment.summary(search_job)
    assert summary
    assert summary["results"]["rows"] == (results or None)
    peak: int = printed["kibibytes"]
    return peak


def test_100_000_backups_take_hardly_more_memory_than_1_000(deployment: Deployment) -> None:
    small, large = peak_kibibytes(deployment, 1_000), peak_kibibytes(deployment, 100_000)

    print(f"peak memory: {small} KiB for 1,000 backups, {large} KiB for 100,000, ratio {large / small:.3f}")
    assert large <= 1.25 * small


def test_200_000_results_take_hardly_more_memory_than_1_000(deployment: Deployment) -> None:
    deployment.s3.create_bucket(Bucket=RESULTS)

    small, large = (peak_kibibytes(deployment, 10, results) for results in (1_000, 200_000))

    print(f"peak memory: {small} KiB for 1,000 results, {large} KiB for 200,000, ratio {large / small:.3f}")
    assert large <= 1.25 * small
