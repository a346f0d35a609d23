"""The report function: from the event to the answer, with a log that says what happened."""

import errno
import traceback
from types import ModuleType
from typing import Any

import pytest

from search_coverage.coverage.errors import SearchCoverageError, UnexpectedError
from search_coverage.handlers.environment import EnvironmentInvalid, ReportEnvironment
from search_coverage.handlers.report_request import InvalidRequest
from search_coverage.use_cases.ports import NotPublished, ReportInProgress
from search_coverage.use_cases.report_search_job import NotificationPending
from tests.conftest import Log
from tests.examples import JANE, JOB_ID, backup
from tests.fakes import FAILED, SEARCHED, World
from tests.functions import ENVIRONMENT, function, metrics_in
from tests.invocation import ACCOUNT, REGION, Context, state_change
from tests.planted import refuse_planted
from tests.unit.test_hostile_input import CORPUS

EVENT = state_change(JOB_ID)
STOPPED = backup(status="STOPPED")
FOREIGN = {"source": "aws.backup", "detail-type": "Backup Job State Change", "detail": {}}


@pytest.fixture(scope="module")
def module() -> ModuleType:
    """The function's module; it takes longer to load it than to run a test."""
    with pytest.MonkeyPatch.context() as patch:
        return function("report", patch)


@pytest.fixture
def world() -> World:
    world = World()
    world.add_job()
    world.backups = [SEARCHED, SEARCHED, FAILED]
    return world


@pytest.fixture
def report(module: ModuleType, world: World, monkeypatch: pytest.MonkeyPatch, log: Log) -> Any:
    """The handler, over the fakes of the world."""
    monkeypatch.setattr(module, "report_search_job", world.reporter())
    return module.handler


def test_the_answer_is_the_detail_of_the_event_and_whether_the_report_was_created(report: Any, world: World) -> None:
    answers = [report(EVENT, Context()) for _ in range(2)]

    assert answers == [{**world.reported[0], "created": created} for created in (True, False)]


# Events


@pytest.mark.parametrize(
    ("event", "sentence"),
    [
        (None, "The event is nothing, not a JSON object. Expected"),
        ([], "The event is a list, not a JSON object. Expected"),
        ({}, "searchJobIdentifier is missing; expected the UUID"),
        (FOREIGN, "source 'aws.backup' and detail-type 'Backup Job State Change'. Expected an EventBridge event"),
        (EVENT | {"detail": "x"}, "detail of the event is a str, not a JSON object"),
        (state_change("not-a-uuid"), "searchJobIdentifier is 'not-a-uuid'; expected the UUID"),
        ({"searchJobIdentifier": 7}, "searchJobIdentifier is '7'; expected the UUID"),
        ({"searchJobId": "x"}, "unknown member 'searchJobId'"),
        ({"searchJobIdentifier": "x", "replay": "yes"}, "replay is 'yes'; it takes true or false"),
        # A direct invocation has no origin that could be ignored
        ({"searchJobIdentifier": "x", "account": "999999999999"}, "unknown member 'account'"),
    ],
)
def test_an_event_that_is_not_ours_is_refused_with_a_sentence_in_the_log(
    report: Any, log: Log, event: object, sentence: str
) -> None:
    with pytest.raises(SearchCoverageError) as refused:
        report(event, Context())

    assert sentence in str(refused.value)
    (line,) = log.lines
    assert (line["level"], line["message"]) == ("ERROR", str(refused.value))
    assert line["error"] == type(refused.value).__name__
    assert "exception" not in line


def test_each_invalid_event_is_one_line_of_the_log(report: Any, world: World, log: Log) -> None:
    for event in CORPUS:
        with pytest.raises(SearchCoverageError):
            report(event, Context())

    assert len(log.lines) == len(CORPUS)
    assert {line["level"] for line in log.lines} == {"ERROR"}
    assert not any(line["message"] == "forged" for line in log.lines)
    assert world.bucket.objects == {}


@pytest.mark.parametrize(
    "origin",
    [
        {"account": "999999999999"},
        {"region": "eu-central-1"},
        {"account": "999999999999", "region": "eu-west-1"},
        {"account": "x" * 10_000},
    ],
    ids=lambda origin: str(origin)[:60],
)
def test_a_forwarded_event_is_logged_and_done(report: Any, world: World, log: Log, origin: dict[str, str]) -> None:
    # Then it counts as done, so that Lambda neither tries it again nor puts it into the failure queue
    assert report(EVENT | origin, Context()) == {"ignored": True}
    # And nothing was read or written for it
    assert world.calls == []
    # And the log says in a sentence what it was, as no error
    (line,) = log.lines
    account, region = origin.get("account", ACCOUNT)[:100], origin.get("region", REGION)
    assert line["level"] == "WARNING"
    assert line["message"].startswith(
        f"The event is of account {account!r} and Region {region!r}, and this is account {ACCOUNT} and Region {REGION}:"
    )
    assert "forwarded" in line["message"]
    assert len(log.getvalue()) < 2000


@pytest.mark.parametrize("origin", [5, None, ["x"], {}])
def test_an_origin_that_is_no_text_is_refused_with_a_sentence(report: Any, origin: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"The account of the event is .*, not a text"):
        report(EVENT | {"account": origin}, Context())


# Errors


def test_a_report_that_another_invocation_makes_is_left_to_it(report: Any, world: World, log: Log) -> None:
    world.fails["acquire"] = ReportInProgress(JOB_ID, "another request")

    assert report(EVENT, Context()) == {"searchJobIdentifier": JOB_ID, "created": False, "inProgress": True}
    assert [line["level"] for line in log.lines] == ["INFO"]
    assert world.bucket.objects == {}


