"""The commands that search again: they hold the question, and no text in it becomes more than a text."""

import json
import subprocess
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from botocore.session import get_session
from botocore.validate import ParamValidator

from search_coverage.coverage.exclusion import Reason
from search_coverage.coverage.item_filters import ItemFilters
from search_coverage.coverage.search_commands import filters_are_long, same_search, search_again, search_all_again
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.search_scope import SearchScope
from tests.examples import JOB_ID, filters_for_jane, search_job
from tests.reports import excluded, numbered, report

HOSTILE = [
    'it\'s $(touch hacked) `touch hacked` ${IFS} "quoted" \\',
    "a\nb\r\ttouch hacked\n",
    "\u202egnp.exe\u2066\x1b[2J\x00\ud800",
    "file:///etc/passwd",
    "--endpoint-url=https://example.com",
    "-x",
    "!! %s {{7*7}} ; rm -rf * #",
    "naïve 日本 😀",
]
KEY = "arn:aws:kms:us-east-1:000000000000:key/1234"
FEW = [excluded(Reason.NOT_FINISHED)]


def options_of(commands: Sequence[str], folder: Path) -> dict[str, Any]:
    """Run commands in a shell, with an AWS CLI that notes its words; return the options of the last call."""
    # On Linux a word cannot hold a NUL, which ends each of them here.
    (folder / "aws").write_text('#!/bin/sh\nfor word; do printf "%s\\0" "$word"; done > words\n')
    (folder / "aws").chmod(0o700)
    environment = {"PATH": f"{folder}:/usr/bin:/bin"}
    script = "\n\n".join(commands)
    subprocess.run(["/bin/sh", "-c", script], cwd=folder, env=environment, capture_output=True, check=True)
    assert not (folder / "hacked").exists()
    service, operation, *words = (folder / "words").read_text().split("\0")[:-1]
    assert (service, operation) == ("backupsearch", "start-search-job")
    return dict(zip(words[::2], words[1::2], strict=True))


def asked(options: dict[str, Any]) -> dict[str, Any]:
    """Return the members of the StartSearchJob that the CLI would send, each of which has to be what AWS takes."""
    members = {
        "SearchScope": json.loads(options["--search-scope"]),
        "ItemFilters": json.loads(options.get("--item-filters", "null")),
        "Tags": json.loads(options.get("--tags", "null")),
        "EncryptionKeyArn": options.get("--encryption-key-arn"),
        "Name": options.get("--name"),
        **json.loads(options.get("--cli-input-json", "{}")),
    }
    found = {name: value for name, value in members.items() if value is not None}
    assert ParamValidator().validate(found, _start_search_job()).generate_report() == ""
    return found


@cache
def _start_search_job() -> Any:
    return get_session().get_service_model("backupsearch").operation_model("StartSearchJob").input_shape


def job_with(text: str) -> SearchJob:
    """Return a search job with a text everywhere."""
    scope = SearchScope(("S3",), source_arns=(text,), backup_arns=(text,), tags=((text, text),))
    conditions = [{"Value": text, "Operator": "BEGINS_WITH"}]
    filters = ItemFilters.of({"S3ItemFilters": [{"ObjectKeys": conditions}]})
    return search_job(name=text, scope=scope, item_filters=filters, tags=((text, text),))


def test_the_same_search_again_asks_for_all_of_it(tmp_path: Path) -> None:
    moment = datetime(2026, 8, 1, 2, 0, 0, 500_000, tzinfo=UTC)
    job = search_job(
        scope=SearchScope(("S3",), moment, None, ("arn:aws:s3:::b",), ("arn:p",), (("team", "x"),)),
        item_filters=filters_for_jane(),
        tags=(("case", "4711"), ("aws:createdBy", "AWS sets it"), ("AWS:x", "AWS sets it")),
        encryption_key_arn=KEY,
    )

    options = options_of(same_search(job), tmp_path)

    assert options["--region"] == "us-east-1"
    assert asked(options) == {
        "Name": "find-invoice",
        "SearchScope": {
            "BackupResourceTypes": ["S3"],
            "BackupResourceCreationTime": {"CreatedAfter": "2026-08-01T02:00:00.500Z"},
            "SourceResourceArns": ["arn:aws:s3:::b"],
            "BackupResourceArns": ["arn:p"],
            "BackupResourceTags": {"team": "x"},
        },
        "ItemFilters": job.item_filters.content,
        "Tags": {"case": "4711"},
        "EncryptionKeyArn": KEY,
    }


