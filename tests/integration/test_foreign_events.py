"""Events that another account's or Region's bus forwards to ours: no report, and no failure either."""

from typing import Any

import pytest

from search_coverage.handlers.report_request import InvalidRequest
from simulators.backup_search import BackupGroup, Scenario
from tests.integration.conftest import Deployment
from tests.invocation import ACCOUNT, REGION, state_change

SOME_FAILED = Scenario("some-failed", (BackupGroup(count=2), BackupGroup(count=2, status="FAILED")))
ELSEWHERE = [
    {"account": "999999999999"},
    {"region": "eu-central-1"},
    {"account": "999999999999", "region": "eu-west-1"},
]


@pytest.mark.parametrize("origin", ELSEWHERE, ids=str)
def test_a_forwarded_event_is_logged_and_done(
    deployment: Deployment, origin: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    # Given an event from elsewhere, even about a search job that is known here by chance
    search_job = deployment.simulator.finish_job(SOME_FAILED)
    deployment.simulator.clear_requests()

    # When it arrives
    answer = deployment.report(state_change(search_job) | origin)

    # Then it counts as done, so that Lambda neither tries it again nor puts it into the failure queue
    assert answer == {"ignored": True}
    # And nothing was read or written for it
    assert deployment.simulator.requests == ()
    assert deployment.stored() == []
    # And the log says in a sentence what it was, as no error
    (line,) = [record for record in caplog.records if "forwarded" in record.getMessage()]
    assert line.levelname == "WARNING"
    assert line.getMessage().startswith(
        f"The event is of account '{origin.get('account', ACCOUNT)}' and Region '{origin.get('region', REGION)}', "
        f"and this is account {ACCOUNT} and Region {REGION}:"
    )


def test_an_event_of_this_account_and_region_gets_its_report(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(SOME_FAILED)

    assert deployment.report(state_change(search_job))["created"] is True


@pytest.mark.parametrize("origin", [5, None, ["x"], {}])
def test_an_origin_that_is_no_text_is_refused_with_a_sentence(deployment: Deployment, origin: Any) -> None:
    with pytest.raises(InvalidRequest, match=r"The account of the event is .*, not a text"):
        deployment.report(state_change("any") | {"account": origin})


def test_an_origin_of_any_length_is_cut_where_it_is_told(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    assert deployment.report(state_change("any") | {"account": "x" * 10_000}) == {"ignored": True}
    assert len(capsys.readouterr().out) < 2000


def test_a_direct_invocation_has_no_origin_that_could_be_ignored(deployment: Deployment) -> None:
    with pytest.raises(InvalidRequest, match="unknown member 'account'"):
        deployment.report({"searchJobIdentifier": "any", "account": "999999999999"})


def test_a_report_is_made_whatever_the_setting_of_the_sweeps_says(deployment: Deployment) -> None:
    # Given sweeps that announce failed search jobs alone
    search_job = deployment.simulator.finish_job(SOME_FAILED)
    assert deployment.sweep(SEARCH_JOB_STATUSES="FAILED")["announced"] == 0

    # Then who asks for the report of another one, by an event or directly, gets it
    assert deployment.report(state_change(search_job))["created"] is True
    assert deployment.report({"searchJobIdentifier": search_job, "replay": True})["created"] is True
