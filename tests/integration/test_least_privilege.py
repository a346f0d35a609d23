"""Each role of a function allows what the function calls, and nothing else: the calls are recorded, not listed."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, Protocol

import boto3
import pytest
from botocore.awsrequest import AWSResponse

from infra.settings import Settings
from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.names import INDEX_STATE_CHANGE
from search_coverage.use_cases.report_search_job import NotificationPending, ResultsPending
from simulators.backup_search import BackupGroup, RecoveryPointGroup, ResultGroup, Scenario, Vault
from tests.infra.conftest import synthesized
from tests.integration.aws_calls import (
    MESSAGES_KEY,
    REPORTS_KEY,
    RESULTS_KEY,
    Call,
    Need,
    Recorder,
    needs_of,
    recorder,
)
from tests.integration.conftest import Deployment
from tests.integration.role_policy import Condition, DenyingPolicy, RolePolicy, Statement
from tests.invocation import ACCOUNT, REGION, Context
from tests.wire import response

__all__ = ["recorder"]  # a fixture

CALLED_BY_LAMBDA = ("WriteItsLog", "SendTraces", "HandOverFailures")
"""Statements for what Lambda does on behalf of the role: it writes the log, sends the traces, and sends the event of a
failed report to the failure queue."""

REPORT_ROLE = f"arn:aws:iam::{ACCOUNT}:role/report"
POSTURE_ROLE = f"arn:aws:iam::{ACCOUNT}:role/posture"
ADMINISTRATOR = f"arn:aws:iam::{ACCOUNT}:role/administrator"
VOLUME = f"arn:aws:ec2:{REGION}:{ACCOUNT}:volume/vol-1"
PLAN = "11111111-2222-3333-4444-555555555555"
INDEX_FAILED = {
    "id": "e-1",
    "source": "aws.backup",
    "detail-type": INDEX_STATE_CHANGE,
    "account": ACCOUNT,
    "region": REGION,
    "resources": [f"arn:aws:ec2:{REGION}::snapshot/snap-1"],
    "detail": {"indexStatus": "FAILED"},
}
SOME_FAILED = Scenario("some-failed", (BackupGroup(count=2), BackupGroup(count=2, status="FAILED")))


class Names(Protocol):
    """The resources that the policies name."""

    bucket: str
    table: str
    topic: str


class Deployed:
    """The names in `Deployment`."""

    bucket, table, topic = "reports-bucket", "idempotency", f"arn:aws:sns:{REGION}:{ACCOUNT}:alerts"


RESULTS = "results-bucket"
FOUND = replace(SOME_FAILED, name="found", results=(ResultGroup(count=50),))


def real_names(deployment: Names) -> dict[str, str]:
    """Return what stands in the test for each reference of the template."""
    return {
        "<AWS::Partition>": "aws",
        "<AWS::Region>": REGION,
        "<AWS::AccountId>": ACCOUNT,
        "<ReportStoreBucket.Arn>": f"arn:aws:s3:::{deployment.bucket}",
        "<ReportStoreKey.Arn>": REPORTS_KEY,
        "<ResultsStoreBucket.Arn>": f"arn:aws:s3:::{RESULTS}",
        "<ResultsStoreKey.Arn>": RESULTS_KEY,
        "<AlertsTopic>": deployment.topic,
        "<AlertsKey.Arn>": MESSAGES_KEY,
        "<ReporterIdempotencyTable.Arn>": f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{deployment.table}",
        "<ReporterFailureQueue.Arn>": f"arn:aws:sqs:{REGION}:{ACCOUNT}:failures",
        "<ReporterReportLogs.Arn>": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:report:*",
        "<WatcherWatchLogs.Arn>": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:watch:*",
        "<PosterPostureLogs.Arn>": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:posture:*",
        "<ReporterReportRole.Arn>": REPORT_ROLE,
        "<PosterPostureRole.Arn>": POSTURE_ROLE,
    }


_ROLES = {"report": "ReporterReportRole", "watch": "WatcherWatchRole", "posture": "PosterPostureRole"}


@cache
def role_of(function: str, *, inventory: bool = True, keep_results: bool = False) -> RolePolicy:
    """Return the policy of a function's role, as if the stack had been deployed here, without what Lambda calls."""
    role = _ROLES[function]
    whole = RolePolicy.of(
        synthesized(Settings(inventory=inventory, keep_results=keep_results)), role, real_names(Deployed())
    )
    return whole.without(*(each.sid for each in whole.statements if each.sid in CALLED_BY_LAMBDA))


