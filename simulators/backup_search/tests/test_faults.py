"""What the backup simulator promises to break, for which operation, on which page, how often."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError, PaginationError

from simulators.backup_search import BackupGroup, BackupSimulator, Effect, FaultError, Scenario
from simulators.backup_search.tests.asking import request

if TYPE_CHECKING:
    from mypy_boto3_backupsearch import BackupSearchClient

LISTING = "ListSearchJobBackups"


@dataclass
class Sandbox:
    """A simulator with one ended job of three rows, and two clients."""

    simulator: BackupSimulator
    identifier: str
    client: BackupSearchClient
    patient: BackupSearchClient

    def page(self, token: str | None = None) -> dict[str, Any]:
        more: dict[str, Any] = {} if token is None else {"NextToken": token}
        page: Any = self.client.list_search_job_backups(SearchJobIdentifier=self.identifier, MaxResults=1, **more)
        return dict(page)

    def statuses(self) -> list[int]:
        return [request.status for request in self.simulator.requests]


@pytest.fixture
def sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "simulated")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "simulated")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with BackupSimulator(scenarios=[Scenario("three", backups=(BackupGroup(count=3),))]) as simulator:
        clients = [
            boto3.client(
                "backupsearch",
                region_name="us-east-1",
                endpoint_url=simulator.endpoint_url,
                config=Config(retries={"total_max_attempts": attempts, "mode": "standard"}, read_timeout=2),
            )
            for attempts in (1, 3)
        ]
        yield Sandbox(simulator, simulator.finish_job("three"), clients[0], clients[1])
        for client in clients:
            client.close()


def test_throttling_carries_retry_after_and_ends_after_so_many_times(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.faults.throttle(LISTING, retry_after_seconds=7, times=1)

    # When
    with pytest.raises(ClientError) as caught:
        sandbox.page()

    # Then
    response: dict[str, Any] = dict(caught.value.response)
    assert response["Error"]["Code"] == "ThrottlingException"
    assert response["ResponseMetadata"]["HTTPHeaders"]["retry-after"] == "7"
    assert response["retryAfterSeconds"] == 7
    assert sandbox.page()["Results"]
    assert sandbox.simulator.faults.active() == ()


def test_the_sdk_gets_through_throttling_by_itself(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.faults.throttle(LISTING, retry_after_seconds=0, times=1)

    # When
    sandbox.patient.list_search_job_backups(SearchJobIdentifier=sandbox.identifier)

    # Then
    assert sandbox.statuses() == [429, 200]


def test_a_fault_waits_for_its_page_and_its_operation(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.faults.add("error", operation=LISTING, error_code="InternalServerException", page=2)

    # When
    first = sandbox.page()
    with pytest.raises(ClientError, match="InternalServerException"):
        sandbox.page(first["NextToken"])
    sandbox.client.get_search_job(SearchJobIdentifier=sandbox.identifier)

    # Then
    assert sandbox.statuses() == [200, 500, 200]


def test_a_fault_without_an_operation_is_for_all(sandbox: Sandbox) -> None:
    # Given
    fault = sandbox.simulator.faults.add(Effect.ERROR, error_code="AccessDeniedException")

    # When
    for call in (sandbox.page, sandbox.client.list_search_jobs):
        with pytest.raises(ClientError, match="AccessDeniedException"):
            call()
    sandbox.simulator.faults.remove(fault)

    # Then
    assert sandbox.page()["Results"]


@pytest.mark.parametrize("effect", [Effect.CONNECTION_RESET, Effect.TRUNCATED_BODY])
def test_a_broken_connection_is_an_error_for_the_client_once(sandbox: Sandbox, effect: Effect) -> None:
    # Given
    sandbox.simulator.faults.add(effect, operation=LISTING, times=1)

    # When
    with pytest.raises(ConnectionClosedError):
        sandbox.page()

    # Then
    assert sandbox.page()["Results"]
    recorded = [(request.status, request.faults) for request in sandbox.simulator.requests]
    assert recorded == [(0 if effect is Effect.CONNECTION_RESET else 200, (effect.value,)), (200, ())]


def test_broken_json_is_no_error_for_botocore_but_an_output_without_its_required_members(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.faults.add(Effect.BROKEN_JSON, operation=LISTING, page=2, times=1)
    first = sandbox.page()

    # When: whoever trusts the paginator takes this for the end of the list
    second = sandbox.page(first["NextToken"])

    # Then
    assert set(second) == {"ResponseMetadata"}
    assert second["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert [request.faults for request in sandbox.simulator.requests] == [(), ("broken_json",)]


def test_a_delay_comes_with_the_other_faults(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.faults.add("delay", delay_seconds=0.2)
    sandbox.simulator.faults.throttle(LISTING)

    # When
    began = time.monotonic()
    with pytest.raises(ClientError, match="Throttling"):
        sandbox.page()

    # Then
    assert time.monotonic() - began >= 0.2


def test_a_delay_does_not_hold_up_the_end_of_the_simulator(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.faults.add("delay", delay_seconds=3600)
    waiting = threading.Thread(target=sandbox.simulator.answer, args=(request("GET", "/search-jobs"),))
    waiting.start()

    # When
    began = time.monotonic()
    sandbox.simulator.stop()

    waiting.join(timeout=2)

    # Then
    assert not waiting.is_alive()
    assert time.monotonic() - began < 2


def test_a_token_that_answers_itself_makes_the_paginator_give_up(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.faults.add("token_cycle", operation=LISTING)
    first = sandbox.page()

    # When
    second = sandbox.page(first["NextToken"])
    paginator = sandbox.client.get_paginator("list_search_job_backups")
    pages = paginator.paginate(SearchJobIdentifier=sandbox.identifier, PaginationConfig={"PageSize": 1})

    # Then
    assert second["NextToken"] == first["NextToken"]
    with pytest.raises(PaginationError):
        list(pages)


def test_two_tokens_can_answer_each_other_for_ever(sandbox: Sandbox) -> None:
    # Given
    sandbox.simulator.faults.add("token_cycle", operation=LISTING, cycle_length=2)

    # When
    tokens = []
    token = None
    for _ in range(6):
        token = sandbox.page(token)["NextToken"]
        tokens.append(token)

    # Then
    assert tokens == tokens[:2] * 3
    assert tokens[0] != tokens[1]


@pytest.mark.parametrize(
    ("details", "sentence"),
    [
        ({"effect": "explosion"}, "effect must be 'error', 'connection_reset'"),
        ({"effect": "delay", "operation": "Explode"}, "operation must not name 'Explode'; allowed: Describe"),
        ({"effect": "error", "error_code": "Oops"}, "error_code must not name 'Oops'; allowed: AccessDeniedException"),
        ({"effect": "error"}, "the effect 'error' needs it"),
        ({"effect": "delay", "times": 0}, "times must be greater than or equal to 1, not 0"),
        ({"effect": "delay", "delay_seconds": "x"}, "delay_seconds must be a valid number"),
        ({"effect": "delay", "pages": 3}, "pages is no key here; allowed: effect, operation, page"),
    ],
)
def test_a_fault_that_cannot_be_is_refused_in_words(sandbox: Sandbox, details: dict[str, Any], sentence: str) -> None:
    with pytest.raises(FaultError) as caught:
        sandbox.simulator.faults.add(**details)
    assert sentence in str(caught.value)
