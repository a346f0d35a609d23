"""What each check of the doctor finds, in a stack whose AWS returns scripted answers."""

import io
import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, ReadTimeoutError
from rich.console import Console

from cli.doctor.checkup import CHECKS, run_check, run_checks
from cli.doctor.finding import Finding, State, attention, ok
from cli.doctor.printout import as_json, print_findings
from cli.doctor.section import RUNBOOK, Section
from infra.settings import Settings
from search_coverage.names import SWEEP_DONE
from tests.infra.conftest import ROOT, synthesized
from tests.integration.command_line.broken_stacks import SQS_ENDPOINT, TABLE, Row, answers
from tests.integration.command_line.scripted_aws import (
    BUCKET_STATEMENTS,
    CREATED,
    IN_ORDER,
    NOW,
    OUTPUTS,
    POSTURE_STATEMENTS,
    REGION,
    RESULTS_STATEMENTS,
    SCHEDULE,
    SUBSCRIPTION,
    Answers,
    ScriptedStack,
    find,
    invoke_policy,
    log_line,
    log_of,
    refused,
)

OK, UNKNOWN, ATTENTION, WRONG = State.OK, State.UNKNOWN, State.ATTENTION, State.WRONG
NOT_FOUND = "ResourceNotFoundException"


def not_in_order(findings: Mapping[str, Finding]) -> dict[str, State]:
    """Return what is neither in order nor unknown."""
    return {name: each.state for name, each in findings.items() if each.state in {WRONG, ATTENTION}}


def test_a_stack_in_order_is_in_order() -> None:
    findings = dict(run_checks(ScriptedStack()))

    assert {name: each.found for name, each in findings.items() if each != ok(each.found)} == {}
    assert list(findings) == ["stack", *(check.name for check in CHECKS)]


@pytest.mark.parametrize(
    ("check", "operation", "row"), [(*about, row) for about, rows in TABLE.items() for row in rows]
)
def test_what_is_broken_is_found_and_nothing_else(check: str, operation: str, row: Row) -> None:
    findings = dict(run_checks(ScriptedStack(answers(operation, row.answer))))

    assert not_in_order(findings) == {check: row.state}
    assert row.found in findings[check].found
    assert row.remedy in findings[check].remedy
    assert findings[check].section is row.section


@pytest.mark.parametrize(
    ("operation", "answer", "found"),
    [
        ("GetBucketPolicy", {"Policy": '{"Statement": []}'}, "so others can write results"),
        ("GetBucketVersioning", {}, "results keeps no versions"),
        ("DescribeKey", {"KeyMetadata": {"KeyState": "Disabled"}}, "no result can be written or read"),
    ],
)
def test_what_is_broken_about_the_results_is_found_where_they_are_kept(
    operation: str, answer: Mapping[str, Any], found: str
) -> None:
    broken = find("bucket of the results", ScriptedStack(answers(operation, answer), keeps_results=True))

    assert broken.state is WRONG
    assert found in broken.found
    assert find("bucket of the results", ScriptedStack(keeps_results=True)).state is OK
    assert find("bucket of the results", ScriptedStack(answers(operation, answer))).state is OK


# The stack and its searches


@pytest.mark.parametrize(
    ("status", "state", "part"),
    [
        ("CREATE_COMPLETE", OK, "with 6 resources"),
        ("UPDATE_COMPLETE", OK, "is UPDATE_COMPLETE"),
        ("UPDATE_IN_PROGRESS", ATTENTION, "it is being deployed"),
        ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", ATTENTION, "it is being deployed"),
        ("UPDATE_ROLLBACK_COMPLETE", ATTENTION, "the earlier version is back"),
        ("ROLLBACK_COMPLETE", WRONG, "is ROLLBACK_COMPLETE"),
        ("CREATE_FAILED", WRONG, "is CREATE_FAILED"),
        ("UPDATE_ROLLBACK_FAILED", WRONG, "is UPDATE_ROLLBACK_FAILED"),
        ("DELETE_IN_PROGRESS", WRONG, "its removal has started"),
        ("DELETE_FAILED", WRONG, "its removal has started"),
    ],
)
def test_the_status_of_the_stack_is_named(status: str, state: State, part: str) -> None:
    finding = find("stack", ScriptedStack(status=status))

    assert finding.state is state
    assert part in finding.found
    assert bool(finding.remedy) is (state is not OK)


