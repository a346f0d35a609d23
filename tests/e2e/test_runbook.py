"""The commands of the documents for operators do what the documents say, in the state that each section is about."""

import csv
import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from search_coverage.names import REPORT_DONE, SEARCH_JOB_ANNOUNCED
from simulators.backup_search import BackupGroup, BackupSimulator, RecoveryPointGroup, ResultGroup, Scenario, Vault
from tests.e2e.conftest import ROOT, Stack, eventually
from tests.e2e.runbook import BLOCKS, DOCUMENTS, RUNBOOK, SETUP, Shell, blocks, commands_in_prose

pytestmark = pytest.mark.skipif(shutil.which("jq") is None, reason="the runbook uses jq, which is not installed")

EXAMPLE = "11111111-2222-3333-4444-555555555555"
DENIED = "Access denied. You do not have permission to search the recovery point."
PARTIAL = (BackupGroup(count=4), BackupGroup(count=2, status="FAILED", status_message=DENIED))

NOT_RUN = {("Upgrade", 1): "git and make change the folder under test, and the fixture `stack` runs `cdk deploy`"}
SHOWN = {  # how the commands in sentences begin that show something, and what they show
    "output DashboardUrl": "#dashboards",
    "output ResultsBucketName": "resultsstorebucket",
    'errors_of "$REPORT_FUNCTION"': '"error":"SearchJobUnknown"',
    'errors_of "$WATCH_FUNCTION"': "AccessDeniedException",
    'errors_of "$POSTURE_FUNCTION"': "InvalidRequest",
    "aws lambda get-function-configuration": ":role/",
    "aws backupsearch list-search-jobs": "\tCOMPLETED\tin-prose",
    "search-coverage doctor": "DISABLED",  # the schedule
    "search-coverage report ID": "2 PERMISSION_DENIED",
}
CANCEL_DELETION = "aws kms cancel-key-deletion --key-id KEY-ARN"
EMPTIES = {
    queue: f'aws sqs purge-queue --queue-url "${queue}"'
    for queue in ("FAILURE_QUEUE", "RULE_QUEUE", "SCHEDULE_QUEUE", "POSTURE_QUEUE")
}


