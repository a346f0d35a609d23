"""The simulator as a process of its own: its start, its end, its control path, and the AWS CLI against it."""

import json
import signal
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulators.backup_search.tests.conftest import aws, json_of

ROOT = Path(__file__).parents[3]
EXAMPLES = Path(__file__).parents[1] / "scenarios"
COMMAND = [sys.executable, "-m", "simulators.backup_search"]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    command = [*COMMAND, "--port", "0", "--scenarios", str(EXAMPLES), "--account", "111122223333"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        ready = process.stdout.readline()
        assert ready.startswith("backup simulator is ready at http://127.0.0.1:")
        yield ready.split()[-1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0
        assert process.stdout.read() == ""


def request(url: str, method: str = "GET", content: object = None) -> dict[str, Any]:
    body = None if content is None else (content if isinstance(content, bytes) else json.dumps(content).encode())
    with urllib.request.urlopen(urllib.request.Request(url, data=body, method=method)) as response:
        answer: dict[str, Any] = json.load(response)
        return answer


def control(endpoint: str, method: str, path: str, content: object = None) -> dict[str, Any]:
    return request(f"{endpoint}/_simulator/{path}", method, content)


def refused(url: str, method: str = "GET", content: object = None) -> tuple[int, Any, str]:
    """Return the status, the headers and the message of an error."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        request(url, method, content)
    with caught.value as response:
        body = json.load(response)
        return response.code, response.headers, body.get("message") or body["Message"]


def test_the_aws_cli_starts_a_job_and_lists_its_backups(endpoint: str) -> None:
    started = ("start-search-job", "--name", "nightly-invoices", "--search-scope", "BackupResourceTypes=S3")
    job = ("--search-job-identifier", json_of(aws(endpoint, "backupsearch", *started))["SearchJobIdentifier"])
    running = json_of(aws(endpoint, "backupsearch", "get-search-job", *job))
    control(endpoint, "POST", "clock", {"forward_seconds": 60})
    listed = json_of(aws(endpoint, "backupsearch", "list-search-job-backups", *job, "--page-size", "5"))

    assert running["Status"] == "RUNNING"
    assert running["SearchJobArn"].startswith("arn:aws:backup-search:us-east-1:111122223333:")
    assert [row["Status"] for row in listed["Results"]] == ["COMPLETED"] * 12 + ["FAILED"] * 4


def test_the_aws_cli_shows_the_services_error(endpoint: str) -> None:
    result = aws(endpoint, "backupsearch", "get-search-job", "--search-job-identifier", "nightly")

    assert result.returncode != 0
    assert "(ValidationException) when calling the GetSearchJob operation" in result.stderr


def test_health_says_what_is_simulated(endpoint: str) -> None:
    health = control(endpoint, "GET", "health")

    assert (health["status"], health["account"], health["region"]) == ("ready", "111122223333", "us-east-1")
    assert "nightly-invoices" in health["scenarios"]


def test_scenarios_and_ended_jobs_can_be_added_over_http(endpoint: str) -> None:
    added = control(endpoint, "POST", "scenarios", b"name: by-http\nbackups: [{count: 3, status: FAILED}]\n")
    by_name = control(endpoint, "POST", "search-jobs", {"scenario": "by-http", "ended_seconds_ago": 3600})
    inline = control(endpoint, "POST", "search-jobs", {"scenario": {"name": "inline", "end_status": "FAILED"}})

    assert added == {"name": "by-http"}
    assert by_name["SearchJobArn"].endswith(by_name["SearchJobIdentifier"])
    failed = request(f"{endpoint}/search-jobs?Status=FAILED")["SearchJobs"]
    assert inline["SearchJobIdentifier"] in [job["SearchJobIdentifier"] for job in failed]


def test_vaults_are_filled_and_emptied_over_http(endpoint: str) -> None:
    arn = "arn:aws:backup:us-east-1:111122223333:recovery-point:gone"
    content = {"name": "by-http", "recovery_points": [{"count": 2, "index": "NONE"}, {"arn": arn}]}

    added = control(endpoint, "POST", "vaults", content)
    control(endpoint, "DELETE", "recovery-points", {"arn": arn})

    assert added == {"name": "by-http"}
    vaults = {vault.pop("name"): vault for vault in control(endpoint, "GET", "vaults")["vaults"]}
    assert vaults["by-http"] == {"type": "BACKUP_VAULT", "recoveryPoints": 2}
    assert vaults["archive"] == {"type": "LOGICALLY_AIR_GAPPED_BACKUP_VAULT", "recoveryPoints": 4}


def test_a_fault_for_one_vault_can_be_added_over_http(endpoint: str) -> None:
    control(endpoint, "POST", "vaults", {"name": "locked"})
    where = {"where": {"BackupVaultName": "locked"}, "times": 1}
    control(endpoint, "POST", "faults", {"effect": "error", "error_code": "AccessDeniedException", **where})

    assert request(f"{endpoint}/backup-vaults/")["BackupVaultList"]
    status, headers, _ = refused(f"{endpoint}/backup-vaults/locked/recovery-points/")
    assert (status, headers["x-amzn-errortype"]) == (403, "AccessDeniedException")


def test_faults_and_recorded_requests_can_be_read_over_http(endpoint: str) -> None:
    control(endpoint, "DELETE", "requests")
    throttled = {"effect": "error", "operation": "ListSearchJobs", "error_code": "ThrottlingException"}
    control(endpoint, "POST", "faults", {**throttled, "times": 2, "retry_after_seconds": 3})

    status, headers, _ = refused(f"{endpoint}/search-jobs?MaxResults=7")

    assert (status, headers["Retry-After"]) == (429, "3")
    assert [due["times"] for due in control(endpoint, "GET", "faults")["faults"]] == [1]
    (recorded,) = control(endpoint, "GET", "requests")["requests"]
    assert (recorded["operation"], recorded["status"], recorded["params"]) == ("ListSearchJobs", 429, {"MaxResults": 7})
    control(endpoint, "DELETE", "faults")
    assert control(endpoint, "GET", "faults") == {"faults": []}


@pytest.mark.parametrize(
    ("method", "path", "content", "sentence"),
    [
        ("POST", "faults", {"effect": "boom"}, "effect must be 'error', 'connection_reset'"),
        ("POST", "scenarios", b"name: 3", "the request body: name must be text"),
        ("POST", "search-jobs", {"scenario": "nobody"}, "There is no scenario 'nobody'; allowed: nightly-invoices"),
        ("POST", "vaults", {"name": "x1", "kind": 3}, "the request body: kind is not a key here; allowed: name, rec"),
        ("DELETE", "recovery-points", {"arn": "arn:none"}, "There is no recovery point 'arn:none'"),
        ("POST", "faults", {"effect": "delay", "where": {"Vault": "x"}}, "where must not name 'Vault'; allowed: "),
        ("POST", "faults", {"effect": "delay", "where": "x"}, "where must be a valid dictionary, not 'x'"),
        ("POST", "clock", {"forward_seconds": -1}, "forward_seconds must be a number of seconds from 0"),
        ("POST", "clock", b"[]", "The request body must be a JSON object"),
        ("GET", "everything", None, "There is no such control; allowed: GET /_simulator/health"),
    ],
)
def test_a_wrong_control_request_is_refused_in_words(
    endpoint: str, method: str, path: str, content: object, sentence: str
) -> None:
    _, _, message = refused(f"{endpoint}/_simulator/{path}", method, content)

    assert message.startswith(sentence)


def run_to_its_end(*arguments: str) -> tuple[int, str]:
    run = subprocess.run([*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    return run.returncode, run.stderr


def test_a_port_in_use_is_one_sentence_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = run_to_its_end("--port", str(port))

    assert result == (2, f"backup simulator: port {port} on 127.0.0.1 is not available: Address already in use.\n")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--scenarios", "/nowhere"), "/nowhere: this scenario directory cannot be read: No such file or directory."),
        (("--scenarios", "tests/integration"), "tests/integration: there is no scenario (*.yaml) in this directory."),
        (("--account", "me"), "the account must be twelve digits, not 'me'."),
        (("--port", "70000"), "the port must be a number from 0 to 65535, not 70000."),
    ],
)
def test_a_wrong_option_is_one_sentence_and_exit_code_2(arguments: tuple[str, ...], sentence: str) -> None:
    assert run_to_its_end(*arguments) == (2, f"backup simulator: {sentence}\n")


def test_ctrl_c_ends_it_without_output() -> None:
    with subprocess.Popen(COMMAND, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()

        process.send_signal(signal.SIGINT)

        assert process.wait(timeout=10) == 0
        assert process.stderr.read() == ""
