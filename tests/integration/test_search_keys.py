"""Search jobs under a customer key: what the report function may, and what it says where it may not."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from cli.doctor.finding import State
from cli.doctor.section import RUNBOOK, Section
from infra.settings import Settings
from search_coverage.aws.errors import reading_search_job
from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.use_cases.ports import SearchKeyDenied
from simulators.backup_search import Effect
from tests.infra.conftest import ROOT, synthesised
from tests.integration.aws_calls import Need
from tests.integration.command_line.scripted_aws import IN_ORDER, Answers, ScriptedStack, find, policy_simulator
from tests.integration.conftest import Deployment
from tests.integration.role_policy import RolePolicy
from tests.integration.test_least_privilege import SOME_FAILED, real_names
from tests.invocation import ACCOUNT, REGION

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
OTHER_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/66666666-2222-3333-4444-555555555555"
TEN_MINUTES = timedelta(minutes=10)
SEARCH_JOBS = ("aws:backup-search:search-job",)

NEED = Need(
    "kms:Decrypt",
    KEY,
    (("kms:ViaService", f"backup.{REGION}.amazonaws.com"), ("kms:EncryptionContextKeys", SEARCH_JOBS)),
)


def encrypted_search_job(deployment: Deployment) -> str:
    """Start a search job under a customer key, and let it end."""
    search: Any = boto3.client("backupsearch")
    scope = deployment.simulator.search_scope(SOME_FAILED)
    identifier: str = search.start_search_job(SearchScope=scope, EncryptionKeyArn=KEY)["SearchJobIdentifier"]
    return identifier


# What the function may


def test_with_the_setting_the_report_function_may_decrypt_with_these_keys_for_search_jobs_alone(
    deployment: Deployment,
) -> None:
    stack = synthesised(Settings(search_key_arns=(KEY,)))
    role = RolePolicy.of(stack, "ReporterReportRole", real_names(deployment))
    beyond = {
        replace(NEED, resource=OTHER_KEY),
        replace(NEED, action="kms:GenerateDataKey"),
        replace(NEED, context=(("kms:ViaService", f"s3.{REGION}.amazonaws.com"), NEED.context[1])),
        replace(NEED, context=(NEED.context[0], ("kms:EncryptionContextKeys", ("aws:s3:arn",)))),
        replace(NEED, context=(NEED.context[0], ("kms:EncryptionContextKeys", (*SEARCH_JOBS, "aws:s3:arn")))),
        replace(NEED, context=(NEED.context[1],)),
    }

    assert role.refused({NEED, *beyond}) == beyond


def test_the_conditions_are_those_of_the_policy_of_aws_for_who_works_with_searches() -> None:
    stack = synthesised(Settings(search_key_arns=(KEY, OTHER_KEY)))
    (statement,) = [
        each
        for each in stack.resource("ReporterReportRole")["Policies"][0]["PolicyDocument"]["Statement"]
        if each["Sid"] == "ReadSearchJobsUnderTheseKeys"
    ]

    assert statement == {
        "Sid": "ReadSearchJobsUnderTheseKeys",
        "Effect": "Allow",
        "Action": "kms:Decrypt",
        "Resource": [KEY, OTHER_KEY],
        "Condition": {
            "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": "aws:backup-search:search-job"},
            "StringLike": {"kms:ViaService": "backup.*.amazonaws.com"},
        },
    }


def test_without_the_setting_nobody_may_and_the_watch_function_never_may(deployment: Deployment) -> None:
    for settings, role in (
        (Settings(), "ReporterReportRole"),
        (Settings(search_key_arns=(KEY,)), "WatcherWatchRole"),
    ):
        assert RolePolicy.of(synthesised(settings), role, real_names(deployment)).refused([NEED]) == {NEED}


# What it says if it may not


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDeniedException", f"User: arn:aws:sts::1:assumed-role/r/f may not perform: kms:Decrypt on {KEY}"),
        ("AccessDeniedException", "The ciphertext refers to a key that does not exist or that you may not access."),
        ("AccessDeniedException", f"Access to {KEY} was denied."),
        ("AccessDeniedException", "Cannot decrypt the search job."),
    ],
)
@pytest.mark.parametrize("operation", ["GetSearchJob", "ListSearchJobBackups"])
def test_a_search_job_whose_key_may_not_be_used_says_which_and_names_the_setting(
    deployment: Deployment, operation: str, code: str, message: str
) -> None:
    # Given a search job under a customer key, and an AWS that denies its use
    search_job = encrypted_search_job(deployment)
    deployment.simulator.move_clock(forward=TEN_MINUTES)
    deployment.simulator.faults.add(Effect.ERROR, operation=operation, error_code=code, message=message)

    # When a report of it is asked for
    with pytest.raises(SearchKeyDenied) as caught:
        deployment.report({"searchJobIdentifier": search_job})

    # Then the sentence says what AWS said, which key it is where anybody said it, and what to do
    sentence = str(caught.value)
    assert f"{operation} answered {code}: {message.removesuffix('.')}. The search job is encrypted" in sentence
    known = operation == "ListSearchJobBackups" or KEY in message
    assert f"use it: the key {KEY if known else 'that AWS does not name here'}. Add its ARN" in sentence
    assert "the setting searchKeyArns" in sentence
    assert deployment.stored() == []


def test_a_code_of_kms_is_about_a_key_whatever_the_message_is() -> None:
    refusal = ClientError({"Error": {"Code": "KMSAccessDeniedException", "Message": "No."}}, "GetSearchJob")

    with pytest.raises(SearchKeyDenied, match=f"the key {KEY}"), reading_search_job("Reading it", KEY):
        raise refusal


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "AccessDeniedException",
            "User: arn:aws:sts::1:assumed-role/key-user/kms-f may not perform: backup-search:Get",
        ),
        ("AccessDeniedException", "No."),
        ("ValidationException", "The key is wrong."),
    ],
)
def test_what_is_not_about_a_key_does_not_blame_one(deployment: Deployment, code: str, message: str) -> None:
    search_job = encrypted_search_job(deployment)
    deployment.simulator.faults.add(Effect.ERROR, operation="GetSearchJob", error_code=code, message=message)

    with pytest.raises(AwsCallFailed) as caught:
        deployment.report({"searchJobIdentifier": search_job})

    assert type(caught.value) is AwsCallFailed
    assert "searchKeyArns" not in str(caught.value)


# What the doctor says


def known_to_aws(*keys: str | None) -> Answers:
    """Give an AWS that knows a search job under each of these keys."""
    jobs = {f"{number:08}-2222-3333-4444-555555555555": key for number, key in enumerate(keys)}

    def get(params: dict[str, Any]) -> dict[str, Any]:
        identifier = params["url_path"].rsplit("/", 1)[-1]
        key = {"EncryptionKeyArn": jobs[identifier]} if jobs[identifier] else {}
        return {"SearchJobIdentifier": identifier, **key}

    arn = f"arn:aws:backup-search:{REGION}:{ACCOUNT}:search-job"
    listed = [{"SearchJobIdentifier": each, "SearchJobArn": f"{arn}/{each}"} for each in jobs]
    return {**IN_ORDER, "ListSearchJobs": {"SearchJobs": listed}, "GetSearchJob": get}


def test_the_doctor_names_a_key_that_the_report_function_may_not_use() -> None:
    finding = find(
        "KMS keys of search jobs", ScriptedStack({**known_to_aws(None, KEY, KEY), **policy_simulator("kms:Decrypt")})
    )

    assert (finding.state, finding.section) == (State.ATTENTION, Section.SEARCH_KEYS)
    assert finding.found == (
        f"The report function cannot use {KEY} (search job 00000002-2222-3333-4444-555555555555), so AWS probably "
        "refuses to return such search jobs."
    )
    assert "searchKeyArns" in finding.remedy


@pytest.mark.parametrize(
    ("keys", "found"),
    [
        ((), "None of the 0 search jobs that AWS knows is encrypted with a customer key."),
        ((None, None), "None of the 2 search jobs that AWS knows is encrypted with a customer key."),
        ((None,) * 60, "None of the 50 latest of 60 search jobs that AWS knows is encrypted with a customer key."),
        ((KEY, OTHER_KEY, KEY), "The report function can use all 2 keys of the 3 search jobs that AWS knows."),
    ],
)
def test_the_doctor_has_nothing_to_say_of_keys_that_may_be_used(keys: tuple[str | None, ...], found: str) -> None:
    finding = find("KMS keys of search jobs", ScriptedStack({**known_to_aws(*keys), **policy_simulator()}))

    assert (finding.state, finding.found) == (State.OK, found)


def test_the_doctor_does_not_know_where_conditions_are_not_heeded() -> None:
    answers = {**known_to_aws(KEY), **policy_simulator("kms:Decrypt", conditions=False)}

    assert find("KMS keys of search jobs", ScriptedStack(answers)).state is State.UNKNOWN


def test_the_runbook_says_the_same_of_the_setting() -> None:
    section = (ROOT / RUNBOOK).read_text(encoding="utf-8").split(f"## {Section.SEARCH_KEYS}\n")[1].split("\n## ")[0]

    assert "searchKeyArns" in section
    assert SearchKeyDenied.__name__ in (ROOT / RUNBOOK).read_text(encoding="utf-8")
