"""axe-core finds nothing against WCAG 2.2, levels A and AA, on any page, in either color scheme."""

from collections.abc import Callable
from pathlib import Path

import pytest

from search_coverage.coverage.item_filters import ItemFilters
from search_coverage.coverage.verdict import Inventory, InventoryStatus, NotSearchable
from tests.browser.conftest import Open
from tests.examples import search_job
from tests.postures import newest, posture
from tests.reports import exclusions, hostile_exclusion, hostile_job, report_page
from tests.whole_posture import hostile_posture, posture_page, whole_posture

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RULES = "tags => axe.getRules(tags).map(({ ruleId, tags }) => [ruleId, tags.includes('cat.color')])"
RUN = "rules => axe.run(document, { runOnly: { type: 'rule', values: rules } })"

INVENTORY = Inventory(InventoryStatus.PARTIAL, "Vault x could not be read.", None, 3, 412, 7)
OF_INSTANCES = Inventory(InventoryStatus.COMPLETE, in_scope=385, not_searchable=(NotSearchable("nightly", 12),))
PAGES: dict[str, Callable[[], str]] = {
    "partial": lambda: report_page(exclusions(21)),
    "inventory": lambda: report_page(exclusions(20), inventory=INVENTORY),
    "complete": report_page,
    "loud": lambda: report_page(job=search_job(item_filters=ItemFilters(("CreationTimes",))), inventory=OF_INSTANCES),
    "none": lambda: report_page(job=search_job(status="FAILED"), searched=0),
    "hostile": lambda: report_page([hostile_exclusion(), *exclusions(3)], job=hostile_job()),
    "posture": lambda: posture_page(whole_posture()),
    "hostile posture": lambda: posture_page(hostile_posture()),
    "posture without a gap": lambda: posture_page(posture(newest=newest(2))),
}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing(opened: Open, name: str, width: int) -> None:
    page = opened(PAGES[name](), viewport={"width": width, "height": 800}, bypass_csp=True, color_scheme="light").page
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))
    is_of_color: dict[str, bool] = dict(page.evaluate(RULES, TAGS))
    assert "color-contrast" in [rule for rule, of_color in is_of_color.items() if of_color]

    violations = page.evaluate(RUN, list(is_of_color))["violations"]
    page.emulate_media(color_scheme="dark")
    violations += page.evaluate(RUN, [rule for rule, of_color in is_of_color.items() if of_color])["violations"]

    assert not [
        (found["id"], node["html"][:200], node["failureSummary"]) for found in violations for node in found["nodes"]
    ]
