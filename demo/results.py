"""The result of a search job: its report, and its mail or the reason why there is none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from search_coverage.coverage.verdict import Verdict
from search_coverage.report.mail.alert import NotifyOn
from search_coverage.report.wording import verdict_in_words

WHY_NO_MAIL: Mapping[str, str] = {
    NotifyOn.FAILED: "nothing in it FAILED, and notifyOn is FAILED",
    NotifyOn.EXCLUDED: "it is COMPLETE, and notifyOn is EXCLUDED",
}
"""Why a report is not mailed, by the setting."""

_VERDICT_STYLES = {Verdict.COMPLETE: "green", Verdict.PARTIAL: "yellow", Verdict.NONE: "red"}


def verdict_markup(code: str) -> str:
    """Return a verdict as people read it, in its color, in rich's markup."""
    verdict = Verdict(code)
    return f"[{_VERDICT_STYLES[verdict]}]{verdict_in_words(verdict)}[/]"


def kept_in_words(results: dict[str, Any]) -> str:
    """Say how many results of a search are kept, and whether these are all."""
    if results["rows"] is None:
        return "its results are NOT kept"
    number = f"{results['rows']} {'result' if results['rows'] == 1 else 'results'} kept"
    return number if results["message"] is None else f"INCOMPLETE: {number}"


def since_the_previous(summary: dict[str, Any]) -> str | None:
    """Say what changed since the previous search with the same question; None if there is none."""
    previous = summary["previous"]
    if previous is None:
        return None
    if previous["status"] != "COMPARED":
        return str(previous["message"])
    kinds = {"newlyExcluded": "newly left out", "stillExcluded": "still left out"}
    kinds |= {"nowSearched": "now searched", "notInThisSearch": "not in this one"}
    changes = ", ".join(f"{previous[kind]} {words}" for kind, words in kinds.items() if previous[kind]) or "no change"
    return f"{changes}: closed" if previous["closed"] else changes


@dataclass(frozen=True, slots=True)
class Result:
    """A report, and the mail about it.

    Attributes:
        page: Its page, relative to the folder of the demo.
        mail: Its mail, relative to the same folder; None if there is none.
        why_no_mail: The reason for that.
    """

    summary: dict[str, Any]
    page: Path
    mail: Path | None
    why_no_mail: str

    @property
    def name(self) -> str:
        """The name of its folder: that of the search job, and "-again" for a second one."""
        return self.page.parent.name


def show(console: Console, results: Sequence[Result], folder: Path) -> None:
    """Show the mail with the most failures, each report with its mail, and where the rest is. Fits 80 columns.

    Args:
        folder: The folder of the demo, as it is to be named.
    """
    mails = {result.mail: result.summary["backups"]["failed"] for result in results if result.mail}
    if mails:
        shown = folder / max(mails, key=mails.__getitem__)
        console.rule(f"[dim]one of {len(mails)} mails: {shown}")
        for line in shown.read_text(encoding="utf-8").splitlines():
            console.print(Text(line), no_wrap=True, overflow="ellipsis")
        console.rule()
    for result in results:
        _show_result(console, result, folder)
    console.print(f"   The messages for machines are in {folder / 'alerts'}, all objects of the")
    console.print(f"   bucket in {folder / 'bucket'}, those of the results in {folder / 'results'},")
    console.print(f"   the outputs of the stack in {folder / 'outputs.json'}.")


def _show_result(console: Console, result: Result, folder: Path) -> None:
    job, backups, verdict = (result.summary[name] for name in ("searchJob", "backups", "verdict"))
    counts = f"{backups['listed']} listed, {backups['searched']} searched, {backups['excluded']} not searched"
    console.print(f"   {result.name}, which ended as {job['status']}: {verdict_markup(verdict)}")
    console.print(f"            {counts}, {backups['failed']} failed")
    console.print(f"            {kept_in_words(result.summary['results'])}")
    if changes := since_the_previous(result.summary):
        console.print(f"            since the previous search: {changes}")
    console.print(f"     report {folder / result.page}")
    console.print(f"     mail   {folder / result.mail if result.mail else f'none: {result.why_no_mail}'}")