@pytest.fixture(scope="module")
def shell(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    return Shell(stack, tmp_path_factory.mktemp("runbook"))


@pytest.fixture(scope="module", autouse=True)
def only_the_runbook_acts(stack: Stack, simulator: BackupSimulator) -> Iterator[None]:
    """Stop the schedule, and let AWS forget the search jobs of other tests."""
    scheduler = stack.aws.client("scheduler")
    schedule = scheduler.get_schedule(Name=stack.outputs["ScheduleName"])
    given = {"Arn", "State", "CreationDate", "LastModificationDate", "ResponseMetadata"}
    settings = {name: schedule[name] for name in schedule.keys() - given}
    scheduler.update_schedule(**settings, State="DISABLED")
    simulator.move_clock(timedelta(days=8))
    yield
    scheduler.update_schedule(**settings, State="ENABLED")


def test_every_command_is_run_or_has_a_reason_not_to_be() -> None:
    called = re.findall(r"\.block\(\s*(SETUP|\"[^\"]+\")(?:, (\d))?", Path(__file__).read_text(encoding="utf-8"))
    run = {(SETUP if section == "SETUP" else section.strip('"'), int(number or 1)) for section, number in called}

    assert BLOCKS.keys() == run | {(SETUP, 1)} | NOT_RUN.keys()
    assert not any(re.search(r"^\s*(aws|search-coverage) ", BLOCKS[place], re.MULTILINE) for place in NOT_RUN)
    in_prose = commands_in_prose(DOCUMENTS)
    assert len(in_prose) == len({*SHOWN, *EMPTIES, CANCEL_DELETION})
    assert all(command.startswith((*SHOWN, *EMPTIES.values(), CANCEL_DELETION)) for command in in_prose)


def test_a_block_is_found_whatever_surrounds_it() -> None:
    text = "# T\n\n## One\n\n```bash\na\n```\n\n```json\n{}\n```\n\n```bash\nb\nc\n```\n\n### Two\n\n```bash\nd\n```\n"

    assert blocks(text) == {("One", 1): "a\n", ("One", 2): "b\nc\n", ("Two", 1): "d\n"}


def test_the_variables_name_what_was_deployed(shell: Shell) -> None:
    assert shell.values == {name: shell.stack.outputs[output] for name, output in shell.variables.items()}
    assert shell.variables.keys() >= {"BUCKET", "REPORT_FUNCTION", "WATCH_FUNCTION", *EMPTIES}


@pytest.mark.parametrize("beginning", SHOWN)
def test_a_command_in_a_sentence_shows_what_the_sentence_says(beginning: str, shell: Shell, in_prose: str) -> None:
    (command,) = [each for each in commands_in_prose(DOCUMENTS) if each.startswith(beginning)]
    command = command.replace(" ID", f" {in_prose}")
    exit_code = int(beginning.startswith("search-coverage"))  # not well

    # the logs come after a while
    assert eventually(lambda: SHOWN[beginning] in shell.run(command, exit_code=exit_code), seconds=15)


@pytest.fixture(scope="module")
def in_prose(stack: Stack, simulator: BackupSimulator) -> str:
    stack.invoke(stack.outputs["ReportFunctionName"], {"searchJobIdentifier": EXAMPLE})
    fault = simulator.faults.add("error", operation="ListSearchJobs", error_code="AccessDeniedException")
    stack.sweep()
    simulator.faults.remove(fault)
    stack.invoke(stack.outputs["PostureFunctionName"], {"another": "request"})
    search_job = simulator.finish_job(Scenario("in-prose", PARTIAL))
    _report(stack, search_job)
    return search_job


def test_alarms_that_are_on_are_shown_and_each_is_in_the_table_with_its_section(shell: Shell) -> None:
    cloudwatch = shell.aws("cloudwatch")
    alarms = {alarm["AlarmName"]: alarm for alarm in cloudwatch.describe_alarms()["MetricAlarms"]}
    (on,) = [name for name in alarms if "FailureQueueNotEmpty" in name]
    cloudwatch.set_alarm_state(AlarmName=on, StateValue="ALARM", StateReason="to see it")

    shown = dict(line.split("\t") for line in shell.block(SETUP, 2).splitlines())
    cloudwatch.set_alarm_state(AlarmName=on, StateValue="OK", StateReason="seen")

    before = {name for name, alarm in alarms.items() if alarm["StateValue"] == "ALARM"}
    assert (shown[on], set(shown)) == (alarms[on]["AlarmDescription"], before | {on})
    rows = re.findall(r"^\| ([^|]+) \|[^|]+\| \[([^\]]+)\]\(#[^|]+\) \|$", RUNBOOK, re.MULTILINE)
    table = {name: section for names, section in rows for name in re.findall(r"`([A-Z]\w+)`", names)}
    # ReportIncomplete comes with the setting alarmOnIncomplete, SearchableTargetMissed with searchableTarget.
    assert len(alarms) == len(table) - 2
    for name, alarm in alarms.items():
        (section,) = [table[each] for each in table if each in name]
        assert alarm["AlarmDescription"].endswith(f": docs/operations.md, section '{section}'.")


def test_the_log_lines_of_a_search_job_come_from_both_functions(shell: Shell, simulator: BackupSimulator) -> None:
    # Given a search job that was announced and reported, and another one
    search_job, other = (simulator.finish_job(Scenario(name, PARTIAL)) for name in ("logged", "other"))
    shell.stack.sweep()
    eventually(lambda: shell.stack.summary(search_job) and shell.stack.summary(other), seconds=30)

    def lines() -> list[dict[str, Any]] | None:
        output = shell.block("The dashboard and the saved queries", replace={EXAMPLE: search_job})
        found = [json.loads(line) for line in output.splitlines() if line]
        return found if found and found[-1]["message"] == REPORT_DONE else None

    logged = eventually(lines, seconds=15)
    assert logged[0]["message"] == SEARCH_JOB_ANNOUNCED
    assert other not in json.dumps(logged)


def test_the_results_of_a_search_can_be_erased_with_all_their_versions(
    shell: Shell, simulator: BackupSimulator
) -> None:
    search_job = simulator.finish_job(Scenario("erased", PARTIAL, results=(ResultGroup(count=3),)))
    _report(shell.stack, search_job)
    summary = shell.stack.summary(search_job)
    assert summary
    files = summary["results"]["files"].values()
    assert len(files) == 2

    key = summary["files"]["csv"]["key"].replace("excluded-backups.csv", "summary.json")
    shell.block("Erase results", replace={"SUMMARY-KEY": key})

    for file in files:
        found = shell.aws("s3").list_object_versions(Bucket=summary["results"]["bucket"], Prefix=file["key"])
        assert not found.get("Versions")
        assert not found.get("DeleteMarkers")


def test_the_queues_that_keep_failures_are_shown(shell: Shell) -> None:
    arns = shell.block("A failure could not be kept").split()

    failure, rule = (shell.values[name].rsplit("/", 1)[1] for name in ("FAILURE_QUEUE", "RULE_QUEUE"))
    assert [arn.rsplit(":", 1)[1] for arn in arns] == [failure, rule, failure, rule]
    assert all(arn.startswith("arn:aws:sqs:") for arn in arns)


def test_a_sweep_by_hand_answers_with_counts_or_with_what_failed(shell: Shell, simulator: BackupSimulator) -> None:
    assert _first(shell.block("Sweeps fail")).keys() >= {"known", "ended", "unreported", "announced"}

    fault = simulator.faults.add("error", operation="ListSearchJobs", error_code="AccessDeniedException")
    answer = _first(shell.block("Sweeps fail"))
    simulator.faults.remove(fault)

    assert "AccessDeniedException" in answer["errorMessage"]


def test_throttling_is_seen_in_the_reserved_concurrency_the_limit_and_the_metric(shell: Shell) -> None:
    # Given a function with a reserved concurrency of 0, and the concurrency that it used
    function, aws_lambda = shell.values["REPORT_FUNCTION"], shell.aws("lambda")
    aws_lambda.put_function_concurrency(FunctionName=function, ReservedConcurrentExecutions=0)
    dimensions = [{"Name": "FunctionName", "Value": function}]
    minute_ago = datetime.now(UTC) - timedelta(minutes=1)  # the commands ask for whole seconds
    used = {"MetricName": "ConcurrentExecutions", "Dimensions": dimensions, "Value": 7, "Timestamp": minute_ago}
    shell.aws("cloudwatch").put_metric_data(Namespace="AWS/Lambda", MetricData=[used])

    output = shell.block("Reports are throttled")
    aws_lambda.delete_function_concurrency(FunctionName=function)

    reserved, account, metric = re.split(r"(?<=^\})\s*\n", output, flags=re.MULTILINE)
    assert json.loads(reserved) == {"ReservedConcurrentExecutions": 0}
    assert json.loads(account).keys() >= {"ConcurrentExecutions", "UnreservedConcurrentExecutions"}
    assert [float(row.split("\t")[1]) for row in metric.splitlines()] == [7]


@pytest.mark.parametrize("queue", ["RULE_QUEUE", "SCHEDULE_QUEUE"])
def test_a_message_in_a_dead_letter_queue_says_why_and_stays_until_it_is_removed(queue: str, shell: Shell) -> None:
    # Given what EventBridge, or its Scheduler, could not deliver
    reason = {"ERROR_CODE": "NO_PERMISSIONS", "ERROR_MESSAGE": "The rule may not invoke the function."}
    typed = {name: {"DataType": "String", "StringValue": text} for name, text in reason.items()}
    shell.aws("sqs").send_message(QueueUrl=shell.values[queue], MessageBody="{}", MessageAttributes=typed)

    # When, for the schedule with its queue instead of that of the rule
    output = shell.block("A message in the dead-letter queue of the rule", replace={"RULE_QUEUE": queue})

    attributes, body = json.loads(output)
    assert {name: attribute["StringValue"] for name, attribute in attributes.items()} == reason
    assert (body, _messages(shell, queue)) == ("{}", 1)
    shell.run(EMPTIES[queue])
    assert _messages(shell, queue) == 0


def test_a_replay_writes_the_report_again_and_sends_its_email_again(shell: Shell, simulator: BackupSimulator) -> None:
    search_job = simulator.finish_job(Scenario("again", PARTIAL))
    first = _report(shell.stack, search_job)

    output = shell.block("Run a report again", replace={EXAMPLE: search_job})

    assert search_job in output
    second = shell.stack.summary(search_job) or {}
    assert second["generatedAt"] > first["generatedAt"]
    assert len(shell.stack.mails(search_job)) == 2
    versions = shell.aws("s3").list_object_versions(Bucket=shell.stack.bucket, Prefix=second["files"]["csv"]["key"])
    assert len(versions["Versions"]) == 2


def test_what_failed_for_good_is_shown_and_redone(shell: Shell, simulator: BackupSimulator) -> None:
    # Given two reports that failed for good
    made, broken = (simulator.finish_job(Scenario(name, PARTIAL)) for name in ("made", "broken"))
    fault = simulator.faults.add("error", operation="ListSearchJobBackups", error_code="AccessDeniedException")
    shell.stack.sweep()
    eventually(lambda: _messages(shell, "FAILURE_QUEUE") == 2, seconds=60)
    simulator.faults.remove(fault)

    # When a person reads a message, then it says what failed, and stays
    shown = _first(shell.block("A message in the failure queue"))
    assert (shown["condition"], shown["attempts"]) == ("RetriesExhausted", 3)
    assert shown["request"]["detail"]["searchJobIdentifier"] in {made, broken}
    assert "AccessDeniedException" in shown["error"]["errorMessage"]
    assert _messages(shell, "FAILURE_QUEUE") == 2

    # When they are redone, and the cause is gone for one of them
    fault = simulator.faults.add("broken_json", where={"SearchJobIdentifier": broken}, operation="GetSearchJob")
    output = shell.block("Redo all in the failure queue", exit_code=1)
    simulator.faults.remove(fault)

    # Then its report is there, with one email; the other is named, and its message stays until it is removed
    assert shell.stack.summary(made)
    assert (len(shell.stack.mails(made)), _messages(shell, "FAILURE_QUEUE")) == (1, 1)
    assert broken in output
    shell.run(EMPTIES["FAILURE_QUEUE"])
    assert _messages(shell, "FAILURE_QUEUE") == 0


def test_a_week_is_redone_except_for_what_still_runs(shell: Shell, simulator: BackupSimulator) -> None:
    # Given what AWS has forgotten, a report of this week, a search job without one, and one that runs
    forgotten = simulator.finish_job(Scenario("forgotten", PARTIAL))
    simulator.move_clock(timedelta(days=8))
    reported, missing = (simulator.finish_job(Scenario(name, PARTIAL)) for name in ("reported", "missing"))
    before = _report(shell.stack, reported)
    simulator.add_scenario(Scenario("running", PARTIAL, runs_for=timedelta(hours=1)))
    scope = simulator.search_scope("running")
    running = shell.aws("backupsearch").start_search_job(Name="running", SearchScope=scope)["SearchJobIdentifier"]

    output = shell.block("Redo a week")

    # Then each search job of this week that ended has a new report, and its email
    assert {job for job in (forgotten, reported, missing, running) if job in output} == {reported, missing}
    assert (shell.stack.summary(reported) or {})["generatedAt"] > before["generatedAt"]
    assert [len(shell.stack.mails(job)) for job in (forgotten, reported, missing, running)] == [0, 2, 1, 0]


def test_what_was_changed_outside_of_cloudformation_is_named(shell: Shell) -> None:
    before = shell.block("Find configuration drift").splitlines()
    sns, topic = shell.aws("sns"), shell.stack.outputs["AlertsTopicArn"]
    name = sns.get_topic_attributes(TopicArn=topic)["Attributes"]["DisplayName"]
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue="Changed")

    after = shell.block("Find configuration drift").splitlines()
    sns.set_topic_attributes(TopicArn=topic, AttributeName="DisplayName", AttributeValue=name)

    assert [line.split("\t")[1:] for line in after if line not in before] == [["MODIFIED", topic]]