def test_missing_outputs_are_named_and_a_check_that_needs_one_is_unknown() -> None:
    deployment = ScriptedStack()
    deployment.__dict__["outputs"] = {name: OUTPUTS[name] for name in OUTPUTS if name != "IdempotencyTableName"}

    assert find("stack", deployment).found.endswith("has no output IdempotencyTableName.")
    finding = find("table", deployment)
    assert (finding.state, finding.section) == (UNKNOWN, Section.UPGRADE)
    assert finding.found == "The stack has no output IdempotencyTableName."


@pytest.mark.parametrize(
    ("error", "state", "found"),
    [
        (
            refused("DescribeStacks", "AccessDenied", "Not you."),
            UNKNOWN,
            "You do not have permission to call DescribeStacks (Not you).",
        ),
        (
            refused("DescribeStacks", "ValidationError", "Stack with id SearchCoverage does not exist"),
            WRONG,
            f"There is no stack SearchCoverage in account 123456789012, Region {REGION}.",
        ),
    ],
)
def test_without_a_stack_only_the_checks_run_that_do_not_need_it(error: ClientError, state: State, found: str) -> None:
    deployment = ScriptedStack({**IN_ORDER, "DescribeStacks": error})
    for known in ("stack", "outputs", "resources"):
        del deployment.__dict__[known]

    findings = dict(run_checks(deployment))

    assert (findings["stack"].state, findings["stack"].found) == (state, found)
    assert set(findings) == {"stack", "AWS Backup search"}


@pytest.mark.parametrize(
    ("error", "found"),
    [
        (refused("ListSearchJobs", "ThrottlingException", "Rate exceeded"), "ThrottlingException: Rate exceeded."),
        (refused("ListSearchJobs", "InternalServerException", "Down."), "InternalServerException: Down."),
        (EndpointConnectionError(endpoint_url="http://x"), f"is not reachable in Region {REGION}."),
        (ReadTimeoutError(endpoint_url="http://x"), f"is not reachable in Region {REGION}."),
    ],
)
def test_a_search_that_does_not_answer_is_wrong_and_overdue_reports_are_unknown(
    error: BotoCoreError | ClientError, found: str
) -> None:
    findings = dict(run_checks(ScriptedStack({**IN_ORDER, "ListSearchJobs": error})))

    assert not_in_order(findings) == {"AWS Backup search": WRONG}
    assert findings["AWS Backup search"].found.endswith(found)
    assert findings["overdue reports"].state is UNKNOWN


@pytest.mark.parametrize(
    ("hours", "objects", "state"),
    [
        (5, (), WRONG),
        (0.5, (), OK),
        (None, (), WRONG),  # AWS returns no date
        (5, ("summary.json",), OK),
        (5, ("notification-pending.json", "summary.json"), WRONG),
    ],
)
def test_a_search_job_without_its_report_is_overdue_after_an_hour(
    hours: float | None, objects: tuple[str, ...], state: State
) -> None:
    identifier = "11111111-2222-3333-4444-555555555555"
    deployment = ScriptedStack()
    arn = deployment.arn("backup-search", f"search-job/{identifier}")
    date = {} if hours is None else {"CompletionTime": deployment.now() - timedelta(hours=hours)}
    job = {"SearchJobIdentifier": identifier, "SearchJobArn": arn, "Status": "COMPLETED", **date}
    ScriptedStack.answers = {
        **IN_ORDER,
        "ListSearchJobs": {"SearchJobs": [job]},
        "GetSearchJob": job,
        "ListObjectsV2": {"Contents": [{"Key": f"reports/1/x/2026/11/21/{identifier}/{name}"} for name in objects]},
    }

    finding = find("overdue reports", deployment)

    assert finding.state is state
    assert (identifier in finding.found) is (state is WRONG)
    assert finding.section is (Section.OVERDUE if state is WRONG else None)


# The sweeps

SWEPT = log_line(SWEEP_DONE)


@pytest.mark.parametrize(
    ("rate", "lines", "state", "part"),
    [
        (1, [(0.5, SWEPT)], OK, "less than a minute ago"),
        (1, [(14, SWEPT)], OK, "14 minutes ago"),
        (1, [(16, SWEPT)], WRONG, "16 minutes ago, and the log has no error since"),
        (15, [(44, SWEPT)], OK, "44 minutes ago"),
        (15, [(46, SWEPT)], WRONG, "46 minutes ago"),
        (
            1,
            [(200, SWEPT), (190, log_line("First.", "ERROR")), (3, log_line("Last.", "ERROR"))],
            WRONG,
            "3 hours ago. The last error since then: Last.",
        ),
        (1, [(40, SWEPT), (5, "2026-11-21 x Task timed out after 60.00 seconds")], WRONG, "Task timed out after 60.00"),
        (1, [(40, log_line("An ERROR of others", "WARNING"))], WRONG, "24 hours ago, or never, and the log has no err"),
        (1, [(5, log_line("not a 'sweep done' line"))], WRONG, "or never"),
    ],
)
def test_the_last_sweep_is_found_in_the_log(rate: int, lines: list[tuple[float, str]], state: State, part: str) -> None:
    log = log_of(*((timedelta(minutes=minutes), text) for minutes, text in lines))
    schedule = {**SCHEDULE, "ScheduleExpression": f"rate({rate} minute{'s' if rate > 1 else ''})"}

    finding = find("last sweep", ScriptedStack({**IN_ORDER, "FilterLogEvents": log, "GetSchedule": schedule}))

    assert finding.state is state
    assert part in finding.found
    assert finding.section in {None, Section.SILENT, Section.SWEEPS_FAIL}


