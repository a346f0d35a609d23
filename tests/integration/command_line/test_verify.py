"""`search-coverage verify` without AWS: every change of a pack is found, and named."""

import gzip
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.__main__ import main
from search_coverage.report.files.summary import content_sha256
from tests.infra.conftest import ROOT
from tests.integration.command_line.conftest import Packs
from tests.integration.command_line.operator_aws import JOB, OTHER_JOB
from tests.integration.command_line.packs import (
    FILES,
    RESULTS,
    Change,
    Entries,
    better_verdict,
    checks_of,
    each_in_turn,
    edited,
    entries_of,
    fit_manifest,
    fit_summary,
    offline,
    one_byte_of,
    sha,
    write,
    wrong_in,
)


def test_a_pack_is_verified_on_a_machine_without_aws(sealed: Path) -> None:
    result = offline(sealed)

    assert (result.exit_code, result.stderr) == (0, "")
    assert json.loads(result.stdout)["state"] == "ok"
    names = ["pack", "manifest", *FILES, *RESULTS, "question", "summary and manifest", "summary hash"]
    assert list(checks_of(result)) == names


def test_it_prints_the_two_hashes_that_a_person_compares(sealed: Path) -> None:
    found = checks_of(offline(sealed))

    content = json.loads(entries_of(sealed)["summary.json"])["contentSha256"]
    assert found["pack"][1] == f"Compare it with what `evidence` printed: SHA-256 {sha(sealed.read_bytes())}."
    assert found["summary hash"][1] == f"Compare it with the print: {content}."


def test_offline_it_claims_no_more_than_it_can_know(sealed: Path) -> None:
    result = CliRunner().invoke(main, ["verify", str(sealed), "--offline"])

    assert result.stdout.splitlines()[-1] == "The pack fits together: 11 ok, 0 unknown, 0 attention, 0 wrong."


def test_without_credentials_it_says_that_it_did_not_ask_the_bucket(
    sealed: Path, environment: pytest.MonkeyPatch
) -> None:
    environment.delenv("AWS_ACCESS_KEY_ID")

    result = CliRunner().invoke(main, ["verify", str(sealed)])

    assert result.exit_code == 0
    assert "Not compared with the bucket: There are no AWS credentials" in result.stdout
    assert "The pack fits together, and not everything could be checked: 11 ok, 1 unknown" in result.stdout


def test_offline_it_neither_loads_boto3_nor_opens_a_connection(sealed: Path) -> None:
    code = f"""
import socket, sys
def refuse(*_, **__): raise AssertionError("a connection")
socket.socket.connect = socket.getaddrinfo = refuse
from click.testing import CliRunner
from cli.__main__ import main
result = CliRunner().invoke(main, ["verify", {str(sealed)!r}, "--offline"])
print(result.exit_code, {{"boto3", "aws_cdk"}} & set(sys.modules))
"""
    said = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, env={"PYTHONPATH": "lambda:."}, text=True)

    assert said == "0 set()\n"


