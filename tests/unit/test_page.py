"""report.html: says what is so, lets nothing in from AWS or from the network, and stays small."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator
from datetime import UTC, datetime
from html.parser import HTMLParser

import pytest

from search_coverage.coverage.backup import BackupIndex
from search_coverage.coverage.exclusion import Exclusion, Reason
from search_coverage.coverage.object_keys import KeyFilter
from search_coverage.coverage.remedies import REMEDIES
from search_coverage.coverage.search_scope import SearchScope
from search_coverage.coverage.verdict import BackupCounts, Inventory, InventoryStatus, NotSearchable
from search_coverage.report.page.pictures import percent_searched, searched_width
from search_coverage.report.sources import SOURCES_COUNTED
from search_coverage.report.tally import AGE_UNKNOWN, Tally
from tests.examples import backup, search_job
from tests.pages import CSV_KEY, ROLE, exclusions, hostile_exclusion, hostile_job, report_page

LARGEST_PAGE_BYTES = 2_000_000
TAGS = frozenset(
    {
        *("a", "article", "b", "bdi", "body", "button", "code", "col", "colgroup", "dd", "details", "div", "dl", "dt"),
        *(
            "figcaption",
            "figure",
            "footer",
            "form",
            "h1",
            "h2",
            "h3",
            "h4",
            "head",
            "header",
            "html",
            "input",
            "label",
            "li",
            "main",
        ),
        *("meta", "p", "pre", "script", "section", "select", "span", "style", "summary", "table", "tbody", "td", "th"),
        *("thead", "title", "tr", "ul", "wbr"),
        *("circle", "defs", "desc", "path", "pattern", "rect", "svg", "text"),
    }
)
"""All that the page is made of; what AWS sends adds none."""
INDEX = BackupIndex("Default", role_arn=ROLE)


class Elements(HTMLParser):
    """All elements of a page with their attributes, and the text of style and script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.raw: dict[str, str] = {}
        self._open = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:  # the parser's signature
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in {"style", "script"}:
            self.raw[self._open] = self.raw.get(self._open, "") + data


@pytest.fixture(scope="module")
def hostile() -> str:
    """A page into which everything that AWS may send tries to get more than its text."""
    inventory = Inventory(InventoryStatus.PARTIAL, str(hostile_job().name), None, 1, 3, 1)
    return report_page([hostile_exclusion(), *exclusions(20)], job=hostile_job(), inventory=inventory)


def test_what_aws_sends_never_becomes_an_element_an_attribute_or_a_second_script(hostile: str) -> None:
    elements = Elements(hostile)
    clean = Elements(report_page(exclusions(20)))

    assert {tag for tag, _ in elements.found} <= TAGS
    assert [tag for tag, _ in elements.found].count("script") == 1
    assert elements.raw == clean.raw
    for tag, attributes in elements.found:
        assert not any(name == "style" or name.startswith("on") for name in attributes), (tag, attributes)
        assert not any("alert" in (value or "") for value in attributes.values()), (tag, attributes)


def test_direction_marks_and_control_characters_are_spelled_out(hostile: str) -> None:
    assert "\u202e" not in hostile
    assert "\x1b" not in hostile
    assert "\x00" not in hostile
    assert "⟨U+202E⟩gnp.exe" in hostile
    assert "{{ 7 * 7 }}" in hostile


