"""`search-coverage verify`: checks a pack of evidence, by itself and against the bucket.

A pack comes from anywhere: nothing of it is written to the disk, only known names are read, and no more bytes than its
manifest announces.
"""

import csv
import gzip
import io
import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from cli.doctor.finding import Finding, State
from cli.pack import MANIFEST, NAMES, VERSION, PackedFile, PackError, chunks, digest, files_of
from search_coverage.coverage.fingerprint import fingerprint_of
from search_coverage.coverage.item_filters import ItemFilters
from search_coverage.names import REPORT_HTML, SUMMARY_JSON
from search_coverage.report.files.summary import content_sha256

_SMALL_BYTES: Final = 64 * 1024 * 1024
"""What manifest, summary and page may take; the others are streamed."""

_EXPANDED_BYTES: Final = 64 * 1024**3
_FIELD_CHARACTERS: Final = 16 * 1024 * 1024

PACK_CONCLUSIONS: Final = {
    State.WRONG: "The pack is NOT what was made",
    State.ATTENTION: "The pack was not changed, and something needs attention",
    State.UNKNOWN: "The pack fits together, and not everything could be checked",
    State.OK: "The pack was not changed",
}

_BROKEN: Final = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError)


@dataclass(frozen=True, slots=True)
class Opened:
    """A pack whose manifest and summary can be read."""

    zip: zipfile.ZipFile
    manifest: dict[str, Any]
    files: dict[str, PackedFile]
    summary: dict[str, Any]


class NotWhole(ValueError):
    """A pack whose files, manifest and summary do not fit together at all; the text says why."""


def open_pack(path: Path) -> zipfile.ZipFile:
    """Open a pack.

    Raises:
        PackError: It is not a ZIP file, or it is cut short.
    """
    try:
        return zipfile.ZipFile(path)
    except FileNotFoundError as error:
        raise PackError(f"There is no file {path}.") from error
    except (zipfile.BadZipFile, OSError) as error:
        raise PackError(f"{path} is not a pack, or it is cut short: {error}.") from error


def verify(pack: zipfile.ZipFile) -> Iterator[tuple[str, Finding]]:
    """Check a pack by itself; yield what each check finds, with its name."""
    try:
        opened = open_contents(pack)
    except NotWhole as error:
        yield "manifest", _wrong(str(error))
        return
    yield "manifest", _ok(f"Names exactly the {len(opened.files)} other files of the pack.")
    named = {file.name: file for file in files_of(opened.summary, opened.files[SUMMARY_JSON].bucket)}
    for name, file in opened.files.items():
        yield name, _check_file(pack, file, named.get(name))
    yield "question", _check_question(opened.summary)
    yield "summary and manifest", _check_agreement(opened, named)
    yield "summary hash", _check_hash(opened)


def open_contents(pack: zipfile.ZipFile) -> Opened:
    """Read manifest and summary.

    Raises:
        NotWhole: The pack does not hold exactly the files that its manifest names, or these two cannot be read.
    """
    names = Counter(pack.namelist())
    if repeated := [name for name, count in names.items() if count > 1]:
        raise NotWhole(f"The pack has {repeated[0]!r} more than once.")
    if MANIFEST not in names:
        raise NotWhole(f"The pack has no {MANIFEST}.")
    manifest = _json(pack, MANIFEST)
    try:
        files = {file.name: file for file in map(PackedFile.parse, manifest["files"])}
        is_known = manifest["version"] == VERSION and len(files) == len(manifest["files"])
    except (ValueError, KeyError, TypeError) as error:
        raise NotWhole(f"{MANIFEST} is no manifest: {error}.") from error
    if not is_known:
        raise NotWhole(f"{MANIFEST} has another version than {VERSION}, or names a file twice.")
    for missing in sorted({*files, SUMMARY_JSON} - names.keys()):
        raise NotWhole(f"{missing} is missing from the pack.")
    for added in sorted(names.keys() - files.keys() - {MANIFEST}):
        raise NotWhole(f"{added!r} is in the pack, and the manifest does not name it.")
    for foreign in sorted(files.keys() - NAMES):
        raise NotWhole(f"{foreign!r} is no file of a report.")
    summary = _json(pack, SUMMARY_JSON)
    try:
        files_of(summary, "")
        _ = summary["verdict"], summary["searchJob"]["identifier"]
    except (KeyError, TypeError, AttributeError) as error:
        raise NotWhole(f"{SUMMARY_JSON} is no summary: it has no {error}.") from error
    return Opened(pack, manifest, files, summary)


def _json(pack: zipfile.ZipFile, name: str) -> Any:
    try:
        return json.loads(_small(pack, name))
    except (*_BROKEN, ValueError) as error:
        raise NotWhole(f"{name} cannot be read: {error}.") from error


def _ok(found: str) -> Finding:
    return Finding(State.OK, found)


def _wrong(found: str) -> Finding:
    return Finding(State.WRONG, found)


def _small(pack: zipfile.ZipFile, name: str) -> bytes:
    with pack.open(name) as file:
        body = file.read(_SMALL_BYTES + 1)
    if len(body) > _SMALL_BYTES:
        raise ValueError(f"{name} is larger than any that we make")
    return body


