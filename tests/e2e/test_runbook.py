"""The runbook's commands do what docs/operations.md says, in the state that each section is about.

They are read from the document and run by bash with the AWS CLI, against the deployed stack in the embedded AWS.
"""

import csv
import io
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from search_coverage.names import REPORT_DONE, SEARCH_JOB_ANNOUNCED, SERVICE, STATE_CHANGE
from simulators.backup_search import BackupGroup, BackupSimulator, Scenario
from tests.e2e.conftest import Stack, eventually
from tests.e2e.runbook import DOCUMENT, ROOT, SETUP, Block, Shell, block, blocks, commands_in_prose

EXAMPLE = "11111111-2222-3333-4444-555555555555"
DENIED = "Access denied. You do not have permission to search the recovery point."
PARTIAL = (BackupGroup(count=4), BackupGroup(count=2, status="FAILED", status_message=DENIED))

NOT_RUN = {
    (
        "Upgrade",
        1,
    ): "git and make change the folder that is being tested; `cdk deploy` is what the fixture `stack` runs",
    ("Roll back", 1): "git checks out another version, over the one that is being tested",
    ("Remove", 1): "`cdk destroy` would take the stack from the tests that follow",
}
"""Blocks that are not run, and why. None of them holds a command of the AWS CLI; bash reads them without running."""

PROSE_ELSEWHERE = {
    'aws sqs purge-queue --queue-url "$FAILURE_QUEUE"',
    'aws sqs purge-queue --queue-url "$RULE_QUEUE"',
    'aws sqs purge-queue --queue-url "$SCHEDULE_QUEUE"',
    "aws kms cancel-key-deletion --key-id KEY-ARN",
}
"""Commands within sentences that have a test of their own, since they change something."""

_run: set[tuple[str, int]] = set()


def runs(section: str, number: int = 1) -> pytest.MarkDecorator:
    """Hand a test the block of the runbook that it is about, as ``commands``."""
    _run.add((section, number))
    return pytest.mark.parametrize("commands", [(section, number)], ids=[f"{section} {number}"], indirect=True)


@pytest.fixture
def commands(request: pytest.FixtureRequest) -> str:
    text = block(*request.param).text
    if "jq" in text and shutil.which("jq") is None:
        pytest.skip("jq is not installed here; the runbook's commands need it")
    return text


