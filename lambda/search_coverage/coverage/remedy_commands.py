"""The commands of a remedy, with the values of a backup in them: ready for a POSIX shell and the AWS CLI."""

import hashlib
import json
import re
import shlex
from collections.abc import Mapping, Sequence
from functools import cache

from search_coverage.coverage.arn import Arn
from search_coverage.coverage.backup import BackupIndex
from search_coverage.coverage.command_words import known_arn, region_option
from search_coverage.coverage.exclusion import Exclusion
from search_coverage.coverage.object_keys import KeyFilter
from search_coverage.coverage.remedies import CREATE_INDEX, INDEX_STATUS, Remedy, remedy_of
from search_coverage.coverage.search_commands import EXCLUDED_CSV, READ_CSV, CsvFile

_ROLE = re.compile(r"arn:[a-z][a-z0-9-]*:iam::[0-9]*:role/(?:\S*/)?(?P<name>[\w+=,.@][\w+=,.@-]*)")
_VAULT = re.compile(r"[A-Za-z0-9_-]{1,50}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_NAME = re.compile(r"\{(\w+)\}")
# Options that are left out where nothing is known for them.
_OPTIONAL = frozenset({"point_in_time", "key_prefix"})
_VALUES_OF_LOOP = frozenset({"vault", "recovery_point_arn", "role_arn"})


def commands(exclusion: Exclusion, remedy: Remedy | None = None) -> list[str]:
    """Return the commands for a backup: every value is quoted, every unknown value is a placeholder in <>.

    If the source is known and the vault is not, the first command looks for the vault.

    Args:
        remedy: Whose commands; None for that of the reason.
    """
    templates = (remedy or _remedy(exclusion)).commands
    values = _values(exclusion)
    found = []
    is_missing = "vault" not in values and any("{vault}" in template for template in templates)
    if is_missing and {"recovery_point_arn", "source"} <= set(values):
        found.append(_find_vault(values))
    return [*found, *(_filled(template, values) for template in templates)]


def reading(exclusion: Exclusion, keys: Sequence[KeyFilter] = ()) -> list[str]:
    """Return the commands that list the objects ``keys`` of a backup without an index; without keys, all objects."""
    values = _values(exclusion) | _objects(keys)
    return [_filled(template, values) for template in _remedy(exclusion).reading]


def after_reading(exclusion: Exclusion) -> list[str]:
    """Return the commands that remove what the commands of `reading` make."""
    values = _values(exclusion)
    return [_filled(template, values) for template in _remedy(exclusion).after_reading]


def advice(exclusion: Exclusion) -> str:
    """Return what to do on one line: the sentence, and the first command if all its values are known."""
    remedy = _remedy(exclusion)
    first = next(iter((*remedy.commands, *remedy.reading)), None)
    if not first or (exclusion.index is None and "{vault}" in first):
        return remedy.remedy
    values = _values(exclusion)
    if not _names(first) - _OPTIONAL <= set(values) or "<" in values.get("point_in_time", ""):
        return remedy.remedy
    return f"{remedy.remedy} Command: {_filled(first, values)}"


def commands_for_all(
    remedy: Remedy, reason: str, region: str, exclusions: Sequence[Exclusion], csv: CsvFile = EXCLUDED_CSV
) -> list[str]:
    """Return a loop over a CSV that runs the commands of a remedy for all backups of a reason.

    There is none if no vault is known, and none for a restore, since each restore is a decision. A loop that orders
    indexes waits for each: AWS makes one on demand at a time (aws-facts.md §7).

    Args:
        reason: What the CSV says of the backups that the loop is for.
        exclusions: The first of them. If one role made all of these, the loop uses it for the others, too.
    """
    known = [_values(exclusion) for exclusion in exclusions]
    roles = {values.get("role_arn") for values in known}
    role = {"role_arn": only} if len(roles) == 1 and (only := roles.pop()) else {}
    steps = _steps_of_loop(remedy, region, role)
    if not steps or not any("vault" in of_backup for of_backup in known):
        return []
    return [_MEND_ALL.format(csv=csv, reason=reason, body="; ".join(steps))]


def commands_in_turn(remedy: Remedy, region: str, exclusions: Sequence[Exclusion]) -> list[str]:
    """Return a loop that orders an index for each of these backups, one after another.

    There is none if a value is not known of one of them, or if a command of the remedy is not for a loop.
    """
    known = [_values(exclusion) for exclusion in exclusions]
    is_for_loop = remedy.orders_an_index and all(map(_is_for_loop, remedy.commands))
    if not is_for_loop or not all(_VALUES_OF_LOOP.issubset(values) for values in known):
        return []
    steps = "\n".join(_steps_of_loop(remedy, region, {"role_arn": _ROLE_OF_ROW}))
    rows = "\n".join(" ".join(each[name] for name in ("vault", "recovery_point_arn", "role_arn")) for each in known)
    return [f"while read -r vault arn role; do\n{steps}\ndone <<'END'\n{rows}\nEND"]


_VAULT_OF_ROW, _ARN_OF_ROW, _ROLE_OF_ROW = "vault-of-the-row", "arn-of-the-row", "role-of-the-row"


def _steps_of_loop(remedy: Remedy, region: str, role: Mapping[str, str]) -> list[str]:
    """Return what a loop does for each backup; nothing if the remedy is not for a loop."""
    if not remedy.searchable:
        return []
    values = {"region": region, "vault": _VAULT_OF_ROW, "recovery_point_arn": _ARN_OF_ROW, **role}
    steps = []
    for text in filter(_is_for_loop, remedy.commands):
        wait = [_WAIT_FOR_INDEX.format(status=_filled(INDEX_STATUS, values))] if text == CREATE_INDEX else []
        steps += [*wait, _filled(text, values), *wait]
    return [_with_variables(step) for step in steps]


def _with_variables(step: str) -> str:
    for of_row, variable in ((_VAULT_OF_ROW, "vault"), (_ARN_OF_ROW, "arn"), (_ROLE_OF_ROW, "role")):
        step = step.replace(of_row, f'"${variable}"')
    return step.replace('-name "$', '-name="$')


def _is_for_loop(command: str) -> bool:
    return "recovery_point_arn" in _names(command) <= _VALUES_OF_LOOP


# Before an index is ordered: until the old one is gone. After that: until it is made or has failed.
_WAIT_FOR_INDEX = "while {status} | tee /dev/stderr | grep -Eq 'PENDING|DELETING'; do sleep 60; done"

# The loop names each value of another shape, and leaves it out.
_MEND_ALL = (
    READ_CSV
    + """\
for row in rows:
    if re.fullmatch("[A-Za-z0-9_-]+", row["{csv.vault}"]) and re.fullmatch("arn:[!-~]+", row["{csv.backup}"]):
        print(row["{csv.vault}"], row["{csv.backup}"])
    else:
        print("left out:", row["{csv.vault}"] or "no vault known,", repr(row["{csv.backup}"]), file=sys.stderr)' |
while read -r vault arn; do {body}; done"""
)


def _remedy(exclusion: Exclusion) -> Remedy:
    return remedy_of(exclusion.reason, exclusion.backup.resource_type)


def _values(exclusion: Exclusion) -> dict[str, str]:
    """Return what is known of a backup, by its name in the templates."""
    backup, index = exclusion.backup, exclusion.index or BackupIndex()
    values = {"partition": "aws"}
    if arn := known_arn(backup.backup_arn):
        values |= {"recovery_point_arn": arn.text, "partition": arn.partition, **_access_point(arn)}
        if arn.region:
            values["region"] = arn.region
    if source := known_arn(backup.source_resource_arn):
        values["source"] = source.text
    if index.vault and _VAULT.fullmatch(index.vault):
        values["vault"] = index.vault
    if known_arn(index.role_arn) and (role := _ROLE.fullmatch(index.role_arn or "")):
        values |= {"role_arn": role[0], "role_name": role["name"]}
    return values


def _access_point(arn: Arn) -> dict[str, str]:
    """Name an access point of a backup: always the same name, and another one for each backup."""
    name = f"search-coverage-{hashlib.sha256(arn.text.encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"
    values = {"name_of_your_choice": name}
    if arn.region and _ACCOUNT.fullmatch(arn.account):
        values["access_point_arn"] = f"arn:{arn.partition}:backup:{arn.region}:{arn.account}:accesspoint/{name}"
    if ":recovery-point:continuous:" in arn.text:
        values["point_in_time"] = "AccessPointInTime=<such-as-2026-11-20T09:00:00Z>"
    return values


def _objects(keys: Sequence[KeyFilter]) -> dict[str, str]:
    """Return the query and the prefix by which the CLI lists the objects that were searched for, or all of them."""
    conditions = " || ".join(key.function.format(_literal(key.text)) for key in keys)
    values = {"versions": f"Versions[{f'?{conditions}' if keys else ''}].[LastModified,Size,VersionId,Key]"}
    if len(keys) == 1 and keys[0].is_beginning and keys[0].text.isprintable() and "://" not in keys[0].text:
        values["key_prefix"] = keys[0].text
    return values


def _literal(text: str) -> str:
    """Write any text as a literal of JMESPath: JSON between backticks."""
    return "`" + json.dumps(text).replace("`", r"\u0060") + "`"


def _find_vault(values: dict[str, str]) -> str:
    """Return the command that looks through all vaults: by source, AWS names no vault (aws-facts.md §7)."""
    region = region_option(values.get("region"))
    query = shlex.quote(f"RecoveryPoints[?RecoveryPointArn=={_literal(values['recovery_point_arn'])}].BackupVaultName")
    return (
        "for vault in $(aws backup list-backup-vaults --query 'BackupVaultList[].BackupVaultName' --output text"
        f'{region}); do aws backup list-recovery-points-by-backup-vault --backup-vault-name="$vault" '
        f"--by-resource-arn {shlex.quote(values['source'])} --query {query} --output text{region}; done"
    )


def _filled(template: str, values: dict[str, str]) -> str:
    words: list[str] = []
    for word in template.split(" "):
        names = _NAME.findall(word)
        if not names:
            words.append(word)
            continue
        if not _OPTIONAL.isdisjoint(names) and not values.get(names[0]):
            words.pop()
            continue
        filled = _NAME.sub(lambda name: values.get(name[1]) or f"<{name[1].replace('_', '-')}>", word)
        if filled.startswith("-"):  # an option's value, not an option
            filled = f"{words.pop()}={filled}"
        words.append(shlex.quote(filled))
    if words[:2] == ["aws", "iam"]:  # IAM has no Regions
        return " ".join(words)
    command, redirection, file = " ".join(words).partition(" > ")
    return f"{command}{region_option(values.get('region'))}{redirection}{file}"


@cache
def _names(template: str) -> frozenset[str]:
    return frozenset(_NAME.findall(template))
