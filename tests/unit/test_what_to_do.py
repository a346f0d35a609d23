"""What the page says is to be done: a group per reason, with commands for as many backups as there is room for."""

import re

import pytest

from search_coverage.coverage.backup import BackupIndex
from search_coverage.coverage.exclusion import Reason
from search_coverage.coverage.item_filters import ItemFilters
from search_coverage.coverage.object_keys import KeyFilter
from search_coverage.coverage.remedies import REMEDIES
from search_coverage.coverage.search_scope import SearchScope
from tests.examples import search_job
from tests.reports import ROLE, excluded, failed, numbered, report_page

INDEX = BackupIndex("Default", role_arn=ROLE)
S3 = SearchScope(resource_types=("S3",))
ORDER_AN_INDEX = "update-recovery-point-index-settings --backup-vault-name"


def s3_page(count: int, reason: Reason) -> str:
    return report_page(numbered(count, reason, INDEX, resource_type="S3"), job=search_job(scope=S3))


def aws_commands(block: str) -> list[str]:
    """Name the commands of a block."""
    return re.findall(r"aws (?:backup|s3api) ([a-z-]+)", block)


def test_it_is_grouped_by_reason_the_largest_first_and_the_easiest_of_the_same_size() -> None:
    kinds = [Reason.ARCHIVED, Reason.NOT_FINISHED, Reason.INDEX_MISSING, Reason.INDEX_MISSING]

    page = report_page(map(failed, kinds))

    assert re.findall(r'id="do-(\w+)"', page) == ["INDEX_MISSING", "NOT_FINISHED", "ARCHIVED"]
    assert '<desc id="by-reason-text">No index: 2; Search ended too early: 1; In cold storage: 1</desc>' in page
    assert REMEDIES[Reason.ARCHIVED].why in page
    assert page.count("AWS documents no way to search it</span>") == 1


def test_commands_are_written_out_for_all_backups_that_the_page_has_room_for() -> None:
    page = report_page(numbered(25, Reason.INDEX_MISSING, INDEX))

    assert page.count(ORDER_AN_INDEX) == 25
    assert page.count("start-search-job --search-scope") == 2
    assert "excluded-backups.csv</code> are for all" not in page


def test_commands_that_do_not_fit_the_page_read_the_csv_and_say_for_how_many_backups() -> None:
    page = report_page(numbered(412, Reason.INDEX_MISSING, INDEX))

    assert page.count(ORDER_AN_INDEX) == 1
    assert page.count("start-search-job --search-scope") == 1
    assert "The commands with <code>excluded-backups.csv</code> are for all 412 backups" in page


def test_access_point_commands_are_for_the_first_backup_where_the_others_read_the_csv() -> None:
    page = s3_page(412, Reason.INDEX_MISSING)

    assert page.count("aws backup create-backup-access-point --recovery-point-arn arn:aws:ec2:r::snapshot/0 ") == 1
    assert "The commands are for 1 of the 412 backups." in page


@pytest.mark.parametrize("count", [2, 412])
@pytest.mark.parametrize("reason", [Reason.INDEX_MISSING, Reason.INDEX_FAILED, Reason.NOT_SUPPORTED])
def test_a_block_to_copy_holds_one_way_and_never_deletes_what_it_has_just_made(reason: Reason, count: int) -> None:
    page = s3_page(count, reason)

    titles = re.findall(r"<h4 [^>]*>([^<]*)</h4>", page)
    blocks = re.findall(r"<pre .*?</pre>", page, re.DOTALL)
    read = {"create-backup-access-point", "describe-backup-access-point", "list-object-versions"}
    assert [set(aws_commands(block)) for block in blocks[-2:]] == [read, {"delete-backup-access-point"}]
    assert not any("access-point" in command for block in blocks[:-2] for command in aws_commands(block))
    steps = list(map(aws_commands, blocks[-2].split("\n\n")))
    assert all(len(of_backup) == 3 and set(of_backup) == read for of_backup in steps)
    assert titles[-1] == "When you are done"
    assert titles[-2].lower().endswith("read it without an index")
    assert titles[-2].startswith("Or ") == (reason is not Reason.NOT_SUPPORTED)
    assert "until <code>describe-backup-access-point</code> says AVAILABLE" in page
    assert "too old for access points" in page


def test_the_page_says_that_aws_makes_one_index_at_a_time_where_indexes_are_ordered() -> None:
    said = "AWS makes one index on demand at a time"

    assert said in report_page(numbered(2, Reason.INDEX_MISSING, INDEX))
    assert said not in report_page([excluded(Reason.ARCHIVED, INDEX)])


@pytest.mark.parametrize(
    ("reason", "command"),
    [(Reason.INDEX_MISSING, ORDER_AN_INDEX), (Reason.ARCHIVED, "aws backup start-restore-job ")],
    ids=["no vault is known", "a restore is a decision"],
)
def test_commands_without_a_loop_over_the_csv_say_for_how_many_backups_they_are(reason: Reason, command: str) -> None:
    page = report_page(numbered(412, reason))

    shown = page.count(command)
    assert 5 < shown < 412
    assert f"first {shown} of 412 backups." in page


def test_no_command_is_on_the_page_twice() -> None:
    index = BackupIndex("Default", "FAILED", None, ROLE)
    one, two, three = numbered(3, Reason.INDEX_FAILED, index)

    page = report_page([one, two, three, three])

    assert page.count("aws iam attach-role-policy") == 1
    assert page.count("aws backup get-recovery-point-index-details --backup-vault-name Default") == 3
    assert page.count("arn:aws:ec2:r::snapshot/2&#34;") == 1


def test_the_page_lists_what_the_search_looked_for_in_a_backup_of_s3_without_an_index() -> None:
    job = search_job(scope=S3, item_filters=ItemFilters(object_keys=(KeyFilter("people/jane-doe", "BEGINS_WITH"),)))
    arn = "arn:aws:backup:us-east-1:123456789012:recovery-point:1EB3B5E7"

    page = report_page([excluded(Reason.NOT_SUPPORTED, resource_type="S3", backup_arn=arn)], job=job)

    assert "--prefix people/jane-doe --query" in page
    assert "AWS documents no way to search it</span>" not in page
    assert "start-search-job --search-scope" not in page
