"""`search-coverage evidence`: a pack is the report, whole and as the summary says."""

import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from search_coverage.names import SUMMARY_JSON
from tests.examples import JANE
from tests.integration.command_line.operator_aws import BUCKET, JOB, OTHER_JOB, OperatorAws
from tests.integration.command_line.packs import FILES, RESULTS, checks_of, entries_of, offline, sha
from tests.integration.command_line.stored_report import RESULTS_BUCKET
from tests.invocation import ACCOUNT, REGION

Summary = dict[str, Any]


def manifest_of(path: Path) -> dict[str, Any]:
    manifest: dict[str, Any] = json.loads(entries_of(path)["manifest.json"])
    return manifest


def summary_key(summary: Summary) -> str:
    key: str = summary["files"]["html"]["key"].replace("report.html", SUMMARY_JSON)
    return key


def test_a_pack_holds_the_files_that_the_summary_names_and_a_manifest_of_them(pack: Path, report: Summary) -> None:
    entries, manifest = entries_of(pack), manifest_of(pack)

    assert list(entries) == [*FILES, *RESULTS, "manifest.json"]
    assert {name: manifest[name] for name in ("version", "product", "account", "region", "searchJobIdentifier")} == {
        "version": 1,
        "product": "search-coverage",
        "account": ACCOUNT,
        "region": REGION,
        "searchJobIdentifier": JOB,
    }
    for name in ("verdict", "contentSha256", "generatorVersion"):
        assert manifest[name] == report[name]
    assert manifest["fingerprint"] == report["searchJob"]["fingerprint"]
    assert manifest["createdBy"].startswith("arn:aws:")
    assert datetime.fromisoformat(manifest["createdAt"]) <= datetime.now(UTC)
    assert manifest["leftOut"] == []


def test_the_manifest_describes_each_file_and_the_summary_itself(aws: OperatorAws, pack: Path, report: Summary) -> None:
    entries = entries_of(pack)
    by_name = {file["name"]: file for file in manifest_of(pack)["files"]}

    assert list(by_name) == [*FILES, *RESULTS]
    for name, file in by_name.items():
        stored = aws.s3.head_object(Bucket=file["bucket"], Key=file["key"], VersionId=file["versionId"])
        assert (file["sha256"], file["bytes"]) == (sha(entries[name]), len(entries[name]))
        assert file["lastModified"] == stored["LastModified"].isoformat().replace("+00:00", "Z")
        assert (file["lockedUntil"], file["lockMode"]) == (None, None)
        assert file["bucket"] == (RESULTS_BUCKET if name in RESULTS else BUCKET)
    assert by_name["excluded-backups.csv"]["versionId"] == report["files"]["csv"]["versionId"]
    assert [file["rows"] for file in by_name.values()] == [None, 1, 1, 1, 2, 2]


def test_the_manifest_has_the_lock_of_each_file(aws: OperatorAws, report: Summary, tmp_path: Path) -> None:
    csv, until = report["files"]["csv"], datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    retention: Any = {"Mode": "GOVERNANCE", "RetainUntilDate": until}
    aws.s3.put_object_retention(Bucket=BUCKET, Key=csv["key"], VersionId=csv["versionId"], Retention=retention)

    aws.run("evidence", JOB, "--output", str(tmp_path / "locked.zip"))

    locks = {
        file["name"]: (file["lockedUntil"], file["lockMode"]) for file in manifest_of(tmp_path / "locked.zip")["files"]
    }
    assert locks["excluded-backups.csv"] == (until.isoformat().replace("+00:00", "Z"), "GOVERNANCE")
    assert locks["report.html"] == (None, None)


def test_a_lock_that_the_caller_may_not_see_is_unknown_and_not_missing(
    aws: OperatorAws, report: Summary, tmp_path: Path
) -> None:
    aws.errors["GetObjectRetention"] = "AccessDenied"

    result = aws.run("evidence", JOB, "--output", str(tmp_path / "pack.zip"))

    assert result.exit_code == 0
    locks = {(file["lockedUntil"], file["lockMode"]) for file in manifest_of(tmp_path / "pack.zip")["files"]}
    assert locks == {("unknown", "unknown")}
    assert offline(tmp_path / "pack.zip").exit_code == 0