@pytest.fixture(scope="module")
def shell(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(stack.aws, tmp_path_factory.mktemp("runbook"))


@pytest.fixture(scope="module", autouse=True)
def nothing_by_itself(stack: Stack, simulator: BackupSimulator) -> Iterator[None]:
    """Stop the schedule, so that nobody but the runbook acts; and let AWS forget what other tests left."""
    scheduler = stack.aws.client("scheduler")
    schedule = scheduler.get_schedule(Name=stack.outputs["ScheduleName"])
    needed = ("Name", "ScheduleExpression", "FlexibleTimeWindow", "Target", "Description")
    settings = {name: schedule[name] for name in needed}
    scheduler.update_schedule(**settings, State="DISABLED")
    simulator.move_clock(timedelta(days=8))
    yield
    scheduler.update_schedule(**settings, State="ENABLED")


# ---- the document as a whole


def test_every_block_is_run_or_said_not_to_be_with_a_reason() -> None:
    written = {(found.section, found.number) for found in blocks(DOCUMENT.read_text(encoding="utf-8"))}

    assert written == _run | NOT_RUN.keys()
    assert not _run & NOT_RUN.keys()


@pytest.mark.parametrize("place", NOT_RUN, ids=str)
def test_what_is_not_run_is_at_least_bash_and_no_business_of_the_aws_cli(place: tuple[str, int]) -> None:
    text = block(*place).text

    subprocess.run(["bash", "-n"], input=text, text=True, check=True)
    assert not re.search(r"^\s*aws ", text, re.MULTILINE)


def test_a_new_block_is_found_whatever_stands_around_it() -> None:
    text = "# T\n\n## One\n\n```bash\na\n```\n\n```json\n{}\n```\n\n```bash\nb\nc\n```\n\n## Two\n\n```bash\nd\n```\n"

    assert list(blocks(text)) == [Block("One", 1, "a\n"), Block("One", 2, "b\nc\n"), Block("Two", 1, "d\n")]


# ---- before you begin


@runs(SETUP, 1)
def test_the_variables_name_what_was_deployed(commands: str, shell: Shell, stack: Stack) -> None:
    said = shell.run(commands + "".join(f'echo "${name}"\n' for name in shell.variables))

    assert said.lines == [stack.outputs[output] for output in shell.variables.values()]
    assert shell.variables.keys() >= {"BUCKET", "REPORT_FUNCTION", "WATCH_FUNCTION", "FAILURE_QUEUE"}


@runs(SETUP, 2)
def test_errors_are_lines_of_json_that_name_the_search_job(commands: str, shell: Shell, stack: Stack) -> None:
    # Given an error, and another one
    for _ in range(2):
        stack.invoke(stack.outputs["ReportFunctionName"], {"searchJobIdentifier": EXAMPLE})

    # When somebody looks at what the function complained about
    errors = eventually(lambda: _errors(shell, commands, EXAMPLE, times=2), seconds=30)

    # Then each known error is a line of JSON, and says what the document promises
    assert [error["error"] for error in errors] == ["SearchJobUnknown"] * 2
    assert errors[0]["message"].startswith(f"AWS Backup does not know search job {EXAMPLE}.")


def _errors(shell: Shell, commands: str, search_job: str, *, times: int) -> list[dict[str, Any]] | None:
    errors = [json.loads(line) for line in shell.run(commands).lines if line.startswith("{")]
    assert all(error["level"] == "ERROR" for error in errors)
    about_it = [error for error in errors if error.get("search_job_id") == search_job]
    return about_it if len(about_it) == times else None


@runs(SETUP, 3)
def test_alarms_that_are_on_are_shown_with_the_section_that_helps(commands: str, shell: Shell, stack: Stack) -> None:
    # Given an alarm of the stack that is on, and others that are not
    cloudwatch = stack.aws.client("cloudwatch")
    alarms = cloudwatch.describe_alarms()["MetricAlarms"]
    (name,) = [alarm["AlarmName"] for alarm in alarms if "FailureQueueNotEmpty" in alarm["AlarmName"]]
    before = {alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] != "ALARM"}
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="to see it")

    # When
    shown = dict(shell.run(commands).rows)
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="seen")

    # Then it is there, and its text ends with a section that the document has
    assert name in shown
    after = {
        alarm["AlarmName"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"] if alarm["StateValue"] != "ALARM"
    }
    calm = before & after - {name}
    assert calm
    assert not shown.keys() & calm
    sections = re.findall(r"^## (.+)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    found = re.search(r"docs/operations\.md, section '([^']+)'\.$", shown[name])
    assert found
    assert found[1] in sections


# ---- alarms


@runs("The dashboard and the saved queries")
def test_the_life_of_a_search_job_is_told_by_both_logs(
    commands: str, shell: Shell, stack: Stack, simulator: BackupSimulator
) -> None:
    # Given a search job that was announced and reported, and another one
    search_job = simulator.finish_job(Scenario("life", PARTIAL))
    other = simulator.finish_job(Scenario("other-life", PARTIAL))
    stack.sweep()
    eventually(lambda: stack.summary(search_job) and stack.summary(other), seconds=30)

    # When
    lines = eventually(lambda: _life(shell, commands, search_job, last=REPORT_DONE), seconds=15)

    # Then the lines of both functions tell of the one, and of no other
    assert lines[0]["message"] == SEARCH_JOB_ANNOUNCED
    assert lines[-1]["message"] == REPORT_DONE
    assert all(other not in json.dumps(line) for line in lines)


def _life(shell: Shell, commands: str, search_job: str, *, last: str) -> list[dict[str, Any]] | None:
    lines = [json.loads(line) for line in shell.run(commands, placeholders={EXAMPLE: search_job}).lines]
    return lines if lines and lines[-1]["message"] == last else None


@runs("Reports are throttled")
def test_throttling_is_seen_in_the_share_the_account_and_the_metric(commands: str, shell: Shell, stack: Stack) -> None:
    # Given a function that somebody stopped, and what it needed before
    function = stack.outputs["ReportFunctionName"]
    aws_lambda = stack.aws.client("lambda")
    aws_lambda.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    _measure(stack, "AWS/Lambda", "ConcurrentExecutions", {"FunctionName": function}, 7)

    # When
    try:
        said = shell.run(commands)
    finally:
        aws_lambda.delete_function_concurrency(FunctionName=function)

    # Then
    share, account, metric = _documents_then_rows(said.output)
    assert share == {"ReservedConcurrentExecutions": 0}
    assert account.keys() >= {"ConcurrentExecutions", "UnreservedConcurrentExecutions"}
    assert [float(row[1]) for row in metric] == [7]


