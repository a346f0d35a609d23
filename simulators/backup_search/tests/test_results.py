"""What a search found, what it looked for, and its tags, as boto3 sees them."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from simulators.backup_search import BackupGroup, Progress, RecoveryPointGroup, ResultGroup, Scenario, Vault
from simulators.backup_search.tests.conftest import NOW, POINT, Sandbox, ask, aws, json_of, named, refusal

LISTING = "ListSearchJobResults"
UNKNOWN = "6f1f7a5e-0000-4000-8000-000000000000"
FILTERS: dict[str, Any] = {"S3ItemFilters": [{"ObjectKeys": [{"Value": "invoice", "Operator": "CONTAINS"}]}]}
MIXED = Scenario(
    "mixed",
    backups=(BackupGroup(count=2, vault="daily"), BackupGroup(resource_type="EBS")),
    results=(
        ResultGroup(count=2, backup=2, item='a/{i:03} ü"\\%s', size=7, etag="e{i}", version_id="v{i}"),
        ResultGroup(backup=3, item="/b/{i}", created=NOW - timedelta(days=9), file_system="fs"),
    ),
)
LONG = Scenario(
    "long",
    backups=(BackupGroup(count=4),),
    results=(ResultGroup(count=6, item="{i}"), ResultGroup(count=4, item="{i}")),
    runs_for=timedelta(seconds=100),
    stops_for=timedelta(seconds=5),
)


def results(sandbox: Sandbox, identifier: str, **paging: Any) -> list[dict[str, Any]]:
    paginator = sandbox.search.get_paginator("list_search_job_results")
    pages = paginator.paginate(SearchJobIdentifier=identifier, PaginationConfig=paging)
    return [result for page in pages for result in page["Results"]]


def keys(sandbox: Sandbox, identifier: str) -> list[str]:
    return [result["S3ResultItem"]["ObjectKey"] for result in results(sandbox, identifier)]


def tags(sandbox: Sandbox, identifier: str) -> dict[str, str] | None:
    arn = sandbox.simulator.account.search_job_arn(identifier)
    found: dict[str, str] | None = sandbox.search.list_tags_for_resource(ResourceArn=arn).get("Tags")
    return found


def test_a_result_is_in_a_backup_that_the_search_lists(sandbox: Sandbox) -> None:
    identifier = sandbox.simulator.finish_job(MIXED)

    _, second, third = sandbox.rows(identifier)
    found = results(sandbox, identifier)

    assert found[1] == {
        "S3ResultItem": {
            "BackupResourceArn": second["BackupResourceArn"],
            "SourceResourceArn": second["SourceResourceArn"],
            "BackupVaultName": "daily",
            "ObjectKey": 'a/002 ü"\\%s',
            "ObjectSize": 7,
            "CreationTime": NOW - timedelta(days=3),
            "ETag": "e2",
            "VersionId": "v2",
        }
    }
    assert found[2] == {
        "EBSResultItem": {
            "BackupResourceArn": third["BackupResourceArn"],
            "SourceResourceArn": third["SourceResourceArn"],
            "BackupVaultName": "Default",
            "FileSystemIdentifier": "fs",
            "FilePath": "/b/3",
            "FileSize": 1024,
            "CreationTime": NOW - timedelta(days=9),
            "LastModifiedTime": NOW - timedelta(days=2),
        }
    }


def test_a_result_may_name_what_no_row_does(sandbox: Sandbox) -> None:
    group = ResultGroup(
        backup_arn="arn:{account}:{i}", source="arn:{region}", vault="other", omit=("ETag", "VersionId")
    )

    (result,) = results(sandbox, sandbox.simulator.finish_job(Scenario("odd", (BackupGroup(),), results=(group,))))

    item = result["S3ResultItem"]
    names = [item[name] for name in ("BackupResourceArn", "SourceResourceArn", "BackupVaultName")]
    assert names == ["arn:000000000000:1", "arn:us-east-1", "other"]
    assert not {"ETag", "VersionId"} & set(item)


def test_the_job_counts_its_results_unless_the_scenario_has_another_count(sandbox: Sandbox) -> None:
    identifiers = [
        sandbox.simulator.finish_job(
            Scenario("count", (BackupGroup(),), results=(ResultGroup(count=3),), progress=count)
        )
        for count in (Progress(), Progress(items_matched=5))
    ]

    counts = [sandbox.job(identifier)["CurrentSearchProgress"]["ItemsMatchedCount"] for identifier in identifiers]
    assert counts == [3, 5]


def test_the_list_of_a_running_job_ends_at_what_it_has_found(sandbox: Sandbox) -> None:
    sandbox.simulator.add_scenario(LONG)
    identifier = sandbox.start("long")

    counts = []
    for _ in range(5):
        counts.append(len(results(sandbox, identifier)))
        sandbox.move(seconds=33)

    assert counts == [0, 3, 6, 9, 10]


def test_a_stopped_job_keeps_the_results_that_it_had(sandbox: Sandbox) -> None:
    sandbox.simulator.add_scenario(LONG)
    identifier = sandbox.start("long")
    sandbox.move(seconds=70)

    sandbox.search.stop_search_job(SearchJobIdentifier=identifier)
    sandbox.move(seconds=5)

    assert sandbox.status(identifier) == "STOPPED"
    assert keys(sandbox, identifier) == list("1234567")


def test_every_result_comes_once_in_the_order_of_the_scenario_whatever_the_page(sandbox: Sandbox) -> None:
    groups = (ResultGroup(count=1500), ResultGroup(count=0), ResultGroup(count=1000, item="last"))
    identifier = sandbox.simulator.finish_job(Scenario("big", (BackupGroup(),), results=groups))

    by_thousand = results(sandbox, identifier)
    by_seven_hundred = results(sandbox, identifier, PageSize=700)

    assert by_thousand == by_seven_hundred
    listed = [result["S3ResultItem"]["ObjectKey"] for result in by_thousand]
    assert len(set(listed[:1500])) == 1500
    assert listed[1499:] == ["documents/001500.pdf", *["last"] * 1000]


def test_a_token_of_the_backups_is_not_one_of_the_results(sandbox: Sandbox) -> None:
    job: dict[str, Any] = {"SearchJobIdentifier": sandbox.simulator.finish_job(LONG), "MaxResults": 1}
    token = sandbox.search.list_search_job_backups(**job)["NextToken"]

    error = refusal(sandbox.search.list_search_job_results, **job, NextToken=token)

    assert error["Code"] == "ValidationException"


def test_absent_members_of_results_and_tags_may_be_nulls(sandbox: Sandbox) -> None:
    group = ResultGroup(omit=("ObjectKey", "ObjectSize", "CreationTime"))
    identifier = sandbox.simulator.finish_job(Scenario("bare", (BackupGroup(),), results=(group,)))
    plain = results(sandbox, identifier)

    sandbox.simulator.send_nulls()
    sent = json.loads(ask(sandbox.simulator, "GET", f"/search-jobs/{identifier}/search-results").body)

    (item,) = sent["Results"]
    assert sent["NextToken"] is None
    assert item["EBSResultItem"] is None
    assert [item["S3ResultItem"][name] for name in group.omit] == [None] * 3
    assert results(sandbox, identifier) == plain
    assert tags(sandbox, identifier) is None


def test_results_fail_page_by_page_and_job_by_job(sandbox: Sandbox) -> None:
    broken, whole = sandbox.simulator.finish_job(LONG), sandbox.simulator.finish_job(LONG)
    where = {"SearchJobIdentifier": broken}
    sandbox.simulator.faults.throttle(LISTING, page=2, where=where)

    first = sandbox.search.list_search_job_results(SearchJobIdentifier=broken, MaxResults=4)
    with pytest.raises(ClientError, match="ThrottlingException"):
        sandbox.search.list_search_job_results(SearchJobIdentifier=broken, MaxResults=4, NextToken=first["NextToken"])

    assert len(results(sandbox, whole, PageSize=4)) == 10


def test_a_page_token_of_results_can_come_back_again(sandbox: Sandbox) -> None:
    job: dict[str, Any] = {"SearchJobIdentifier": sandbox.simulator.finish_job(LONG), "MaxResults": 1}
    sandbox.simulator.faults.add("token_cycle", operation=LISTING)

    first = sandbox.search.list_search_job_results(**job)
    second = sandbox.search.list_search_job_results(**job, NextToken=first["NextToken"])

    assert second["NextToken"] == first["NextToken"]


def test_a_page_of_a_million_results_takes_milliseconds(sandbox: Sandbox) -> None:
    huge = Scenario("huge", (BackupGroup(),), results=(ResultGroup(count=1_000_000),))
    path = f"/search-jobs/{sandbox.simulator.finish_job(huge)}/search-results"
    ask(sandbox.simulator, "GET", path)

    durations = []
    for _ in range(5):
        began = time.perf_counter()
        page = ask(sandbox.simulator, "GET", path)
        durations.append(time.perf_counter() - began)

    assert len(json.loads(page.body)["Results"]) == 1000
    assert min(durations) < 0.02


def test_a_search_of_the_vaults_finds_items_only_in_backups_that_it_searches(sandbox: Sandbox) -> None:
    points = (RecoveryPointGroup(count=3, index=None), named("{i}", count=2), named("failed", index="FAILED"))
    groups = tuple(ResultGroup(backup=row, item=f"in {row}") for row in (2, 3, 4))
    sandbox.simulator.add_scenario(Scenario("find", vaults=(Vault("daily", points),), results=groups))

    (found,) = results(sandbox, sandbox.start("find"))

    item = found["S3ResultItem"]
    names = [item[name] for name in ("ObjectKey", "BackupResourceArn", "BackupVaultName")]
    assert names == ["in 2", f"{POINT}:5", "daily"]


@pytest.mark.parametrize("vaults", [(), (Vault("daily", (RecoveryPointGroup(),)),)])
def test_a_job_has_the_filters_and_tags_of_its_scenario_unless_it_is_given_others(
    sandbox: Sandbox, vaults: tuple[Vault, ...]
) -> None:
    at = "2026-01-02T03:04:05+01:00"
    of_scenario = {"S3ItemFilters": [{"CreationTimes": [{"Value": at}]}]}
    scenario = Scenario("asked", vaults=vaults, item_filters=of_scenario, tags={"case": "scenario"})
    sandbox.simulator.add_scenario(scenario)
    s3: Any = {"Name": "asked", "SearchScope": {"BackupResourceTypes": ["S3"]}}

    jobs = [
        sandbox.search.start_search_job(**s3)["SearchJobIdentifier"],
        sandbox.simulator.finish_job("asked"),
        sandbox.search.start_search_job(**s3, ItemFilters=FILTERS, Tags={"case": "own"})["SearchJobIdentifier"],
        sandbox.simulator.finish_job("asked", item_filters=FILTERS, tags={"case": "own"}),
    ]

    asked = {"S3ItemFilters": [{"CreationTimes": [{"Value": datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)}]}]}
    assert [sandbox.job(job)["ItemFilters"] for job in jobs] == [asked, asked, FILTERS, FILTERS]
    assert [tags(sandbox, job) for job in jobs] == [{"case": "scenario"}] * 2 + [{"case": "own"}] * 2


def test_a_search_has_one_to_ten_conditions_of_each_kind(sandbox: Sandbox) -> None:
    def start(conditions: int) -> tuple[int, str]:
        filters = {"S3ItemFilters": [{"Sizes": [{"Value": 1}] * conditions}]}
        body = {"SearchScope": {"BackupResourceTypes": ["S3"]}, "ItemFilters": filters}
        reply = ask(sandbox.simulator, "PUT", "/search-jobs", json.dumps(body).encode())
        return reply.status, reply.headers.get("x-amzn-errortype", "")

    assert [start(conditions) for conditions in (0, 1, 10, 11)] == [
        (400, "ValidationException"),
        (200, ""),
        (200, ""),
        (400, "ValidationException"),
    ]


def test_tags_are_those_of_a_search_job_that_is_known(sandbox: Sandbox) -> None:
    identifier = sandbox.simulator.finish_job(Scenario("tagged", tags={"case": "4711"}))
    arn = sandbox.simulator.account.search_job_arn
    call = sandbox.search.list_tags_for_resource

    known = tags(sandbox, identifier)
    others = [arn(UNKNOWN), arn(identifier).replace("us-east-1", "eu-west-1"), arn("nightly"), "arn:aws:s3:::bucket"]
    refused = [refusal(call, ResourceArn=other) for other in others]
    wrong = refusal(call, ResourceArn=identifier)
    sandbox.move(days=7)
    forgotten = refusal(call, ResourceArn=arn(identifier))

    assert known == {"case": "4711"}
    assert {(error["Code"], error["Status"]) for error in [*refused, forgotten]} == {("ResourceNotFoundException", 404)}
    assert (wrong["Code"], wrong["Status"]) == ("ValidationException", 400)


def test_a_job_without_tags_has_none(sandbox: Sandbox) -> None:
    assert tags(sandbox, sandbox.simulator.finish_job(MIXED)) is None


def test_the_aws_cli_reads_results_and_tags(sandbox: Sandbox) -> None:
    identifier = sandbox.simulator.finish_job(MIXED, tags={"case": "4711"})
    search, job = (sandbox.simulator.endpoint_url, "backupsearch"), ("--search-job-identifier", identifier)
    arn = sandbox.simulator.account.search_job_arn(identifier)

    listed = json_of(aws(*search, "list-search-job-results", *job, "--page-size", "1"))["Results"]
    tagged = json_of(aws(*search, "list-tags-for-resource", "--resource-arn", arn))

    assert [list(result) for result in listed] == [["S3ResultItem"], ["S3ResultItem"], ["EBSResultItem"]]
    assert tagged == {"Tags": {"case": "4711"}}
