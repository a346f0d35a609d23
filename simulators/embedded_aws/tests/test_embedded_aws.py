"""The embedded AWS does what the demo and the end-to-end tests need: it stays local, delivers, retries, and ends."""

import io
import json
import signal
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from simulators.embedded_aws.embedded_aws import EmbeddedAws
from simulators.embedded_aws.errors import EmulatorError
from simulators.embedded_aws.mailbox import Mail

ROOT = Path(__file__).resolve().parents[3]

FAILING = "def handler(event, context):\n    raise ValueError('no luck with ' + event['detail']['job'])\n"
FORWARDING = """
import json, os
import boto3

sqs = boto3.client("sqs")

def handler(event, context):
    sqs.send_message(QueueUrl=os.environ["QUEUE_URL"], MessageBody=json.dumps(event))
"""
CALLING_ELSEWHERE = """
import boto3

def handler(event, context):
    try:
        boto3.client("s3", endpoint_url="https://s3.real-aws.invalid").list_buckets()
    except Exception as error:
        return type(error).__name__
"""
SIMULATOR = "http://127.0.0.1:9"
ONE_ATTEMPT = {"AWS_MAX_ATTEMPTS": "1"}
RETURNING_ITS_ENVIRONMENT = "import os\n\ndef handler(event, context):\n    return dict(os.environ)\n"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    state = tmp_path_factory.mktemp("aws")
    with EmbeddedAws(state_dir=state, simulator_url=SIMULATOR, retry_delays=(0.1, 0.2)) as running:
        yield running


def test_its_endpoint_answers_as_an_account_of_its_own(aws: EmbeddedAws) -> None:
    assert aws.client("sts").get_caller_identity()["Account"] == aws.account_id


def test_it_listens_on_loopback_only(aws: EmbeddedAws) -> None:
    # Any other address of this computer
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other:
        other.settimeout(1)

        with pytest.raises(OSError, match=r"refused|timed out|unreachable|assign"):
            other.connect(("127.0.0.2", aws.process.port))


def test_a_port_in_use_is_one_sentence(aws: EmbeddedAws, tmp_path: Path) -> None:
    port = str(aws.process.port)
    command = [sys.executable, "-m", "simulators.embedded_aws", "--port", port, "--state", str(tmp_path)]
    second = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)

    assert second.returncode == 1
    assert second.stderr == (
        f"Port {port} on 127.0.0.1 is in use: stop the program that uses it, or choose another port.\n"
    )


@pytest.mark.parametrize(
    "url",
    ["https://backup-search.us-east-1.api.aws", "http://10.0.0.1:80", "http://127.0.0.1.example.com", "127.0.0.1:80"],
)
def test_a_simulator_that_is_not_on_this_computer_is_refused(url: str, tmp_path: Path) -> None:
    with pytest.raises(EmulatorError, match="talks to this computer only"):
        EmbeddedAws(state_dir=tmp_path, simulator_url=url)


def test_another_version_of_the_emulator_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("simulators.embedded_aws.ministack_patches.version", lambda _name: "9.9.9")

    with pytest.raises(EmulatorError, match=r"written for ministack 1\.5\.33, but 9\.9\.9 is installed"):
        EmbeddedAws(state_dir=tmp_path).start()


def test_functions_see_nothing_of_the_users_aws_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Given a user who works with a real account
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a real token")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://s3.us-east-1.amazonaws.com")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(Path.home() / ".aws" / "config"))

    with EmbeddedAws(state_dir=tmp_path, simulator_url=SIMULATOR) as aws:
        create_function(aws, "environment", RETURNING_ITS_ENVIRONMENT)
        seen = invoke(aws, "environment")
        endpoint_url = aws.endpoint_url

    # Then every endpoint is on this computer, and the user's account is out of reach
    endpoints = {name: url for name, url in seen.items() if name.startswith("AWS_ENDPOINT_URL")}
    simulated = {f"AWS_ENDPOINT_URL_{service}": SIMULATOR for service in ("BACKUPSEARCH", "BACKUP", "EC2")}
    assert endpoints == {"AWS_ENDPOINT_URL": endpoint_url, **simulated}
    assert not seen.get("AWS_SESSION_TOKEN")
    assert "AWS_PROFILE" not in seen
    assert seen["AWS_ACCESS_KEY_ID"] == aws.account_id
    assert seen["AWS_EC2_METADATA_DISABLED"] == "true"
    assert not Path(seen["AWS_CONFIG_FILE"]).exists()
    assert not Path(seen["AWS_SHARED_CREDENTIALS_FILE"]).exists()
    assert Path(seen["HOME"]).is_relative_to(tmp_path)


