"""A pack that somebody made to do harm: it is refused in a sentence, and takes neither memory nor the terminal."""

import json
import random
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cli.__main__ import main
from tests.infra.conftest import ROOT
from tests.integration.command_line.packs import (
    Entries,
    checks_of,
    edited,
    entries_of,
    fit_summary,
    offline,
    sha,
    write,
    wrong_in,
)

MEBIBYTE = 1024 * 1024


def found_in_manifest(path: Path) -> str:
    """Verify a pack that is wrong as a whole."""
    result = offline(path)
    assert (result.exit_code, wrong_in(result)) == (1, {"manifest"}), result.output
    return checks_of(result)["manifest"][1]


@pytest.mark.parametrize(
    "name",
    [
        "../notes.txt",
        "/etc/passwd",
        "C:\\notes.txt",
        "a/summary.json",
        "./summary.json",
        "summary.json/",
        "SUMMARY.JSON",
    ],
)
def test_a_name_that_is_no_file_of_a_pack_is_refused(sealed: Path, name: str) -> None:
    write(sealed, entries_of(sealed) | {name: b"x"})

    assert found_in_manifest(sealed).endswith(" is no file of a pack.")


def test_a_link_is_refused(sealed: Path) -> None:
    entries = entries_of(sealed)
    with zipfile.ZipFile(sealed, "w") as pack:
        for name, body in entries.items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o120777 << 16 if name == "report.html" else 0o600 << 16
            pack.writestr(entry, body)

    assert found_in_manifest(sealed) == "report.html is no file, but a link or the like."


def test_an_encrypted_file_is_refused(sealed: Path) -> None:
    body = bytearray(write(sealed, entries_of(sealed)).read_bytes())
    in_directory = body.index(b"PK\x01\x02")
    body[in_directory + 8] |= 1
    sealed.write_bytes(body)

    assert found_in_manifest(sealed) == "summary.json is encrypted."


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_compression_that_expands_without_bounds_is_refused(sealed: Path, compression: int) -> None:
    entries = entries_of(sealed)
    with zipfile.ZipFile(sealed, "w", compression) as pack:
        for name, body in entries.items():
            pack.writestr(name, body)

    assert found_in_manifest(sealed) == "summary.json is compressed in another way than we do."


@pytest.mark.parametrize(
    "hide",
    [lambda body: b"#!/bin/sh\necho hidden\n" + body, lambda body: body[:-2] + b"\x06\x00hidden"],
    ids=["before the first file", "in the comment"],
)
def test_nothing_can_be_hidden_around_the_files(sealed: Path, hide: Callable[[bytes], bytes]) -> None:
    sealed.write_bytes(hide(sealed.read_bytes()))

    assert found_in_manifest(sealed) == "The pack has something before its first file or after its last one."


@pytest.mark.parametrize("name", ["summary.json", "manifest.json"])
def test_a_document_that_expands_without_end_is_not_read(sealed: Path, name: str) -> None:
    write(sealed, entries_of(sealed) | {name: b" " * (65 * MEBIBYTE)})

    assert found_in_manifest(sealed) == f"{name} cannot be read: {name} is larger than any that we make."


@pytest.mark.parametrize("name", ["summary.json", "manifest.json"])
@pytest.mark.parametrize("body", [b"[" * 200_000, b"9" * 10_000, b"\xff", b"", b"null", b"[]", b"7"])
def test_a_document_that_is_none_is_refused(sealed: Path, name: str, body: bytes) -> None:
    write(sealed, entries_of(sealed) | {name: body})

    assert name in found_in_manifest(sealed)


