"""What to change in backup plans so that the next backups get an index: the exact text, in four forms.

AWS has no conditional update of a plan. The command therefore starts from the plan as it is when it runs, and stops if
the plan changed while it worked; some milliseconds remain between its last look and the update.
"""

import json
import re
import shlex
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from search_coverage.coverage.backup_plan import BackupPlan, BackupRule
from search_coverage.coverage.command_words import region_option, seen_json
from search_coverage.coverage.posture import Posture, RulePosture
from search_coverage.coverage.recovery_point import AIR_GAPPED_VAULTS
from search_coverage.coverage.searchability import Searchability

_TYPE = re.compile(r"[A-Z0-9]{1,10}")
_MEMBER = re.compile(r"[A-Za-z]{1,64}")
_PLAN_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9/_.-]{0,99}")
_RULE_NAME = re.compile(r"[A-Za-z0-9_.-]{1,50}")
"""AWS Backup's own pattern (botocore's model of BackupRuleName)."""

_ANSWERS_ALONE = frozenset({"RuleId", "DeleteAfterEvent"})
_MAPS = frozenset({"RecoveryPointTags", "BackupOptions"})
"""The members of a plan whose keys are the users'."""

# Arguments: a folder with the plan as AWS gives it, and for each rule "EBS,S3=<name of the rule>". By name, since an
# update of a plan may change the ids of its rules. RuleId and DeleteAfterEvent are in answers alone (aws-facts.md §3).
_SET_INDEX_ACTIONS = """\
python3 -c '
import json, sys
folder, *changes = sys.argv[1:]
answer = json.load(open(f"{folder}/now.json"))
types = {name: kinds.split(",") for kinds, _, name in (change.partition("=") for change in changes)}
rules = answer["BackupPlan"]["Rules"]
if gone := sorted(types.keys() - {rule["RuleName"] for rule in rules}):
    sys.exit(f"The plan has no rule {gone[0]} any more. Nothing was changed.")
for rule in rules:
    rule.pop("RuleId", None)
    for each in [rule, *(rule.get("CopyActions") or [])]:
        (each.get("Lifecycle") or {}).pop("DeleteAfterEvent", None)
    if kinds := types.get(rule["RuleName"]):
        had = [kind for action in rule.get("IndexActions") or [] for kind in action.get("ResourceTypes") or []]
        rule["IndexActions"] = [{"ResourceTypes": sorted({*had, *kinds})}]
json.dump(answer["BackupPlan"], open(f"{folder}/new.json", "w"))
print(answer["VersionId"])'"""

# The AWS CLI reads and sends only what it knows, so an old one would remove the rest from the plan.
_UPDATE = """\
(set -e; folder=$(mktemp -d); trap 'rm -r "$folder"' EXIT
known=$(aws backup update-backup-plan --generate-cli-skeleton)
for member in {members}; do case "$known" in *"\\"$member\\""*) ;; *)
echo "This AWS CLI is too old for the plan: it does not know $member. Nothing was changed." >&2; exit 1;; esac; done
aws backup get-backup-plan --backup-plan-id={plan} --output json{region} > "$folder/now.json"
version=$({script} "$folder" {changes})
if [ "$(aws backup get-backup-plan --backup-plan-id={plan} --query VersionId --output text{region})" != "$version" ]
then echo "The plan has just been changed by somebody else. Nothing was changed; run this again." >&2; exit 1; fi
aws backup update-backup-plan --backup-plan-id={plan} --backup-plan "file://$folder/new.json"{region})"""


@dataclass(frozen=True, slots=True)
class RuleChange:
    """A rule of a plan, and the resource types whose backups it is to index."""

    rule: BackupRule
    types: tuple[str, ...]

    @property
    def all_types(self) -> list[str]:
        """The types that it indexes then."""
        return sorted({*self.types, *filter(_TYPE.fullmatch, self.rule.indexed_types)})


