"""`search-coverage evidence` and `verify`: a pack is the report, and every change of it is found."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cli.__main__ import main
from search_coverage.names import STACK
from search_coverage.report.files.summary import content_sha256
from tests.examples import JANE
from tests.integration.command_line.operator_aws import BUCKET, JOB, OTHER_JOB, OperatorAws
from tests.integration.command_line.stored_report import RESULTS_BUCKET, keep_results, store_report

FILES = ["summary.json", "report.html", "excluded-backups.csv", "excluded-backups.jsonl.gz"]
RESULTS = ["results.csv", "results.jsonl.gz"]

Entries = dict[str, bytes]
Summary = dict[str, Any]


@pytest.fixture
def report(aws: OperatorAws) -> Summary:
    """The summary of a report in the bucket."""
    keep_results(STACK)
    return store_report(aws)


@pytest.fixture
def pack(aws: OperatorAws, report: Summary, tmp_path: Path) -> Path:
    """A pack of that report."""
    path = tmp_path / "pack.zip"
    result = aws.run("evidence", JOB, "--output", str(path))
    assert (result.exit_code, result.stderr) == (0, ""), result.output
    return path


def offline(path: Path) -> Result:
    """Verify a pack as on a machine without AWS."""
    return CliRunner().invoke(main, ["verify", str(path), "--offline", "--json"])


def entries_of(path: Path) -> Entries:
    with zipfile.ZipFile(path) as pack:
        return {name: pack.read(name) for name in pack.namelist()}


def write(path: Path, entries: Entries) -> Path:
    with zipfile.ZipFile(path, "w") as pack:
        for name, body in entries.items():
            pack.writestr(name, body)
    return path


def sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def fit_manifest(entries: Entries) -> None:
    """Make the manifest fit the files, as a forger would."""
    manifest = json.loads(entries["manifest.json"])
    for file in manifest["files"]:
        file["sha256"], file["bytes"] = sha(entries[file["name"]]), len(entries[file["name"]])
    entries["manifest.json"] = json.dumps(manifest).encode()


# The pack


def test_a_pack_holds_the_files_that_the_summary_names_and_a_manifest_of_them(pack: Path, report: Summary) -> None:
    entries = entries_of(pack)

    assert list(entries) == [*FILES, *RESULTS, "manifest.json"]
    manifest = json.loads(entries["manifest.json"])
    assert manifest["searchJobIdentifier"] == JOB
    assert manifest["contentSha256"] == report["contentSha256"]
    assert manifest["leftOut"] == []
    by_name = {file["name"]: file for file in manifest["files"]}
    assert by_name["excluded-backups.csv"]["versionId"] == report["files"]["csv"]["versionId"]
    assert by_name["results.csv"]["bucket"] == RESULTS_BUCKET
    for name, file in by_name.items():
        assert (file["sha256"], file["bytes"]) == (sha(entries[name]), len(entries[name]))


def test_the_same_report_gives_the_same_pack_but_for_who_made_it_when(
    aws: OperatorAws, pack: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again.zip"
    aws.run("evidence", JOB, "--output", str(again))

    first, second = entries_of(pack), entries_of(again)
    for entries in (first, second):
        manifest = json.loads(entries["manifest.json"])
        del manifest["createdAt"]
        entries["manifest.json"] = json.dumps(manifest).encode()
    assert first == second


def test_it_says_where_the_pack_is_and_how_to_verify_it(aws: OperatorAws, report: Summary, tmp_path: Path) -> None:
    path = tmp_path / "case.zip"
    result = aws.run("evidence", JOB, "--output", str(path))

    assert f"Pack          {path}" in result.stdout
    assert f"Summary hash  {report['contentSha256']}" in result.stdout
    assert f"search-coverage verify {path}" in result.stdout
    assert JANE not in result.stdout


def test_nothing_is_overwritten(aws: OperatorAws, pack: Path) -> None:
    before = pack.read_bytes()
    result = aws.run("evidence", JOB, "--output", str(pack))

    assert (result.exit_code, result.stderr) == (2, f"Error: {pack} exists; pass another name with --output.\n")
    assert pack.read_bytes() == before


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
    assert "It was made without results.csv, results.jsonl.gz." in offline(path).stdout
    assert offline(path).exit_code == 0


@pytest.mark.parametrize(
    ("break_it", "why"),
    [
        (lambda aws: aws.errors.update({}), ""),
        (
            lambda aws: [
                aws.s3.delete_object(Bucket=RESULTS_BUCKET, Key=each["Key"], VersionId=each["VersionId"])
                for each in aws.s3.list_object_versions(Bucket=RESULTS_BUCKET)["Versions"]
            ],
            "results have a retention of their own, and can be erased",
        ),
    ],
    ids=["readable", "erased"],
)
def test_results_that_cannot_be_read_are_left_out_loudly(
    aws: OperatorAws, report: Summary, tmp_path: Path, break_it: Callable[[OperatorAws], Any], why: str
) -> None:
    break_it(aws)
    result = aws.run("evidence", JOB, "--output", str(tmp_path / "pack.zip"))

    assert result.exit_code == (1 if why else 0)
    assert why in result.stdout


def test_a_file_that_is_not_what_the_summary_says_gives_no_pack(
    aws: OperatorAws, report: Summary, tmp_path: Path
) -> None:
    key = next(
        e["Key"] for e in aws.s3.list_objects_v2(Bucket=BUCKET)["Contents"] if e["Key"].endswith("/summary.json")
    )
    report["files"]["csv"]["sha256"] = "0" * 64
    aws.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(report))

    result = aws.run("evidence", JOB, "--output", str(tmp_path / "pack.zip"))

    assert result.exit_code == 2
    assert "excluded-backups.csv is not what the summary says: its SHA-256 is " in result.stderr
    assert list(tmp_path.iterdir()) == []


# Verification without AWS


def test_a_pack_is_verified_on_a_machine_without_aws(
    pack: Path, report: Summary, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)

    result = offline(pack)

    document = json.loads(result.stdout)
    assert (result.exit_code, document["state"]) == (0, "ok"), result.stdout
    assert [check["name"] for check in document["checks"]][:1] == ["manifest"]
    assert report["contentSha256"] in document["checks"][-1]["found"]
    with_aws = CliRunner().invoke(main, ["verify", str(pack)])
    assert with_aws.exit_code == 0
    assert "Not compared with the bucket: There is no Region" in with_aws.stdout
    assert "The pack fits together, and not everything could be checked" in with_aws.stdout


def one_byte(name: str) -> Callable[[Entries], None]:
    def change(entries: Entries) -> None:
        body = bytearray(entries[name])
        body[len(body) // 2] ^= 1
        entries[name] = bytes(body)

    return change


def one_byte_and_a_manifest_that_fits(name: str) -> Callable[[Entries], None]:
    def change(entries: Entries) -> None:
        one_byte(name)(entries)
        fit_manifest(entries)

    return change


def better_verdict(entries: Entries) -> None:
    summary = json.loads(entries["summary.json"])
    summary["verdict"], summary["verdictReasons"] = "COMPLETE", []
    entries["summary.json"] = json.dumps(summary).encode()
    fit_manifest(entries)
    entries["manifest.json"] = entries["manifest.json"].replace(b'"verdict": "PARTIAL"', b'"verdict": "COMPLETE"')


def better_verdict_with_a_hash_that_fits(entries: Entries) -> None:
    better_verdict(entries)
    summary, manifest = json.loads(entries["summary.json"]), json.loads(entries["manifest.json"])
    summary["contentSha256"] = manifest["contentSha256"] = content_sha256(summary)
    entries["summary.json"], entries["manifest.json"] = json.dumps(summary).encode(), json.dumps(manifest).encode()
    fit_manifest(entries)


def other_scope(entries: Entries) -> None:
    summary = json.loads(entries["summary.json"])
    summary["searchJob"]["scope"]["sourceArns"] = ["arn:aws:s3:::another"]
    entries["summary.json"] = json.dumps(summary).encode()
    fit_manifest(entries)


def other_version(entries: Entries) -> None:
    manifest = json.loads(entries["manifest.json"])
    manifest["files"][2]["versionId"] = "an-older-one"
    entries["manifest.json"] = json.dumps(manifest).encode()


def fewer_rows(entries: Entries) -> None:
    lines = entries["results.csv"].splitlines(keepends=True)
    entries["results.csv"] = b"".join(lines[:-1])
    fit_manifest(entries)


MANIPULATIONS: dict[str, tuple[Callable[[Entries], Any], str]] = {
    "one byte of the page": (one_byte("report.html"), "report.html"),
    "one byte of the CSV": (one_byte("excluded-backups.csv"), "excluded-backups.csv"),
    "one byte of the JSON Lines": (one_byte("excluded-backups.jsonl.gz"), "excluded-backups.jsonl.gz"),
    "one byte of the results": (one_byte("results.csv"), "results.csv"),
    "one byte, and a manifest that fits": (one_byte_and_a_manifest_that_fits("results.csv"), "results.csv"),
    "a better verdict": (better_verdict, "summary hash"),
    "a better verdict, with a hash that fits": (better_verdict_with_a_hash_that_fits, "summary hash"),
    "another scope": (other_scope, "question"),
    "a file left out": (lambda entries: entries.pop("excluded-backups.csv"), "manifest"),
    "a file added": (lambda entries: entries.update({"../notes.txt": b"trust me"}), "manifest"),
    "no manifest": (lambda entries: entries.pop("manifest.json"), "manifest"),
    "no summary": (lambda entries: entries.pop("summary.json"), "manifest"),
    "a result left out": (fewer_rows, "results.csv"),
    "another version": (other_version, "summary and manifest"),
    "a manifest that is none": (lambda entries: entries.update({"manifest.json": b"[]"}), "manifest"),
    "a summary that is none": (lambda entries: entries.update({"summary.json": b"{}"}), "manifest"),
}


@pytest.mark.parametrize("manipulation", MANIPULATIONS)
def test_each_manipulation_is_found_offline_and_named(manipulation: str, pack: Path, tmp_path: Path) -> None:
    entries, (change, check) = entries_of(pack), MANIPULATIONS[manipulation]
    change(entries)

    result = offline(write(tmp_path / "changed.zip", entries))

    document = json.loads(result.stdout)
    assert (result.exit_code, document["state"]) == (1, "wrong"), result.output
    assert check in {each["name"] for each in document["checks"] if each["state"] == "wrong"}


def test_the_page_or_the_manifest_of_another_report_is_found(aws: OperatorAws, pack: Path, tmp_path: Path) -> None:
    store_report(aws, OTHER_JOB, name="another")
    aws.run("evidence", OTHER_JOB, "--output", str(tmp_path / "other.zip"))
    other = entries_of(tmp_path / "other.zip")

    for name in ("report.html", "manifest.json", "summary.json"):
        entries = entries_of(pack) | {name: other[name]}
        if name != "manifest.json":
            fit_manifest(entries)
        assert offline(write(tmp_path / f"with-other-{name}.zip", entries)).exit_code == 1, name


@pytest.mark.parametrize(
    ("body", "said"),
    [(lambda b: b[: len(b) // 2], "is not a pack, or it is cut short"), (lambda _: b"", "is not a pack")],
)
def test_a_file_that_is_cut_short_is_no_pack(pack: Path, body: Callable[[bytes], bytes], said: str) -> None:
    pack.write_bytes(body(pack.read_bytes()))

    result = CliRunner().invoke(main, ["verify", str(pack), "--offline"])

    assert result.exit_code == 2
    assert said in result.stderr


def test_a_file_that_is_there_twice_is_found(pack: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(pack, "a") as changed:
        changed.writestr("summary.json", b"{}")

    assert "has 'summary.json' more than once" in offline(pack).stdout


def test_a_bomb_is_not_expanded(pack: Path, tmp_path: Path) -> None:
    entries = entries_of(pack) | {"summary.json": b" " * (65 * 1024 * 1024)}
    fit_manifest(entries)
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as bomb:
        for name, body in entries.items():
            bomb.writestr(name, body)

    assert (
        "summary.json cannot be read: summary.json is larger than any that we make"
        in offline(tmp_path / "bomb.zip").stdout
    )


# Verification against the bucket


def test_against_the_bucket_each_version_is_the_same(aws: OperatorAws, pack: Path) -> None:
    result = aws.run("verify", str(pack))

    assert result.exit_code == 0, result.output
    assert result.stdout.count("The same in S3, not locked.") == len([*FILES, *RESULTS])
    assert "The pack was not changed" in result.stdout


def test_a_whole_pack_that_was_forged_is_found_against_the_bucket(aws: OperatorAws, pack: Path, tmp_path: Path) -> None:
    # Given a forger who makes everything fit, the page as well
    entries = entries_of(pack)
    before = json.loads(entries["summary.json"])["contentSha256"].encode()
    better_verdict_with_a_hash_that_fits(entries)
    summary = json.loads(entries["summary.json"])
    entries["report.html"] = entries["report.html"].replace(before, summary["contentSha256"].encode())
    page = summary["files"]["html"]
    page["sha256"], page["bytes"] = sha(entries["report.html"]), len(entries["report.html"])
    entries["summary.json"] = json.dumps(summary).encode()
    fit_manifest(entries)
    forged = write(tmp_path / "forged.zip", entries)

    # Then it fits by itself, with another hash than the print has, and the bucket knows better
    assert offline(forged).exit_code == 0
    assert before.decode() not in offline(forged).stdout
    result = aws.run("verify", str(forged))
    assert result.exit_code == 1
    assert "S3: summary.json" in result.stdout
    assert "In S3, this version has the SHA-256" in result.stdout


def test_a_version_that_was_deleted_is_found(aws: OperatorAws, pack: Path, report: Summary) -> None:
    csv = report["files"]["csv"]
    aws.s3.delete_object(Bucket=BUCKET, Key=csv["key"], VersionId=csv["versionId"])

    result = aws.run("verify", str(pack))

    assert result.exit_code == 1
    assert "S3 has no such version: it was deleted, or it has never existed." in result.stdout


def test_a_report_that_was_made_again_needs_a_new_pack(aws: OperatorAws, pack: Path, report: Summary) -> None:
    key = report["files"]["csv"]["key"].replace("excluded-backups.csv", "summary.json")
    aws.s3.put_object(Bucket=BUCKET, Key=key, Body=json.dumps(report))

    result = aws.run("verify", str(pack))

    assert result.exit_code == 0
    assert "the report was made again since" in result.stdout


def test_a_lock_that_was_shortened_is_found(aws: OperatorAws, report: Summary, tmp_path: Path) -> None:
    csv = report["files"]["csv"]
    until = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    version = {"Bucket": BUCKET, "Key": csv["key"], "VersionId": csv["versionId"]}
    aws.s3.put_object_retention(**version, Retention={"Mode": "GOVERNANCE", "RetainUntilDate": until})
    path = tmp_path / "locked.zip"
    aws.run("evidence", JOB, "--output", str(path))
    locked = {file["name"]: file["lockedUntil"] for file in json.loads(entries_of(path)["manifest.json"])["files"]}
    assert locked["excluded-backups.csv"] == until.isoformat().replace("+00:00", "Z")
    assert locked["report.html"] is None

    shorter: Any = {"Mode": "GOVERNANCE", "RetainUntilDate": until - timedelta(days=20)}
    aws.s3.put_object_retention(**version, Retention=shorter, BypassGovernanceRetention=True)

    result = aws.run("verify", str(path))
    assert result.exit_code == 1
    assert f"The manifest says that it is locked until {until:%Y-%m-%d}" in result.stdout


def test_a_manifest_does_not_send_anybody_to_another_bucket_or_account(
    aws: OperatorAws, pack: Path, tmp_path: Path
) -> None:
    manifest = json.loads(entries_of(pack)["manifest.json"])
    manifest["files"][0]["bucket"] = "attackers-bucket"
    changed = write(tmp_path / "bucket.zip", entries_of(pack) | {"manifest.json": json.dumps(manifest).encode()})
    assert "attackers-bucket is not a bucket of this stack." in aws.run("verify", str(changed)).stdout

    foreign = {**manifest, "account": "999999999999"}
    changed = write(tmp_path / "account.zip", entries_of(pack) | {"manifest.json": json.dumps(foreign).encode()})
    aws.calls.clear()
    assert (
        "Not compared with the bucket: the report is of account 999999999999" in aws.run("verify", str(changed)).stdout
    )
    assert not any(call.startswith("s3:") for call in aws.calls)