BOMBS = {
    "a cell without end": ("excluded-backups.csv", b'"' + b"x" * (450 * MEBIBYTE)),
    "quotes without end": ("excluded-backups.csv", b'"' * (100 * MEBIBYTE)),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_table_of_any_size_takes_little_memory(bomb: str, sealed: Path) -> None:
    # Given a small pack with a table that expands to hundreds of megabytes, and everything else fits
    entries, (name, body) = entries_of(sealed), BOMBS[bomb]
    entries[name] = body
    fit_summary(entries)
    write(sealed, entries)
    assert sealed.stat().st_size < 2 * MEBIBYTE

    # When it is verified by a process that can have 400 MB
    limit = 400 * MEBIBYTE
    done = subprocess.run(
        [sys.executable, "-m", "cli", "verify", str(sealed), "--offline", "--json"],
        cwd=ROOT,
        env={"PYTHONPATH": "lambda:."},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
        capture_output=True,
        text=True,
        check=False,
    )

    # Then it ends with the reason
    assert done.returncode == 1, done.stderr
    (found,) = [each["found"] for each in json.loads(done.stdout)["checks"] if each["name"] == name]
    assert found == "It cannot be read: its last row has no end."


def test_a_file_with_more_bytes_than_the_manifest_says_is_not_read(sealed: Path) -> None:
    write(sealed, entries_of(sealed) | {"report.html": b"x" * (20 * MEBIBYTE)})

    found = checks_of(offline(sealed))["report.html"][1]
    assert found.startswith("It has 20,971,520 bytes, and by the manifest ")


ESCAPES = "\x1b[2J\x1b[1;1H\r\n✓ ok        all is well\u202e\x9b31m"


@pytest.mark.parametrize("member", ["verdict", "contentSha256", "fingerprint", "generatorVersion", "account"])
def test_a_text_of_the_pack_cannot_draw_on_the_terminal(sealed: Path, member: str) -> None:
    entries = entries_of(sealed)
    with edited(entries, "manifest.json") as manifest:
        manifest[member] = ESCAPES
    assert_one_line_per_check(write(sealed, entries))


@pytest.mark.parametrize("member", ["name", "bucket", "key", "versionId", "sha256", "lockedUntil"])
def test_a_text_of_a_file_cannot_draw_on_the_terminal(sealed: Path, member: str) -> None:
    entries = entries_of(sealed)
    with edited(entries, "manifest.json") as manifest:
        manifest["files"][2][member] = ESCAPES
    assert_one_line_per_check(write(sealed, entries))


def test_a_text_of_the_summary_cannot_draw_on_the_terminal(sealed: Path) -> None:
    entries = entries_of(sealed)
    with edited(entries, "summary.json") as summary:
        summary["verdict"] = ESCAPES
        summary["searchJob"]["fingerprint"] = ESCAPES
        summary["files"]["csv"]["key"] = ESCAPES
    fit_summary(entries)
    assert_one_line_per_check(write(sealed, entries))


def assert_one_line_per_check(path: Path) -> None:
    result = CliRunner().invoke(main, ["verify", str(path), "--offline"])

    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert len(lines) == len(checks_of(offline(path))) + 1
    assert all(line.isprintable() for line in lines)


def members_of(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the place of each member of a document."""
    steps = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for step, member in steps:
        yield (*path, step)
        yield from members_of(member, (*path, step))


def replaced(document: Any, path: tuple[Any, ...], value: object) -> Any:
    """Return a copy of a document with another value in a place."""
    copy = json.loads(json.dumps(document))
    holder = copy
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    return copy


ODD: list[Any] = [
    None,
    True,
    -1,
    2**70,
    1.5,
    float("nan"),
    "",
    "x",
    "\ud800",
    "2026-11-20T10:00:00",
    [],
    [None],
    {},
    {"a": 1},
]


@pytest.mark.parametrize("name", ["manifest.json", "summary.json"])
def test_whatever_a_member_says_the_command_ends_with_findings(sealed: Path, name: str) -> None:
    # Given that each member in turn is of another type, in a pack in which the rest fits
    entries = entries_of(sealed)
    document = json.loads(entries[name])
    chance = random.Random(7)  # noqa: S311 - the same changes each time
    for place in members_of(document):
        changed: Entries = dict(entries)
        odd = chance.choice(ODD)
        changed[name] = json.dumps(replaced(document, place, odd)).encode()
        if name == "summary.json":
            with edited(changed, "manifest.json") as manifest:
                body = changed[name]
                manifest["files"][0] |= {"sha256": sha(body), "bytes": len(body)}

        result = offline(write(sealed, changed))

        # Then it is found, or the member is one that only the maker of the pack vouches for
        assert "error" not in result.stdout.partition('"checks"')[0], (place, odd, result.output)
        assert result.exit_code in {0, 1}, (place, odd, result.output)
        vouched = ("createdAt", "createdBy", "lockedUntil", "lockMode", "lastModified")
        free = name == "manifest.json" and place[-1] in vouched
        free = free or (name == "manifest.json" and place == ("files", 0, "versionId"))  # of the summary itself
        free = free or (name == "summary.json" and place[:1] == ("notification",))
        free = free or json.dumps(replaced(document, place, odd)) == json.dumps(document)
        assert result.exit_code == 1 or free, (place, odd)


def test_one_flipped_byte_anywhere_is_found_or_changes_nothing(sealed: Path) -> None:
    # Given a pack as it is on the disk, with its ZIP structure
    body, entries = sealed.read_bytes(), entries_of(sealed)
    chance = random.Random(11)  # noqa: S311 - the same changes each time
    for at in sorted(chance.sample(range(len(body)), 250)):
        changed = bytearray(body)
        changed[at] ^= 1 << chance.randrange(8)
        sealed.write_bytes(changed)

        result = offline(sealed)

        # Then it is found, or the files in it are the same, as after a change of a date in the ZIP structure
        assert "Unexpected" not in result.output, (at, result.output)
        assert result.exit_code in {0, 1, 2}
        assert result.exit_code or entries_of(sealed) == entries, at


def test_files_in_another_order_are_the_same_pack(sealed: Path) -> None:
    write(sealed, dict(reversed(entries_of(sealed).items())))

    assert offline(sealed).exit_code == 0


def test_a_manifest_that_names_a_file_twice_is_refused(sealed: Path) -> None:
    entries = entries_of(sealed)
    with edited(entries, "manifest.json") as manifest:
        manifest["files"].append(manifest["files"][2])

    assert "names a file twice" in found_in_manifest(write(sealed, entries))


def test_members_of_a_later_version_are_no_manipulation(sealed: Path) -> None:
    entries = entries_of(sealed)
    with edited(entries, "manifest.json") as manifest:
        manifest["later"] = manifest["files"][0]["later"] = {"x": 1}

    assert offline(write(sealed, entries)).exit_code == 0
