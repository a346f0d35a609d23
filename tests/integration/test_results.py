"""What a search found, kept by the real function: every row, or none and the reason; the same bytes each time."""

import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest

from search_coverage.names import Variable
from search_coverage.use_cases.report_search_job import ResultsPending
from simulators.backup_search import BackupGroup, ResultGroup, Scenario
from tests.conftest import Log
from tests.examples import JANE
from tests.integration.conftest import Deployment

BUCKET = "results-bucket"
FOUND = 2_500
SCENARIO = Scenario(
    "found",
    (BackupGroup(count=2), BackupGroup(status="FAILED", status_message="Access denied")),
    results=(
        ResultGroup(count=FOUND - 1, item=f"people/{JANE}/{{i}}.pdf"),
        ResultGroup(backup=2, omit=("ObjectSize",)),
    ),
)
OPERATION = "ListSearchJobResults"


@pytest.fixture
def keep(deployment: Deployment) -> Callable[[str], dict[str, Any]]:
    """Report a search job with its results, and return the summary."""
    deployment.s3.create_bucket(Bucket=BUCKET)
    deployment.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})

    def run(search_job: str, **changes: Any) -> dict[str, Any]:
        event = {"searchJobIdentifier": search_job, **changes}
        kept = {Variable.RESULTS_BUCKET: BUCKET, Variable.MAX_RESULTS: "1000000", Variable.KEEP_ITEM_FILTERS: "OFF"}
        deployment.report(event, None, **kept)
        summary = deployment.summary(search_job)
        assert summary
        return summary

    return run


def rows(deployment: Deployment, summary: dict[str, Any]) -> list[dict[str, Any]]:
    key = summary["results"]["files"]["jsonl"]["key"]
    body = deployment.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return [json.loads(line) for line in gzip.decompress(body).splitlines()]


def test_every_result_is_kept_with_its_backup(deployment: Deployment, keep: Callable[..., dict[str, Any]]) -> None:
    search_job = deployment.simulator.finish_job(SCENARIO)

    summary = keep(search_job)

    assert (summary["results"]["status"], summary["results"]["rows"]) == ("COMPLETE", FOUND)
    found = rows(deployment, summary)
    assert [row["path"] for row in found[:-1]] == [f"people/{JANE}/{n}.pdf" for n in range(1, FOUND)]
    assert len({row["backup_arn"] for row in found}) == 2
    assert (found[0]["size"], found[-1]["size"]) == (1024, None)
    assert found[0]["resource_type"] == "S3"
    assert len([r for r in deployment.simulator.requests if r.operation == OPERATION]) == 3


@pytest.mark.parametrize(
    "fault",
    [
        {"effect": "broken_json"},
        {"effect": "token_cycle"},
        {"effect": "truncated_body"},
        {"effect": "error", "error_code": "AccessDeniedException"},
        {"effect": "error", "error_code": "ResourceNotFoundException"},
    ],
    ids=lambda fault: " ".join(fault.values()),
)
def test_a_broken_page_gives_no_results_a_reason_and_a_report_and_a_retry_gives_all_of_them(
    deployment: Deployment,
    keep: Callable[..., dict[str, Any]],
    fault: dict[str, str],
    log: Log,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Given a list that breaks on its second page
    monkeypatch.setattr("time.sleep", lambda _: None)
    search_job = deployment.simulator.finish_job(SCENARIO)
    broken = deployment.simulator.faults.add(operation=OPERATION, page=2, **fault)

    # When
    with pytest.raises(ResultsPending) as pending:
        keep(search_job)
    summary = deployment.summary(search_job)
    deployment.simulator.faults.remove(broken)

    # Then
    assert summary
    assert summary["verdict"] == "PARTIAL"
    assert (summary["results"]["status"], summary["results"]["files"]) == ("UNAVAILABLE", {})
    assert summary["results"]["message"] in str(pending.value)
    assert "Contents" not in deployment.s3.list_objects_v2(Bucket=BUCKET)
    assert any(key.endswith("results-pending.json") for key in deployment.stored())
    assert JANE not in log.getvalue()

    # And the next attempt, to which a sweep leads, keeps them and notifies nobody again
    deployment.sweep()
    deployment.messages(deployment.people)
    again = keep(search_job)
    assert again["results"]["rows"] == len(rows(deployment, again)) == FOUND
    assert not any(key.endswith("results-pending.json") for key in deployment.stored())
    assert deployment.messages(deployment.people) == []


def test_a_replay_writes_the_same_bytes(deployment: Deployment, keep: Callable[..., dict[str, Any]]) -> None:
    search_job = deployment.simulator.finish_job(SCENARIO)

    first, second = keep(search_job), keep(search_job, replay=True)

    for kind in ("csv", "jsonl"):
        assert first["results"]["files"][kind]["sha256"] == second["results"]["files"][kind]["sha256"]


def test_no_result_is_in_the_bucket_of_the_reports_in_a_message_an_event_or_a_log(
    deployment: Deployment, keep: Callable[..., dict[str, Any]], log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    search_job = deployment.simulator.finish_job(SCENARIO)
    deployment.sweep()

    keep(search_job)

    told = [deployment.messages(queue) for queue in (deployment.people, deployment.machines, deployment.bus_queue)]
    assert all(told)
    assert JANE not in json.dumps(told) + log.getvalue() + "".join(capsys.readouterr())
    assert not any(JANE.encode() in deployment.read(key) for key in deployment.stored())