def _measure(stack: Stack, namespace: str, name: str, dimensions: dict[str, str], value: float) -> None:
    pairs = [{"Name": key, "Value": text} for key, text in dimensions.items()]
    a_minute_ago = datetime.now(UTC) - timedelta(minutes=1)  # the commands ask for whole seconds
    data = {"MetricName": name, "Dimensions": pairs, "Value": value, "Timestamp": a_minute_ago}
    stack.aws.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=[data])


def _documents_then_rows(output: str) -> tuple[Any, Any, list[list[str]]]:
    decoder = json.JSONDecoder()
    one, end = decoder.raw_decode(output)
    rest = output[end:].lstrip()
    two, end = decoder.raw_decode(rest)
    return one, two, [line.split("\t") for line in rest[end:].splitlines() if line]


@runs("A failure could not be kept")
def test_the_queues_that_keep_failures_are_shown_and_there(commands: str, shell: Shell, stack: Stack) -> None:
    arns = shell.run(commands).lines

    failure, rule = (
        stack.outputs[output].rsplit("/", 1)[1] for output in ("FailureQueueUrl", "RuleDeadLetterQueueUrl")
    )
    assert [arn.rsplit(":", 1)[1] for arn in arns] == [failure, rule, failure, rule]
    assert all(arn.startswith("arn:aws:sqs:") for arn in arns)


@runs("Sweeps fail")
def test_a_sweep_by_hand_answers_with_counts_or_with_what_is_wrong(
    commands: str, shell: Shell, simulator: BackupSimulator
) -> None:
    # When a sweep goes well
    answer = shell.run(commands).output

    # Then it says what it found
    assert json.JSONDecoder().raw_decode(answer)[0].keys() >= {"known", "ended", "unreported", "announced"}

    # When AWS refuses the list
    fault = simulator.faults.add("error", operation="ListSearchJobs", error_code="AccessDeniedException")
    answer = shell.run(commands).output
    simulator.faults.remove(fault)

    # Then the answer names the call
    assert "AccessDeniedException" in json.JSONDecoder().raw_decode(answer)[0]["errorMessage"]


@runs("A search job has no report for an hour")
def test_the_list_of_missing_reports_names_exactly_the_missing_ones(
    commands: str, shell: Shell, stack: Stack, simulator: BackupSimulator
) -> None:
    # Given several reports, search jobs without one, and one that runs
    for number in range(3):
        _report(stack, simulator.finish_job(Scenario(f"reported-{number}", PARTIAL)))
    completed = simulator.finish_job(Scenario("missing", PARTIAL), ended_ago=timedelta(hours=2))
    failed = simulator.finish_job(Scenario("missing-failed", end_status="FAILED"), ended_ago=timedelta(hours=3))
    running = _start(stack, simulator, Scenario("running", PARTIAL, runs_for=timedelta(hours=1)))

    # When
    listed = {line.split(" ")[0]: line.split(" ")[1] for line in shell.run(commands).lines}

    # Then
    assert {job: status for job, status in listed.items() if stack.summary(job) is None} == listed
    assert listed == {completed: "COMPLETED", failed: "FAILED"}
    assert running not in listed
    # And they are gone from the list once they have their reports
    for job in (completed, failed):
        _report(stack, job)
    assert shell.run(commands).lines == []


def _report(stack: Stack, search_job: str) -> dict[str, Any]:
    outcome = stack.invoke(stack.outputs["ReportFunctionName"], {"searchJobIdentifier": search_job})
    assert outcome["created"] is True, outcome
    return outcome


def _start(stack: Stack, simulator: BackupSimulator, scenario: Scenario) -> str:
    simulator.add_scenario(scenario)
    scope = simulator.search_scope(scenario.name)
    answer = stack.aws.client("backupsearch").start_search_job(Name=scenario.name, SearchScope=scope)
    identifier: str = answer["SearchJobIdentifier"]
    return identifier


@runs("A report is not COMPLETE")
def test_the_latest_five_reports_are_shown_with_their_verdicts(commands: str, shell: Shell, stack: Stack) -> None:
    # Given seven reports, the first of which was made again last; their keys are in no order of time
    bucket = _bucket(stack, "many-reports")
    names = [f"job-{number}" for number in (4, 1, 6, 3, 7, 2, 5)]
    for name in [*names, names[0]]:
        summary = {"verdict": "PARTIAL", "searchJob": {"identifier": name}, "verdictReasons": ["One.", "Two."]}
        stack.aws.client("s3").put_object(Bucket=bucket, Key=f"reports/{name}/summary.json", Body=json.dumps(summary))
        stack.aws.client("s3").put_object(Bucket=bucket, Key=f"reports/{name}/report.html", Body=b"")
        time.sleep(1.01 if name == names[-1] else 0)
    times = stack.aws.client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert max(times, key=lambda entry: entry["LastModified"])["Key"].startswith(f"reports/{names[0]}/")

    # When
    shown = shell.run(commands, variables={"BUCKET": bucket}).rows

    # Then the last one is the latest
    assert len(shown) == 5
    assert shown[-1] == ["PARTIAL", names[0], "One. Two."]
    # And where there is no report nothing goes wrong
    assert shell.run(commands, variables={"BUCKET": _bucket(stack, "no-reports")}).lines == []