def _check_file(pack: zipfile.ZipFile, file: PackedFile, named: PackedFile | None) -> Finding:
    """Hold a file against the manifest and, if it is not the summary itself, against the summary."""
    if file.name != SUMMARY_JSON and named is None:
        return _wrong("The summary does not name it.")
    if pack.getinfo(file.name).file_size != file.bytes:
        return _wrong(f"It has {pack.getinfo(file.name).file_size:,} bytes, and by the manifest {file.bytes:,}.")
    try:
        with pack.open(file.name) as content:
            sha256, _ = digest(content)
        rows = _rows(pack, file.name) if file.rows is not None and file.name != REPORT_HTML else file.rows
    except (*_BROKEN, ValueError) as error:
        return _wrong(f"It cannot be read: {error}.")
    for who, expected in (("manifest", file), ("summary", named)):
        if expected and sha256 != expected.sha256:
            return _wrong(f"Its SHA-256 is {sha256}, and by the {who} {expected.sha256}.")
        if expected and rows != expected.rows:
            return _wrong(f"It has {rows:,} rows, and by the {who} {expected.rows:,}.")
    return _ok(f"{file.bytes:,} bytes{'' if file.rows is None else f', {file.rows:,} rows'}: SHA-256 {sha256}.")


def _rows(pack: zipfile.ZipFile, name: str) -> int:
    with pack.open(name) as content:
        if name.endswith(".gz"):
            return _lines(gzip.GzipFile(fileobj=content).read)
        csv.field_size_limit(_FIELD_CHARACTERS)
        try:
            table = csv.reader(io.TextIOWrapper(content, "utf-8", newline=""))
            return sum(1 for _ in table) - 1
        except csv.Error as error:
            raise ValueError(str(error)) from error


def _lines(read: Callable[[int], bytes]) -> int:
    lines = length = 0
    for chunk in chunks(read):
        lines += chunk.count(b"\n")
        length += len(chunk)
        if length > _EXPANDED_BYTES:
            raise ValueError("it expands to more than any file that we make")
    return lines


def _check_question(summary: Mapping[str, Any]) -> Finding:
    """Calculate the fingerprint, and where the filters are kept their hash."""
    job = summary["searchJob"]
    if "fingerprint" not in job:
        return Finding(State.UNKNOWN, "The report was made by a version that kept no question.")
    try:
        if job["itemFilters"] is not None and ItemFilters.of(job["itemFilters"]).sha256 != job["itemFiltersSha256"]:
            return _wrong("The hash of the item filters is another one.")
        calculated = fingerprint_of(job["scope"], job["itemFiltersSha256"])
    except (KeyError, TypeError, AttributeError, ValueError):
        return _wrong("Scope or filters are not those of a summary.")
    if calculated != job["fingerprint"]:
        return _wrong(f"The fingerprint of scope and filters is {calculated}, and by the summary {job['fingerprint']}.")
    return _ok(f"Scope and filters have the fingerprint {calculated}.")


def _check_agreement(opened: Opened, named: Mapping[str, PackedFile]) -> Finding:
    """Hold what the manifest says of the report against what the summary says."""
    manifest, summary = opened.manifest, opened.summary
    job = summary["searchJob"]
    account, region = (str(job.get("arn")).split(":") + [""] * 5)[4:2:-1]
    said = {
        "searchJobIdentifier": job["identifier"],
        "account": account,
        "region": region,
        "verdict": summary["verdict"],
        "contentSha256": summary.get("contentSha256"),
        "fingerprint": job.get("fingerprint"),
    }
    for member, value in said.items():
        if manifest.get(member) != value:
            return _wrong(f"{member} is {manifest.get(member)!r} in the manifest, and {value!r} in the summary.")
    for name, file in named.items():
        packed = opened.files.get(name)
        if packed and replace(packed, lockedUntil=None) != file:
            return _wrong(f"The manifest describes {name} in another way than the summary: another key or version.")
    left_out = {each.get("name") for each in manifest.get("leftOut") or ()}
    if missing := named.keys() - opened.files.keys() - left_out:
        return _wrong(f"The summary names {min(missing)}, which is not in the pack.")
    if not all(job["identifier"] in file.key for file in opened.files.values()):
        return _wrong("A key is not one of this search job.")
    without = f" It was made without {', '.join(sorted(left_out))}." if left_out else ""
    return _ok(f"They agree: {summary['verdict']}, search job {job['identifier']}.{without}")


def _check_hash(opened: Opened) -> Finding:
    said, calculated = opened.summary.get("contentSha256"), content_sha256(opened.summary)
    if said is None:
        return Finding(State.UNKNOWN, "The report was made by a version that calculated no hash.")
    if said != calculated:
        return _wrong(f"The summary says {said}, and its content has {calculated}.")
    try:
        page = _small(opened.zip, REPORT_HTML)
    except (*_BROKEN, ValueError) as error:
        return _wrong(f"{REPORT_HTML} cannot be read: {error}.")
    if calculated.encode() not in page:
        return _wrong(f"The page does not name the hash {calculated}: it is of another report.")
    return _ok(f"Compare it with the print: {calculated}.")