def test_a_stack_may_have_no_sweep_in_its_first_minutes() -> None:
    no_schedule: dict[str, Any] = {
        "FilterLogEvents": {"events": []},
        "GetSchedule": refused("GetSchedule", "AccessDenied"),
    }

    finding = find("last sweep", ScriptedStack({**IN_ORDER, **no_schedule}, now=CREATED + timedelta(minutes=3)))

    assert finding.state is ATTENTION


# Other answers that are in order


def test_a_permission_for_every_rule_allows_this_one() -> None:
    assert find("rule", ScriptedStack(answers("GetPolicy", invoke_policy()))).state is OK


def test_other_endpoints_than_addresses_are_counted() -> None:
    both = {"Subscriptions": [SUBSCRIPTION, SQS_ENDPOINT]}

    finding = find("report emails", ScriptedStack(answers("ListSubscriptionsByTopic", both)))

    assert finding == ok("Confirmed: me@example.com, other endpoints: 1.")


def test_the_statements_that_the_doctor_looks_for_are_in_the_stack() -> None:
    written = synthesized(Settings()).resource("ReportStoreBucketPolicy")["PolicyDocument"]["Statement"]

    of_both = {*BUCKET_STATEMENTS, *POSTURE_STATEMENTS}
    assert of_both == {each["Sid"] for each in written if "Sid" in each}
    of_results = synthesized(Settings(keep_results=True)).resource("ResultsStoreBucketPolicy")
    assert set(RESULTS_STATEMENTS) == {
        each["Sid"] for each in of_results["PolicyDocument"]["Statement"] if "Sid" in each
    }


# Whatever AWS answers


class EveryOperation(dict[str, Any]):
    """Returns the same answer to every operation."""

    def __init__(self, answer: Any) -> None:
        super().__init__()
        self._answer = answer

    def __missing__(self, operation: str) -> Any:
        return refused(operation, "AccessDenied", "Not you") if self._answer is None else self._answer


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_without_a_permission_every_check_is_unknown(check: Any) -> None:
    finding = run_check(check, ScriptedStack(EveryOperation(None), keeps_results=True, takes_postures=True))

    assert finding.state is UNKNOWN
    assert re.fullmatch(r"You do not have permission to call \w+ \(Not you\)\.", finding.found)
    assert (finding.remedy, finding.section) == (
        "Use credentials that have the permissions listed there",
        Section.DOCTOR,
    )


def test_what_an_operator_cannot_see_is_unknown_and_all_else_is_in_order() -> None:
    operations = ("GetSchedule", "DescribeKey", "SimulatePrincipalPolicy")
    denied = {operation: refused(operation, "AccessDenied", "Not you") for operation in operations}

    findings = dict(run_checks(ScriptedStack({**IN_ORDER, **denied})))

    unknown = [name for name, finding in findings.items() if finding.state is UNKNOWN]
    of_others = [name for name in findings if re.match("schedule|KMS key of the|role", name) and "posture" not in name]
    assert unknown == of_others
    assert {finding.state for finding in findings.values()} == {OK, UNKNOWN}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
@pytest.mark.parametrize("nonsense", [{}, {"Table": None, "State": 7, "events": None}], ids=["nothing", "nonsense"])
def test_every_check_survives_an_undocumented_answer(check: Any, nonsense: dict[str, Any]) -> None:
    finding = run_check(check, ScriptedStack(EveryOperation(nonsense)))

    assert finding.found.endswith((".", ")"))
    assert "Traceback" not in finding.found


# What is printed, and where it points


def test_every_section_that_is_named_is_in_the_runbook() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / RUNBOOK).read_text(encoding="utf-8"), re.MULTILINE)

    assert {str(section) for section in Section} <= set(headings)