@pytest.fixture(scope="module")
def given_up(stack: Stack, simulator: BackupSimulator) -> dict[str, str]:
    """Search jobs whose reports failed for good, and what the failure queue got about each of them."""
    jobs = [simulator.finish_job(Scenario(f"given-up-{number}", PARTIAL)) for number in range(3)]
    fault = simulator.faults.add("error", operation="ListSearchJobBackups", error_code="AccessDeniedException")
    stack.sweep()
    taken: list[str] = []

    def all_of_them() -> dict[str, str] | None:
        taken.extend(message["Body"] for message in stack._receive(stack.outputs["FailureQueueUrl"]))
        records = {job: record for job in jobs for record in taken if job in record}
        return records if len(records) == len(jobs) else None

    records = eventually(all_of_them, seconds=60)
    simulator.faults.remove(fault)
    return records


def _waiting(stack: Stack, queue: str, *, hidden: bool = False) -> int:
    name = "ApproximateNumberOfMessages" + ("NotVisible" if hidden else "")
    answer = stack.aws.client("sqs").get_queue_attributes(QueueUrl=stack.outputs[queue], AttributeNames=[name])
    return int(answer["Attributes"][name])


def _put(stack: Stack, queue: str, body: str, attributes: dict[str, Any] | None = None) -> None:
    stack.aws.client("sqs").send_message(
        QueueUrl=stack.outputs[queue], MessageBody=body, MessageAttributes=attributes or {}
    )


@contextmanager
def _emptied(stack: Stack, queue: str) -> Iterator[None]:
    sqs = stack.aws.client("sqs")
    sqs.purge_queue(QueueUrl=stack.outputs[queue])
    try:
        yield
    finally:
        sqs.purge_queue(QueueUrl=stack.outputs[queue])


@runs("A message in the failure queue")
def test_a_message_in_the_failure_queue_says_what_was_wrong_and_stays(
    commands: str, shell: Shell, stack: Stack, given_up: dict[str, str]
) -> None:
    with _emptied(stack, "FailureQueueUrl"):
        # Given a report that failed for good
        search_job, record = next(iter(given_up.items()))
        _put(stack, "FailureQueueUrl", record)

        # When
        said = json.loads(shell.run(commands).output)

        # Then
        assert said["condition"] == "RetriesExhausted"
        assert said["tries"] == 3
        assert said["request"]["detail"]["searchJobIdentifier"] == search_job
        assert "AccessDeniedException" in said["error"]["errorMessage"]
        # And the message is still there
        assert _waiting(stack, "FailureQueueUrl") == 1


