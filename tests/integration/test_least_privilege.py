"""Each role of a function allows what the function calls, and nothing else: the calls are recorded, not listed."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from infra.settings import Settings
from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.use_cases.report_search_job import NotificationPending
from simulators.backup_search import BackupGroup, RecoveryPointGroup, Scenario, Vault
from tests.infra.conftest import synthesised
from tests.integration.aws_calls import (
    MESSAGES_KEY,
    REPORTS_KEY,
    Call,
    ContextValue,
    Need,
    Recorder,
    needs_of,
    recorder,
)
from tests.integration.conftest import Deployment
from tests.integration.role_policy import Condition, DenyingPolicy, RolePolicy, Statement, UnknownOperator
from tests.invocation import ACCOUNT, REGION, Context
from tests.wire import response

__all__ = ["recorder"]  # a fixture

CALLED_BY_LAMBDA: Mapping[str, str] = MappingProxyType(
    {
        "WriteItsLog": "Lambda writes what the function prints into the log group, in the role's name",
        "SendTraces": "Lambda sends the traces of the function, in the role's name",
        "HandOverFailures": "Lambda puts the event of a failed report into the failure queue, in the role's name",
    }
)
"""Statements that no call of ours needs, and who needs them."""

REPORT_ROLE = f"arn:aws:iam::{ACCOUNT}:role/report"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:role/administrator"

VOLUME = f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/vol-1"
SOME_FAILED = Scenario("some-failed", (BackupGroup(count=2), BackupGroup(count=2, status="FAILED")))


def policy(deployment: Deployment, role: str, *, inventory: bool = True) -> RolePolicy:
    """Give a role's policy, as if the stack had been deployed where the test runs, without what Lambda calls."""
    whole = RolePolicy.of(synthesised(Settings(inventory=inventory)), role, real_names(deployment))
    return whole.without(*(each.sid for each in whole.statements if each.sid in CALLED_BY_LAMBDA))


def real_names(deployment: Deployment) -> dict[str, str]:
    """Give what stands in the test for each reference of the template."""
    return {
        "<AWS::Partition>": "aws",
        "<AWS::Region>": REGION,
        "<AWS::AccountId>": ACCOUNT,
        "<ReportStoreBucket.Arn>": f"arn:aws:s3:::{deployment.bucket}",
        "<ReportStoreKey.Arn>": REPORTS_KEY,
        "<AlertsTopic>": deployment.topic,
        "<AlertsKey.Arn>": MESSAGES_KEY,
        "<ReporterIdempotencyTable.Arn>": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{deployment.table}",
        "<ReporterFailureQueue.Arn>": f"arn:aws:sqs:{REGION}:{ACCOUNT}:failures",
        "<ReporterReportLogs.Arn>": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:report:*",
        "<WatcherWatchLogs.Arn>": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:watch:*",
        "<ReporterReportRole.Arn>": REPORT_ROLE,
    }


def asked_by(principal: str, needs: Iterable[Need], *, over_tls: bool = True) -> set[Need]:
    """Give the needs as a resource's policy sees them: with who asks, and how."""
    caller = (("aws:PrincipalArn", principal), ("aws:SecureTransport", str(over_tls).lower()))
    return {replace(need, context=(*need.context, *caller)) for need in needs}


def refuse(**_: object) -> AWSResponse:
    """Answer a request in the place of AWS."""
    return response(b"", 403)