def test_the_very_versions_of_the_summary_are_packed_although_newer_ones_exist(
    aws: OperatorAws, report: Summary, tmp_path: Path
) -> None:
    aws.s3.put_object(Bucket=BUCKET, Key=report["files"]["csv"]["key"], Body=b"newer")

    result = aws.run("evidence", JOB, "--output", str(tmp_path / "pack.zip"))

    assert result.exit_code == 0
    assert sha(entries_of(tmp_path / "pack.zip")["excluded-backups.csv"]) == report["files"]["csv"]["sha256"]


def test_the_same_report_gives_the_same_bytes_but_for_who_made_the_pack_when(
    aws: OperatorAws, pack: Path, tmp_path: Path
) -> None:
    aws.run("evidence", JOB, "--output", str(tmp_path / "again.zip"))

    def up_to_the_manifest(path: Path) -> bytes:
        with zipfile.ZipFile(path) as made:
            return path.read_bytes()[: made.getinfo("manifest.json").header_offset]

    assert up_to_the_manifest(pack) == up_to_the_manifest(tmp_path / "again.zip")
    first, second = (manifest_of(path) | {"createdAt": ""} for path in (pack, tmp_path / "again.zip"))
    assert first == second


def test_it_says_where_the_pack_is_and_how_to_verify_it(
    aws: OperatorAws, report: Summary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    result = aws.run("evidence", JOB)

    name = f"search-coverage-{JOB}.zip"
    assert [path.name for path in tmp_path.iterdir()] == [name]
    lines = result.stdout.splitlines()
    assert f"Pack          {name}" in lines
    assert f"SHA-256       {sha((tmp_path / name).read_bytes())}" in lines
    assert "Verdict       PARTIAL" in lines
    assert f"Summary hash  {report['contentSha256']}" in lines
    assert "Results       COMPLETE, 2 rows" in lines
    assert lines[-1] == f"Verify it     search-coverage verify {name}"
    assert JANE not in result.output


def test_as_json_it_prints_one_document(aws: OperatorAws, report: Summary, tmp_path: Path) -> None:
    result = aws.run("evidence", JOB, "--json", "--output", str(tmp_path / "pack.zip"))

    document = json.loads(result.stdout)
    assert document["pack"] == str(tmp_path / "pack.zip")
    assert {name: document[name] for name in manifest_of(tmp_path / "pack.zip")} == manifest_of(tmp_path / "pack.zip")
    assert JANE not in result.output


def test_nothing_is_overwritten(aws: OperatorAws, pack: Path) -> None:
    before = pack.read_bytes()
    result = aws.run("evidence", JOB, "--output", str(pack))

    assert (result.exit_code, result.stderr) == (2, f"Error: {pack} exists; pass another name with --output.\n")
    assert pack.read_bytes() == before


def test_a_folder_that_does_not_exist_is_named(aws: OperatorAws, report: Summary, tmp_path: Path) -> None:
    path = tmp_path / "nowhere" / "pack.zip"
    result = aws.run("evidence", JOB, "--output", str(path))

    assert (result.exit_code, result.stderr) == (2, f"Error: {path} cannot be written: No such file or directory.\n")


def test_without_a_report_there_is_no_pack(aws: OperatorAws, report: Summary, tmp_path: Path) -> None:
    result = aws.run("evidence", OTHER_JOB, "--output", str(tmp_path / "none.zip"))

    assert result.exit_code == 3
    assert list(tmp_path.iterdir()) == []


def test_results_stay_out_where_somebody_says_so(aws: OperatorAws, report: Summary, tmp_path: Path) -> None:
    path = tmp_path / "without.zip"
    result = aws.run("evidence", JOB, "--without-results", "--output", str(path))

    assert result.exit_code == 0
    assert list(entries_of(path)) == [*FILES, "manifest.json"]
    assert "LEFT OUT      results.csv: --without-results was given." in result.stdout
    assert offline(path).exit_code == 0
    assert "It was made without results.csv, results.jsonl.gz." in checks_of(offline(path))["summary and manifest"][1]


def erase_results(aws: OperatorAws) -> None:
    for each in aws.s3.list_object_versions(Bucket=RESULTS_BUCKET)["Versions"]:
        aws.s3.delete_object(Bucket=RESULTS_BUCKET, Key=each["Key"], VersionId=each["VersionId"])


def deny_results(aws: OperatorAws) -> None:
    aws.denied_buckets.add(RESULTS_BUCKET)


@pytest.mark.parametrize(
    ("break_it", "why"),
    [
        (erase_results, "S3 no longer has it: results have a retention of their own, and can be erased."),
        (deny_results, "You may not read the results of searches (docs/access.md)."),
    ],
    ids=["erased", "denied"],
)
def test_results_that_cannot_be_read_are_left_out_loudly(
    aws: OperatorAws, report: Summary, tmp_path: Path, break_it: Callable[[OperatorAws], None], why: str
) -> None:
    break_it(aws)
    path = tmp_path / "pack.zip"

    result = aws.run("evidence", JOB, "--output", str(path))

    assert result.exit_code == 1
    assert [line for line in result.stdout.splitlines() if line.startswith("LEFT OUT")] == [
        f"LEFT OUT      {name}: {why}" for name in RESULTS
    ]
    assert manifest_of(path)["leftOut"] == [{"name": name, "why": why} for name in RESULTS]
    assert list(entries_of(path)) == [*FILES, "manifest.json"]
    assert offline(path).exit_code == 0


@pytest.mark.parametrize("kind", ["csv", "jsonl", "html"])
@pytest.mark.parametrize("changed", [{"sha256": "0" * 64}, {"bytes": 7}], ids=["another hash", "another length"])
def test_a_file_that_is_not_what_the_summary_says_gives_no_pack(
    aws: OperatorAws, report: Summary, tmp_path: Path, kind: str, changed: dict[str, Any]
) -> None:
    report["files"][kind] |= changed
    aws.s3.put_object(Bucket=BUCKET, Key=summary_key(report), Body=json.dumps(report))

    result = aws.run("evidence", JOB, "--output", str(tmp_path / "pack.zip"))

    assert result.exit_code == 2
    assert f"{report['files'][kind]['key']} is not what the summary says" in result.stderr
    assert result.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_version_that_is_gone_gives_no_pack(aws: OperatorAws, report: Summary, tmp_path: Path) -> None:
    csv = report["files"]["csv"]
    aws.s3.delete_object(Bucket=BUCKET, Key=csv["key"], VersionId=csv["versionId"])

    result = aws.run("evidence", JOB, "--output", str(tmp_path / "pack.zip"))

    assert result.exit_code == 2
    assert "S3 no longer has the version of excluded-backups.csv that the summary names." in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("files", [None, {}, {"csv": []}, {"csv": {"key": 1}}])
def test_a_summary_that_names_no_files_gives_no_pack(
    aws: OperatorAws, report: Summary, tmp_path: Path, files: object
) -> None:
    aws.s3.put_object(Bucket=BUCKET, Key=summary_key(report), Body=json.dumps(report | {"files": files}))

    result = aws.run("evidence", JOB, "--output", str(tmp_path / "pack.zip"))

    assert result.exit_code == 2
    assert result.stderr.endswith("summary.json is damaged: it is not a summary.\n")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_download_leaves_nothing_behind(
    aws: OperatorAws, report: Summary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr("cli.evidence.chunks", interrupt)

    assert aws.run("evidence", JOB, "--output", str(tmp_path / "pack.zip")).exit_code == 130
    assert list(tmp_path.iterdir()) == []