@pytest.mark.parametrize(
    ("event", "owner"), [(EVENT, "this request"), ({"searchJobIdentifier": JOB_ID, "replay": True}, "another request")]
)
def test_a_retry_and_a_replay_beside_a_live_owner_fail_so_that_they_are_tried_again(
    report: Any, world: World, log: Log, event: object, owner: str
) -> None:
    world.fails["acquire"] = ReportInProgress(JOB_ID, owner)

    with pytest.raises(ReportInProgress, match="Lambda tries this one again"):
        report(event, Context(aws_request_id="this request"))
    assert log.lines[-1]["error"] == "ReportInProgress"


def test_an_error_of_our_own_is_logged_with_its_lines_of_code_and_without_its_text(
    report: Any, world: World, log: Log
) -> None:
    nothing: dict[str, str] = {}
    world.does["end of the list"] = lambda: nothing[JANE]

    with pytest.raises(UnexpectedError) as raised:
        report(EVENT, Context())

    line = log.lines[-1]
    assert (line["level"], line["error"], line["search_job_id"]) == ("ERROR", "KeyError", JOB_ID)
    assert line["message"] == str(raised.value)
    assert line["message"].startswith("unexpected error: KeyError at fakes.py:")
    assert "in pages_of_backups" in line["traceback"]
    # Lambda writes what ends an invocation into the log and into the failure queue
    refuse_planted("".join(traceback.format_exception(raised.value)), "the error")


def test_of_an_error_of_the_operating_system_the_text_is_logged(report: Any, world: World, log: Log) -> None:
    world.fails["end of the list"] = OSError(errno.EIO, "Input/output error", JANE)

    with pytest.raises(UnexpectedError, match=r"OSError \(Input/output error\) at "):
        report(EVENT, Context())


def test_a_report_whose_messages_are_pending_is_counted_and_logged_and_fails(
    report: Any, world: World, log: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    world.fails["publish digest"] = NotPublished("SNS is not there.")

    with pytest.raises(NotificationPending, match=r"is whole, but its messages are not sent.*SNS is not there"):
        report(EVENT, Context())

    assert '"ReportsIncomplete":[1.0]' in capsys.readouterr().out
    assert [line["message"] for line in log.lines][-2] == "report done"
    assert log.lines[-1]["error"] == "NotificationPending"


# Metrics


@pytest.mark.parametrize(
    ("job", "backups", "counted", "by_reason"),
    [
        ({}, [SEARCHED, SEARCHED, FAILED], (3, 2, 1, 1, 1), {"PERMISSION_DENIED": [1.0]}),
        ({}, [*[FAILED] * 2, *[STOPPED] * 3], (5, 0, 5, 2, 1), {"PERMISSION_DENIED": [2.0], "NOT_FINISHED": [3.0]}),
        ({}, [SEARCHED], (1, 1, 0, 0, 0), {}),
        ({"status": "FAILED"}, [], (0, 0, 0, 0, 1), {}),
    ],
)
def test_the_metrics_count_backups_and_reports_and_never_name_a_search_job(
    report: Any,
    world: World,
    capsys: pytest.CaptureFixture[str],
    job: Any,
    *,
    backups: Any,
    counted: Any,
    by_reason: Any,
) -> None:
    world.add_job(**job)
    world.backups = backups

    report(EVENT, Context())

    blobs = metrics_in(capsys.readouterr().out)
    described = [each for blob in blobs for each in blob["_aws"]["CloudWatchMetrics"]]
    assert {each["Namespace"] for each in described} == {"SearchCoverage"}
    dimensions = {name for each in described for names in each["Dimensions"] for name in names}
    assert {"service", "verdict"} <= dimensions <= {"service", "verdict", "reason"}
    assert JOB_ID not in str(blobs)
    (backups_blob,) = [blob for blob in blobs if "BackupsListed" in blob]
    names = ("BackupsListed", "BackupsSearched", "BackupsExcluded", "BackupsFailed", "ReportsIncomplete")
    assert tuple(backups_blob[name] for name in names) == tuple([float(count)] for count in counted)
    assert backups_blob["ReportDuration"][0] >= 0
    assert [blob["Reports"] for blob in blobs if "Reports" in blob] == [[1.0]]
    assert {blob["reason"]: blob["BackupsExcluded"] for blob in blobs if "reason" in blob} == by_reason


# Environment


@pytest.mark.parametrize(
    "variable", ["REPORT_BUCKET", "ALERTS_TOPIC_ARN", "EVENT_BUS_NAME", "IDEMPOTENCY_TABLE", "NOTIFY_ON"]
)
def test_a_missing_variable_is_named(variable: str) -> None:
    with pytest.raises(EnvironmentInvalid, match=f"{variable} of this function is not set"):
        ReportEnvironment.read({**ENVIRONMENT, variable: ""})


@pytest.mark.parametrize(
    ("name", "variable", "value", "allowed"),
    [
        ("report", "NOTIFY_ON", "NEVER", "FAILED, EXCLUDED, ALWAYS"),
        ("report", "INVENTORY", "MAYBE", "ON, OFF"),
        ("watch", "SEARCH_JOB_STATUSES", "COMPLETED, RUNNING", "COMPLETED, FAILED, STOPPED"),
    ],
)
def test_a_wrong_variable_is_named_at_init_with_what_is_allowed(
    monkeypatch: pytest.MonkeyPatch, name: str, variable: str, value: str, allowed: str
) -> None:
    wrong = value.rpartition(", ")[2]
    with pytest.raises(EnvironmentInvalid, match=f"{variable} .* '{wrong}'; allowed is {allowed}"):
        function(name, monkeypatch, {**ENVIRONMENT, variable: value})