@pytest.mark.parametrize(("encoding", "symbols"), [("utf-8", "✓!"), ("ascii", "+!")])
def test_a_line_has_a_symbol_and_a_word_and_stays_a_line(encoding: str, symbols: str) -> None:
    written = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    findings = {"first": ok("It is [there]. " + "x" * 100), "second": attention("It is odd.", "Look", Section.ALARMS)}

    print_findings(findings, Console(file=written, width=40, highlight=False), left_out=3)

    written.seek(0)
    first, second, remedy, summary = written.read().splitlines()
    assert first.startswith(f"{symbols[0]} ok        first ")
    assert first.endswith(f"It is [there]. {'x' * 100}")
    assert second.startswith(f"{symbols[1]} attention second ")
    assert remedy == f'            -> Look ({RUNBOOK}, "Before you begin").'
    assert summary == (
        "The product works, and something needs attention: 1 ok, 0 unknown, 1 attention, 0 wrong, "
        "3 not run because there is no stack."
    )


def test_the_document_has_the_same_content() -> None:
    second = {"name": "second", "state": "attention", "found": "It is odd.", "remedy": "Look", "section": "Upgrade"}
    findings = {"first": ok("Fine."), "second": attention("It is odd.", "Look", Section.UPGRADE)}

    assert json.loads(json.dumps(as_json(findings, left_out=0))) == {
        "state": "attention",
        "counts": {"ok": 1, "unknown": 0, "attention": 1, "wrong": 0},
        "notRun": 0,
        "checks": [{"name": "first", "state": "ok", "found": "Fine.", "remedy": "", "section": None}, second],
    }


# The posture


def posture_taken(ago: timedelta, *lines: str) -> Answers:
    """Return an AWS in which the last posture was taken some time ago, and these lines are in its function's log."""
    folder = "posture/123456789012/us-east-1/2026/11/21"
    taken = [
        {"Key": f"{folder}/{name}", "LastModified": NOW - ago}
        for name in ("posture.html", "sources.csv", "summary.json")
    ]
    later = {"Key": f"{folder}/../last-mail.json", "LastModified": NOW}
    return {
        **IN_ORDER,
        "ListObjectsV2": {"Contents": [*taken, later]},
        "FilterLogEvents": log_of(*((ago, line) for line in lines)),
        "GetSchedule": {**SCHEDULE, "ScheduleExpression": "rate(1 day)"},
    }


def posture_line(status: str) -> str:
    sources = {"total": 80, "newestSearchable": 61}
    return json.dumps({"level": "INFO", "message": "posture done", "status": status, "sources": sources})


@pytest.mark.parametrize(
    ("hours", "lines", "state", "found"),
    [
        (1, [posture_line("COMPLETE")], OK, "61 of 80 sources can be searched"),
        (47, [posture_line("COMPLETE")], OK, "61 of 80 sources can be searched"),
        (1, [posture_line("PARTIAL")], ATTENTION, "did not read all vaults"),
        (1, [], UNKNOWN, "the log does not say whether it read all vaults"),
        (49, [posture_line("COMPLETE")], WRONG, "the log has no error since"),
        (49, [log_line("No vault.", "ERROR")], WRONG, "The last error since then: No vault."),
    ],
)
def test_the_last_posture_is_fresh_and_whole(hours: float, lines: list[str], state: State, found: str) -> None:
    finding = find("last posture", ScriptedStack(posture_taken(timedelta(hours=hours), *lines), takes_postures=True))

    assert (finding.state, found in finding.found) == (state, True), finding


def test_no_posture_at_all_is_wrong_and_for_a_new_stack_only_early() -> None:
    none = {**posture_taken(timedelta()), "ListObjectsV2": {}}
    later = ScriptedStack(none, takes_postures=True, now=CREATED + timedelta(days=3))
    assert find("last posture", later).state is WRONG
    just_now = ScriptedStack(none, takes_postures=True, now=CREATED + timedelta(minutes=5))
    assert find("last posture", just_now).state is ATTENTION
    assert find("last posture", ScriptedStack()).found == "No posture is taken (setting postureSchedule)."


def test_the_schedule_of_the_posture_is_on_and_starts_its_function() -> None:
    started = json.loads(json.dumps(SCHEDULE).replace(":watch", ":posture"))

    fine = find("schedule of the posture", ScriptedStack(answers("GetSchedule", started), takes_postures=True))
    other = find("schedule of the posture", ScriptedStack(takes_postures=True))
    off = find(
        "schedule of the posture",
        ScriptedStack(answers("GetSchedule", {**started, "State": "DISABLED"}), takes_postures=True),
    )

    assert (fine.state, other.state, off.state) == (OK, WRONG, WRONG)
    assert off.found == "posture-schedule is DISABLED, so no posture starts."