def test_nothing_is_extracted(sealed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")

    offline(sealed)

    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [sealed.name]
    assert list((tmp_path / "empty").iterdir()) == []


# Manipulations


def other_scope(entries: Entries) -> None:
    with edited(entries, "summary.json") as summary:
        summary["searchJob"]["scope"]["sourceArns"] = ["arn:aws:s3:::another"]


def other_filters(entries: Entries) -> None:
    with edited(entries, "summary.json") as summary:
        summary["searchJob"]["itemFilters"] = {"S3ItemFilters": [{"ObjectKeys": [{"Value": "x"}]}]}


def other_filter_names(entries: Entries) -> None:
    with edited(entries, "summary.json") as summary:
        summary["searchJob"]["itemFilterNames"] = []


def an_older_version(entries: Entries) -> None:
    """Put in the CSV of an earlier report, and describe it in the manifest as it is."""
    entries["excluded-backups.csv"] = entries["excluded-backups.csv"].splitlines(keepends=True)[0]
    with edited(entries, "manifest.json") as manifest:
        manifest["files"][2] |= {"versionId": "an-older-one", "rows": 0}


def another_version_id(entries: Entries) -> None:
    with edited(entries, "manifest.json") as manifest:
        manifest["files"][2]["versionId"] = "an-older-one"


def another_key_everywhere(entries: Entries) -> None:
    with edited(entries, "summary.json") as summary, edited(entries, "manifest.json") as manifest:
        key = summary["files"]["csv"]["key"].replace("2026/11/20", "2026/11/19")
        summary["files"]["csv"]["key"] = manifest["files"][2]["key"] = key


def fewer_rows(name: str) -> Change:
    def change(entries: Entries) -> None:
        if name.endswith(".gz"):
            lines = gzip.decompress(entries[name]).splitlines(keepends=True)
            entries[name] = gzip.compress(b"".join(lines[:-1]), mtime=0)
        else:
            entries[name] = b"".join(entries[name].splitlines(keepends=True)[:-1])

    return change


def fewer_rows_with_hashes_that_fit(name: str, kind: str) -> Change:
    """Leave a row out, and say everywhere that it was never there, but for the number of rows."""

    def change(entries: Entries) -> None:
        fewer_rows(name)(entries)
        with edited(entries, "summary.json") as summary:
            summary["results"]["files"][kind] |= {"sha256": sha(entries[name]), "bytes": len(entries[name])}
        fit_summary(entries)

    return change


def wrong_member(name: str, value: object) -> Change:
    def change(entries: Entries) -> None:
        with edited(entries, "manifest.json") as manifest:
            manifest[name] = value

    return change


def left_out_although_it_is_no_result(entries: Entries) -> None:
    del entries["excluded-backups.csv"]
    with edited(entries, "manifest.json") as manifest:
        del manifest["files"][2]
        manifest["leftOut"] = [{"name": "excluded-backups.csv", "why": "It is too large."}]


def unnamed(entries: Entries) -> None:
    """Leave a file out, and do not name it in the manifest either."""
    del entries["excluded-backups.csv"]
    with edited(entries, "manifest.json") as manifest:
        del manifest["files"][2]


def hash_that_fits_without_page(entries: Entries) -> None:
    with edited(entries, "summary.json") as summary:
        summary["contentSha256"] = content_sha256(summary)


MANIPULATIONS: dict[str, tuple[Change, str]] = {
    "one byte of the page": (one_byte_of("report.html"), "report.html"),
    "one byte of the CSV": (one_byte_of("excluded-backups.csv"), "excluded-backups.csv"),
    "one byte of the JSON Lines": (one_byte_of("excluded-backups.jsonl.gz"), "excluded-backups.jsonl.gz"),
    "one byte of the results for people": (one_byte_of("results.csv"), "results.csv"),
    "one byte of the results for Athena": (one_byte_of("results.jsonl.gz"), "results.jsonl.gz"),
    "a better verdict in the summary": (better_verdict, "summary.json"),
    "a better verdict in the manifest": (wrong_member("verdict", "COMPLETE"), "summary and manifest"),
    "a file left out": (lambda entries: entries.pop("excluded-backups.csv"), "manifest"),
    "a file left out of the manifest, too": (unnamed, "summary and manifest"),
    "a file said to be left out": (left_out_although_it_is_no_result, "manifest"),
    "a file added": (lambda entries: entries.update({"notes.txt": b"trust me"}), "manifest"),
    "files that the manifest does not name": (wrong_member("files", []), "manifest"),
    "no manifest": (lambda entries: entries.pop("manifest.json"), "manifest"),
    "no summary": (lambda entries: entries.pop("summary.json"), "manifest"),
    "a manifest that fits a changed CSV": (
        each_in_turn(one_byte_of("excluded-backups.csv"), fit_manifest),
        "excluded-backups.csv",
    ),
    "a manifest that fits a changed page": (each_in_turn(one_byte_of("report.html"), fit_manifest), "report.html"),
    "a manifest that fits changed results": (each_in_turn(one_byte_of("results.csv"), fit_manifest), "results.csv"),
    "a manifest that fits a better verdict": (each_in_turn(better_verdict, fit_manifest), "summary hash"),
    "a hash that fits a better verdict, and a page that does not name it": (
        each_in_turn(better_verdict, hash_that_fits_without_page, fit_manifest),
        "summary hash",
    ),
    "an older version of a file, with a manifest that fits": (
        each_in_turn(an_older_version, fit_manifest),
        "excluded-backups.csv",
    ),
    "another version of the same content": (another_version_id, "summary and manifest"),
    "a key of another day": (each_in_turn(another_key_everywhere, fit_summary), "summary and manifest"),
    "another scope": (each_in_turn(other_scope, fit_summary), "question"),
    "other item filters": (each_in_turn(other_filters, fit_summary), "question"),
    "other names of the item filters": (each_in_turn(other_filter_names, fit_summary), "question"),
    "a result left out": (each_in_turn(fewer_rows("results.csv"), fit_manifest), "results.csv"),
    "a result left out of the CSV, but for the count": (
        fewer_rows_with_hashes_that_fit("results.csv", "csv"),
        "results.csv",
    ),
    "a result left out of the JSON Lines, but for the count": (
        fewer_rows_with_hashes_that_fit("results.jsonl.gz", "jsonl"),
        "results.jsonl.gz",
    ),
    "another account": (wrong_member("account", "999999999999"), "summary and manifest"),
    "another Region": (wrong_member("region", "eu-west-1"), "summary and manifest"),
    "another search job": (wrong_member("searchJobIdentifier", OTHER_JOB), "summary and manifest"),
    "another fingerprint": (wrong_member("fingerprint", "0" * 64), "summary and manifest"),
    "another hash": (wrong_member("contentSha256", "0" * 64), "summary and manifest"),
    "another version of the product": (wrong_member("generatorVersion", "0.0.1"), "summary and manifest"),
    "another format": (wrong_member("version", 2), "manifest"),
    "another product": (wrong_member("product", "another"), "manifest"),
}


@pytest.mark.parametrize("manipulation", MANIPULATIONS)
def test_each_manipulation_is_found_and_named(manipulation: str, sealed: Path) -> None:
    entries, (change, check) = entries_of(sealed), MANIPULATIONS[manipulation]
    change(entries)

    result = offline(write(sealed, entries))

    assert result.exit_code == 1, result.output
    assert check in wrong_in(result), result.output


def test_a_file_that_is_there_twice_is_found(sealed: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(sealed, "a") as changed:
        changed.writestr("summary.json", b"{}")

    result = offline(sealed)

    assert (result.exit_code, wrong_in(result)) == (1, {"manifest"})
    assert "has 'summary.json' more than once" in checks_of(result)["manifest"][1]


@pytest.mark.parametrize(
    ("name", "check"),
    [("report.html", "report.html"), ("manifest.json", "summary.json"), ("summary.json", "summary.json")],
)
def test_a_file_of_another_report_is_found(packs: Packs, sealed: Path, tmp_path: Path, name: str, check: str) -> None:
    (tmp_path / "other.zip").write_bytes(packs.other)
    other = entries_of(tmp_path / "other.zip")

    result = offline(write(sealed, entries_of(sealed) | {name: other[name]}))

    assert (result.exit_code, check in wrong_in(result)) == (1, True), result.output


def test_the_page_of_another_report_is_found_although_summary_and_manifest_fit_it(
    packs: Packs, sealed: Path, tmp_path: Path
) -> None:
    (tmp_path / "other.zip").write_bytes(packs.other)
    entries = entries_of(sealed) | {"report.html": entries_of(tmp_path / "other.zip")["report.html"]}
    with edited(entries, "summary.json") as summary:
        page = entries["report.html"]
        summary["files"]["html"] |= {"sha256": sha(page), "bytes": len(page)}
    fit_manifest(entries)

    result = offline(write(sealed, entries))

    assert (result.exit_code, wrong_in(result)) == (1, {"summary hash"})
    assert "it is of another report" in checks_of(result)["summary hash"][1]


def test_a_pack_that_is_forged_as_a_whole_has_another_hash_than_the_print(sealed: Path) -> None:
    entries = entries_of(sealed)
    printed = json.loads(entries["summary.json"])["contentSha256"]
    better_verdict(entries)
    fit_summary(entries)

    result = offline(write(sealed, entries))

    assert result.exit_code == 0
    assert printed not in result.stdout


@pytest.mark.parametrize("kept", [0, 1, 100, -100, -1])
def test_a_file_that_is_cut_short_is_no_pack(sealed: Path, kept: int) -> None:
    sealed.write_bytes(sealed.read_bytes()[:kept])

    result = CliRunner().invoke(main, ["verify", str(sealed), "--offline"])

    assert (result.exit_code, result.stderr) == (2, f"Error: {sealed} is not a pack, or it is cut short.\n")


def test_a_file_that_does_not_exist_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["verify", str(tmp_path / JOB), "--offline", "--json"])

    assert (result.exit_code, result.stderr) == (2, f"Error: There is no file {tmp_path / JOB}.\n")
    assert json.loads(result.stdout) == {"error": f"There is no file {tmp_path / JOB}."}
