"""Faults on demand: for which operation, on which page, how often."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, PaginationError

from simulators.backup_search import (
    BackupGroup,
    BackupSimulator,
    Effect,
    FaultError,
    RecoveryPointGroup,
    Scenario,
    Vault,
)
from simulators.backup_search.tests.conftest import Sandbox, ask, refusal

LISTING = "ListSearchJobBackups"
VAULT_LISTING = "ListRecoveryPointsByBackupVault"


@pytest.fixture
def simulator(sandbox: Sandbox) -> BackupSimulator:
    return sandbox.simulator


@pytest.fixture
def job(simulator: BackupSimulator) -> str:
    """Finish a search job of three rows."""
    return simulator.finish_job(Scenario("three", backups=(BackupGroup(count=3),)))


@pytest.fixture
def patient(simulator: BackupSimulator) -> Iterator[Any]:
    """Make a client that tries three times."""
    config = Config(retries={"total_max_attempts": 3, "mode": "standard"}, read_timeout=2)
    client = boto3.client("backupsearch", endpoint_url=simulator.endpoint_url, config=config)
    yield client
    client.close()


def page(sandbox: Sandbox, job: str, token: str | None = None) -> dict[str, Any]:
    more = {} if token is None else {"NextToken": token}
    return dict(sandbox.search.list_search_job_backups(SearchJobIdentifier=job, MaxResults=1, **more))


def vault_page(sandbox: Sandbox, vault: str, token: str | None = None) -> dict[str, Any]:
    more = {} if token is None else {"NextToken": token}
    return dict(sandbox.backup.list_recovery_points_by_backup_vault(BackupVaultName=vault, MaxResults=1, **more))


def statuses(simulator: BackupSimulator) -> list[int]:
    return [request.status for request in simulator.requests]


def test_throttling_carries_retry_after_and_ends_after_so_many_times(sandbox: Sandbox, job: str) -> None:
    sandbox.simulator.faults.throttle(LISTING, retry_after_seconds=7, times=1)

    error = refusal(page, sandbox=sandbox, job=job)

    assert error["Code"] == "ThrottlingException"
    assert error["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "7"
    assert error["retryAfterSeconds"] == 7
    assert page(sandbox, job)["Results"]
    assert sandbox.simulator.faults.active() == ()


def test_the_sdk_gets_through_throttling_by_itself(simulator: BackupSimulator, job: str, patient: Any) -> None:
    simulator.faults.throttle(LISTING, retry_after_seconds=0, times=1)

    patient.list_search_job_backups(SearchJobIdentifier=job)

    assert statuses(simulator) == [429, 200]


def test_a_fault_waits_for_its_page_and_its_operation(sandbox: Sandbox, job: str) -> None:
    sandbox.simulator.faults.add("error", operation=LISTING, error_code="InternalServerException", page=2)

    first = page(sandbox, job)
    with pytest.raises(ClientError, match="InternalServerException"):
        page(sandbox, job, first["NextToken"])
    sandbox.job(job)

    assert statuses(sandbox.simulator) == [200, 500, 200]


def test_a_fault_without_an_operation_is_for_all(sandbox: Sandbox, job: str) -> None:
    fault = sandbox.simulator.faults.add(Effect.ERROR, error_code="AccessDeniedException")

    with pytest.raises(ClientError, match="AccessDeniedException"):
        page(sandbox, job)
    with pytest.raises(ClientError, match="AccessDeniedException"):
        sandbox.search.list_search_jobs()
    sandbox.simulator.faults.remove(fault)

    assert page(sandbox, job)["Results"]


@pytest.mark.parametrize(("effect", "status"), [(Effect.CONNECTION_RESET, 0), (Effect.TRUNCATED_BODY, 200)])
def test_a_broken_connection_is_an_error_for_the_client_once(
    sandbox: Sandbox, job: str, effect: Effect, status: int
) -> None:
    sandbox.simulator.faults.add(effect, operation=LISTING, times=1)

    with pytest.raises(ConnectionClosedError):
        page(sandbox, job)

    assert page(sandbox, job)["Results"]
    recorded = [(request.status, request.faults) for request in sandbox.simulator.requests]
    assert recorded == [(status, (effect.value,)), (200, ())]


def test_broken_json_is_no_error_for_botocore_but_an_output_without_its_required_members(
    sandbox: Sandbox, job: str
) -> None:
    sandbox.simulator.faults.add(Effect.BROKEN_JSON, operation=LISTING, page=2, times=1)
    first = page(sandbox, job)

    # A caller that trusts the paginator takes this for the end of the list
    second = page(sandbox, job, first["NextToken"])

    assert set(second) == {"ResponseMetadata"}
    assert second["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert [request.faults for request in sandbox.simulator.requests] == [(), ("broken_json",)]


def test_a_delay_comes_with_the_other_faults(sandbox: Sandbox, job: str) -> None:
    sandbox.simulator.faults.add("delay", delay_seconds=0.2)
    sandbox.simulator.faults.throttle(LISTING)

    began = time.monotonic()
    with pytest.raises(ClientError, match="Throttling"):
        page(sandbox, job)

    assert time.monotonic() - began >= 0.2


def test_a_delay_does_not_hold_up_the_end_of_the_simulator(simulator: BackupSimulator) -> None:
    simulator.faults.add("delay", delay_seconds=3600)
    waiting = threading.Thread(target=ask, args=(simulator, "GET", "/search-jobs"))
    waiting.start()

    began = time.monotonic()
    simulator.stop()
    waiting.join(timeout=2)

    assert not waiting.is_alive()
    assert time.monotonic() - began < 2


def test_a_token_that_answers_itself_makes_the_paginator_give_up(sandbox: Sandbox, job: str) -> None:
    sandbox.simulator.faults.add("token_cycle", operation=LISTING)
    first = page(sandbox, job)

    second = page(sandbox, job, first["NextToken"])
    paginator = sandbox.search.get_paginator("list_search_job_backups")
    pages = paginator.paginate(SearchJobIdentifier=job, PaginationConfig={"PageSize": 1})

    assert second["NextToken"] == first["NextToken"]
    with pytest.raises(PaginationError):
        list(pages)


def test_two_tokens_can_answer_each_other_for_ever(sandbox: Sandbox, job: str) -> None:
    sandbox.simulator.faults.add("token_cycle", operation=LISTING, cycle_length=2)

    tokens = []
    token = None
    for _ in range(6):
        token = page(sandbox, job, token)["NextToken"]
        tokens.append(token)

    assert tokens == tokens[:2] * 3
    assert tokens[0] != tokens[1]


def test_a_page_token_of_a_vault_can_come_back_again(sandbox: Sandbox) -> None:
    sandbox.simulator.add_vault(Vault("daily", (RecoveryPointGroup(count=9),)))
    sandbox.simulator.faults.add("token_cycle", operation=VAULT_LISTING)

    first = vault_page(sandbox, "daily")
    second = vault_page(sandbox, "daily", first["NextToken"])

    assert second["NextToken"] == first["NextToken"]


def test_a_fault_may_be_for_one_vault_only(sandbox: Sandbox) -> None:
    faults = sandbox.simulator.faults
    for name in ("open", "locked", "busy"):
        sandbox.simulator.add_vault(Vault(name, (RecoveryPointGroup(count=2),)))
    locked = {"BackupVaultName": "locked"}
    faults.add("error", operation=VAULT_LISTING, error_code="AccessDeniedException", where=locked)
    faults.throttle(VAULT_LISTING, where={"BackupVaultName": "busy"}, page=2, retry_after_seconds=3)

    token = vault_page(sandbox, "busy")["NextToken"]
    denied = refusal(vault_page, sandbox=sandbox, vault="locked")
    throttled = refusal(vault_page, sandbox=sandbox, vault="busy", token=token)

    assert len(sandbox.points("open")) == 2
    assert (denied["Code"], denied["Status"]) == ("AccessDeniedException", 403)
    assert (throttled["Code"], throttled["Status"]) == ("ThrottlingException", 400)


def test_an_error_code_happens_only_to_services_that_have_it(sandbox: Sandbox) -> None:
    # A fault for every operation, with an error that AWS Backup search alone knows
    sandbox.simulator.faults.add("error", error_code="ServiceQuotaExceededException")

    assert sandbox.backup.list_backup_vaults()["BackupVaultList"] == []
    assert ask(sandbox.simulator, "GET", "/search-jobs").status == 402


@pytest.mark.parametrize(
    ("details", "sentence"),
    [
        ({"effect": "explosion"}, "effect must be 'error', 'connection_reset'"),
        ({"effect": "delay", "operation": "Explode"}, "operation must not name 'Explode'; allowed: Describe"),
        ({"effect": "error", "error_code": "Oops"}, "error_code must not name 'Oops'; allowed: AccessDeniedException"),
        ({"effect": "error"}, "the effect 'error' needs it"),
        ({"effect": "delay", "times": 0}, "times must be greater than or equal to 1, not 0"),
        ({"effect": "delay", "delay_seconds": "x"}, "delay_seconds must be a valid number"),
        ({"effect": "delay", "pages": 3}, "pages is not a key here; allowed: effect, operation, page"),
    ],
)
def test_a_fault_that_is_not_possible_is_refused_in_words(
    simulator: BackupSimulator, details: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(FaultError) as caught:
        simulator.faults.add(**details)
    assert sentence in str(caught.value)
