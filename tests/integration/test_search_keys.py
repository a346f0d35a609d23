"""Search jobs under a customer key: what the report function may, and what the doctor says of it."""

from dataclasses import replace
from typing import Any

import pytest

from cli.doctor.finding import State
from cli.doctor.section import RUNBOOK, Section
from infra.settings import Settings
from search_coverage.use_cases.ports import SearchKeyDenied
from tests.infra.conftest import ROOT, synthesized
from tests.integration.aws_calls import Need
from tests.integration.command_line.scripted_aws import IN_ORDER, Answers, ScriptedStack, find, policy_simulator
from tests.integration.conftest import Deployment
from tests.integration.role_policy import RolePolicy
from tests.integration.test_least_privilege import real_names
from tests.invocation import ACCOUNT, REGION

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
OTHER_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/66666666-2222-3333-4444-555555555555"
SEARCH_JOBS = ("aws:backup-search:search-job",)

NEED = Need(
    "kms:Decrypt",
    KEY,
    (("kms:ViaService", f"backup.{REGION}.amazonaws.com"), ("kms:EncryptionContextKeys", SEARCH_JOBS)),
)


# What the function may


def test_with_the_setting_the_report_function_may_decrypt_with_these_keys_for_search_jobs_alone(
    deployment: Deployment,
) -> None:
    stack = synthesized(Settings(search_key_arns=(KEY,)))
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
    stack = synthesized(Settings(search_key_arns=(KEY, OTHER_KEY)))
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


def test_without_the_setting_no_role_may_decrypt_and_the_watch_function_never_may(deployment: Deployment) -> None:
    for settings, role in (
        (Settings(), "ReporterReportRole"),
        (Settings(search_key_arns=(KEY,)), "WatcherWatchRole"),
    ):
        assert RolePolicy.of(synthesized(settings), role, real_names(deployment)).refused([NEED]) == {NEED}


# What the doctor says


def known_to_aws(*keys: str | None) -> Answers:
    """Return an AWS that knows a search job under each of these keys."""
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
def test_keys_that_the_report_function_may_use_are_in_order(keys: tuple[str | None, ...], found: str) -> None:
    finding = find("KMS keys of search jobs", ScriptedStack({**known_to_aws(*keys), **policy_simulator()}))

    assert (finding.state, finding.found) == (State.OK, found)


def test_a_key_is_unknown_where_iam_ignores_conditions() -> None:
    answers = {**known_to_aws(KEY), **policy_simulator("kms:Decrypt", conditions=False)}

    assert find("KMS keys of search jobs", ScriptedStack(answers)).state is State.UNKNOWN


def test_the_runbook_says_the_same_of_the_setting() -> None:
    section = (ROOT / RUNBOOK).read_text(encoding="utf-8").split(f"## {Section.SEARCH_KEYS}\n")[1].split("\n## ")[0]

    assert "searchKeyArns" in section
    assert SearchKeyDenied.__name__ in (ROOT / RUNBOOK).read_text(encoding="utf-8")