@dataclass(frozen=True, slots=True)
class PlanChange:
    """A plan that makes backups without an index.

    Attributes:
        sources: How many sources have a newest backup that the change would have indexed.
    """

    plan: BackupPlan
    region: str
    rules: tuple[RuleChange, ...]
    sources: int

    @property
    def is_of_organization(self) -> bool:
        """Whether a backup policy of AWS Organizations made the plan, so that a change here would not last."""
        return self.plan.plan_id.startswith("orgs/") or ":backup-plan:orgs/" in (self.plan.arn or "")

    @property
    def has_rule_of_two_types(self) -> bool:
        """Whether a rule is to index two resource types, on which AWS's pages disagree (aws-facts.md §3)."""
        return any(len(change.all_types) > 1 for change in self.rules)

    @property
    def command(self) -> str:
        """The change by the AWS CLI: sets IndexActions of these rules in the plan as it is then, and nothing else."""
        changes = (f"{','.join(change.types)}={change.rule.name}" for change in self.rules)
        return _UPDATE.format(
            plan=shlex.quote(self.plan.plan_id),
            region=region_option(self.region),
            members=" ".join(sorted({"IndexActions", "ResourceTypes", *_members(self.plan.content)})),
            script=_SET_INDEX_ACTIONS,
            changes=" ".join(map(shlex.quote, changes)),
        )

    @property
    def cdk(self) -> str:
        """The change in a Python CDK app."""
        return ",\n".join(
            f"backup.BackupPlanRule(\n    rule_name={_python(change.rule.name)},\n    index_actions=["
            "backup.BackupPlanIndexActionProps(resource_types=["
            f"{', '.join(f'backup.IndexActionResourceType.{kind}' for kind in change.all_types)}])],\n"
            "    # the other arguments as they are\n)"
            for change in self.rules
        )

    @property
    def cloudformation(self) -> str:
        """The change in a template of CloudFormation."""
        rules = "\n".join(
            f"  - RuleName: {json.dumps(change.rule.name)}\n    IndexActions:\n      - ResourceTypes: "
            f"{json.dumps(change.all_types)}\n    # the other properties as they are"
            for change in self.rules
        )
        return f"# AWS::Backup::BackupPlan, Properties.BackupPlan\nBackupPlanRule:\n{rules}"

    @property
    def organizations(self) -> str:
        """The change in a backup policy of AWS Organizations."""
        rules = {
            change.rule.name or "": {"index_actions": {"resource_types": {"@@assign": change.all_types}}}
            for change in self.rules
        }
        return seen_json({"plans": {self.plan.name or "": {"rules": rules}}}, indent=2)


def plan_changes(posture: Posture) -> list[PlanChange]:
    """Return the plans to change: those first that mend the most sources.

    A rule that indexes by now, that was deleted, or whose vault takes no index is not among them.
    """
    air_gapped = {vault.name for vault in posture.vaults if vault.type in AIR_GAPPED_VAULTS}
    types: defaultdict[str, dict[BackupRule, set[str]]] = defaultdict(dict)
    sources: Counter[str] = Counter()
    for counted in posture.rules:
        plan, rule = posture.in_plan(counted)
        if plan is None or rule is None or rule.vault in air_gapped or not _can_be_written(plan, rule):
            continue
        if to_index := set(_types_to_index(counted, rule.indexed_types)):
            types[plan.plan_id].setdefault(rule, set()).update(to_index)
            sources[plan.plan_id] += counted.sources_not_searchable
    changes = [
        PlanChange(
            posture.plans[plan_id],
            posture.region,
            tuple(RuleChange(rule, tuple(sorted(kinds))) for rule, kinds in of_plan.items()),
            sources[plan_id],
        )
        for plan_id, of_plan in types.items()
    ]
    return sorted(changes, key=lambda change: (-change.sources, change.plan.plan_id))


def _types_to_index(counted: RulePosture, indexed: frozenset[str]) -> Iterable[str]:
    for kind, counts in counted.by_type.items():
        is_missing = counts.by_searchability.get(Searchability.INDEX_MISSING)
        if is_missing and kind not in indexed and _TYPE.fullmatch(kind):
            yield kind


def _can_be_written(plan: BackupPlan, rule: BackupRule) -> bool:
    """Whether id and name have the shapes that AWS gives them; others are not for a command."""
    return bool(_PLAN_ID.fullmatch(plan.plan_id) and _RULE_NAME.fullmatch(rule.name or ""))


def _members(content: Any) -> Iterator[str]:
    """Yield the names of all members of a plan that UpdateBackupPlan takes."""
    if isinstance(content, Mapping):
        for name, value in content.items():
            if name not in _ANSWERS_ALONE and _MEMBER.fullmatch(name):
                yield name
            if name not in _MAPS:
                yield from _members(value)
    elif isinstance(content, list | tuple):
        for each in content:
            yield from _members(each)


def _python(text: str | None) -> str:
    return json.dumps(text, ensure_ascii=True) if text is not None else "None"
