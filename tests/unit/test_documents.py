"""What the documents repeat is true: links, settings, columns, sums, and the architecture picture."""

import json
import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from search_coverage.coverage.preflight import PreflightResult
from search_coverage.coverage.search_scope import SearchScope
from search_coverage.coverage.verdict import InventoryStatus
from search_coverage.names import Metric
from search_coverage.report.files.row import COLUMNS
from search_coverage.report.posture.rows import COUNTS, SOURCE_COLUMNS
from search_coverage.report.posture.summary import Mailed, MailStatus, posture_summary
from tests.postures import files, posture

ROOT = Path(__file__).parents[2]
IMAGES = ROOT / "docs" / "images"
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("simulators/*/README.md")])


def text(document: str) -> str:
    """Return a document of the repository."""
    return (ROOT / document).read_text(encoding="utf-8")


def section(document: str, heading: str) -> str:
    """Return the text below a heading, up to the next one of its level."""
    return text(document).partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def subsection(document: str, heading: str) -> str:
    """Return the text below a heading of the third level, up to the next heading."""
    return text(document).partition(f"\n### {heading}\n")[2].partition("\n##")[0]


def named_first(part: str) -> list[str]:
    """Return the names in the first cells of the rows of a table."""
    return re.findall(r"`(\w+)`", " ".join(cells[0] for cells in rows(part)))


def rows(part: str) -> list[list[str]]:
    """Return the cells of the rows of a table, without its head."""
    return [re.split(r" *\| *", line)[1:-1] for line in re.findall(r"^\| .+$", part, re.MULTILINE)][1:]


def anchors(document: str) -> set[str]:
    """Return the anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", document, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_file_and_to_a_heading_in_it(path: Path) -> None:
    for link in re.findall(r"\]\((?!https?:)([^)]+)\)", path.read_text(encoding="utf-8")):
        file, _, anchor = link.partition("#")
        target = path.parent / file if file else path
        assert target.exists(), link
        assert not anchor or anchor in anchors(target.read_text(encoding="utf-8")), link


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_that_is_named_with_its_folder_exists(path: Path) -> None:
    named = re.findall(r"`((?:benchmarks|cli|demo|docs|infra|lambda|simulators|tests)/[\w./-]+)`", path.read_text())

    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_architecture_picture_is_what_its_source_draws() -> None:
    drawn = subprocess.run(["node", IMAGES / "architecture.mjs"], capture_output=True, text=True, check=True).stdout

    assert drawn == (IMAGES / "architecture.svg").read_text(encoding="utf-8"), "Run 'make architecture'."


def test_the_readme_names_every_setting_with_its_default() -> None:
    defaults = json.loads(text("cdk.json"))["context"]["searchCoverage"]
    named = {cells[0].strip("`"): cells[1].strip("`") for cells in rows(section("README.md", "Settings"))}

    assert named == {key: value if isinstance(value, str) else json.dumps(value) for key, value in defaults.items()}


def test_the_documents_name_every_column_in_its_order() -> None:
    names = named_first(section("docs/report-format.md", "Columns"))
    (queried,) = re.findall(r'TEXTS = """(.+?)"""', text("docs/queries.md"), re.DOTALL)

    assert names == queried.split() == list(COLUMNS)


def test_the_documents_name_every_column_of_the_sources_of_a_posture_in_its_order() -> None:
    (numbers,), (texts,) = (
        re.findall(rf'{name} = """(.+?)"""', text("docs/queries.md"), re.DOTALL) for name in ("NUMBERS", "OF_SOURCES")
    )

    assert named_first(subsection("docs/report-format.md", "Sources")) == list(SOURCE_COLUMNS)
    assert numbers.split() == list(COUNTS)
    assert texts.split() == [column for column in SOURCE_COLUMNS if column not in COUNTS]


def test_the_documents_name_every_member_of_the_summary_of_a_posture_and_of_a_preflight() -> None:
    summary = posture_summary(posture(), files(), Mailed(MailStatus.OFF))
    preflight = PreflightResult(SearchScope(), "us-east-1", datetime.now(UTC), InventoryStatus.COMPLETE).as_json()
    answers = section("docs/report-format.md", "The answers of the posture function")

    assert set(named_first(subsection("docs/report-format.md", "The summary of a posture"))) == set(summary)
    assert set(named_first(answers.partition("The preflight has these members")[2])) == set(preflight)


def test_the_documents_name_every_metric() -> None:
    metrics = {value for name, value in vars(Metric).items() if name.isupper()}

    assert set(re.findall(r"`([A-Z]\w+)`", section("docs/report-format.md", "Metrics"))) >= metrics


def test_the_costs_are_summed_up_and_count_every_alarm() -> None:
    per_month = rows(text("docs/costs.md").partition("\n\n| per report")[0])
    *parts, total = [float(cells[-1].strip("*")) for cells in per_month]
    names = " ".join(cells[0] for cells in rows(text("docs/operations.md").partition("\n## ")[0]))
    alarms = len(re.findall(r"`([A-Z]\w+)`", names))

    assert round(sum(parts), 2) == total
    assert f"| {alarms - 2} alarms ({alarms - 1} with `alarmOnIncomplete`, one more with `searchableTarget`) |" in text(
        "docs/costs.md"
    )
    assert all(f"{total} " in text(document) for document in ("README.md", "docs/operations.md"))