def test_a_deleted_table_is_created_again_and_reports_go_on(shell: Shell, simulator: BackupSimulator) -> None:
    # Given a deleted table
    dynamodb, table = shell.aws("dynamodb"), shell.stack.outputs["IdempotencyTableName"]
    before = _shape(dynamodb, table)
    dynamodb.delete_table(TableName=table)
    search_job = simulator.finish_job(Scenario("no-table", PARTIAL))
    failed = shell.stack.invoke(shell.values["REPORT_FUNCTION"], {"searchJobIdentifier": search_job})
    assert "lease" in failed["errorMessage"]

    shell.block("The table was deleted")

    # Then it is as it was, with what the embedded AWS leaves out of a deployment
    assert _shape(dynamodb, table) == before
    time_to_live = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    assert time_to_live == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expiration"}
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    _report(shell.stack, search_job)


def test_the_saved_queries_are_listed_and_one_is_started(shell: Shell) -> None:
    output = shell.block("Ask all reports at once")

    listed, started = output[: output.index("{")], json.loads(output[output.index("{") :])
    queries = ROOT / "infra" / "queries"
    saved = [*queries.glob("*.sql"), *(queries / "posture").glob("*.sql")]
    assert len({line.split("\t")[1] for line in listed.splitlines()}) == len(saved)
    query = shell.aws("athena").get_query_execution(**started)["QueryExecution"]
    assert query["Query"].strip() == (queries / "one-bucket-or-volume.sql").read_text(encoding="utf-8").strip()
    assert query["QueryExecutionContext"]["Database"] == shell.stack.outputs["GlueDatabaseName"]
    assert query["WorkGroup"] == shell.stack.outputs["AthenaWorkGroupName"]