def test_the_policy_allows_the_one_style_and_the_one_script_and_nothing_else() -> None:
    elements = Elements(report_page(exclusions(3)))

    (policy,) = (
        attributes["content"] or ""
        for tag, attributes in elements.found
        if tag == "meta" and attributes.get("http-equiv") == "Content-Security-Policy"
    )
    directives = dict(directive.split(" ", 1) for directive in policy.split("; "))
    assert directives == {
        "default-src": "'none'",
        "style-src": f"'sha256-{sha256(elements.raw['style'])}'",
        "script-src": f"'sha256-{sha256(elements.raw['script'])}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    # And it comes before both
    tags = [tag for tag, _ in elements.found]
    assert tags.index("meta") < tags.index("style")


def sha256(text: str) -> str:
    return b64encode(hashlib.sha256(text.encode()).digest()).decode()


def test_nothing_is_loaded_from_anywhere() -> None:
    page = report_page(exclusions(10))

    for tag, attributes in Elements(page).found:
        assert not {"src", "srcset", "data", "action", "poster", "background", "xlink:href"} & set(attributes), tag
        if "href" in attributes:
            assert tag == "a"
            assert re.match(r"#|https://(docs\.)?aws\.amazon\.com/", attributes["href"] or "")
    assert not re.search(r"@import|url\((?!#hatch)", page)


def test_2_000_backups_take_less_than_2_mb() -> None:
    page = report_page(exclusions(2_000))

    assert page.count("<tr><td ") == 2_000
    assert len(page.encode()) < LARGEST_PAGE_BYTES


def test_names_of_2_000_characters_do_not_make_the_page_larger() -> None:
    page = report_page(hostile_exclusion() for _ in range(2_000))

    shown = page.count("<tr><td ")
    assert 0 < shown < 2_000
    assert f"The first {shown:,} of 2,000." in page
    assert len(page.encode()) < LARGEST_PAGE_BYTES


def test_beyond_2_000_backups_it_says_how_many_more_there_are_and_where() -> None:
    page = report_page(exclusions(2_500))

    assert page.count("<tr><td ") == 2_000
    assert "The first 2,000 of 2,500. 500 more are in the CSV" in page
    assert CSV_KEY in page


def test_what_to_do_is_grouped_by_reason_the_largest_first_and_the_easiest_of_the_same_size() -> None:
    kinds = [Reason.ARCHIVED, Reason.NOT_FINISHED, Reason.INDEX_MISSING, Reason.INDEX_MISSING]

    page = report_page(Exclusion(backup(status="FAILED"), reason) for reason in kinds)

    assert re.findall(r'id="do-(\w+)"', page) == ["INDEX_MISSING", "NOT_FINISHED", "ARCHIVED"]
    assert REMEDIES[Reason.ARCHIVED].why in page
    assert page.count("AWS documents no way to search it</span>") == 1


def without_index(count: int, index: BackupIndex | None) -> Iterator[Exclusion]:
    for number in range(count):
        yield Exclusion(backup(backup_arn=f"arn:aws:ec2:r::s/{number}"), Reason.INDEX_MISSING, index)


def test_commands_are_written_out_for_all_backups_that_the_page_has_room_for() -> None:
    page = report_page(without_index(25, INDEX))

    assert page.count("update-recovery-point-index-settings --backup-vault-name") == 25
    assert page.count("start-search-job --search-scope") == 2
    assert "excluded-backups.csv</code> are for all" not in page


def test_where_there_is_no_room_the_commands_read_the_csv_and_say_for_how_many_that_is() -> None:
    page = report_page(without_index(412, INDEX))

    assert page.count("update-recovery-point-index-settings --backup-vault-name") == 1
    assert page.count("start-search-job --search-scope") == 1
    assert "The commands with <code>excluded-backups.csv</code> are for all 412 backups" in page


def test_where_the_commands_read_the_csv_those_of_an_access_point_are_for_the_first_backup() -> None:
    page = report_page(
        (
            Exclusion(backup(resource_type="S3", backup_arn=f"arn:aws:backup:r:1:s/{n}"), Reason.INDEX_MISSING, INDEX)
            for n in range(412)
        ),
        job=search_job(scope=SearchScope(resource_types=("S3",))),
    )

    assert page.count("aws backup create-backup-access-point --recovery-point-arn arn:aws:backup:r:1:s/0 ") == 1
    assert "The commands are for 1 of the 412 backups." in page


@pytest.mark.parametrize("count", [2, 412])
@pytest.mark.parametrize("reason", [Reason.INDEX_MISSING, Reason.INDEX_FAILED, Reason.NOT_SUPPORTED])
def test_what_is_copied_as_one_block_is_one_way_and_never_deletes_what_it_has_just_made(
    reason: Reason, count: int
) -> None:
    page = report_page(
        (
            Exclusion(backup(resource_type="S3", backup_arn=f"arn:aws:backup:r:1:s/{n}"), reason, INDEX)
            for n in range(count)
        ),
        job=search_job(scope=SearchScope(resource_types=("S3",))),
    )

    titles = re.findall(r"<h4 [^>]*>([^<]*)</h4>", page)
    copied = re.findall(r"<pre .*?</pre>", page, re.DOTALL)
    blocks = [set(re.findall(r"aws (?:backup|s3api) ([a-z-]+)", block)) for block in copied]
    read = {"create-backup-access-point", "describe-backup-access-point", "list-object-versions"}
    assert blocks[-2:] == [read, {"delete-backup-access-point"}]
    assert not any("access-point" in command for block in blocks[:-2] for command in block)
    steps = [re.findall(r"aws (?:backup|s3api) ([a-z-]+)", block) for block in copied[-2].split("\n\n")]
    assert all(len(of_backup) == 3 and set(of_backup) == read for of_backup in steps)
    assert titles[-1] == "When you are done"
    assert titles[-2].lower().endswith("read it without an index")
    assert titles[-2].startswith("Or ") == (reason is not Reason.NOT_SUPPORTED)
    assert "until <code>describe-backup-access-point</code> says AVAILABLE" in page
    assert "too old for access points" in page


def test_where_indexes_are_ordered_the_page_says_that_aws_makes_one_at_a_time() -> None:
    said = "AWS makes one index on demand at a time"

    assert said in report_page(without_index(2, INDEX))
    assert said not in report_page([Exclusion(backup(), Reason.ARCHIVED, INDEX)])


def test_where_no_vault_is_known_no_command_reads_it_from_the_csv() -> None:
    page = report_page(without_index(412, None))

    shown = page.count("update-recovery-point-index-settings --backup-vault-name")
    assert 5 < shown < 412
    assert f"The commands that mend are for the first {shown} of 412 backups." in page


def test_commands_that_are_for_some_backups_alone_say_for_how_many() -> None:
    page = report_page(Exclusion(backup(backup_arn=f"arn:aws:ec2:r::s/{n}"), Reason.ARCHIVED) for n in range(412))

    shown = page.count("aws backup start-restore-job ")
    assert 5 < shown < 412
    assert f"The commands that mend are for the first {shown} of 412 backups." in page


def test_no_command_stands_on_the_page_twice() -> None:
    index = BackupIndex("Default", "FAILED", None, ROLE)
    page = report_page(
        Exclusion(backup(backup_arn=f"arn:aws:ec2:r::s/{n}"), Reason.INDEX_FAILED, index) for n in (1, 2, 3, 3)
    )

    assert page.count("aws iam attach-role-policy") == 1
    assert page.count("aws backup get-recovery-point-index-details --backup-vault-name Default") == 3
    assert page.count("arn:aws:ec2:r::s/3&#34;") == 1


def test_the_page_lists_what_the_search_looked_for_in_a_backup_of_s3_without_an_index() -> None:
    job = search_job(
        scope=SearchScope(resource_types=("S3",)), object_keys=(KeyFilter("people/jane-doe", "BEGINS_WITH"),)
    )
    arn = "arn:aws:backup:us-east-1:123456789012:recovery-point:1EB3B5E7"
    page = report_page([Exclusion(backup(resource_type="S3", backup_arn=arn), Reason.NOT_SUPPORTED)], job=job)

    assert "--prefix people/jane-doe --query" in page
    assert "AWS documents no way to search it</span>" not in page
    assert "start-search-job" not in page


def test_with_an_inventory_it_says_what_is_in_scope_listed_and_searched() -> None:
    inventory = Inventory(
        InventoryStatus.PARTIAL, "Vault x could not be read.", datetime(2026, 11, 20, tzinfo=UTC), 7, 412, 72
    )

    page = report_page(exclusions(99), searched=313, inventory=inventory)

    assert "This search did NOT look at 99 of 412 backups" in page
    assert "In scope at least 412 · listed 340 · searched 313" in page
    assert "The inventory of the vaults is PARTIAL: Vault x could not be read." in page


def test_without_an_inventory_it_does_not_claim_more_than_the_list_tells() -> None:
    page = report_page()

    assert "This search looked at all 385 backups that AWS lists for it" in page
    assert "it was not compared with the vaults" in page


@pytest.mark.parametrize("status", [InventoryStatus.OFF, InventoryStatus.COMPLETE])
def test_a_complete_search_is_not_said_to_prove_what_a_search_of_metadata_cannot(status: InventoryStatus) -> None:
    page = report_page(inventory=Inventory(status, in_scope=385))

    assert "It never reads what is inside a file or an object." in page
    assert "this does not prove that a text, or a person&#39;s data, is in no backup." in page
    assert "not in them" not in page


def test_the_box_of_what_no_search_sees_names_the_vaults_and_what_concerns_this_search() -> None:
    held = (NotSearchable("nightly", 12),)

    page = report_page(
        job=search_job(filters_by_creation_time=True),
        inventory=Inventory(InventoryStatus.COMPLETE, in_scope=385, not_searchable=held, not_searchable_is_all=True),
    )

    assert '<h2 id="unseen">What even a complete search does not see</h2>' in page
    assert page.count('<dd class="loud">') == 2
    assert "the vaults hold 12 backups of EC2 instances: 12 in nightly." in page
    assert "This search filters by creation time" in page
    assert "Delete markers" not in page
    assert '<dd class="loud">' not in report_page()


def test_what_is_missing_is_named_by_source_on_the_first_screen() -> None:
    payroll = Exclusion(backup(source_resource_arn="arn:aws:s3:::payroll-archive"), Reason.REVIEW)
    records = (
        Exclusion(backup(source_resource_arn=f"arn:aws:s3:::hr-records-{number}", created=None), Reason.REVIEW)
        for number in range(408, 413)
    )

    page = report_page([*[payroll] * 22, *records])

    missing = "<b>Not looked at:</b> 22 of payroll-archive (20 Nov), 1 each of hr-records-408 … 412."
    assert page.index(missing) < page.index('class="trust"')
    assert "Not looked at" not in report_page()


def test_the_verdict_none_is_called_nothing_searched() -> None:
    page = report_page(job=search_job(status="FAILED"), searched=0)

    assert "<title>Nothing searched: find-invoice" in page
    assert "<span>Nothing searched</span>" in page
    assert not re.search(r">[^<]*\bNONE\b", page.partition("</script>")[2])


def test_cells_are_words_and_carry_the_code_for_files() -> None:
    index = BackupIndex("Default", "ACTIVE", None, None)
    one = backup(status="FAILED", resource_type="S3")
    unknown = backup(status="EXPIRED", resource_type="EFS", created=None, index_created=None)

    page = report_page([Exclusion(one, Reason.INDEX_FAILED, index), Exclusion(unknown, Reason.UNKNOWN_STATUS)])

    _, _, body = page.partition("<tbody>")
    for code, words in {
        "INDEX_FAILED": "Index failed",
        "S3": "S3 bucket",
        "2026-11-20T10:00:00Z": "20 Nov 2026 10:00:00 UTC",
        "FAILED": "Failed",
        "ACTIVE": "Active",
    }.items():
        assert f'<td data-code="{code}">{words}' in body
    assert "<td>EXPIRED" in body
    assert "<td>EFS" in body
    # What people read has no code and no second form of a moment
    read = re.sub(r"<[^>]*>", " ", body.partition("</tbody>")[0])
    assert not re.search(r"[A-Z]_[A-Z]|\dT\d", read)


def test_moments_have_one_form_on_the_whole_page() -> None:
    page = report_page(exclusions(20)).partition("</script>")[2]

    read = re.sub(r"<[^>]*>", " ", page)
    assert "Ran 20 Nov 2026 09:00:00 UTC to 20 Nov 2026 09:05:30 UTC" in " ".join(read.split())
    assert not re.search(r"\d{4}-\d\d-\d\d", read)


def test_columns_of_the_vault_are_shown_only_if_a_vault_said_anything() -> None:
    without = report_page([Exclusion(backup(status="FAILED"), Reason.FAILED_OTHER)])

    assert 'data-column="backup_vault"' not in without
    assert 'data-column="backup_vault"' in report_page(exclusions(1))


def test_the_scope_of_the_search_is_spelled_out() -> None:
    sources = tuple(f"arn:aws:s3:::bucket-{n}" for n in range(9))
    scope = SearchScope(("S3",), datetime(2026, 8, 1, tzinfo=UTC), None, sources, (), (("team", "payments"),))

    page = report_page(job=search_job(scope=scope))

    assert "after 1 Aug 2026 00:00:00 UTC" in page
    assert all(source in page for source in sources)
    assert "4 more" in page
    assert "team = payments" in page


def test_the_bar_of_the_coverage_never_rounds_a_backup_away() -> None:
    nearly = BackupCounts(listed=1_000_000, searched=999_999, excluded=1, failed=0)
    hardly = BackupCounts(listed=1_000_000, searched=1, excluded=999_999, failed=0)

    assert percent_searched(nearly, 1_000_000) == "99.9%"
    assert searched_width(nearly, 1_000_000) < 1000
    assert searched_width(hardly, 1_000_000) > 0


def test_sources_beyond_the_first_10_000_are_counted_together() -> None:
    tally = Tally()
    for number in range(SOURCES_COUNTED + 5):
        tally.count(Exclusion(backup(source_resource_arn=f"arn:aws:s3:::b-{number}"), Reason.FAILED_OTHER))

    assert len(tally.by_source.counts) == SOURCES_COUNTED
    assert tally.by_source.further == 5


@pytest.mark.parametrize(
    ("days", "age"),
    [(-1, "under 1 day"), (0.5, "under 1 day"), (1, "1–7 days"), (89, "30–90 days"), (900, "over 1 year")],
)
def test_the_age_of_a_backup_is_its_age_when_the_search_started(days: float, age: str) -> None:
    tally = Tally(searched_at=1_800_000_000.0)

    tally.count(Exclusion(backup(created=1_800_000_000.0 - days * 86_400), Reason.FAILED_OTHER))

    assert tally.by_age == {age: 1}


def test_an_age_that_cannot_be_told_is_not_made_up() -> None:
    tally = Tally(searched_at=1_800_000_000.0)

    tally.count(Exclusion(backup(created=None), Reason.FAILED_OTHER))

    assert tally.by_age == {AGE_UNKNOWN: 1}