@cache
def bucket_policy() -> DenyingPolicy:
    return DenyingPolicy.of(synthesized(Settings()), "ReportStoreBucketPolicy", real_names(Deployed()))


def asked_by(principal: str, needs: Iterable[Need], *, over_tls: bool = True) -> set[Need]:
    """Return the needs as a resource's policy sees them: with who asks, and how."""
    caller = (("aws:PrincipalArn", principal), ("aws:SecureTransport", str(over_tls).lower()))
    return {replace(need, context=(*need.context, *caller)) for need in needs}


def refuse(**_: object) -> AWSResponse:
    """Answer a request instead of AWS."""
    return response(b"", 403)


def report_in_every_way(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every branch of the report function in which it calls something new."""
    search_job = deployment.simulator.finish_job(SOME_FAILED)
    event = {"searchJobIdentifier": search_job}
    deployment.report(event)  # written and notified
    deployment.report(event)  # found in the bucket
    deployment.report({**event, "replay": True})  # written again
    marked = next(key for key in deployment.stored() if key.endswith("/summary.json"))
    mark = marked.replace("summary.json", "results-pending.json")
    deployment.s3.put_object(Bucket=deployment.bucket, Key=mark)
    deployment.report(event)  # a mark of results that nobody asks for any more is removed
    refused = deployment.hooked("report", {"before-send.sns.Publish": refuse})
    with pytest.raises(NotificationPending):
        refused.handler({**event, "replay": True}, Context())  # whole, and not notified
    deployment.report(event)  # notified, and its mark removed
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


def report_with_results(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the results of a search; lose them, and keep them later."""
    deployment.s3.create_bucket(Bucket=RESULTS)
    search_job = deployment.simulator.finish_job(FOUND)
    event, kept = {"searchJobIdentifier": search_job}, {"RESULTS_BUCKET": RESULTS}
    fault = deployment.simulator.faults.add("broken_json", operation="ListSearchJobResults")
    with pytest.raises(ResultsPending):
        deployment.report(event, None, **kept)
    deployment.simulator.faults.remove(fault)
    deployment.report(event, None, **kept)
    with monkeypatch.context() as large:
        large.setattr("search_coverage.aws.guarded_objects._PART_BYTES", 1000)
        large.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
        broken = deployment.hooked("report", {"before-send.s3.UploadPart": refuse}, **kept)
        with pytest.raises(AwsCallFailed):  # an upload of results that breaks off
            broken.handler({**event, "replay": True}, Context())


def report_with_inventory(deployment: Deployment) -> None:
    """Run every way in which the report function reads the vaults."""
    deployment.simulator.add_vault(Vault("Default", (*stored("S3", "arn:aws:s3:::invoices"), *stored("EBS", VOLUME))))
    deployment.simulator.add_vault(Vault("Second"))
    search = boto3.client("backupsearch").start_search_job
    for resource_type, scope in (
        ("S3", {}),  # reads the vaults
        ("S3", {"BackupResourceTags": {"pii": "yes"}}),  # and the tags
        ("S3", {"SourceResourceArns": ["arn:aws:s3:::invoices"]}),  # and the sources
        ("EBS", {"SourceResourceArns": [VOLUME]}),  # whose ARNs are those of snapshots
        ("EBS", {"BackupResourceTags": {"pii": "yes"}}),  # whose tags EC2 returns
    ):
        request: Any = {"SearchScope": {"BackupResourceTypes": [resource_type], **scope}}
        search_job = search(**request)["SearchJobIdentifier"]
        deployment.simulator.move_clock(timedelta(minutes=10))
        deployment.report({"searchJobIdentifier": search_job}, INVENTORY="ON")
        summary = deployment.summary(search_job)
        assert summary
        assert summary["inventory"]["status"] == "COMPLETE"


def stored(resource_type: str, source: str) -> tuple[RecoveryPointGroup, ...]:
    """Return what a vault holds of a source: with an index, without, and one whose storage class needs a lookup."""
    usual: dict[str, Any] = {"source": source, "resource_type": resource_type, "tags": {"pii": "yes"}}
    cold = RecoveryPointGroup(index=None, move_to_cold_storage_at=timedelta(hours=1), **usual)
    return RecoveryPointGroup(**usual), RecoveryPointGroup(index=None, **usual), cold


def sweep_in_every_way(deployment: Deployment) -> None:
    """Run every branch of the watch function in which it calls something new."""
    deployment.sweep()  # nothing there
    deployment.simulator.finish_job(SOME_FAILED, ended_ago=timedelta(hours=2))
    deployment.sweep()  # something to announce
    deployment.sweep()  # announced already


def posture_in_every_way(deployment: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every branch of the posture function in which it calls something new."""
    rule = {"RuleName": "every-night", "TargetBackupVaultName": "Default"}
    deployment.simulator.add_plan(PLAN, {"BackupPlanName": "nightly", "Rules": [rule]})
    made = RecoveryPointGroup(source="arn:aws:s3:::payroll", index=None, plan=PLAN, rule="every-night")
    tagged = (*stored("S3", "arn:aws:s3:::invoices"), *stored("EBS", VOLUME))
    deployment.simulator.add_vault(Vault("Default", (made, *tagged)))
    first = deployment.function("posture")
    yesterday = datetime.now(UTC) - timedelta(days=1)
    monkeypatch.setattr(first, "take_posture", replace(first.take_posture, now=lambda: yesterday))
    first.handler({"posture": {}}, Context(function_name="posture"))  # taken and mailed
    assert deployment.posture(INDEX_FAILED) == {"recorded": True}
    deployment.posture()  # compared with the one before, and with the index that failed
    for resource_type in ("S3", "EBS"):
        scope = {"BackupResourceTypes": [resource_type], "BackupResourceTags": {"pii": "yes"}}
        assert deployment.posture({"preflight": {"searchScope": scope}})["status"] == "COMPLETE"
    deployment.function("posture").take_posture.leases.acquire("posture", "another request")
    monkeypatch.setattr("search_coverage.aws.report_lease._SECONDS_BETWEEN_LOOKS", 0)
    with monkeypatch.context() as large:
        large.setattr("search_coverage.aws.guarded_objects._PART_BYTES", 1000)
        large.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
        deployment.posture()  # taken over, and uploaded in parts
        broken = deployment.hooked("posture", {"before-send.s3.UploadPart": refuse})
        with pytest.raises(AwsCallFailed):  # an upload that breaks off
            broken.handler({"posture": {}}, Context(function_name="posture"))


_RECORDED: dict[str, set[Need]] = {}

Perform = Callable[[Deployment], None]


def recorded(name: str, perform: Perform, request: pytest.FixtureRequest) -> set[Need]:
    """Return what the functions need to do something; it is done once per session."""
    if name not in _RECORDED:
        listener: Recorder = request.getfixturevalue("recorder")
        deployment: Deployment = request.getfixturevalue("deployment")
        assert (deployment.bucket, deployment.table, deployment.topic) == (
            Deployed.bucket,
            Deployed.table,
            Deployed.topic,
        )
        perform(deployment)
        _RECORDED[name] = listener.needs()
    return _RECORDED[name]


@pytest.fixture
def needs_without_inventory(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> set[Need]:
    """What the report function needs if it does not read the vaults."""
    return recorded("report", lambda deployment: report_in_every_way(deployment, monkeypatch), request)


@pytest.fixture
def report_needs(request: pytest.FixtureRequest, needs_without_inventory: set[Need]) -> set[Need]:
    """What the report function needs."""
    return needs_without_inventory | recorded("inventory", report_with_inventory, request)


@pytest.fixture
def needs_with_results(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, needs_without_inventory: set[Need]
) -> set[Need]:
    """What the report function needs if it keeps results."""
    return needs_without_inventory | recorded(
        "results", lambda deployment: report_with_results(deployment, monkeypatch), request
    )


@pytest.fixture
def watch_needs(request: pytest.FixtureRequest) -> set[Need]:
    """What the watch function needs."""
    return recorded("watch", sweep_in_every_way, request)


@pytest.fixture
def posture_needs(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> set[Need]:
    """What the posture function needs."""
    return recorded("posture", lambda deployment: posture_in_every_way(deployment, monkeypatch), request)


# What the roles allow


def test_the_report_function_may_do_all_that_it_calls_and_nothing_else(report_needs: set[Need]) -> None:
    role = role_of("report")

    assert (role.refused(report_needs), role.idle(report_needs)) == (set(), set())


def test_without_the_inventory_the_report_function_may_not_read_the_vaults(needs_without_inventory: set[Need]) -> None:
    role = role_of("report", inventory=False)

    assert (role.refused(needs_without_inventory), role.idle(needs_without_inventory)) == (set(), set())


def test_with_results_the_report_function_may_keep_them_and_nothing_else(needs_with_results: set[Need]) -> None:
    role = role_of("report", inventory=False, keep_results=True)

    assert (role.refused(needs_with_results), role.idle(needs_with_results)) == (set(), set())


def test_the_watch_function_may_do_all_that_it_calls_and_nothing_else(watch_needs: set[Need]) -> None:
    role = role_of("watch")

    assert (role.refused(watch_needs), role.idle(watch_needs)) == (set(), set())


def test_the_posture_function_may_do_all_that_it_calls_and_nothing_else(posture_needs: set[Need]) -> None:
    role = role_of("posture")

    assert (role.refused(posture_needs), role.idle(posture_needs)) == (set(), set())


def test_the_policy_of_the_bucket_denies_the_report_function_nothing_that_it_needs(report_needs: set[Need]) -> None:
    assert_only_one_role_writes(REPORT_ROLE, report_needs, (ADMINISTRATOR, POSTURE_ROLE))


def test_the_policy_of_the_bucket_denies_the_posture_function_nothing_that_it_needs(posture_needs: set[Need]) -> None:
    assert_only_one_role_writes(POSTURE_ROLE, posture_needs, (ADMINISTRATOR, REPORT_ROLE))


def assert_only_one_role_writes(role: str, needs: set[Need], others: Iterable[str]) -> None:
    """Assert that the policy of the bucket lets a role do what it needs over TLS, and lets no other role write that."""
    bucket = bucket_policy()
    on_the_bucket = {need for need in needs if need.action.startswith("s3:")}

    assert bucket.denied(asked_by(role, on_the_bucket)) == set()
    without_tls = asked_by(role, on_the_bucket, over_tls=False)
    assert bucket.denied(without_tls) == without_tls
    written = {need for need in on_the_bucket if need.action == "s3:PutObject"}
    assert written
    for other in others:
        assert bucket.denied(asked_by(other, on_the_bucket)) == asked_by(other, written)


@pytest.mark.parametrize("action", ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags", "s3:PutObject"])
@pytest.mark.parametrize(
    "folder",
    [
        *("reports/1/2", "excluded_backups/account=1", "summaries/account=1", "questions/1/2"),
        *("posture/1/2", "postures/account=1", "posture_sources/account=1", "index_failures/1/2"),
    ],
)
def test_no_other_role_replicates_or_writes_a_report_into_the_bucket(action: str, folder: str) -> None:
    # Given a role that may do everything, and a summary that it would plant
    planted = Need(action, f"arn:aws:s3:::{Deployed.bucket}/{folder}/summary.json")
    beside = Need(action, f"arn:aws:s3:::{Deployed.bucket}/beside/anything")

    # Then neither it nor a service that acts for it can, and IAM decides about keys that are no evidence
    callers = {*asked_by(ADMINISTRATOR, [planted]), replace(planted, context=(("aws:SecureTransport", "true"),))}
    assert bucket_policy().denied(callers) == callers
    assert bucket_policy().denied(asked_by(ADMINISTRATOR, [beside])) == set()


RECORDS = {"watch": "announcement#job", "report": "told#job", "posture": "lease#posture"}


@pytest.mark.parametrize(
    ("own", "others"),
    [("watch", "report"), ("watch", "posture"), ("report", "watch"), ("posture", "report"), ("posture", "watch")],
)
def test_a_function_touches_no_record_of_the_other(own: str, others: str) -> None:
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{Deployed.table}"

    def about(*keys: str) -> Need:
        return Need("dynamodb:PutItem", table, (("dynamodb:LeadingKeys", keys),))

    beyond = {
        about(RECORDS[others]),
        about("lease#job", RECORDS["watch"]),
        about(RECORDS[own], RECORDS[others]),
        Need("dynamodb:PutItem", table),
    }
    assert role_of(own).refused({about(RECORDS[own]), *beyond}) == beyond


@pytest.mark.parametrize("function", ["report", "posture"])
def test_every_granted_permission_is_needed(function: str, report_needs: set[Need], posture_needs: set[Need]) -> None:
    role, needs = role_of(function), {"report": report_needs, "posture": posture_needs}[function]
    permissions = [(each.sid, action) for each in role.statements for action in each.actions]

    assert len(permissions) >= 20
    for sid, action in permissions:
        missed = role.without_action(sid, action).refused(needs)
        assert {need.action for need in missed} == {action}, f"{action} of {sid} can be left out"


@pytest.mark.parametrize(
    ("actions", "resources", "idle"),
    [
        (("s3:GetBucketAcl",), ("*",), {"s3:GetBucketAcl", "*"}),
        (("sns:Publish", "sns:Subscribe"), ("*",), {"sns:Subscribe"}),
        (("s3:PutObject",), ("arn:aws:s3:::reports-bucket/*", "arn:aws:s3:::other/*"), {"arn:aws:s3:::other/*"}),
    ],
)
def test_an_unneeded_permission_is_found(
    report_needs: set[Need], actions: tuple[str, ...], resources: tuple[str, ...], idle: set[str]
) -> None:
    role = role_of("report").with_statement(Statement("More", actions, resources))

    assert role.idle(report_needs) == {("More", part) for part in idle}


def put_events(*sources: str) -> Need:
    """Return what a request with an event per source needs: IAM is asked once, about all sources."""
    entries = [{"EventBusName": "default", "Source": source, "DetailType": "any", "Detail": "{}"} for source in sources]
    (need,) = needs_of(Call("events", "PutEvents", {"Entries": entries}))
    assert dict(need.context) == {"events:source": sources}
    return need


TEN_OF_OURS = put_events(*["search-coverage"] * 10)
ONE_FOREIGN_AMONG_TEN = put_events(*["search-coverage"] * 9, "aws.backup")


@pytest.mark.parametrize(
    "beyond",
    [
        Need("s3:PutObject", "arn:aws:s3:::reports-bucket/elsewhere/report.html"),
        Need("s3:PutObject", "arn:aws:s3:::other/reports/report.html"),
        Need("s3:DeleteObject", "arn:aws:s3:::reports-bucket/reports/1/report.html"),
        Need("s3:DeleteObjectVersion", "arn:aws:s3:::reports-bucket/reports/1/summary.json"),
        Need("kms:Decrypt", REPORTS_KEY),
        Need("kms:Decrypt", REPORTS_KEY, (("kms:ViaService", f"sns.{REGION}.amazonaws.com"),)),
        put_events("search-coverage", "aws.backup"),
        ONE_FOREIGN_AMONG_TEN,
        replace(TEN_OF_OURS, context=()),
        Need("backup-search:StopSearchJob", f"arn:aws:backup-search:{REGION}:{ACCOUNT}:search-job/1"),
    ],
)
def test_the_evaluation_refuses_what_is_beyond_the_role(beyond: Need) -> None:
    assert role_of("report").refused([beyond]) == {beyond}


def test_every_function_may_put_ten_events_of_ours_at_once_and_no_foreign_one_among_them() -> None:
    for function in ("watch", "report", "posture"):
        assert role_of(function).refused([TEN_OF_OURS, ONE_FOREIGN_AMONG_TEN]) == {ONE_FOREIGN_AMONG_TEN}


def test_a_plain_operator_on_the_sources_of_events_is_refused() -> None:
    # Given the statement as it once was
    plain = Condition("StringEquals", "events:source", ("search-coverage",))
    once = RolePolicy((Statement("AnnounceOnTheDefaultBus", ("events:PutEvents",), ("*",), (plain,)),))

    # Then it allows a request neither of many events nor of one, since their sources are a list in any case
    needs = {TEN_OF_OURS, put_events("search-coverage")}
    assert once.refused(needs) == needs
