"""What arrived of a search job, and how it is shown: its report, and its mail or why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from demo.search_jobs import shown_verdict
from search_coverage.report.mail.alert import NotifyOn

WHY_NO_MAIL: Mapping[str, str] = {
    NotifyOn.FAILED: "nothing in it FAILED, and notifyOn is FAILED",
    NotifyOn.EXCLUDED: "it is COMPLETE, and notifyOn is EXCLUDED",
}
"""For a report of which nobody was told, by the setting."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A report, and the mail about it.

    Attributes:
        summary: The report's summary.
        page: Its page, within the folder of the demo.
        mail: Its mail, within the same folder; None if there is none.
        why_no_mail: The reason for that.
    """

    summary: dict[str, Any]
    page: Path
    mail: Path | None
    why_no_mail: str


def show(console: Console, arrivals: Sequence[Arrival], folder: Path) -> None:
    """Show the mail with the most failures, each report with its mail, and where the rest is. Fits 80 columns.

    Args:
        console: Where to.
        arrivals: What arrived.
        folder: Where it lies, as it is to be named.
    """
    mails = {arrival.mail: arrival.summary["backups"]["failed"] for arrival in arrivals if arrival.mail}
    if mails:
        shown = folder / max(mails, key=mails.__getitem__)
        console.rule(f"[dim]one of {len(mails)} mails: {shown}")
        for line in shown.read_text(encoding="utf-8").splitlines():
            console.print(Text(line), no_wrap=True, overflow="ellipsis")
        console.rule()
    for arrival in arrivals:
        job, backups, verdict = (arrival.summary[member] for member in ("searchJob", "backups", "verdict"))
        counts = f"{backups['listed']} listed, {backups['searched']} searched, {backups['excluded']} not searched"
        console.print(f"   {job['name']}, which ended as {job['status']}: {shown_verdict(verdict)}")
        console.print(f"            {counts}, {backups['failed']} failed")
        console.print(f"     report {folder / arrival.page}")
        console.print(f"     mail   {folder / arrival.mail if arrival.mail else f'none: {arrival.why_no_mail}'}")
    console.print(f"   The messages for machines are in {folder / 'alerts'}, all objects of the")
    console.print(f"   bucket in {folder / 'bucket'}, the outputs of the stack in {folder / 'outputs.json'}.")
