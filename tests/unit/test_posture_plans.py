"""The plans that make backups without an index are read: a bounded number, in a bounded time."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from search_coverage.aws.backup_plans import BackupPlans
from search_coverage.coverage.backup_plan import BackupPlan
from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.coverage.posture import Counts, RulePosture
from search_coverage.coverage.searchability import Searchability
from search_coverage.inventory.time_budget import TimeBudget
from search_coverage.use_cases.posture_plans import plans_without_index
from tests.wire import Answer, Wire, response


@dataclass
class FakePlans:
    """`posture_ports.BackupPlans` in memory, which has every plan but for those that are gone."""

    gone: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    seconds_a_call: float = 0.0
    now: float = 0.0
    asked: list[str] = field(default_factory=list)

    def plan(self, plan_id: str) -> BackupPlan | None:
        self.asked.append(plan_id)
        self.now += self.seconds_a_call
        if plan_id in self.denied:
            raise AwsCallFailed(f"Reading backup plan {plan_id} failed: AccessDenied.")
        return None if plan_id in self.gone else BackupPlan(plan_id, None, None, {})


def rule(plan_id: str | None, state: Searchability = Searchability.INDEX_MISSING, name: str = "daily") -> RulePosture:
    return RulePosture(plan_id, name, {"S3": Counts({state: 1})}, 1, 1)


def read(plans: FakePlans, *rules: RulePosture) -> tuple[Mapping[str, BackupPlan], tuple[str, ...]]:
    return plans_without_index(plans, rules, TimeBudget(150.0, lambda: plans.now))


def test_each_plan_that_makes_backups_without_an_index_is_read_once() -> None:
    plans = FakePlans(gone=("gone",))

    found, notes = read(
        plans,
        rule("b"),
        rule("a"),
        rule("b", name="weekly"),
        rule("gone"),
        rule(None),
        rule("indexes", Searchability.SEARCHABLE),
        rule("fails", Searchability.INDEX_FAILED),
    )

    assert (list(found), notes) == (["b", "a"], ())
    assert sorted(plans.asked) == ["a", "b", "gone"]


def test_plans_that_aws_refuses_are_a_note_and_stop_no_other() -> None:
    found, notes = read(FakePlans(denied=("a", "b")), rule("a"), rule("b"), rule("c"))

    assert list(found) == ["c"]
    assert notes == (
        "2 backup plans could not be read, so their changes are missing: Reading backup plan a failed: AccessDenied.",
    )


def test_at_most_a_hundred_plans_are_read_those_of_the_first_rules() -> None:
    found, notes = read(FakePlans(), *(rule(f"{number}") for number in range(120)))

    assert list(found) == [f"{number}" for number in range(100)]
    assert notes == ("20 more backup plans make backups without an index; they were not read.",)


def test_when_time_runs_out_the_posture_goes_on_and_says_how_many_were_not_read() -> None:
    plans = FakePlans(seconds_a_call=30.0)

    found, notes = read(plans, *(rule(f"{number}") for number in range(50)))

    assert 5 < len(found) < 10  # four are asked side by side
    assert notes == (f"{50 - len(found)} more backup plans make backups without an index; they were not read.",)


# As AWS answers


@pytest.mark.parametrize(
    ("answer", "plan"),
    [
        (
            {"BackupPlan": {"BackupPlanName": "nightly"}, "VersionId": "v", "BackupPlanArn": "arn"},
            BackupPlan("p", "arn", "v", {"BackupPlanName": "nightly"}),
        ),
        ({"BackupPlan": {}, "VersionId": None}, BackupPlan("p", None, None, {})),
        ({"BackupPlan": {}, "DeletionDate": 1795168800}, None),
        (response({"message": "gone"}, 400, "ResourceNotFoundException"), None),
    ],
    ids=["there", "nulls", "deleted", "not found"],
)
def test_a_plan_is_read_as_it_is_and_a_deleted_one_is_none(answer: Answer, plan: BackupPlan | None) -> None:
    assert BackupPlans(Wire("backup", answer).client).plan("p") == plan


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (response({"message": "no"}, 403, "AccessDeniedException"), "GetBackupPlan answered AccessDeniedException: no"),
        ({"VersionId": "v"}, "AWS answered with something unexpected"),
        (b"<html>", "failed: "),
    ],
    ids=["denied", "no plan", "no JSON"],
)
def test_an_answer_that_is_no_plan_gets_a_sentence(answer: Any, sentence: str) -> None:
    with pytest.raises(AwsCallFailed, match="Reading backup plan p failed") as failed:
        BackupPlans(Wire("backup", answer).client).plan("p")
    assert sentence in str(failed.value)
