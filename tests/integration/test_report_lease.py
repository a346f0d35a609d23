"""The lease: who makes a report when its owner has died, or only seems to have."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from search_coverage.aws.report_lease import ReportLeases
from search_coverage.use_cases.ports import LeaseLost, ReportInProgress
from tests.invocation import CREDENTIALS

JOB, TABLE = "job", "idempotency"


class Table:
    """A table of leases, and the pauses of those who wait for one."""

    def __init__(self, client: Any) -> None:
        self._client = client
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.pauses: list[float] = []

    def leases(self, meanwhile: Callable[[], object] = lambda: None) -> ReportLeases:
        """Return the leases to an attempt that pauses without waiting; something happens in each pause."""

        def sleep(seconds: float) -> None:
            self.pauses.append(seconds)
            meanwhile()

        return ReportLeases(self._client, TABLE, sleep)

    def record(self) -> dict[str, Any] | None:
        """Read the only record; None if there is none."""
        items = self._client.scan(TableName=TABLE)["Items"]
        return items[0] if items else None


@pytest.fixture(scope="module")
def client() -> Any:
    """A client; it takes longer to make one than to run a test."""
    return boto3.client("dynamodb", **CREDENTIALS)


@pytest.fixture
def table(client: Any) -> Iterator[Table]:
    with mock_aws():
        yield Table(client)


def test_a_free_lease_is_taken_at_once_and_gone_at_its_end(table: Table) -> None:
    with table.leases().hold(JOB, "request") as lease:
        record = table.record()
        assert record
        assert (record["attempt"]["S"], record["request_id"]["S"]) == (lease.attempt, "request")
    assert table.pauses == []
    assert table.record() is None


def test_a_lease_is_released_although_the_work_fails(table: Table) -> None:
    with pytest.raises(ZeroDivisionError), table.leases().hold(JOB, "request"):
        raise ZeroDivisionError
    assert table.record() is None


@pytest.mark.parametrize("request_id", ["dead", "another"])
@pytest.mark.parametrize("hours_ahead", [-10, 0, 10])
def test_a_dead_attempt_is_succeeded_after_45_seconds_whatever_a_clock_says(
    table: Table, monkeypatch: pytest.MonkeyPatch, hours_ahead: int, request_id: str
) -> None:
    # Given an attempt that was killed on a machine whose clock may be wrong
    with monkeypatch.context() as elsewhere:
        right = time.time
        elsewhere.setattr("search_coverage.aws.report_lease.time.time", lambda: right() + hours_ahead * 3600)
        dead = table.leases().acquire(JOB, "dead")

    # Then its retry, or another request, takes over
    successor = table.leases().acquire(JOB, request_id)
    assert sum(table.pauses) == 45
    successor.confirm()
    with pytest.raises(LeaseLost, match="this one stops here"):
        dead.confirm()

    # And if it was only frozen, it leaves the lease to its successor
    dead.release()
    assert table.record()


@pytest.mark.parametrize("request_id", ["alive", "another"])
@pytest.mark.parametrize("hours_ahead", [0, 10])
def test_a_live_owner_keeps_its_lease_whatever_a_clock_says(
    table: Table, monkeypatch: pytest.MonkeyPatch, hours_ahead: int, request_id: str
) -> None:
    owner = table.leases().acquire(JOB, "alive")
    right = time.time
    monkeypatch.setattr("search_coverage.aws.report_lease.time.time", lambda: right() + hours_ahead * 3600)

    with pytest.raises(ReportInProgress, match="Lambda tries this one again") as caught:
        table.leases(meanwhile=owner.confirm).acquire(JOB, request_id)

    assert caught.value.request_id == "alive"
    assert table.pauses == [5.0]
    owner.confirm()


def test_a_lease_that_is_released_while_another_waits_is_taken_at_once(table: Table) -> None:
    owner = table.leases().acquire(JOB, "first")

    table.leases(meanwhile=owner.release).acquire(JOB, "second").confirm()

    assert table.pauses == [5.0]


def test_one_of_two_attempts_that_wait_for_a_dead_one_takes_over(table: Table) -> None:
    table.leases().acquire(JOB, "dead")
    faster: list[Any] = []

    def overtake() -> None:
        if len(table.pauses) == 9:  # the last look of the slower one
            faster.append(table.leases().acquire(JOB, "faster"))

    slower = table.leases(meanwhile=overtake)
    with pytest.raises(ReportInProgress):
        slower.acquire(JOB, "slower")
    faster[0].confirm()


def test_a_lease_is_renewed_while_its_owner_is_alive(table: Table, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("search_coverage.aws.report_lease._RENEWED_EVERY_SECONDS", 0.02)

    with table.leases().hold(JOB, "request"):
        deadline = time.monotonic() + 10
        while int((table.record() or {})["beats"]["N"]) < 3:
            assert time.monotonic() < deadline
            time.sleep(0.01)