@runs("A message in the dead-letter queue of the rule")
def test_a_message_in_a_dead_letter_queue_says_why(commands: str, shell: Shell, stack: Stack) -> None:
    # Given what EventBridge, and its Scheduler, could not hand over
    reason = {"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "The rule may not invoke the function."}
    attributes = {name: {"DataType": "String", "StringValue": text} for name, text in reason.items()}
    for queue, body in (("RuleDeadLetterQueueUrl", '{"detail": {}}'), ("ScheduleDeadLetterQueueUrl", "{}")):
        with _emptied(stack, queue):
            _put(stack, queue, body, attributes)

            # When: "as above with" the other queue
            variable = "RULE_QUEUE" if queue.startswith("Rule") else "SCHEDULE_QUEUE"
            said = json.loads(shell.run(commands.replace("$RULE_QUEUE", f"${variable}")).output)

            # Then
            assert {name: attribute["StringValue"] for name, attribute in said[0].items()} == reason
            assert said[1] == body
            assert _waiting(stack, queue) == 1


@runs("A message in the dead-letter queue of the schedule")
def test_sweeps_that_run_again_are_seen_in_the_metric_that_they_write(
    commands: str, shell: Shell, stack: Stack
) -> None:
    # Given the metric as a sweep writes it to its log; on AWS CloudWatch reads it from there
    stack.sweep()
    written = eventually(lambda: _embedded_metric(stack, "Sweeps"), seconds=15)
    _measure(stack, *written)

    # When
    rows = shell.run(commands).rows

    # Then
    assert [float(row[1]) for row in rows] == [written[3]]


def _embedded_metric(stack: Stack, name: str) -> tuple[str, str, dict[str, str], float] | None:
    for line in stack.aws.lambda_logs(stack.outputs["WatchFunctionName"]):
        if '"_aws"' in line and f'"{name}"' in line:
            entry = json.loads(line)
            directive = entry["_aws"]["CloudWatchMetrics"][0]
            (dimensions,) = directive["Dimensions"]
            value = entry[name]
            number = value[0] if isinstance(value, list) else value
            return directive["Namespace"], name, {key: entry[key] for key in dimensions}, float(number)
    return None


@runs("The watch is silent")
def test_a_schedule_that_somebody_disabled_is_seen_and_a_sweep_by_hand_works(
    commands: str, shell: Shell, stack: Stack
) -> None:
    # Given a schedule that was disabled (for all tests here)

    # When
    said = shell.run(commands).output

    # Then it says so, and the sweep by hand says that the function is not to blame
    schedule, end = json.JSONDecoder().raw_decode(said)
    assert schedule[:2] == ["DISABLED", "rate(1 minute)"]
    assert schedule[2].endswith(stack.outputs["WatchFunctionName"])
    assert '{"known": ' in said[end:]


# ---- doing it again


@runs("Run a report again")
def test_a_replay_writes_the_report_anew_and_tells_it_again(
    commands: str, shell: Shell, stack: Stack, simulator: BackupSimulator
) -> None:
    # Given a report
    search_job = simulator.finish_job(Scenario("again", PARTIAL))
    _report(stack, search_job)
    first = stack.summary(search_job)
    assert first is not None
    assert len(stack.mails(search_job)) == 1

    # When
    said = shell.run(commands, placeholders={EXAMPLE: search_job}).output

    # Then the answer tells of a report that was made just now
    answer = json.JSONDecoder().raw_decode(said)[0]
    assert (answer["created"], answer["verdict"]) == (True, "PARTIAL")
    # And it is another one, the mail went out again, and the old files are kept as versions
    second = stack.summary(search_job)
    assert second is not None
    assert second["generatedAt"] > first["generatedAt"]
    assert len(stack.mails(search_job)) == 2
    csv = second["files"]["csv"]["key"]
    versions = stack.aws.client("s3").list_object_versions(Bucket=stack.bucket, Prefix=csv)["Versions"]
    assert len(versions) == 2


@runs("Redo all in the failure queue")
def test_redoing_all_makes_the_reports_and_empties_the_queue(
    commands: str, shell: Shell, stack: Stack, simulator: BackupSimulator, given_up: dict[str, str]
) -> None:
    with _emptied(stack, "FailureQueueUrl"):
        # Given three reports that failed for good, and the cause is gone for two of them
        made, made_too, broken = given_up
        for record in given_up.values():
            _put(stack, "FailureQueueUrl", record)
        fault = simulator.faults.add("broken_json", where={"SearchJobIdentifier": broken}, operation="GetSearchJob")
        assert (stack.summary(made), stack.summary(made_too)) == (None, None)

        # When
        said = shell.run(commands)
        simulator.faults.remove(fault)

        # Then the reports are there, told once
        for search_job in (made, made_too):
            assert stack.summary(search_job) is not None
            assert len(stack.mails(search_job)) == 1
        # And what failed again is said, and comes back into the queue later
        (error,) = said.lines
        assert broken in error
        assert (_waiting(stack, "FailureQueueUrl"), _waiting(stack, "FailureQueueUrl", hidden=True)) == (0, 1)


@runs("Redo all in the failure queue")
def test_the_same_loop_works_for_the_dead_letter_queue_of_the_rule(
    commands: str, shell: Shell, stack: Stack, simulator: BackupSimulator
) -> None:
    with _emptied(stack, "RuleDeadLetterQueueUrl"):
        # Given an event that EventBridge could not hand over
        search_job = simulator.finish_job(Scenario("redo-rule", PARTIAL))
        event = {
            "source": SERVICE,
            "detail-type": STATE_CHANGE,
            "detail": {"searchJobIdentifier": search_job},
        }
        _put(stack, "RuleDeadLetterQueueUrl", json.dumps(event))

        # When: the two changes that the document names
        changed = commands.replace("$FAILURE_QUEUE", "$RULE_QUEUE")
        shell.run(changed.replace("fromjson | .requestPayload", "fromjson"))

        # Then
        assert stack.summary(search_job) is not None
        assert _waiting(stack, "RuleDeadLetterQueueUrl") == 0
        assert _waiting(stack, "RuleDeadLetterQueueUrl", hidden=True) == 0


@runs("Redo a week")
def test_a_week_is_redone_but_for_what_still_runs(
    commands: str, shell: Shell, stack: Stack, simulator: BackupSimulator
) -> None:
    # Given what AWS has forgotten, several reports of this week, one without, and one search job that runs
    forgotten = simulator.finish_job(Scenario("week-forgotten", PARTIAL))
    _report(stack, forgotten)
    simulator.move_clock(timedelta(days=8))
    jobs = [simulator.finish_job(Scenario(f"week-{number}", PARTIAL)) for number in range(2)]
    before = {job: _report(stack, job) and stack.summary(job) for job in jobs}
    missing = simulator.finish_job(Scenario("week-missing", (BackupGroup(count=2),)))
    broken = simulator.finish_job(Scenario("week-broken", PARTIAL))
    fault = simulator.faults.add("broken_json", operation="GetSearchJob", where={"SearchJobIdentifier": broken})
    running = _start(stack, simulator, Scenario("week-running", PARTIAL, runs_for=timedelta(hours=1)))

    # When
    lines = shell.run(commands).lines
    simulator.faults.remove(fault)

    # Then each of them is named with its verdict, or with what is wrong
    assert sorted(line for line in lines if broken not in line) == sorted(
        [*(f"{job}\tPARTIAL" for job in jobs), f"{missing}\tCOMPLETE"]
    )
    (wrong,) = [line for line in lines if broken in line]
    assert wrong.startswith(f"{broken}: ")
    assert not wrong.endswith("null")
    # And the reports are new, and mailed again
    for job in jobs:
        old, new = before[job], stack.summary(job)
        assert old is not None
        assert new is not None
        assert new["generatedAt"] > old["generatedAt"]
        assert len(stack.mails(job)) == 2
    assert stack.summary(running) is None


@runs("What somebody changed")
def test_what_was_changed_past_cloudformation_is_named(commands: str, shell: Shell, stack: Stack) -> None:
    # Given what was changed before, if anything
    before = shell.run(commands).rows

    # When somebody changes a topic
    sns, topic = stack.aws.client("sns"), stack.outputs["AlertsTopicArn"]
    name = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["DisplayName"]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="Changed")
    try:
        rows = shell.run(commands).rows
    finally:
        sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue=name)

    # Then it is named
    assert [row[1:] for row in rows if row not in before] == [["MODIFIED", topic]]


