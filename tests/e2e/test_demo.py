"""`make demo` shows what it promises, and leaves what landed."""

import json
import subprocess
import sys

from tests.e2e.conftest import ROOT

OUT = ROOT / "out" / "demo"


def test_the_demo_runs_the_main_job_and_leaves_what_landed() -> None:
    # When the demo runs
    demo = subprocess.run(
        [sys.executable, "-m", "local.demo"], cwd=ROOT, capture_output=True, text=True, timeout=180, check=False
    )

    # Then it comes to its end, and shows a mail
    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert "Done in" in demo.stdout
    # And every search job of the scenarios has a report, each with the verdict that its story has
    summaries = [json.loads(path.read_text()) for path in OUT.glob("bucket/reports/**/summary.json")]
    assert {summary["searchJob"]["name"]: summary["verdict"] for summary in summaries} == {
        "erasure-request-4711": "COMPLETE",
        "find-invoice-2026-10": "PARTIAL",
        "no-index-anywhere": "NONE",
        "quarterly-audit": "PARTIAL",
        "ransomware-first-seen": "PARTIAL",
        "stopped-by-hand": "NONE",
    }
    # And where nothing that is listed was left out, the vaults tell what is not listed
    (audit,) = [summary for summary in summaries if summary["searchJob"]["name"] == "quarterly-audit"]
    assert audit["backups"] == {"listed": 7, "searched": 7, "excluded": 3, "failed": 0}
    assert audit["inventory"]["status"] == "COMPLETE"
    assert audit["inventory"]["notListed"] == 3
    for summary in summaries:
        assert all((OUT / "bucket" / file["key"]).exists() for file in summary["files"].values())
    # And there is one mail for each search with a failure, subject first, and the message for machines beside it
    mails = [path.read_text(encoding="utf-8") for path in OUT.glob("email-*.txt")]
    assert sorted(mail.partition("\n")[0] for mail in mails) == [
        "Nothing searched: 6 of 6 backups not searched - no-index-anywhere",
        "PARTIAL: 27 of 412 backups not searched - ransomware-first-seen",
        "PARTIAL: 7 of 20 backups not searched - find-invoice-2026-10",
    ]
    assert len(list(OUT.glob("alerts/*.json"))) == 3