def test_the_saved_queries_run_over_downloaded_files(shell: Shell, simulator: BackupSimulator) -> None:
    # Given a report about a bucket, in addition to the others
    denied = BackupGroup(source="arn:aws:s3:::my-bucket", status="FAILED", status_message=DENIED)
    search_job = simulator.finish_job(Scenario("of-my-bucket", (BackupGroup(count=4), denied)))
    _report(shell.stack, search_job)

    output = shell.block("Ask the reports with DuckDB")

    # Then the first query counts every report, and the second finds the one backup, with its date as text
    trend, _, bucket = output.partition("date,search_job_id,")
    reports = [key for key in shell.stack.stored_keys("reports/") if key.endswith("/summary.json")]
    assert sum(int(week["searches"]) for week in csv.DictReader(trend.splitlines())) == len(reports)
    (row,) = csv.DictReader(f"date,search_job_id,{bucket}".splitlines())
    day = f"{simulator.account.clock():%Y-%m-%d}"
    assert (row["search_job_id"], row["reason"], row["date"]) == (search_job, "PERMISSION_DENIED", day)


def test_the_key_of_the_bucket_is_shown(shell: Shell) -> None:
    # Given a bucket with a key; the embedded AWS drops the encryption of the deployed one
    bucket, key = _bucket(shell, "encrypted"), shell.aws("kms").create_key()["KeyMetadata"]["Arn"]
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    shell.aws("s3").put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})

    assert shell.block("Who reads reports", BUCKET=bucket) == f"{key}\n"


