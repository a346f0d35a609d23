"""axe-core finds nothing against WCAG 2.2, levels A and AA, on any page, in either colour scheme."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from search_coverage.coverage.verdict import Inventory, InventoryStatus, NotSearchable
from tests.browser.conftest import Open
from tests.examples import search_job
from tests.pages import exclusions, hostile_exclusion, hostile_job, report_page

AXE = Path(__file__).parents[2] / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = "rules => axe.run(document, { runOnly: { type: 'tag', values: rules } })"

SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
INVENTORY = Inventory(InventoryStatus.PARTIAL, "Vault x could not be read.", None, 3, 412, 7)
OF_INSTANCES = Inventory(InventoryStatus.COMPLETE, in_scope=385, not_searchable=(NotSearchable("nightly", 12),))
PAGES: dict[str, Callable[[], str]] = {
    "partial": lambda: report_page(exclusions(60)),
    "inventory": lambda: report_page(exclusions(20), inventory=INVENTORY),
    "complete": report_page,
    "loud": lambda: report_page(job=search_job(filters_by_creation_time=True), inventory=OF_INSTANCES),
    "none": lambda: report_page(job=search_job(status="FAILED"), searched=0),
    "hostile": lambda: report_page([hostile_exclusion(), *exclusions(3)], job=hostile_job()),
}


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("width", [390, 1280])
def test_axe_finds_nothing(opened: Open, name: str, width: int) -> None:
    page = opened(PAGES[name](), viewport={"width": width, "height": 800}, bypass_csp=True).page
    page.add_script_tag(content=AXE.read_text(encoding="utf-8"))

    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)
        violations = page.evaluate(RUN, RULES)["violations"]
        assert not [
            (scheme, found["id"], node["html"][:200], node["failureSummary"])
            for found in violations
            for node in found["nodes"]
        ]
