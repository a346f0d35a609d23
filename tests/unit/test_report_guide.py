"""docs/report.md explains every column, every reason and every picture that there is, and no others."""

import re
from pathlib import Path

from demo.pictures.pictures import PICTURES
from search_coverage.coverage.backup import BackupIndex
from search_coverage.coverage.exclusion import MESSAGES, Exclusion, Reason
from search_coverage.coverage.remedies import REMEDIES, remedy_of
from search_coverage.coverage.verdict import Verdict
from search_coverage.report.files.row import COLUMNS
from search_coverage.report.page.table import page_table
from search_coverage.report.wording import verdict_in_words
from tests.examples import backup

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "report.md").read_text(encoding="utf-8")


def table(section: str, document: str = GUIDE) -> list[list[str]]:
    """Return the cells of the table of a section, without its head."""
    text = document.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[1:]]


COLUMNS_TABLE = table("The table and excluded-backups.csv")
REASONS_TABLE = table("The reasons")


def test_every_column_is_explained_in_the_order_of_the_csv() -> None:
    assert [cells[0].strip("`") for cells in COLUMNS_TABLE] == list(COLUMNS)


def test_every_column_has_its_title_on_the_page_an_example_and_when_it_is_empty() -> None:
    excluded = [Exclusion(backup(), Reason.REVIEW, BackupIndex("vault"), f"2026-11-2{day}T09:00:00Z") for day in (0, 1)]
    titles = dict(page_table(excluded).columns)

    assert {cells[0].strip("`"): cells[1] for cells in COLUMNS_TABLE if not cells[1].startswith("in *")} == titles
    for cells in COLUMNS_TABLE:
        assert len(cells) == 5
        assert all(cells), cells


def test_every_reason_is_explained_under_the_title_that_the_page_gives_it() -> None:
    explained = {cells[0].strip("`"): cells[1] for cells in REASONS_TABLE}

    assert len(explained) == len(REASONS_TABLE)
    assert explained == {reason.value: REMEDIES[reason].title for reason in Reason}
    assert all(len(cells) == 4 and all(cells) for cells in REASONS_TABLE)


def test_what_to_do_is_explained_for_each_type_if_it_differs() -> None:
    first_steps = {cells[0].strip("`"): cells[3] for cells in REASONS_TABLE}

    for reason in Reason:
        of_ebs, of_s3 = (remedy_of(reason, of_type) for of_type in ("EBS", "S3"))
        if of_ebs.commands != of_s3.commands:
            assert "EBS: " in first_steps[reason.value]
        if of_ebs != of_s3:
            assert "S3" in first_steps[reason.value]


def test_the_format_has_every_reason_in_the_words_of_the_report_and_in_the_order_in_which_they_are_tried() -> None:
    document = (DOCS / "report-format.md").read_text(encoding="utf-8")

    explained = table("Reasons and remedies", document.partition("\n### Remedies for S3\n")[0])
    assert [cells[0].strip("`") for cells in explained][: len(MESSAGES)] == list(MESSAGES)
    assert {cells[0].strip("`"): cells[1:] for cells in explained} == {
        reason.value: [REMEDIES[reason].meaning, REMEDIES[reason].remedy] for reason in Reason
    }


def test_the_format_has_what_differs_for_s3() -> None:
    document = (DOCS / "report-format.md").read_text(encoding="utf-8").partition("\n### Remedies for S3\n")[2]

    explained = dict(re.findall(r"^\| `(\w+)` \| (.+) \|$", document.partition("\n### ")[0], re.MULTILINE))
    assert explained == {
        reason.value: remedy_of(reason, "S3").remedy for reason in Reason if remedy_of(reason, "S3") != REMEDIES[reason]
    }


def test_the_reasons_that_no_search_helps_are_named() -> None:
    (line,) = [line for line in GUIDE.splitlines() if line.startswith("For `") and "the page carries the mark" in line]

    undocumented = {reason.value for reason in Reason if not REMEDIES[reason].documented}
    assert set(re.findall(r"`(\w+)`", line)) == undocumented


def test_every_verdict_is_explained() -> None:
    assert [cells[0] for cells in table("In a minute")] == [f"**{verdict_in_words(verdict)}**" for verdict in Verdict]


def test_the_pictures_that_are_taken_are_those_that_are_shown_each_with_words_for_it() -> None:
    shown = re.findall(r"!\[([^\]]*)\]\(images/([\w-]+\.png)\)", GUIDE)

    assert sorted(file for _, file in shown) == sorted(picture.file for picture in PICTURES)
    assert all(len(words.split()) > 5 for words, _ in shown)
    assert all((DOCS / "images" / file).exists() for _, file in shown)
