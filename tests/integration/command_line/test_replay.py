"""`search-coverage replay`: what it invokes, what it deletes from the failure queue, and what it says."""

import json
from typing import Any

import boto3
import pytest

from cli import replay
from cli.deployment import Deployment
from tests.integration.command_line.operator_aws import ANSWER, ARN, JOB, OTHER_JOB, THIRD_JOB, OperatorAws
from tests.invocation import REGION, state_change


def request(search_job: str, **members: Any) -> dict[str, Any]:
    """Return the direct form of the event."""
    return {"searchJobIdentifier": search_job, **members}


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay, "WAIT_SECONDS", 0)


def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the command behave as on a terminal."""
    monkeypatch.setattr("cli.__main__.is_terminal", lambda: True)


def test_each_search_job_is_replayed_once(aws: OperatorAws) -> None:
    result = aws.run("replay", "--yes", JOB, OTHER_JOB, ARN)

    assert (result.exit_code, result.stderr) == (0, "")
    assert aws.events == [request(JOB, replay=True), request(OTHER_JOB, replay=True)]
    assert result.stdout.splitlines() == [
        f"{job}  PARTIAL: 9 listed, 5 searched, 4 excluded, 3 failed" for job in (JOB, OTHER_JOB)
    ]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"errorMessage": "It is RUNNING.", "errorType": "SearchJobNotEnded"}, "It is RUNNING."),
        ({"errorMessage": None}, "The report function gave no reason."),
        ({"inProgress": True}, "Another invocation is making this report; try again later."),
        (None, "The report function did not answer that the report exists."),
        ({}, "The report function did not answer that the report exists."),
        ("something else", "The report function did not answer that the report exists."),
    ],
)
def test_a_replay_that_fails_is_named_and_the_others_go_on(aws: OperatorAws, answer: object, said: str) -> None:
    aws.function = lambda event: answer if event["searchJobIdentifier"] == JOB else ANSWER

    result = aws.run("replay", "--yes", "--json", JOB, OTHER_JOB)

    assert result.exit_code == 1
    succeeded = {key: ANSWER[key] for key in ("created", "verdict", "backups")}
    assert json.loads(result.stdout) == {
        "reports": [
            {"searchJobIdentifier": JOB, "succeeded": False, **dict.fromkeys(succeeded), "error": said},
            {"searchJobIdentifier": OTHER_JOB, "succeeded": True, **succeeded, "error": None},
        ]
    }
    assert f"{JOB}  failed: {said}" in aws.run("replay", "--yes", JOB).stdout


@pytest.mark.parametrize(
    ("code", "exit_code", "said"),
    [
        ("TooManyRequestsException", 1, "failed: Invoke answered TooManyRequestsException: Not you."),
        ("AccessDeniedException", 2, "You do not have permission to call Invoke (Not you)."),
    ],
)
def test_an_invocation_that_lambda_refuses_is_named(aws: OperatorAws, code: str, exit_code: int, said: str) -> None:
    aws.errors["Invoke"] = code

    result = aws.run("replay", "--yes", JOB)

    assert result.exit_code == exit_code
    assert said in result.output


@pytest.mark.parametrize(("typed", "exit_code", "events"), [("y\n", 0, 1), ("n\n", 2, 0), ("", 130, 0)])
def test_a_person_confirms_since_others_are_notified(
    aws: OperatorAws, monkeypatch: pytest.MonkeyPatch, typed: str, exit_code: int, events: int
) -> None:
    on_a_terminal(monkeypatch)

    result = aws.run("replay", JOB, stdin=typed)

    assert (result.exit_code, len(aws.events)) == (exit_code, events)
    assert f"Region {REGION}" in result.stderr
    assert "notify people again? [y/N]" in result.stderr


def test_without_a_terminal_a_confirmation_must_be_given(aws: OperatorAws) -> None:
    result = aws.run("replay", JOB)

    assert (result.exit_code, aws.calls) == (2, set())
    assert "pass --yes" in result.stderr


def test_an_invocation_has_the_time_of_a_report_and_is_never_repeated() -> None:
    session = boto3.Session("a", "b", region_name=REGION)
    config = Deployment(session, account="1").client("lambda", replay.INVOCATION).meta.config

    assert config.read_timeout > 15 * 60
    assert config.retries["total_max_attempts"] == 1


def test_what_failed_is_redone_as_it_was_sent_once_per_search_job(aws: OperatorAws) -> None:
    # Given a search job that failed every hour, one that was replayed, one that fails again
    again = request(OTHER_JOB, replay=True)
    aws.fail(state_change(JOB, "1"), state_change(JOB, "2"), again, request(THIRD_JOB), state_change(JOB, "3"))
    aws.function = lambda event: {"errorMessage": "Down."} if THIRD_JOB in str(event) else {**ANSWER, "created": False}

    result = aws.run("replay", "--failed")

    # Then each of them ran once, and only the messages of those that succeeded are gone
    assert aws.events == [state_change(JOB, "1"), again, request(THIRD_JOB)]
    assert aws.waiting() == [request(THIRD_JOB)]
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{JOB}  PARTIAL: 9 listed, 5 searched, 4 excluded, 3 failed (the report existed)",
        f"{OTHER_JOB}  PARTIAL: 9 listed, 5 searched, 4 excluded, 3 failed (the report existed)",
        f"{THIRD_JOB}  failed: Down.",
        "Messages: 4 deleted, 1 left in the failure queue.",
    ]


@pytest.mark.parametrize("as_json", [True, False])
def test_messages_that_can_never_succeed_stay_and_are_named(aws: OperatorAws, *, as_json: bool) -> None:
    aws.fail("no event", {"searchJobIdentifier": "x"}, request(JOB))
    aws.sqs.send_message(QueueUrl=aws.queue, MessageBody="no record")
    aws.function = lambda _: {"errorMessage": "AWS Backup does not know it.", "errorType": "SearchJobUnknown"}

    result = aws.run("replay", "--failed", *(["--json"] if as_json else []))

    assert result.exit_code == 1
    assert aws.events == [request(JOB)]
    if as_json:
        document = json.loads(result.stdout)
        assert document["messages"] == {"deleted": 0, "left": 4}
        assert [each["succeeded"] for each in document["reports"]] == [False] * 4
    else:
        assert result.stdout.count("It holds no request for a report.") == 3
        assert result.stdout.splitlines()[-1].endswith(f"aws sqs purge-queue --queue-url {aws.queue}")


def test_a_report_that_another_invocation_makes_keeps_its_message(aws: OperatorAws) -> None:
    aws.fail(state_change(JOB))
    aws.function = lambda _: {"inProgress": True}

    assert aws.run("replay", "--failed").exit_code == 1
    assert aws.waiting() == [state_change(JOB)]


def test_an_event_of_another_account_is_ignored_and_its_message_deleted(aws: OperatorAws) -> None:
    aws.fail(state_change(JOB))
    aws.function = lambda _: {"ignored": True}

    result = aws.run("replay", "--failed")

    assert (result.exit_code, aws.waiting()) == (0, [])
    assert result.stdout.startswith(f"{JOB}  ignored\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [([], "The failure queue is empty.\n"), (["--json"], {"reports": [], "messages": {"deleted": 0, "left": 0}})],
)
def test_an_empty_queue_is_no_failure(aws: OperatorAws, arguments: list[str], said: object) -> None:
    result = aws.run("replay", "--failed", *arguments)

    assert result.exit_code == 0
    assert said == (json.loads(result.stdout) if arguments else result.stdout)


def test_ctrl_c_leaves_the_message_in_the_queue(aws: OperatorAws) -> None:
    def interrupt(_: object) -> Any:
        raise KeyboardInterrupt

    aws.fail(state_change(JOB))
    aws.function = interrupt

    result = aws.run("replay", "--failed")

    assert (result.exit_code, result.stderr) == (130, "Interrupted.\n")
    assert aws.waiting() == [state_change(JOB)]