@runs("The table was deleted")
def test_a_table_that_was_deleted_is_made_anew_and_reports_go_on(
    commands: str, shell: Shell, stack: Stack, simulator: BackupSimulator
) -> None:
    # Given the table as the stack made it, and that somebody deleted it
    dynamodb, table = stack.aws.client("dynamodb"), stack.outputs["IdempotencyTableName"]
    before = _shape(dynamodb, table)
    dynamodb.delete_table(TableName=table)
    search_job = simulator.finish_job(Scenario("no-table", PARTIAL))
    failed = stack.invoke(stack.outputs["ReportFunctionName"], {"searchJobIdentifier": search_job})
    assert "Acquiring the lease on the report" in failed["errorMessage"]

    # When
    shell.run(commands)

    # Then it is as it was
    assert _shape(dynamodb, table) == before
    # With what the embedded AWS leaves out of a deployment
    assert dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"] == {
        "TimeToLiveStatus": "ENABLED",
        "AttributeName": "expiration",
    }
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    # And reports are made again
    _report(stack, search_job)


def _shape(dynamodb: Any, table: str) -> dict[str, Any]:
    described = dynamodb.describe_table(TableName=table)["Table"]
    shape = {name: described[name] for name in ("KeySchema", "AttributeDefinitions", "TableStatus")}
    return shape | {"BillingMode": described["BillingModeSummary"]["BillingMode"]}


# ---- reading


@runs("Ask all reports at once")
def test_the_saved_queries_are_listed_and_one_is_started(commands: str, shell: Shell, stack: Stack) -> None:
    # When, in the folder of this project
    said = shell.run(commands, files={"infra": str(ROOT / "infra")})

    # Then every query in the folder is a saved one
    started = json.loads(said.output[said.output.index("{") :])
    names = [line.split("\t")[1] for line in said.output[: said.output.index("{")].splitlines()]
    assert len(set(names)) == len(list((ROOT / "infra" / "queries").glob("*.sql")))
    # And the one that was started is the one of the file, in the database of the reports
    execution = stack.aws.client("athena").get_query_execution(QueryExecutionId=started["QueryExecutionId"])
    query = execution["QueryExecution"]
    assert query["Query"].strip() == (ROOT / "infra" / "queries" / "one-bucket-or-volume.sql").read_text().strip()
    assert query["QueryExecutionContext"]["Database"] == stack.outputs["GlueDatabaseName"]
    assert query["WorkGroup"] == stack.outputs["AthenaWorkGroupName"]


