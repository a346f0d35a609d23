"""The backup simulator as a process of its own: its start, its end, its control path, and the AWS CLI against it."""

import json
import os
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

ROOT = Path(__file__).parents[3]
EXAMPLES = Path(__file__).parents[1] / "scenarios"
COMMAND = [sys.executable, "-m", "simulators.backup_search"]


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


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


def control(endpoint: str, method: str, path: str, content: object = None) -> dict[str, Any]:
    body = None if content is None else (content if isinstance(content, bytes) else json.dumps(content).encode())
    request = urllib.request.Request(f"{endpoint}/_simulator/{path}", data=body, method=method)
    with urllib.request.urlopen(request) as response:
        answer: dict[str, Any] = json.load(response)
        return answer


def refused(endpoint: str, method: str, path: str, content: object = None) -> str:
    with pytest.raises(urllib.error.HTTPError) as caught:
        control(endpoint, method, path, content)
    with caught.value as response:
        return str(json.load(response)["message"])


def aws(endpoint: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the AWS CLI against the simulator, with nothing of the caller's AWS settings."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {"AWS_ACCESS_KEY_ID": "simulated", "AWS_SECRET_ACCESS_KEY": "simulated"}
    environment |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "AWS_PAGER": ""}
    environment |= {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull, "AWS_MAX_ATTEMPTS": "1"}
    command = [sys.executable, "-m", "awscli", "backupsearch", *arguments, "--endpoint-url", endpoint]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


def test_the_aws_cli_starts_a_job_and_lists_its_backups(endpoint: str) -> None:
    # When
    started = aws(
        endpoint, "start-search-job", "--name", "nightly-invoices", "--search-scope", "BackupResourceTypes=S3"
    )
    identifier = json.loads(started.stdout)["SearchJobIdentifier"]
    running = aws(endpoint, "get-search-job", "--search-job-identifier", identifier)
    control(endpoint, "POST", "clock", {"forward_seconds": 60})
    listed = aws(endpoint, "list-search-job-backups", "--search-job-identifier", identifier, "--page-size", "5")

    # Then
    assert json.loads(running.stdout)["Status"] == "RUNNING"
    assert json.loads(running.stdout)["SearchJobArn"].startswith("arn:aws:backup-search:us-east-1:111122223333:")
    rows = json.loads(listed.stdout)["Results"]
    assert [row["Status"] for row in rows] == ["COMPLETED"] * 12 + ["FAILED"] * 4


def test_the_aws_cli_shows_the_services_error(endpoint: str) -> None:
    # When
    result = aws(endpoint, "get-search-job", "--search-job-identifier", "nightly")

    # Then
    assert result.returncode != 0
    assert "(ValidationException) when calling the GetSearchJob operation" in result.stderr


def test_health_tells_what_is_simulated(endpoint: str) -> None:
    # When
    health = control(endpoint, "GET", "health")

    # Then
    assert (health["status"], health["account"], health["region"]) == ("ready", "111122223333", "us-east-1")
    assert "nightly-invoices" in health["scenarios"]


def test_scenarios_and_ended_jobs_can_be_added_over_http(endpoint: str) -> None:
    # When
    added = control(endpoint, "POST", "scenarios", b"name: by-http\nbackups: [{count: 3, status: FAILED}]\n")
    named = control(endpoint, "POST", "search-jobs", {"scenario": "by-http", "ended_seconds_ago": 3600})
    inline = control(endpoint, "POST", "search-jobs", {"scenario": {"name": "inline", "end_status": "FAILED"}})

    # Then
    assert added == {"name": "by-http"}
    assert named["SearchJobArn"].endswith(named["SearchJobIdentifier"])
    with urllib.request.urlopen(f"{endpoint}/search-jobs?Status=FAILED") as response:
        failed = json.load(response)["SearchJobs"]
    assert inline["SearchJobIdentifier"] in [job["SearchJobIdentifier"] for job in failed]


def test_vaults_are_filled_and_emptied_over_http(endpoint: str) -> None:
    # Given
    arn = "arn:aws:backup:us-east-1:111122223333:recovery-point:gone"
    content = {"name": "by-http", "recovery_points": [{"count": 2, "index": "NONE"}, {"arn": arn}]}

    # When
    added = control(endpoint, "POST", "vaults", content)
    control(endpoint, "DELETE", "recovery-points", {"arn": arn})

    # Then
    assert added == {"name": "by-http"}
    vaults = {vault.pop("name"): vault for vault in control(endpoint, "GET", "vaults")["vaults"]}
    assert vaults["by-http"] == {"type": "BACKUP_VAULT", "recoveryPoints": 2}
    assert vaults["archive"] == {"type": "LOGICALLY_AIR_GAPPED_BACKUP_VAULT", "recoveryPoints": 4}


def test_a_fault_for_one_vault_is_there_over_http(endpoint: str) -> None:
    # Given
    fault = {"effect": "error", "error_code": "AccessDeniedException", "times": 1}
    control(endpoint, "POST", "vaults", {"name": "locked"})
    control(endpoint, "POST", "faults", {**fault, "where": {"BackupVaultName": "locked"}})

    # When
    with urllib.request.urlopen(f"{endpoint}/backup-vaults/") as response:
        listed = response.status
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{endpoint}/backup-vaults/locked/recovery-points/")

    # Then
    with caught.value as refused:
        assert (listed, refused.code, refused.headers["x-amzn-errortype"]) == (200, 403, "AccessDeniedException")


def test_faults_and_recorded_requests_are_there_over_http(endpoint: str) -> None:
    # Given
    control(endpoint, "DELETE", "requests")
    fault = {"effect": "error", "operation": "ListSearchJobs", "error_code": "ThrottlingException", "times": 2}
    control(endpoint, "POST", "faults", {**fault, "retry_after_seconds": 3})

    # When
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(f"{endpoint}/search-jobs?MaxResults=7")

    # Then
    with caught.value as response:
        assert (response.code, response.headers["Retry-After"]) == (429, "3")
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
        (
            "POST",
            "vaults",
            {"name": "x1", "kind": 3},
            "the request body: kind is no key here; allowed: name, rec",
        ),
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
    assert refused(endpoint, method, path, content).startswith(sentence)


def run_to_its_end(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*COMMAND, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)


def test_a_port_in_use_is_one_sentence_and_exit_code_2() -> None:
    # Given
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        # When
        result = run_to_its_end("--port", str(port))

    # Then
    assert result.returncode == 2
    assert result.stderr == (f"backup simulator: port {port} on 127.0.0.1 cannot be had: Address already in use.\n")


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
    # When
    result = run_to_its_end(*arguments)

    # Then
    assert result.returncode == 2
    assert result.stderr == f"backup simulator: {sentence}\n"


def test_ctrl_c_ends_it_in_silence() -> None:
    # Given
    with subprocess.Popen(COMMAND, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()

        # When
        process.send_signal(signal.SIGINT)

        # Then
        assert process.wait(timeout=10) == 0
        assert process.stderr.read() == ""