def test_what_the_search_was_not_asked_is_not_asked_again(tmp_path: Path) -> None:
    job = search_job(name=None, item_filters=ItemFilters())

    assert asked(options_of(same_search(job), tmp_path)) == {"SearchScope": {"BackupResourceTypes": ["EBS"]}}
    assert "filters" not in "".join([*search_again(job, FEW), *search_all_again(job, Reason.NOT_FINISHED)])


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_text_stays_a_text(text: str, tmp_path: Path) -> None:
    job = job_with(text)

    commands = same_search(job)
    found = asked(options_of(commands, tmp_path))

    assert all(line.isprintable() for command in commands for line in command.split("\n"))
    assert found["Name"] == text
    assert found["SearchScope"]["SourceResourceArns"] == found["SearchScope"]["BackupResourceArns"] == [text]
    assert found["SearchScope"]["BackupResourceTags"] == found["Tags"] == {text: text}
    assert found["ItemFilters"] == job.item_filters.content


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_what_was_left_out_is_searched_again_for_the_same_items(text: str, tmp_path: Path) -> None:
    job = job_with(text)

    found = asked(options_of(search_again(job, FEW), tmp_path))

    assert found == {
        "SearchScope": {"BackupResourceTypes": ["EBS"], "BackupResourceArns": [FEW[0].backup.backup_arn]},
        "ItemFilters": job.item_filters.content,
    }


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_the_loop_over_the_csv_searches_for_the_same_items(text: str, tmp_path: Path) -> None:
    job = job_with(text)
    (tmp_path / "excluded-backups.csv").write_bytes(report(FEW).csv)

    found = asked(options_of(search_all_again(job, Reason.NOT_FINISHED), tmp_path))

    assert found["ItemFilters"] == job.item_filters.content
    assert found["SearchScope"]["BackupResourceArns"] == [FEW[0].backup.backup_arn]


def test_filters_that_are_not_kept_come_from_aws_into_a_file() -> None:
    job = search_job(item_filters=filters_for_jane().without_values())

    for commands in (same_search(job), search_again(job, FEW), search_all_again(job, Reason.NOT_FINISHED)):
        get, search = commands
        assert get == (
            f"aws backupsearch get-search-job --search-job-identifier {JOB_ID} --query ItemFilters --output json "
            "--region us-east-1 > item-filters.json"
        )
        assert "--item-filters file://item-filters.json" in search


def test_long_filters_come_from_the_summary(tmp_path: Path) -> None:
    filters = ItemFilters.of({"EBSItemFilters": [{"FilePaths": [{"Value": f"it's {'x' * 2000}"}]}]})
    job = search_job(item_filters=filters)
    (tmp_path / "summary.json").write_text(json.dumps(report(job=job).summary))

    options = options_of(search_again(job, FEW), tmp_path)

    assert filters_are_long(filters)
    assert options["--item-filters"] == "file://item-filters.json"
    assert json.loads((tmp_path / "item-filters.json").read_text()) == filters.content


def test_lists_that_are_empty_are_left_out_since_aws_refuses_them(tmp_path: Path) -> None:
    size = {"Value": 7}
    filters = ItemFilters.of({"S3ItemFilters": [], "EBSItemFilters": [{"FilePaths": [], "Sizes": [size]}]})

    found = asked(options_of(same_search(search_job(item_filters=filters)), tmp_path))

    assert found["ItemFilters"] == {"EBSItemFilters": [{"Sizes": [size]}]}


@pytest.mark.parametrize(
    "scope",
    [
        SearchScope(),
        SearchScope(("S3", "EBS")),
        SearchScope(("-x",)),
        SearchScope(("S3",), source_arns=("x" * 21_000,)),
    ],
    ids=["no type", "two types", "a hostile type", "too long"],
)
def test_a_search_that_cannot_be_written_down_is_not_on_the_page(scope: SearchScope) -> None:
    assert same_search(search_job(scope=scope)) == []


def test_all_are_searched_again_one_type_and_twenty_at_a_time() -> None:
    many = numbered(50, Reason.NOT_FINISHED)
    of_s3 = excluded(Reason.NOT_FINISHED, resource_type="S3", backup_arn="arn:aws:backup:us-east-1:1:recovery-point:1")

    searches = search_again(search_job(item_filters=ItemFilters()), [*many, *many, of_s3])

    assert [search.count("arn:") for search in searches] == [20, 20, 10, 1]


def test_a_hostile_arn_stays_one_value_of_the_scope(tmp_path: Path) -> None:
    arn = "arn:aws:ec2:us-east-1::snapshot/snap';touch${IFS}hacked;`id`$(id)\"&|<>#"

    found = asked(options_of(search_again(search_job(), [excluded(Reason.NOT_FINISHED, backup_arn=arn)]), tmp_path))

    assert found["SearchScope"] == {"BackupResourceTypes": ["EBS"], "BackupResourceArns": [arn]}
