"""`make demo` shows what it promises, and leaves what was delivered."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from search_coverage.coverage.verdict import Verdict
from search_coverage.report.wording import verdict_in_words
from tests.e2e.conftest import ROOT

OUT = ROOT / "out" / "demo"

VERDICTS = {
    "erasure-request-4711": "COMPLETE",
    "find-invoice-2026-10": "PARTIAL",
    "no-index-anywhere": "NONE",
    "quarterly-audit": "PARTIAL",
    "ransomware-first-seen": "PARTIAL",
    "stopped-by-hand": "NONE",
}


@pytest.fixture
def earlier() -> Iterator[Path]:
    """A result of an earlier run."""
    OUT.mkdir(parents=True, exist_ok=True)
    left = OUT / "left-by-an-earlier-run.txt"
    left.touch()
    yield left
    left.unlink(missing_ok=True)


def test_the_demo_runs_the_main_job_and_leaves_what_was_delivered(earlier: Path) -> None:
    # When the demo runs
    with subprocess.Popen(
        [sys.executable, "-m", "demo"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as demo:
        assert demo.stdout is not None
        # Then it says at once how long it takes, and leaves the last results where they are
        assert "one to two minutes" in demo.stdout.readline()
        assert earlier.exists()
        said, _ = demo.communicate(timeout=240)

    # And it ends, and the new results replace the earlier ones, with nothing beside them
    assert demo.returncode == 0, said
    assert "Done in" in said
    assert not earlier.exists()
    assert list(OUT.parent.glob(f"{OUT.name}?*")) == []
    # And every search job of the scenarios has a report, each with the verdict of its scenario
    summaries = [json.loads(path.read_text()) for path in OUT.glob("bucket/reports/**/summary.json")]
    assert {summary["searchJob"]["name"]: summary["verdict"] for summary in summaries} == VERDICTS
    # And where nothing that is listed was left out, the inventory of the vaults names what is not listed
    (audit,) = [summary for summary in summaries if summary["searchJob"]["name"] == "quarterly-audit"]
    assert audit["backups"] == {"listed": 7, "searched": 7, "excluded": 3, "failed": 0}
    assert audit["inventory"]["status"] == "COMPLETE"
    assert audit["inventory"]["notListed"] == 3
    for summary in summaries:
        assert all((OUT / "bucket" / file["key"]).exists() for file in summary["files"].values())
    # And there is one mail for each search that is not complete, subject first, and the message for machines beside it
    mails = {path: path.read_text(encoding="utf-8") for path in OUT.glob("email-*.txt")}
    assert sorted(mail.partition(" ")[0] for mail in mails.values()) == ["Nothing"] * 2 + ["PARTIAL:"] * 3
    assert "PARTIAL: 27 of 412 backups not searched - ransomware-first-seen" in [
        mail.partition("\n")[0] for mail in mails.values()
    ]
    assert len(list(OUT.glob("alerts/*.json"))) == 5
    # And it names each report with its page, which is that of this search job, and with its mail, or why there is none
    shown = re.findall(r"^ +(\S+), which ended as \w+: (.*)\n.*\n +report (\S+)\n +mail +(.*)$", said, re.MULTILINE)
    assert {name: verdict for name, verdict, _, _ in shown} == {
        name: verdict_in_words(Verdict(code)) for name, code in VERDICTS.items()
    }
    for name, _, page, mail in shown:
        assert name in (ROOT / page).read_text(encoding="utf-8")
        assert mail == "none: it is COMPLETE, and notifyOn is EXCLUDED" or name in mails[ROOT / mail]
    assert [name for name, _, _, mail in shown if mail.startswith("none")] == ["erasure-request-4711"]
    # And all of it fits into a terminal of the usual width
    assert max(len(line) for line in said.splitlines()) <= 80


def test_a_demo_that_is_interrupted_keeps_the_last_results_and_leaves_nothing_beside_them(earlier: Path) -> None:
    # Given a demo that has begun
    with subprocess.Popen(
        [sys.executable, "-m", "demo"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as demo:
        assert demo.stdout is not None
        while "An embedded AWS" not in demo.stdout.readline():
            assert demo.poll() is None

        # When it is interrupted
        demo.send_signal(signal.SIGINT)
        _, complaints = demo.communicate(timeout=30)

    # Then it says so in a sentence, and what was there is there
    assert "The demo was interrupted" in complaints
    assert "Traceback" not in complaints
    assert earlier.exists()
    assert list(OUT.parent.glob(f"{OUT.name}?*")) == []