def test_a_trail_records_who_reads_reports(shell: Shell) -> None:
    trail = shell.aws("cloudtrail")
    trail.create_trail(Name="my-trail", S3BucketName=_bucket(shell, "trail"))

    output = shell.block("Who read a report")  # it shows what there was, before it replaces that

    assert _first(output)["EventSelectors"][0]["IncludeManagementEvents"] is True
    selectors = trail.get_event_selectors(TrailName="my-trail")["AdvancedEventSelectors"]
    management, objects = ([list(field.values()) for field in each["FieldSelectors"]] for each in selectors)
    assert management == [["eventCategory", ["Management"]]]
    assert ["resources.type", ["AWS::S3::Object"]] in objects
    assert ["resources.ARN", [f"arn:aws:s3:::{shell.stack.bucket}/"]] in objects


def test_a_locked_version_is_deleted_by_changing_the_policy_for_a_moment(shell: Shell) -> None:
    # Given a locked version in a bucket whose policy denies lifting locks
    s3, bucket = shell.aws("s3"), _bucket(shell, "locked", ObjectLockEnabledForBucket=True)
    lock = {"ObjectLockEnabled": "Enabled", "Rule": {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}}
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration=lock)
    denied = {"Effect": "Deny", "Principal": {"AWS": "*"}, "Resource": f"arn:aws:s3:::{bucket}/*"}
    locks = denied | {"Sid": "NobodyLiftsALock", "Action": "s3:BypassGovernanceRetention"}
    tls = denied | {"Sid": "Tls", "Action": "s3:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    policy = {"Version": "2012-10-17", "Statement": [locks, tls]}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy))
    version, kept = (s3.put_object(Bucket=bucket, Key=f"reports/{name}.csv", Body=b"")["VersionId"] for name in "ab")
    with pytest.raises(s3.exceptions.ClientError, match="object lock"):
        s3.delete_object(Bucket=bucket, Key="reports/a.csv", VersionId=version)

    shell.block("Object Lock", replace={"KEY": "reports/a.csv", "VERSION": version}, BUCKET=bucket)

    # Then that version is gone, and no other; the policy is as it was, and lacked the one statement for a moment
    assert [entry["VersionId"] for entry in s3.list_object_versions(Bucket=bucket)["Versions"]] == [kept]
    assert json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]) == policy
    assert json.loads((shell.folder / "policy-for-a-moment.json").read_text())["Statement"] == [tls]


