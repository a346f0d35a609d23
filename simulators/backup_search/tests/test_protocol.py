"""Botocore's own parser and AWS's own models find nothing wrong with what the simulator sends."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore import xform_name
from botocore.loaders import create_loader
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from simulators.backup_search import BackupGroup, Progress, ResultGroup, Scenario, Vault
from simulators.backup_search.protocol import Request, Service, service_of
from simulators.backup_search.search_jobs import JobStatus
from simulators.backup_search.tests.conftest import POINT, ROLE, Sandbox, named, refusal

MODELS = {
    name: ServiceModel(create_loader().load_service_model(name, "service-2"), name)
    for name in ("backupsearch", "backup")
}
FULL: dict[str, Any] = {
    "Name": "full",
    "SearchScope": {
        "BackupResourceTypes": ["S3"],
        "BackupResourceCreationTime": {"CreatedAfter": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)},
        "SourceResourceArns": ["arn:aws:s3:::invoices"],
        "BackupResourceTags": {"team": "finance"},
    },
    "ItemFilters": {
        "S3ItemFilters": [{"ObjectKeys": [{"Value": "a", "Operator": "CONTAINS"}], "Sizes": [{"Value": 1}]}]
    },
    "EncryptionKeyArn": "arn:aws:kms:us-east-1:000000000000:key/1",
    "Tags": {"case": "4711"},
}
ONE = {"BackupVaultName": "daily", "RecoveryPointArn": f"{POINT}:1"}
PLAN = {"BackupPlanName": "daily", "Rules": [{"RuleName": "every-day", "TargetBackupVaultName": "daily"}]}
CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("backupsearch", "GetSearchJob", {"SearchJobIdentifier": "full"}),
    ("backupsearch", "ListSearchJobBackups", {"SearchJobIdentifier": "full", "MaxResults": 1}),
    ("backupsearch", "ListSearchJobResults", {"SearchJobIdentifier": "full", "MaxResults": 1}),
    ("backupsearch", "ListSearchJobs", {"MaxResults": 1}),
    ("backupsearch", "ListTagsForResource", {"ResourceArn": "full"}),
    ("backupsearch", "StartSearchJob", FULL),
    ("backupsearch", "StopSearchJob", {"SearchJobIdentifier": "long"}),
    ("backup", "DescribeRecoveryPoint", ONE),
    ("backup", "GetRecoveryPointIndexDetails", ONE),
    ("backup", "GetBackupPlan", {"BackupPlanId": "plan"}),
    ("backup", "ListBackupPlanVersions", {"BackupPlanId": "plan"}),
    ("backup", "ListBackupPlans", {"MaxResults": 1}),
    ("backup", "ListBackupVaults", {"MaxResults": 1}),
    ("backup", "ListRecoveryPointsByBackupVault", {"BackupVaultName": "daily", "MaxResults": 1}),
    ("backup", "ListRecoveryPointsByResource", {"ResourceArn": "arn:aws:s3:::b"}),
    ("backup", "ListTags", {"ResourceArn": f"{POINT}:1"}),
    ("backup", "UpdateBackupPlan", {"BackupPlanId": "plan", "BackupPlan": PLAN}),
    ("backup", "UpdateRecoveryPointIndexSettings", {**ONE, "Index": "ENABLED", "IamRoleArn": ROLE}),
]
COMMON = {"AccessDeniedException": 403, "ThrottlingException": 400}  # of backup, whose model lacks them


@pytest.fixture
def jobs(sandbox: Sandbox) -> dict[str, str]:
    """Start a search job that has every member, and one that runs, beside recovery points that have every member."""
    groups = (BackupGroup(count=2, status_message="m"),)
    counts, results = Progress(items_matched=7), (ResultGroup(count=2),)
    full = Scenario("full", backups=groups, status_message="m", progress=counts, results=results)
    sandbox.simulator.add_scenario(full)
    sandbox.simulator.add_scenario(Scenario("long", backups=groups, runs_for=timedelta(seconds=100)))
    texts = {"index_message": "why", "status_message": "m"}
    group = named("{i}", count=2, index="FAILED", created=timedelta(days=2), **texts)
    sandbox.simulator.add_vault(Vault("daily", (group,)))
    sandbox.simulator.add_plan("plan", PLAN)
    return {"full": sandbox.search.start_search_job(**FULL)["SearchJobIdentifier"], "long": sandbox.start("long")}


@pytest.mark.parametrize(("service", "operation", "params"), CALLS, ids=[call[1] for call in CALLS])
def test_every_output_and_every_error_satisfies_botocores_own_parser(
    sandbox: Sandbox, jobs: dict[str, str], service: str, operation: str, params: dict[str, Any]
) -> None:
    model = MODELS[service].operation_model(operation)
    call = getattr(sandbox.search if service == "backupsearch" else sandbox.backup, xform_name(operation))
    if service == "backupsearch" and "ResourceArn" in params:
        params = {"ResourceArn": sandbox.simulator.account.search_job_arn(jobs["full"])}
    if "SearchJobIdentifier" in params:
        params = {**params, "SearchJobIdentifier": jobs[params["SearchJobIdentifier"]]}

    response = call(**params)
    metadata = response.pop("ResponseMetadata")

    # The parsed output has the right types, and of a search all members
    assert model.output_shape is not None
    report = ParamValidator().validate(response, model.output_shape)
    assert not report.has_errors(), report.generate_report()
    assert metadata["HTTPStatusCode"] == model.http.get("responseCode", 200)
    if service == "backupsearch":
        assert set(response) == set(model.output_shape.members)
    if operation == "GetSearchJob":
        assert (response["SearchScope"], response["ItemFilters"]) == (FULL["SearchScope"], FULL["ItemFilters"])

    # Each error has its code, its status, its message and its required members
    statuses = {shape.name: shape.metadata.get("error", {}).get("httpStatusCode", 400) for shape in model.error_shapes}
    required = {shape.name: set(shape.metadata.get("required", [])) for shape in model.error_shapes}
    if service == "backup":
        statuses |= COMMON | ({"ServiceUnavailableException": 500} if "ServiceUnavailableException" in statuses else {})
    for code, status in statuses.items():
        sandbox.simulator.faults.add("error", operation=operation, error_code=code, message="why", times=1)
        error = refusal(call, **params)
        assert (error["Code"], error["Message"], error["Status"]) == (code, "why", status)
        assert error["ResponseMetadata"]["HTTPHeaders"]["x-amzn-errortype"] == code
        assert required.get(code, set()) <= {*error, "message"}


def test_only_errors_of_the_operations_own_model_are_answered() -> None:
    # The errors that each operation raises by itself, found by the tests of search jobs
    raised = {
        "GetSearchJob": {"ResourceNotFoundException", "ValidationException"},
        "ListSearchJobBackups": {"ResourceNotFoundException", "ValidationException"},
        "ListSearchJobResults": {"ResourceNotFoundException", "ValidationException"},
        "ListSearchJobs": {"ValidationException"},
        "ListTagsForResource": {"ResourceNotFoundException", "ValidationException"},
        "StartSearchJob": {"ConflictException", "ServiceQuotaExceededException", "ValidationException"},
        "StopSearchJob": {"ConflictException", "ResourceNotFoundException", "ValidationException"},
    }
    for operation, codes in raised.items():
        assert codes <= {shape.name for shape in MODELS["backupsearch"].operation_model(operation).error_shapes}


def test_the_statuses_that_the_clock_gives_are_the_models() -> None:
    assert set(JobStatus) < set(getattr(MODELS["backupsearch"].shape_for("SearchJobState"), "enum", []))


@pytest.mark.parametrize(
    ("signing_name", "operation"), [("backup-search", "ListTagsForResource"), ("backup", "ListTags")]
)
def test_the_signature_distinguishes_two_services_with_the_same_route(signing_name: str, operation: str) -> None:
    # Both have GET /tags/{arn}, and AWS distinguishes them by host name
    services = (Service("backupsearch"), Service("backup"))
    scope = f"AWS4-HMAC-SHA256 Credential=AKID/20261120/us-east-1/{signing_name}/aws4_request, SignedHeaders=host"
    arn = "arn%3Aaws%3Abackup%3Aus-east-1%3A000000000000%3Abackup-vault%3Amine%2Fall"
    request = Request.from_primitives("GET", f"http://127.0.0.1/tags/{arn}", {"Authorization": scope})

    (service,) = service_of(request, services)
    match = service.match(request)

    assert match is not None
    assert match[0].name == operation
    assert list(match[1].values()) == ["arn:aws:backup:us-east-1:000000000000:backup-vault:mine/all"]