def report_in_every_way(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Go through the branches of the report function in which it calls something new."""
    search_job = deployment.simulator.finish_job(SOME_FAILED)
    event = {"searchJobIdentifier": search_job}
    deployment.report(event)  # made and told
    deployment.report(event)  # found in the bucket
    deployment.report({**event, "replay": True})  # made again
    refused = deployment.hooked("report", {"before-send.sns.Publish": refuse})
    with pytest.raises(NotificationPending):
        refused.handler({**event, "replay": True}, Context())  # whole, and not told
    deployment.report(event)  # told, and its mark taken off
    deployment.function("report").report_search_job.leases.acquire(search_job, "another request")
    monkeypatch.setattr("search_coverage.aws.report_lease._SECONDS_BETWEEN_LOOKS", 0)
    deployment.report(event)  # taken over
    with monkeypatch.context() as large:
        large.setattr("search_coverage.aws.guarded_objects._PART_BYTES", 1000)
        large.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
        deployment.report({**event, "replay": True})  # uploaded in parts
        broken = deployment.hooked("report", {"before-send.s3.UploadPart": refuse})
        with pytest.raises(AwsCallFailed):  # an upload that breaks off, and an invocation that fails
            broken.handler({**event, "replay": True}, Context())


def report_with_inventory(deployment: Deployment) -> None:
    """Go through the ways in which the report function reads the vaults."""
    deployment.simulator.add_vault(Vault("Default", (*stored("S3", "arn:aws:s3:::invoices"), *stored("EBS", VOLUME))))
    deployment.simulator.add_vault(Vault("Second"))
    search = boto3.client("backupsearch").start_search_job
    for resource_type, scope in (
        ("S3", {}),  # reads the vaults
        ("S3", {"BackupResourceTags": {"pii": "yes"}}),  # and the tags
        ("S3", {"SourceResourceArns": ["arn:aws:s3:::invoices"]}),  # and the sources
        ("EBS", {"SourceResourceArns": [VOLUME]}),  # whose ARNs are those of snapshots
        ("EBS", {"BackupResourceTags": {"pii": "yes"}}),  # whose tags EC2 knows
    ):
        request: Any = {"SearchScope": {"BackupResourceTypes": [resource_type], **scope}}
        search_job = search(**request)["SearchJobIdentifier"]
        deployment.simulator.move_clock(timedelta(minutes=10))
        deployment.report({"searchJobIdentifier": search_job}, INVENTORY="ON")
        summary = deployment.summary(search_job)
        assert summary
        assert summary["inventory"]["status"] == "COMPLETE"


def stored(resource_type: str, source: str) -> tuple[RecoveryPointGroup, ...]:
    """Give what a vault holds of a source: with an index, without, and one whose storage class has to be asked for."""
    usual: dict[str, Any] = {"source": source, "resource_type": resource_type, "tags": {"pii": "yes"}}
    cold = RecoveryPointGroup(index=None, move_to_cold_storage_at=timedelta(hours=1), **usual)
    return RecoveryPointGroup(**usual), RecoveryPointGroup(index=None, **usual), cold


def sweep_in_every_way(deployment: Deployment) -> None:
    """Go through the branches of the watch function in which it calls something new."""
    deployment.sweep()  # nothing there
    deployment.simulator.finish_job(SOME_FAILED, ended_ago=timedelta(hours=2))
    deployment.sweep()  # something to announce
    deployment.sweep()  # announced already


@pytest.fixture
def needs_without_inventory(deployment: Deployment, recorder: Recorder, monkeypatch: pytest.MonkeyPatch) -> set[Need]:
    """What the report function needs if it is not to read the vaults."""
    report_in_every_way(deployment, monkeypatch)
    return recorder.needs()


@pytest.fixture
def report_needs(deployment: Deployment, recorder: Recorder, needs_without_inventory: set[Need]) -> set[Need]:
    """What the report function needs."""
    report_with_inventory(deployment)
    return needs_without_inventory | recorder.needs()


@pytest.fixture
def watch_needs(deployment: Deployment, recorder: Recorder) -> set[Need]:
    """What the watch function needs."""
    sweep_in_every_way(deployment)
    return recorder.needs()


def test_the_report_function_may_do_all_that_it_calls_and_nothing_else(
    deployment: Deployment, report_needs: set[Need]
) -> None:
    role = policy(deployment, "ReporterReportRole")

    assert role.refused(report_needs) == set()
    assert role.idle(report_needs) == set()


def test_without_the_inventory_the_report_function_may_not_read_the_vaults(
    deployment: Deployment, needs_without_inventory: set[Need]
) -> None:
    role = policy(deployment, "ReporterReportRole", inventory=False)

    assert role.refused(needs_without_inventory) == set()
    assert role.idle(needs_without_inventory) == set()


def test_the_watch_function_may_do_all_that_it_calls_and_nothing_else(
    deployment: Deployment, watch_needs: set[Need]
) -> None:
    role = policy(deployment, "WatcherWatchRole")

    assert role.refused(watch_needs) == set()
    assert role.idle(watch_needs) == set()


def test_the_policy_of_the_bucket_denies_the_report_function_nothing_that_it_needs(
    deployment: Deployment, report_needs: set[Need]
) -> None:
    bucket = DenyingPolicy.of(synthesised(Settings()), "ReportStoreBucketPolicy", real_names(deployment))
    on_the_bucket = {need for need in report_needs if need.action.startswith("s3:")}

    assert bucket.denied(asked_by(REPORT_ROLE, on_the_bucket)) == set()
    everything = asked_by(REPORT_ROLE, on_the_bucket, over_tls=False)
    assert bucket.denied(everything) == everything
    written = {need for need in on_the_bucket if need.action == "s3:PutObject"}
    assert bucket.denied(asked_by(ADMINISTRATOR, on_the_bucket)) == asked_by(ADMINISTRATOR, written)


@pytest.mark.parametrize("action", ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags", "s3:PutObject"])
@pytest.mark.parametrize("folder", ["reports/1/2", "excluded_backups/account=1", "summaries/account=1"])
def test_nobody_replicates_a_report_into_the_bucket_or_writes_one_there(
    deployment: Deployment, action: str, folder: str
) -> None:
    # Given a role that may do everything, and a summary that it would plant
    bucket = DenyingPolicy.of(synthesised(Settings()), "ReportStoreBucketPolicy", real_names(deployment))
    planted = Need(action, f"arn:aws:s3:::{deployment.bucket}/{folder}/summary.json")
    beside = Need(action, f"arn:aws:s3:::{deployment.bucket}/beside/anything")

    # Then neither it nor a service that acts for it can, and what is no evidence is up to IAM
    callers = {*asked_by(ADMINISTRATOR, [planted]), replace(planted, context=(("aws:SecureTransport", "true"),))}
    assert bucket.denied(callers) == callers
    assert bucket.denied(asked_by(ADMINISTRATOR, [beside])) == set()


RECORDS = {"watch": "announcement#job", "report": "told#job"}


@pytest.mark.parametrize(("role", "own", "others"), [("Watch", "watch", "report"), ("Report", "report", "watch")])
def test_a_function_touches_no_record_of_the_other(deployment: Deployment, role: str, own: str, others: str) -> None:
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{deployment.table}"

    def about(*keys: str) -> Need:
        return Need("dynamodb:PutItem", table, (("dynamodb:LeadingKeys", keys),))

    needs = {
        about(RECORDS[own]): True,
        about(RECORDS[others]): False,
        about("lease#job", RECORDS["watch"]): False,
        about(RECORDS[own], RECORDS[others]): False,
        Need("dynamodb:PutItem", table): False,
    }
    name = "WatcherWatchRole" if role == "Watch" else "ReporterReportRole"
    assert policy(deployment, name).refused(needs) == {need for need, allowed in needs.items() if not allowed}


def test_any_permission_that_is_taken_away_is_missed(deployment: Deployment, report_needs: set[Need]) -> None:
    role = policy(deployment, "ReporterReportRole")
    permissions = [(each.sid, action) for each in role.statements for action in each.actions]

    assert len(permissions) >= 20
    for sid, action in permissions:
        missed = role.without_action(sid, action).refused(report_needs)
        assert {need.action for need in missed} == {action}, f"{action} of {sid} can be left out"


@pytest.mark.parametrize(
    ("needless", "idle"),
    [
        (Statement("More", ("s3:GetBucketAcl",), ("*",)), {("More", "s3:GetBucketAcl"), ("More", "*")}),
        (Statement("More", ("sns:Publish", "sns:Subscribe"), ("*",)), {("More", "sns:Subscribe")}),
        (
            Statement("More", ("s3:PutObject",), ("arn:aws:s3:::reports-bucket/*", "arn:aws:s3:::other/*")),
            {("More", "arn:aws:s3:::other/*")},
        ),
    ],
)
def test_a_permission_too_many_is_found(
    deployment: Deployment, report_needs: set[Need], needless: Statement, idle: set[tuple[str, str]]
) -> None:
    role = policy(deployment, "ReporterReportRole").with_statement(needless)

    assert role.idle(report_needs) == idle


@pytest.mark.parametrize(
    "beyond",
    [
        Need("s3:PutObject", "arn:aws:s3:::reports-bucket/elsewhere/report.html"),
        Need("s3:PutObject", "arn:aws:s3:::other/reports/report.html"),
        Need("s3:DeleteObject", "arn:aws:s3:::reports-bucket/reports/1/report.html"),
        Need("s3:DeleteObjectVersion", "arn:aws:s3:::reports-bucket/reports/1/summary.json"),
        Need("kms:Decrypt", REPORTS_KEY),
        Need("kms:Decrypt", REPORTS_KEY, (("kms:ViaService", f"sns.{REGION}.amazonaws.com"),)),
        Need(
            "events:PutEvents",
            f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default",
            (("events:source", ("search-coverage", "aws.backup")),),
        ),
        Need("events:PutEvents", f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default"),
        Need("backup-search:StopSearchJob", f"arn:aws:backup-search:{REGION}:{ACCOUNT}:search-job/1"),
    ],
)
def test_the_evaluation_refuses_what_is_beyond_the_role(deployment: Deployment, beyond: Need) -> None:
    assert policy(deployment, "ReporterReportRole").refused([beyond]) == {beyond}


def ten_events(*sources: str) -> Call:
    """Give a request with as many entries as there are sources."""
    entries = [{"EventBusName": "default", "Source": source, "DetailType": "any", "Detail": "{}"} for source in sources]
    return Call("events", "PutEvents", {"Entries": entries})


def test_a_request_with_ten_events_is_one_need_with_ten_sources(deployment: Deployment) -> None:
    # Given ten events of ours in one request
    (need,) = needs_of(ten_events(*["search-coverage"] * 10))

    # Then IAM is asked once, about all sources, and both functions may
    assert dict(need.context) == {"events:source": ("search-coverage",) * 10}
    assert policy(deployment, "WatcherWatchRole").refused([need]) == set()
    assert policy(deployment, "ReporterReportRole").refused([need]) == set()


def test_one_foreign_event_among_ten_is_refused(deployment: Deployment) -> None:
    needs = set(needs_of(ten_events(*["search-coverage"] * 9, "aws.backup")))

    assert policy(deployment, "WatcherWatchRole").refused(needs) == needs


def test_a_plain_operator_on_the_sources_of_events_is_refused() -> None:
    # Given the statement as it once was
    plain = Condition("StringEquals", "events:source", ("search-coverage",))
    once = RolePolicy((Statement("AnnounceOnTheDefaultBus", ("events:PutEvents",), ("*",), (plain,)),))

    # Then it allows a request neither of many events nor of one, since their sources are a list in any case
    for number in (1, 10):
        needs = set(needs_of(ten_events(*["search-coverage"] * number)))
        assert once.refused(needs) == needs


MANY, ONE, NONE = ("a", "b"), ("a",), ()


@pytest.mark.parametrize(
    ("operator", "wanted", "found", "holds"),
    [
        ("StringEquals", ("a",), "a", True),
        ("StringEquals", ("b", "a"), "a", True),
        ("StringEquals", ("a",), "A", False),
        ("StringEquals", ("a",), None, False),
        ("StringEquals", ("a",), ONE, False),
        ("StringLike", ("r/*",), "r/1", True),
        ("StringLike", ("r/*",), "s/1", False),
        ("ForAllValues:StringEquals", ("a", "b", "c"), MANY, True),
        ("ForAllValues:StringEquals", ("a",), MANY, False),
        ("ForAllValues:StringEquals", ("a",), NONE, True),
        ("ForAllValues:StringEquals", ("a",), None, True),
        ("ForAllValues:StringLike", ("r/*",), ("r/1", "r/2"), True),
        ("ForAllValues:StringLike", ("r/*",), ("r/1", "s/2"), False),
        ("ForAnyValue:StringEquals", ("a",), MANY, True),
        ("ForAnyValue:StringEquals", ("c",), MANY, False),
        ("ForAnyValue:StringEquals", ("a",), None, False),
        ("Null", ("false",), "a", True),
        ("Null", ("false",), MANY, True),
        ("Null", ("false",), NONE, False),
        ("Null", ("false",), None, False),
        ("Null", ("true",), None, True),
        ("Null", ("true",), "a", False),
        ("Bool", ("false",), "false", True),
        ("ArnNotEquals", ("arn:1",), "arn:2", True),
        ("ArnNotEquals", ("arn:1", "arn:2"), "arn:2", False),
        ("ArnNotEquals", ("arn:1",), None, True),
    ],
)
def test_a_condition_holds_as_iam_documents_it(
    operator: str, wanted: tuple[str, ...], found: ContextValue | None, *, holds: bool
) -> None:
    context = {} if found is None else {"key": found}

    assert Condition(operator, "key", wanted).holds(context) is holds


@pytest.mark.parametrize("operator", ["StringNotEquals", "ForAllValues:Null", "ForSomeValues:StringLike", "Nothing"])
def test_an_operator_that_nobody_taught_the_evaluation_stops_it(operator: str) -> None:
    with pytest.raises(UnknownOperator, match=operator):
        Condition(operator, "key", ("a",)).holds({"key": "a"})
