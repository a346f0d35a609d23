"""An auditor's walk, by the document alone: from a case number to each search, its question, gaps and files."""

import json
import re
import shutil
from pathlib import Path

import pytest

from simulators.backup_search import BackupGroup, BackupSimulator, Scenario, Scope
from tests.e2e.conftest import ROOT, Stack, eventually
from tests.e2e.runbook import Shell, blocks

pytestmark = pytest.mark.skipif(shutil.which("jq") is None, reason="the document uses jq, which is not installed")

WALK = blocks((ROOT / "docs" / "audit.md").read_text(encoding="utf-8"))
EXAMPLE = "11111111-2222-3333-4444-555555555555"
SCOPE, TAGS = Scope(source_arns=("arn:aws:s3:::audited",)), {"case": "CASE-4711"}
LEFT_OUT = BackupGroup(status="FAILED", status_message="Access denied", source="arn:aws:s3:::audited")
SEARCHED = BackupGroup(count=2, source="arn:aws:s3:::audited")


def reported(stack: Stack, simulator: BackupSimulator, name: str, *groups: BackupGroup) -> str:
    search_job = simulator.finish_job(Scenario(name, groups, scope=SCOPE, tags=TAGS))
    stack.invoke(stack.outputs["ReportFunctionName"], {"searchJobIdentifier": search_job})
    assert eventually(lambda: stack.summary(search_job), seconds=30)
    return search_job


def test_the_walk_leads_from_a_case_to_its_files_and_their_checksums(
    stack: Stack, simulator: BackupSimulator, tmp_path: Path
) -> None:
    # Given two searches of a case with the same question, and one of no case
    first = reported(stack, simulator, "audited", SEARCHED, LEFT_OUT)
    second = reported(stack, simulator, "audited-again", SEARCHED, LEFT_OUT)
    other = simulator.finish_job(Scenario("no-case", (BackupGroup(source="arn:aws:s3:::another"),)))
    stack.invoke(stack.outputs["ReportFunctionName"], {"searchJobIdentifier": other})
    shell = Shell(stack, tmp_path)
    steps = list(WALK)

    # Then each block of the document does what its section says, in its order
    searches = shell.run(WALK[steps[0]])
    assert [line.split("\t")[1:] for line in searches.splitlines()] == [
        [first, "audited", "PARTIAL"],
        [second, "audited-again", "PARTIAL"],
    ]
    question = json.loads(shell.run(WALK[steps[1]], replace={EXAMPLE: second}))
    assert question["scope"]["sourceArns"] == ["arn:aws:s3:::audited"]
    assert question["tags"] == TAGS
    gaps = json.loads(shell.run(WALK[steps[2]], replace={EXAMPLE: second}))
    assert (gaps["backups"]["failed"], gaps["previous"]["searchJobIdentifier"]) == (1, first)
    same = shell.run(WALK[steps[3]], replace={"FINGERPRINT": question["fingerprint"]})
    assert [line.split("\t")[1] for line in same.splitlines()] == [first, second]
    packed = shell.run(WALK[steps[4]], replace={EXAMPLE: second})
    summary = stack.summary(second)
    assert summary
    assert re.search(rf"Summary hash +{summary['contentSha256']}", packed)
    assert "The pack was not changed" in packed
    shell.run(WALK[steps[5]])
    assert not (tmp_path / "summaries").exists()
    assert len(steps) == 6