@runs("Ask the reports with DuckDB")
def test_the_saved_queries_run_over_downloaded_files(
    commands: str, shell: Shell, stack: Stack, simulator: BackupSimulator
) -> None:
    # Given a report about a bucket, besides those that there are
    denied = BackupGroup(source="arn:aws:s3:::my-bucket", status="FAILED", status_message=DENIED)
    search_job = simulator.finish_job(Scenario("of-my-bucket", (BackupGroup(count=4), denied)))
    stack.invoke(stack.outputs["ReportFunctionName"], {"searchJobIdentifier": search_job})

    # When, in the folder of this project
    said = shell.run(commands, files={"infra": str(ROOT / "infra"), ".venv": str(ROOT / ".venv")})

    # Then the first query counts every report once, and adds up
    trend, _, bucket = said.output.replace("\r", "").partition("date,search_job_id,")
    weeks = list(csv.DictReader(io.StringIO(trend)))
    summaries = [key for key in stack.stored_keys("reports/") if key.endswith("/summary.json")]
    assert sum(int(week["searches"]) for week in weeks) == len(summaries)
    for week in weeks:
        assert int(week["listed"]) + int(week["not_listed"]) == int(week["searched"]) + int(week["excluded"])
    # And the second finds the one backup
    (row,) = csv.DictReader(io.StringIO(f"date,search_job_id,{bucket}"))
    assert (row["search_job_id"], row["reason"]) == (search_job, "PERMISSION_DENIED")
    # And the dates are the text that they are in Athena
    assert row["date"] == f"{simulator.account.clock():%Y-%m-%d}"


@runs("Who reads reports")
def test_the_key_of_the_bucket_is_shown(commands: str, shell: Shell, stack: Stack) -> None:
    # Given a bucket with a key; the embedded AWS drops the encryption of the deployed one
    bucket, key = _bucket(stack, "encrypted"), _key(stack)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    stack.aws.client("s3").put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})

    assert shell.run(commands, variables={"BUCKET": bucket}).lines == [key]


def _bucket(stack: Stack, name: str, *, locked: bool = False) -> str:
    """Make a bucket of the test's own, versioned like that of the stack."""
    s3 = stack.aws.client("s3")
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=locked)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def _key(stack: Stack) -> str:
    arn: str = stack.aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    return arn


@runs("Who read a report")
def test_a_trail_records_who_reads_reports(commands: str, shell: Shell, stack: Stack) -> None:
    # Given a trail
    trail = stack.aws.client("cloudtrail")
    trail.create_trail(Name="my-trail", S3BucketName=_bucket(stack, "trail"))

    # When
    before, after = _two_documents(shell.run(commands).output)

    # Then what was there is shown before it is replaced
    assert before["EventSelectors"][0]["IncludeManagementEvents"] is True
    # And the trail records management events and the objects of the bucket
    selectors = trail.get_event_selectors(TrailName="my-trail")["AdvancedEventSelectors"]
    assert selectors == after["AdvancedEventSelectors"]
    fields = {entry["Field"]: entry for selector in selectors for entry in selector["FieldSelectors"]}
    assert fields["resources.ARN"]["StartsWith"] == [f"arn:aws:s3:::{stack.bucket}/"]
    assert fields["resources.type"]["Equals"] == ["AWS::S3::Object"]
    assert [selector["FieldSelectors"][0]["Equals"] for selector in selectors] == [["Management"], ["Data"]]


def _two_documents(output: str) -> tuple[Any, Any]:
    decoder = json.JSONDecoder()
    one, end = decoder.raw_decode(output)
    return one, decoder.raw_decode(output[end:].lstrip())[0]


# ---- commands within sentences


