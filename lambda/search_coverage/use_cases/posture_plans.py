"""Read the backup plans that make backups without an index."""

from collections.abc import Iterable

from search_coverage.coverage.backup_plan import BackupPlan
from search_coverage.coverage.posture import RulePosture
from search_coverage.inventory.lookups import Lookups
from search_coverage.inventory.time_budget import TimeBudget
from search_coverage.use_cases.posture_ports import BackupPlans

_AT_MOST = 100


def plans_without_index(
    plans: BackupPlans, rules: Iterable[RulePosture], budget: TimeBudget
) -> tuple[dict[str, BackupPlan], tuple[str, ...]]:
    """Read the plans of the rules that make backups without an index: the first 100, while there is time.

    Returns:
        The plans by id, in the order of the rules; a plan that was deleted is missing. And in sentences, which plans
        were not read.
    """
    wanted = {rule.plan_id: rule.plan_id for rule in rules if rule.plan_id and rule.makes_no_index}
    asked = dict(list(wanted.items())[:_AT_MOST])
    lookups = Lookups(budget)
    answers = lookups.look_up(plans.plan, asked)
    notes = []
    if refusals := lookups.refusals:
        notes.append(f"{len(refusals)} backup plans could not be read, so their changes are missing: {refusals[0]}")
    if not_asked := len(wanted) - len(answers) - len(refusals):
        notes.append(f"{not_asked} more backup plans make backups without an index; they were not read.")
    return {plan_id: plan for plan_id in asked if (plan := answers.get(plan_id))}, tuple(notes)
