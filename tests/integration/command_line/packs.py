"""Packs of evidence, and what a forger does to them."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from cli.__main__ import main
from search_coverage.report.files.summary import content_sha256

FILES = ["summary.json", "report.html", "excluded-backups.csv", "excluded-backups.jsonl.gz"]
RESULTS = ["results.csv", "results.jsonl.gz"]

Entries = dict[str, bytes]
Change = Callable[[Entries], Any]


def offline(path: Path) -> Result:
    """Verify a pack as on a machine without AWS."""
    return CliRunner().invoke(main, ["verify", str(path), "--offline", "--json"])


def checks_of(result: Result) -> dict[str, tuple[str, str]]:
    """Return the state and the sentence of each check."""
    return {each["name"]: (each["state"], each["found"]) for each in json.loads(result.stdout)["checks"]}


def wrong_in(result: Result) -> set[str]:
    """Return the names of the checks that found something."""
    return {name for name, (state, _) in checks_of(result).items() if state == "wrong"}


def entries_of(path: Path) -> Entries:
    """Read a pack."""
    with zipfile.ZipFile(path) as pack:
        return {name: pack.read(name) for name in pack.namelist()}


def write(path: Path, entries: Entries) -> Path:
    """Write a pack."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as pack:
        for name, body in entries.items():
            pack.writestr(name, body)
    return path


def sha(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


@contextmanager
def edited(entries: Entries, name: str) -> Iterator[Any]:
    """Edit a JSON file of a pack."""
    document = json.loads(entries[name])
    yield document
    entries[name] = json.dumps(document).encode()


def fit_manifest(entries: Entries) -> None:
    """Make the manifest fit the files, as a forger would."""
    with edited(entries, "manifest.json") as manifest:
        summary = json.loads(entries["summary.json"])
        manifest |= {"verdict": summary["verdict"], "contentSha256": summary["contentSha256"]}
        for file in manifest["files"]:
            file["sha256"], file["bytes"] = sha(entries[file["name"]]), len(entries[file["name"]])


def fit_summary(entries: Entries) -> None:
    """Make summary, page and manifest fit, too: nothing in the pack shows that it was forged."""
    kinds = {"excluded-backups.csv": "csv", "excluded-backups.jsonl.gz": "jsonl"}
    before = json.loads(entries["summary.json"])["contentSha256"].encode()
    with edited(entries, "summary.json") as summary:
        for name, kind in kinds.items():
            summary["files"][kind] |= {"sha256": sha(entries[name]), "bytes": len(entries[name])}
        summary["contentSha256"] = content_sha256(summary)
        entries["report.html"] = entries["report.html"].replace(before, summary["contentSha256"].encode())
        page = entries["report.html"]
        summary["files"]["html"] |= {"sha256": sha(page), "bytes": len(page)}
    fit_manifest(entries)


def better_verdict(entries: Entries) -> None:
    with edited(entries, "summary.json") as summary:
        summary |= {"verdict": "COMPLETE", "verdictReasons": []}


def one_byte_of(name: str) -> Change:
    """Change a byte in the middle of a file."""

    def change(entries: Entries) -> None:
        body = bytearray(entries[name])
        body[len(body) // 2] ^= 1
        entries[name] = bytes(body)

    return change


def each_in_turn(*changes: Change) -> Change:
    """Do one after the other."""

    def change(entries: Entries) -> None:
        for each in changes:
            each(entries)

    return change