def test_commands_within_sentences_show_what_the_sentence_says(
    shell: Shell, stack: Stack, simulator: BackupSimulator
) -> None:
    # Given an ended search job, and an error of each function
    simulator.finish_job(Scenario("in-prose", PARTIAL))
    stack.invoke(stack.outputs["ReportFunctionName"], {"searchJobIdentifier": EXAMPLE})
    fault = simulator.faults.add("error", operation="ListSearchJobs", error_code="AccessDeniedException")
    stack.sweep()
    simulator.faults.remove(fault)
    configuration = stack.aws.client("lambda").get_function_configuration(
        FunctionName=stack.outputs["ReportFunctionName"]
    )
    shows = {
        "output DashboardUrl": stack.outputs["DashboardUrl"],
        'aws lambda get-function-configuration --function-name "$REPORT_FUNCTION" --query Role --output text': (
            configuration["Role"]
        ),
        "aws backupsearch list-search-jobs --query 'SearchJobs[].[SearchJobIdentifier, Status, Name]' --output text": (
            "\tCOMPLETED\t"
        ),
        'errors_of "$REPORT_FUNCTION"': '"level":"ERROR"',
        'errors_of "$WATCH_FUNCTION"': '"level":"ERROR"',
    }

    # Then each command shows it, the logs after a while
    for command, shown in shows.items():
        eventually(partial(_shows, shell, command, shown), seconds=15)

    # And no command within a sentence is forgotten
    assert set(commands_in_prose(DOCUMENT.read_text(encoding="utf-8"))) == shows.keys() | PROSE_ELSEWHERE


def _shows(shell: Shell, command: str, shown: str) -> bool:
    return shown in shell.run(command).output


@pytest.mark.parametrize("queue", ["FAILURE_QUEUE", "RULE_QUEUE", "SCHEDULE_QUEUE"])
def test_a_queue_is_emptied_by_purging_it(queue: str, shell: Shell, stack: Stack) -> None:
    output = shell.variables[queue]
    _put(stack, output, "{}")

    shell.run(f'aws sqs purge-queue --queue-url "${queue}"')

    assert _waiting(stack, output) == 0


# ---- what destroys, last


@runs("Object Lock")
def test_a_locked_version_is_deleted_by_changing_the_policy_for_a_moment(
    commands: str, shell: Shell, stack: Stack
) -> None:
    # Given a locked version in a bucket whose policy keeps locks from being lifted
    s3, bucket = stack.aws.client("s3"), _bucket(stack, "locked", locked=True)
    retention = {"Mode": "GOVERNANCE", "Days": 1}
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": retention}}
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=configuration)
    statements = [_denied(bucket, "NobodyLiftsALock", "s3:BypassGovernanceRetention"), _denied(bucket, "Tls", "s3:*")]
    policy = {"Version": "2012-10-17", "Statement": statements}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    version = s3.put_object(Bucket=bucket, Key="reports/a/report.csv", Body=b"a")["VersionId"]
    kept = s3.put_object(Bucket=bucket, Key="reports/b/report.csv", Body=b"b")["VersionId"]
    with pytest.raises(s3.exceptions.ClientError, match="object lock"):
        s3.delete_object(Bucket=bucket, Key="reports/a/report.csv", VersionId=version)

    # When
    placeholders = {"KEY": "reports/a/report.csv", "VERSION": version}
    ran = shell.run(commands, placeholders=placeholders, variables={"BUCKET": bucket})

    # Then that version is gone, and no other
    assert [entry["VersionId"] for entry in s3.list_object_versions(Bucket=bucket)["Versions"]] == [kept]
    # And the policy is what it was, and lacked the one statement for a moment
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == policy
    for_a_moment = json.loads((ran.folder / "policy-for-a-moment.json").read_text())
    assert [statement["Sid"] for statement in for_a_moment["Statement"]] == ["Tls"]


def _denied(bucket: str, sid: str, action: str) -> dict[str, Any]:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": {"AWS": "*"},
        "Action": action,
        "Resource": f"arn:aws:s3:::{bucket}/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}} if sid == "Tls" else {},
    }


@runs("Remove", 2)
def test_what_is_left_after_a_removal_is_deleted_for_good(commands: str, shell: Shell, stack: Stack) -> None:
    # Given a bucket with versions and delete markers, and its key
    s3, kms, bucket, key = stack.aws.client("s3"), stack.aws.client("kms"), _bucket(stack, "to-remove"), _key(stack)
    for number in range(5):
        for _ in range(2):
            s3.put_object(Bucket=bucket, Key=f"reports/{number}/summary.json", Body=b"{}")
    s3.delete_object(Bucket=bucket, Key="reports/3/summary.json")

    # When
    shell.run(commands, placeholders={"KEY-ARN": key}, variables={"BUCKET": bucket})

    # Then both are gone, the key in a month
    assert bucket not in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    # And until then the key can be saved
    shell.run("aws kms cancel-key-deletion --key-id KEY-ARN", placeholders={"KEY-ARN": key})
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] != "PendingDeletion"
    # And nobody touched the bucket of the stack
    assert stack.bucket in [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