def test_functions_cannot_reach_any_other_computer(aws: EmbeddedAws) -> None:
    # Given a function that calls an endpoint of its own choice
    create_function(aws, "elsewhere", CALLING_ELSEWHERE, environment=ONE_ATTEMPT)

    # Then the call ends at a proxy that does not exist
    assert invoke(aws, "elsewhere") == "ProxyConnectionError"


def test_programs_get_the_account_and_nothing_else(aws: EmbeddedAws) -> None:
    # Given a program that asks who it is, and then calls an endpoint of its own choice
    script = f"""
import boto3
print(boto3.client("sts").get_caller_identity()["Account"])
{CALLING_ELSEWHERE}
print(handler(None, None))
"""
    environment = aws.environment() | ONE_ATTEMPT

    command = [sys.executable, "-c", script]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=20, check=True)

    assert run.stdout.split() == [aws.account_id, "ProxyConnectionError"]


@pytest.mark.parametrize("retries", [0, 2])
def test_an_event_whose_function_fails_is_retried_and_then_lands_in_the_failure_queue(
    aws: EmbeddedAws, retries: int
) -> None:
    # Given a rule to a function that always fails, with an on-failure queue
    name = f"failing-{retries}"
    function_arn, queue_url = create_failing_function(aws, name, retries, Qualifier="$LATEST")
    create_rule(aws, name, function_arn)

    put_events(aws, name, {"job": "7"})

    # Then the record in the queue is as AWS documents it, and counts all the attempts
    [record] = receive(aws, queue_url, count=1)
    assert record["version"] == "1.0"
    assert record["timestamp"].endswith("Z")
    context = record["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("RetriesExhausted", retries + 1)
    assert context["functionArn"] == f"{function_arn}:$LATEST"
    assert record["requestPayload"]["detail"] == {"job": "7"}
    assert record["responseContext"] == {
        "statusCode": 200,
        "executedVersion": "$LATEST",
        "functionError": "Unhandled",
    }
    assert record["responsePayload"]["errorMessage"] == "no luck with 7"

    # And the function ran as often, under one request id
    starts = [line for line in aws.lambda_logs(name) if line.startswith("START RequestId")]
    assert len(starts) == retries + 1
    assert all(context["requestId"] in line for line in starts)


def test_a_direct_asynchronous_invocation_is_retried_as_well(aws: EmbeddedAws) -> None:
    _, queue_url = create_failing_function(aws, "failing-direct", retries=1)

    event = {"detail": {"job": "8"}}
    aws.client("lambda").invoke(FunctionName="failing-direct", InvocationType="Event", Payload=json.dumps(event))

    [record] = receive(aws, queue_url, count=1)
    assert record["requestPayload"] == event
    assert record["requestContext"]["approximateInvokeCount"] == 2


def test_a_burst_of_fifty_events_is_delivered_whole_and_unchanged(aws: EmbeddedAws) -> None:
    # Given a rule to a function that passes on what it gets, and takes two at a time
    queue_url, _queue_arn = create_queue(aws, "forwarded")
    function_arn = create_function(aws, "forwarding", FORWARDING, environment={"QUEUE_URL": queue_url})
    aws.client("lambda").put_function_concurrency(FunctionName="forwarding", ReservedConcurrentExecutions=2)
    create_rule(aws, "forwarding", function_arn)

    put_events(aws, "forwarding", *({"job": str(number)} for number in range(50)))

    # Then each arrives, once, as an EventBridge event
    events = receive(aws, queue_url, count=50)
    assert sorted(int(event["detail"]["job"]) for event in events) == list(range(50))
    envelopes = {(event["source"], event["detail-type"], event["account"], *event["resources"]) for event in events}
    assert envelopes == {("tests", "forwarding", aws.account_id, "arn:x")}


def test_a_subscriber_with_a_filter_for_digests_gets_only_digests(aws: EmbeddedAws) -> None:
    # Given a topic with one queue for everything, and one queue and one person for digests
    sns = aws.client("sns")
    topic_arn = sns.create_topic(Name="alerts")["TopicArn"]
    all_url, all_arn = create_queue(aws, "everything")
    digest_url, digest_arn = create_queue(aws, "digests")
    digests = {"FilterPolicy": json.dumps({"kind": ["digest"]})}
    for protocol, endpoint, attributes in (
        ("sqs", all_arn, {}),
        ("sqs", digest_arn, digests),
        ("email", "admin@example.com", digests),
    ):
        sns.subscribe(TopicArn=topic_arn, Protocol=protocol, Endpoint=endpoint, Attributes=attributes)

    # When a digest and its further entries are published
    for kind in ("digest", "entries"):
        sns.publish(
            TopicArn=topic_arn,
            Subject=f"A {kind}",
            MessageStructure="json",
            Message=json.dumps({"default": f"for machines: {kind}", "email": f"for people: {kind}"}),
            MessageAttributes={"kind": {"DataType": "String", "StringValue": kind}},
        )

    # Then one queue gets both, the other the digest alone, and the person the digest with the text for people
    received = sorted(message["Message"] for message in receive(aws, all_url, count=2))
    assert received == ["for machines: digest", "for machines: entries"]
    assert [message["Message"] for message in receive(aws, digest_url, count=1)] == ["for machines: digest"]
    assert "Messages" not in aws.client("sqs").receive_message(QueueUrl=digest_url)
    assert aws.mails() == [Mail(to="admin@example.com", subject="A digest", text="for people: digest")]


def test_a_schedule_of_one_minute_can_be_created_and_read_back(aws: EmbeddedAws) -> None:
    function_arn = create_function(aws, "scheduled", RETURNING_ITS_ENVIRONMENT)

    scheduler = aws.client("scheduler")
    target = {"Arn": function_arn, "RoleArn": f"arn:aws:iam::{aws.account_id}:role/scheduler"}
    scheduler.create_schedule(
        Name="sweep", ScheduleExpression="rate(1 minute)", FlexibleTimeWindow={"Mode": "OFF"}, Target=target
    )

    schedule = scheduler.get_schedule(Name="sweep")
    assert (schedule["ScheduleExpression"], schedule["State"]) == ("rate(1 minute)", "ENABLED")


def test_stopping_leaves_no_process_and_no_files_of_functions_behind(tmp_path: Path) -> None:
    with EmbeddedAws(state_dir=tmp_path) as aws:
        create_function(aws, "warm", RETURNING_ITS_ENVIRONMENT)
        invoke(aws, "warm")
        group = aws.process.process_id
        assert processes_of_group(group) > 1

        # When it is stopped, twice for good measure
        aws.stop()
        aws.stop()

    # Then neither it nor the function's worker is left
    assert processes_of_group(group) == 0
    assert left_behind(tmp_path) == ["emulator.log", "mail"]


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_command_ends_cleanly_when_interrupted(tmp_path: Path, ending: signal.Signals) -> None:
    # Given the command, running; it would ignore SIGINT if a shell had started the tests in the background
    signal.signal(signal.SIGINT, signal.default_int_handler)
    command = [sys.executable, "-m", "simulators.embedded_aws", "--port", "0", "--state", str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        assert "The embedded AWS answers at http://127.0.0.1:" in running.stdout.readline()

        running.send_signal(ending)
        _rest, complaints = running.communicate(timeout=10)

    assert (running.returncode, complaints) == (0, "")
    assert left_behind(tmp_path) == ["emulator.log", "mail"]


def test_it_ends_with_its_parent_even_when_that_is_killed(tmp_path: Path) -> None:
    script = """
import sys, time
from pathlib import Path
from simulators.embedded_aws.embedded_aws import EmbeddedAws
with EmbeddedAws(state_dir=Path(sys.argv[1])) as aws:
    print(aws.process.process_id, flush=True)
    time.sleep(60)
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        group = int(parent.stdout.readline())
        assert processes_of_group(group) > 0

        # When the parent is killed without a chance to clean up
        parent.send_signal(signal.SIGKILL)

    # Then the emulator ends as well, and removes its files
    deadline = time.monotonic() + 10
    while processes_of_group(group):
        assert time.monotonic() < deadline, "It did not end within 10 seconds."
        time.sleep(0.05)
    assert left_behind(tmp_path) == ["emulator.log", "mail"]


def create_function(aws: EmbeddedAws, name: str, source: str, environment: dict[str, str] | None = None) -> str:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as bundle:
        bundle.writestr("index.py", source)
    created = aws.client("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="index.handler",
        Role=f"arn:aws:iam::{aws.account_id}:role/function",
        Code={"ZipFile": packed.getvalue()},
        Environment={"Variables": environment or {}},
        Timeout=10,
    )
    return str(created["FunctionArn"])


def create_queue(aws: EmbeddedAws, name: str) -> tuple[str, str]:
    sqs = aws.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return url, arn


def create_rule(aws: EmbeddedAws, detail_type: str, function_arn: str) -> None:
    events = aws.client("events")
    pattern = {"source": ["tests"], "detail-type": [detail_type]}
    events.put_rule(Name=detail_type, EventPattern=json.dumps(pattern))
    events.put_targets(Rule=detail_type, Targets=[{"Id": "1", "Arn": function_arn}])


def create_failing_function(aws: EmbeddedAws, name: str, retries: int, **qualifier: str) -> tuple[str, str]:
    """Return the ARN of a function that always fails, and the URL of its on-failure queue."""
    function_arn = create_function(aws, name, FAILING)
    queue_url, queue_arn = create_queue(aws, f"{name}-failures")
    on_failure = {"OnFailure": {"Destination": queue_arn}}
    aws.client("lambda").put_function_event_invoke_config(
        FunctionName=name, MaximumRetryAttempts=retries, DestinationConfig=on_failure, **qualifier
    )
    return function_arn, queue_url


def invoke(aws: EmbeddedAws, name: str) -> Any:
    return json.loads(aws.client("lambda").invoke(FunctionName=name)["Payload"].read())


def put_events(aws: EmbeddedAws, detail_type: str, *details: dict[str, str]) -> None:
    entry = {"Source": "tests", "DetailType": detail_type, "Resources": ["arn:x"]}
    entries = [{**entry, "Detail": json.dumps(detail)} for detail in details]
    for first in range(0, len(entries), 10):
        assert aws.client("events").put_events(Entries=entries[first : first + 10])["FailedEntryCount"] == 0


def receive(aws: EmbeddedAws, queue_url: str, *, count: int) -> list[dict[str, Any]]:
    """Receive and delete as many messages as expected; fail after 20 seconds."""
    sqs = aws.client("sqs")
    bodies: list[dict[str, Any]] = []
    deadline = time.monotonic() + 20
    while len(bodies) < count and time.monotonic() < deadline:
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in answer.get("Messages", []):
            bodies.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
    assert len(bodies) == count
    return bodies


def processes_of_group(group: int) -> int:
    listing = subprocess.run(["ps", "-A", "-o", "pgid=,stat="], capture_output=True, text=True, check=True).stdout
    rows = [line.split() for line in listing.splitlines()]
    return sum(1 for pgid, stat in rows if int(pgid) == group and not stat.startswith("Z"))


def left_behind(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