def test_what_is_left_after_a_removal_is_deleted_for_good(shell: Shell) -> None:
    # Given a bucket with versions and delete markers, and its key
    s3, kms, bucket = shell.aws("s3"), shell.aws("kms"), _bucket(shell, "to-remove")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    for number in (1, 1, 2, 3):
        s3.put_object(Bucket=bucket, Key=f"reports/{number}/summary.json", Body=b"{}")
    s3.delete_object(Bucket=bucket, Key="reports/3/summary.json")

    shell.block("Remove", replace={"KEY-ARN": key}, BUCKET=bucket)

    # Then both are gone, the key in a month, and until then it can be saved; the bucket of the stack stays
    left = {entry["Name"] for entry in s3.list_buckets()["Buckets"]}
    assert {bucket, shell.stack.bucket} & left == {shell.stack.bucket}
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "PendingDeletion"
    shell.run(CANCEL_DELETION, replace={"KEY-ARN": key})
    assert kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] != "PendingDeletion"


def _report(stack: Stack, search_job: str) -> dict[str, Any]:
    outcome = stack.invoke(stack.outputs["ReportFunctionName"], {"searchJobIdentifier": search_job})
    assert outcome["created"] is True, outcome
    return stack.summary(search_job) or {}


def _first(output: str) -> dict[str, Any]:
    return dict(json.JSONDecoder().raw_decode(output)[0])


def _messages(shell: Shell, queue: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = shell.aws("sqs").get_queue_attributes(QueueUrl=shell.values[queue], AttributeNames=names)
    return sum(int(answer["Attributes"][name]) for name in names)


def _shape(dynamodb: Any, table: str) -> dict[str, Any]:
    described = dynamodb.describe_table(TableName=table)["Table"]
    shape = {name: described[name] for name in ("KeySchema", "AttributeDefinitions", "TableStatus")}
    return shape | {"mode": described["BillingModeSummary"]["BillingMode"]}


def _bucket(shell: Shell, name: str, **options: bool) -> str:
    s3 = shell.aws("s3")
    s3.create_bucket(Bucket=name, **options)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def test_a_posture_is_taken_at_once_and_its_summary_says_what_was_not_read(
    shell: Shell, simulator: BackupSimulator
) -> None:
    simulator.add_vault(Vault("not-for-us", (RecoveryPointGroup(count=2, index=None),)))
    fault = simulator.faults.add(
        "error", operation="ListRecoveryPointsByBackupVault", error_code="AccessDeniedException"
    )

    answer = shell.block("A posture failed")

    simulator.faults.remove(fault)
    assert '"PARTIAL"' in answer
    shown = json.loads(shell.block("There is no whole posture"))
    assert shown["status"] == "PARTIAL"
    assert any("not-for-us" in problem for problem in shown["problems"])


def test_the_saved_queries_about_postures_run_over_downloaded_files(shell: Shell, simulator: BackupSimulator) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=1)  # the simulator's own clock may be ahead
    never = RecoveryPointGroup(source="arn:aws:s3:::trend", count=2, index=None, created=yesterday)
    simulator.add_vault(Vault("trend", (never,)))
    assert '"COMPLETE"' in shell.block("A posture failed")

    shell.block("Ask the reports with DuckDB")
    (week,) = csv.DictReader(shell.block("Ask the reports with DuckDB", 2).splitlines())

    assert int(week["sources"]) - int(week["sources_searchable"]) >= 1
    assert int(week["backups"]) - int(week["backups_searchable"]) >= 2
