"""`make demo` shows what it promises, and leaves what was delivered."""

import gzip
import hashlib
import json
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

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
    "quarterly-audit-again": "COMPLETE",
    "ransomware-first-seen": "PARTIAL",
    "stopped-by-hand": "NONE",
}
RESULTS = {
    "erasure-request-4711": 3,
    "find-invoice-2026-10": 1,
    "no-index-anywhere": 0,
    "quarterly-audit": 12,
    "quarterly-audit-again": 16,
    "ransomware-first-seen": 118,
    "stopped-by-hand": 0,
}


@pytest.fixture
def earlier() -> Iterator[Path]:
    """A result of an earlier run."""
    OUT.mkdir(parents=True, exist_ok=True)
    left = OUT / "left-by-an-earlier-run.txt"
    left.touch()
    yield left
    left.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def said() -> str:
    """What a run of the demo says. It takes two minutes, so there is one for all tests."""
    OUT.mkdir(parents=True, exist_ok=True)
    earlier = OUT / "left-by-an-earlier-run.txt"
    earlier.touch()
    with subprocess.Popen(
        [sys.executable, "-m", "demo"], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as demo:
        assert demo.stdout is not None
        # It says at once how long it takes, and leaves the last results where they are
        assert "about two minutes" in demo.stdout.readline()
        assert earlier.exists()
        said, _ = demo.communicate(timeout=300)
    # And it ends, and the new results replace the earlier ones, with nothing beside them
    assert demo.returncode == 0, said
    assert "Done in" in said
    assert not earlier.exists()
    assert list(OUT.parent.glob(f"{OUT.name}?*")) == []
    return said


@pytest.fixture(scope="module")
def summaries(said: str) -> dict[str, dict[str, Any]]:
    """The summaries that the demo leaves, by the names of their folders."""
    return {path.parent.name: json.loads(path.read_text()) for path in OUT.glob("reports/*/summary.json")}


def test_the_demo_leaves_a_report_of_every_search_job_with_its_files(summaries: dict[str, dict[str, Any]]) -> None:
    assert {name: summary["verdict"] for name, summary in summaries.items()} == VERDICTS
    assert len(list(OUT.glob("bucket/reports/**/summary.json"))) == len(VERDICTS)
    for summary in summaries.values():
        assert all((OUT / "bucket" / file["key"]).exists() for file in summary["files"].values())


def test_where_nothing_that_is_listed_was_left_out_the_inventory_names_what_is_not_listed(
    summaries: dict[str, dict[str, Any]],
) -> None:
    audit = summaries["quarterly-audit"]

    assert audit["backups"] == {"listed": 7, "searched": 7, "excluded": 3, "failed": 0}
    assert audit["inventory"]["status"] == "COMPLETE"
    assert audit["inventory"]["notListed"] == 3


def test_the_demo_keeps_the_question_of_each_search(summaries: dict[str, dict[str, Any]]) -> None:
    for summary in summaries.values():
        job = summary["searchJob"]
        assert job["tags"].keys() == {"case", "requester"}
        assert job["itemFilters"]
        assert job["itemFilterNames"]


def test_the_demo_keeps_what_each_search_found(summaries: dict[str, dict[str, Any]]) -> None:
    assert {name: summary["results"]["rows"] for name, summary in summaries.items()} == RESULTS
    for summary in summaries.values():
        file = summary["results"]["files"]["jsonl"]
        content = (OUT / "results" / file["key"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == file["sha256"]
        assert len(gzip.decompress(content).splitlines()) == summary["results"]["rows"]


def test_the_second_search_asks_the_same_question_and_closes_the_gap(summaries: dict[str, dict[str, Any]]) -> None:
    first, again = summaries["quarterly-audit"], summaries["quarterly-audit-again"]

    assert again["searchJob"]["fingerprint"] == first["searchJob"]["fingerprint"]
    assert again["previous"]["searchJobIdentifier"] == first["searchJob"]["identifier"]
    assert (again["previous"]["nowSearched"], again["previous"]["closed"]) == (3, True)
    assert again["backups"] == {"listed": 10, "searched": 10, "excluded": 0, "failed": 0}
    assert [name for name, summary in summaries.items() if summary["previous"]] == ["quarterly-audit-again"]


def test_the_pack_holds_the_very_files_of_the_second_search(summaries: dict[str, dict[str, Any]], said: str) -> None:
    again = summaries["quarterly-audit-again"]
    (pack,) = OUT.glob("*.zip")

    assert pack.name == f"search-coverage-{again['searchJob']['identifier']}.zip"
    with zipfile.ZipFile(pack) as content:
        hashes = {name: hashlib.sha256(content.read(name)).hexdigest() for name in content.namelist()}
    for file in (*again["files"].values(), *again["results"]["files"].values()):
        assert file["sha256"] in hashes.values()
    assert {"summary.json", "manifest.json"} <= hashes.keys()
    # The commands are shown as a user would type them
    assert re.search(rf"^ +\$ search-coverage evidence {again['searchJob']['identifier']}$", said, re.MULTILINE)
    assert f"$ search-coverage verify {pack.name}" in re.sub(r"\s+", " ", said)


def test_there_is_a_mail_for_each_search_that_is_not_complete_and_for_the_one_that_closes_a_gap(said: str) -> None:
    mails = {path: path.read_text(encoding="utf-8") for path in OUT.glob("email-*.txt")}

    # The subject comes first, and the message for machines is beside it
    words = sorted(re.split(r"[ :]", mail)[0] for mail in mails.values())
    assert words == ["COMPLETE", "Nothing", "Nothing", "PARTIAL", "PARTIAL", "PARTIAL", "Search"]  # the last: a posture
    assert "PARTIAL: 27 of 412 backups not searched - ransomware-first-seen" in [
        mail.partition("\n")[0] for mail in mails.values()
    ]
    assert len(list(OUT.glob("alerts/*.json"))) == len(mails)


def test_the_demo_names_each_report_with_its_page_and_with_its_mail_or_why_there_is_none(said: str) -> None:
    mails = {path: path.read_text(encoding="utf-8") for path in OUT.glob("email-*.txt")}

    pattern = r"^ +(\S+), which ended as \w+: (.*)\n(?:.*\n){2,3}? +report (\S+)\n +mail +(.*)$"
    shown = re.findall(pattern, said, re.MULTILINE)
    assert {name: verdict for name, verdict, _, _ in shown} == {
        name: verdict_in_words(Verdict(code)) for name, code in VERDICTS.items()
    }
    for name, _, page, mail in shown:
        job = name.removesuffix("-again")
        assert job in (ROOT / page).read_text(encoding="utf-8")
        assert mail == "none: it is COMPLETE, and notifyOn is EXCLUDED" or job in mails[ROOT / mail]
    assert [name for name, _, _, mail in shown if mail.startswith("none")] == ["erasure-request-4711"]
    assert len({mail for _, _, _, mail in shown}) == len(shown)


def test_what_the_demo_says_fits_into_a_terminal_of_the_usual_width(said: str) -> None:
    assert max(len(line) for line in said.splitlines()) <= 80


def test_nothing_of_a_filter_or_a_result_is_in_a_mail_or_a_message(said: str) -> None:
    texts = [path.read_text(encoding="utf-8") for path in (*OUT.glob("email-*.txt"), *OUT.glob("alerts/*.json"))]

    for word in ("customers/4711", "contract-", "invoice-2026-10-0042", "invoices/2026-q3", ".locked", "board-minutes"):
        assert not any(word in text for text in texts), word


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
