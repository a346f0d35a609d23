"""The commands that search again: the same question, or only the backups that were left out.

They hold what the search looked for, since AWS forgets a search 7 days after its end. Where the report does not keep
that, they ask AWS.
"""

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from search_coverage.coverage.command_words import IDENTIFIER, json_word, known_arn, region_option
from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.item_filters import ItemFilters
from search_coverage.coverage.remedies import BACKUPS_IN_A_SEARCH
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.search_scope import SearchScope
from search_coverage.names import EXCLUDED_BACKUPS_CSV, SOURCES_CSV, SUMMARY_JSON

# In characters. The page has the filters once per reason, and the search once; it stays under 2 MB.
_LONGEST_FILTERS = 2_000
_LONGEST_SEARCH = 20_000
_TYPE = re.compile(r"[A-Za-z][A-Za-z0-9 ]{0,49}")
_OPTION = " --item-filters file://item-filters.json"

READ_CSV = """\
python3 -c 'import csv, json, re, sys
rows = list(csv.DictReader(open("{csv.file}", encoding="utf-8", newline="")))
rows = [row for row in rows if row["{csv.reason}"] == "{reason}"]
"""


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A CSV of ours that commands read: its name, and its columns of the reason, the vault and the backup."""

    file: str
    reason: str
    vault: str
    backup: str


EXCLUDED_CSV = CsvFile(EXCLUDED_BACKUPS_CSV, "reason", "backup_vault", "backup_arn")
NEWEST_CSV = CsvFile(SOURCES_CSV, "newest_searchability", "newest_backup_vault", "newest_backup_arn")

_SEARCH_ALL = (
    READ_CSV
    + """\
for kind in sorted({{row["resource_type"] for row in rows}}):
    arns = [row["backup_arn"] for row in rows if row["resource_type"] == kind and row["backup_arn"]]
    for at in range(0, len(arns), {at_once}):
        print(json.dumps({{"BackupResourceTypes": [kind], "BackupResourceArns": arns[at:at + {at_once}]}}))' |
while read -r scope; do {search}; done"""
)
_FROM_SUMMARY = (
    f"""python3 -c 'import json; print(json.dumps(json.load(open("{SUMMARY_JSON}"))["searchJob"]["itemFilters"]))'"""
    " > item-filters.json"
)


def search_again(job: SearchJob, exclusions: Iterable[Exclusion]) -> list[str]:
    """Return the commands that search these backups again for the same items, as many per search as AWS takes."""
    filters, option = _filters(job)
    searches = [_search(json_word(scope), option, job) for scope in _scopes(exclusions)]
    return [*filters, *searches] if searches else []


def search_all_again(job: SearchJob, reason: Reason) -> list[str]:
    """Return the commands that search again all backups of a reason in excluded-backups.csv."""
    filters, option = _filters(job)
    search = _search('"$scope"', option, job)
    return [
        *filters,
        _SEARCH_ALL.format(csv=EXCLUDED_CSV, reason=reason.value, at_once=BACKUPS_IN_A_SEARCH, search=search),
    ]


def same_search(job: SearchJob) -> list[str]:
    """Return the commands that start the search again as it was: scope, filters, name, tags and key.

    There are none if AWS did not name one resource type, without which no search starts, or if they would be too long.
    """
    if not _TYPE.fullmatch(job.scope.resource_type or ""):
        return []
    filters, option = _filters(job)
    # AWS sets the tags of its own itself, and refuses them from others.
    tags = {key: value for key, value in job.tags or () if not key.lower().startswith("aws:")}
    options = (
        _name_option(job.name),
        f"--search-scope {json_word(_members(job.scope))}",
        option.strip(),
        f"--tags {json_word(tags)}" if tags else "",
        f"--encryption-key-arn {shlex.quote(key.text)}" if (key := known_arn(job.encryption_key_arn)) else "",
        region_option(job.arn.region).strip(),
    )
    commands = [*filters, " \\\n  ".join(("aws backupsearch start-search-job", *filter(None, options)))]
    return commands if sum(map(len, commands)) <= _LONGEST_SEARCH else []


def filters_are_long(filters: ItemFilters) -> bool:
    """Whether commands take the filters from summary.json, since the page has no room for them."""
    return bool(filters.names and filters.content) and len(json_word(_plain(filters))) > _LONGEST_FILTERS


def _filters(job: SearchJob) -> tuple[list[str], str]:
    """Return the commands that bring the filters, and the option that a search takes them by."""
    filters = job.item_filters
    if not filters.names:
        return [], ""
    if not filters.are_known:
        identifier = job.identifier if IDENTIFIER.fullmatch(job.identifier) else "<search-job-id>"
        get = f"aws backupsearch get-search-job --search-job-identifier {shlex.quote(identifier)}"
        return [f"{get} --query ItemFilters --output json{region_option(job.arn.region)} > item-filters.json"], _OPTION
    if filters_are_long(filters):
        return [_FROM_SUMMARY], _OPTION
    return [f"filters={json_word(_plain(filters))}"], ' --item-filters "$filters"'


def _search(scope: str, filters: str, job: SearchJob) -> str:
    return f"aws backupsearch start-search-job --search-scope {scope}{filters}{region_option(job.arn.region)}"


def _scopes(exclusions: Iterable[Exclusion]) -> Iterator[dict[str, list[str]]]:
    """Yield the scopes of searches, each of one resource type and no more backups than a search takes (§2)."""
    arns_of_types: dict[str, dict[str, None]] = {}
    for backup in (exclusion.backup for exclusion in exclusions):
        of_type = backup.resource_type or ""
        if (arn := known_arn(backup.backup_arn)) and _TYPE.fullmatch(of_type):
            arns_of_types.setdefault(of_type, {})[arn.text] = None
    for of_type, unique_arns in arns_of_types.items():
        arns = list(unique_arns)
        for at in range(0, len(arns), BACKUPS_IN_A_SEARCH):
            yield {"BackupResourceTypes": [of_type], "BackupResourceArns": arns[at : at + BACKUPS_IN_A_SEARCH]}


def _members(scope: SearchScope) -> dict[str, Any]:
    """Write a scope as StartSearchJob takes it."""
    said = scope.members()
    bounds = {"CreatedAfter": said["createdAfter"], "CreatedBefore": said["createdBefore"]}
    members = {
        "BackupResourceTypes": said["resourceTypes"],
        "BackupResourceCreationTime": {name: moment for name, moment in bounds.items() if moment},
        "SourceResourceArns": said["sourceArns"],
        "BackupResourceArns": said["backupArns"],
        "BackupResourceTags": said["tags"],
    }
    return {name: value for name, value in members.items() if value}


def _plain(filters: ItemFilters) -> Mapping[str, Any]:
    """Return the filters without lists that are empty, which StartSearchJob refuses."""
    return {
        of_type: [{name: conditions for name, conditions in one.items() if conditions} for one in members]
        for of_type, members in (filters.content or {}).items()
        if members
    }


def _name_option(name: str | None) -> str:
    if not name:
        return ""
    if name.isprintable() and "://" not in name and not name.startswith("-"):
        return f"--name {shlex.quote(name)}"
    return f"--cli-input-json {json_word({'Name': name})}"  # the CLI takes a name in JSON for nothing else
