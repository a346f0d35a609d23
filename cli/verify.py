"""`search-coverage verify`: checks a pack of evidence by itself.

A pack comes from anywhere: nothing of it is written to the disk or shown as it is, only known names are read, piece by
piece, and no more bytes than its manifest announces.
"""

import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from cli.doctor.finding import Finding, State
from cli.pack import (
    MANIFEST,
    RESULTS,
    VERSION,
    PackedFile,
    PackError,
    digest,
    files_of,
    keys_of,
    said_of,
)
from cli.pack_entries import BROKEN, rows_in, why_not_ours
from search_coverage.coverage.fingerprint import fingerprint_of
from search_coverage.coverage.item_filters import ItemFilters
from search_coverage.names import REPORT_HTML, SERVICE, SUMMARY_JSON
from search_coverage.report.files.summary import content_sha256
from search_coverage.report.plain_text import one_line

_SMALL_BYTES: Final = 64 * 1024 * 1024
"""What manifest, summary and page may take; the others are read piece by piece."""

_FOUND_CHARACTERS: Final = 600

PACK_CONCLUSIONS: Final = {
    State.WRONG: "The pack is NOT what was made",
    State.ATTENTION: "The pack was not changed, and something needs attention",
    State.UNKNOWN: "The pack fits together, and not everything could be checked",
    State.OK: "The pack was not changed",
}

OFFLINE_CONCLUSIONS: Final = {**PACK_CONCLUSIONS, State.OK: "The pack fits together"}
"""Without the bucket, nobody can tell a pack that was forged as a whole."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A pack whose manifest and summary can be read.

    Attributes:
        files: Those of the manifest, by name.
        named: Those of the summary, by name.
        said: What the summary says, as a manifest repeats it.
    """

    zip: zipfile.ZipFile
    manifest: dict[str, Any]
    summary: dict[str, Any]
    files: dict[str, PackedFile]
    named: dict[str, PackedFile]
    said: dict[str, Any]


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
    except OSError as error:
        raise PackError(f"{path} cannot be read: {error.strerror or error}.") from error
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise PackError(f"{path} is not a pack, or it is cut short.") from error


def verify(pack: zipfile.ZipFile, path: Path) -> Iterator[tuple[str, Finding]]:
    """Check a pack by itself; yield what each check finds, with its name."""
    with path.open("rb") as whole:
        yield "pack", ok(f"Compare it with what `evidence` printed: SHA-256 {digest(whole)[0]}.")
    try:
        opened = open_contents(pack)
    except NotWhole as error:
        yield "manifest", wrong(str(error))
        return
    yield "manifest", ok(f"Names exactly the {len(opened.files)} other files of the pack.")
    for name, file in opened.files.items():
        yield name, _check_file(pack, file, opened.named.get(name))
    yield "question", _check_question(opened.summary)
    yield "summary and manifest", _check_agreement(opened)
    yield "summary hash", _check_hash(opened)


def open_contents(pack: zipfile.ZipFile) -> Opened:
    """Read manifest and summary.

    Raises:
        NotWhole: The pack does not hold exactly the files that its manifest names, or these two cannot be read.
    """
    if why := why_not_ours(pack):
        raise NotWhole(why)
    names = set(pack.namelist())
    manifest = _json(pack, MANIFEST)
    try:
        files = {file.name: file for file in map(PackedFile.parse, manifest["files"])}
        left_out = {(each["name"], each["why"]) for each in manifest["leftOut"]}
        is_known = (manifest["version"], manifest["product"]) == (VERSION, SERVICE)
    except (ValueError, LookupError, TypeError) as error:
        raise NotWhole(f"{MANIFEST} is no manifest: {error}.") from error
    if not isinstance(manifest["leftOut"], list) or not isinstance(manifest["files"], list):
        raise NotWhole(f"{MANIFEST} is no manifest: files and leftOut are lists.")
    if not is_known or len(files) != len(manifest["files"]):
        raise NotWhole(f"{MANIFEST} is of another version or product, or names a file twice.")
    for missing in sorted({*files, SUMMARY_JSON} - names):
        raise NotWhole(f"{missing} is missing from the pack.")
    for added in sorted(names - files.keys() - {MANIFEST}):
        raise NotWhole(f"{added} is in the pack, and the manifest does not name it.")
    for other in sorted(f"{name}" for name, _ in left_out if name not in RESULTS):
        raise NotWhole(f"The manifest says that {other} was left out, and only results can be.")
    summary = _json(pack, SUMMARY_JSON)
    try:
        named, said = files_of(summary, files[SUMMARY_JSON].bucket), said_of(summary)
        content_sha256(summary)
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise NotWhole(f"{SUMMARY_JSON} is no summary: {error}.") from error
    return Opened(pack, manifest, summary, files, named, said)


def _json(pack: zipfile.ZipFile, name: str) -> Any:
    try:
        return json.loads(_small(pack, name))
    except (*BROKEN, ValueError) as error:
        raise NotWhole(f"{name} cannot be read: {error}.") from error


def _small(pack: zipfile.ZipFile, name: str) -> bytes:
    with pack.open(name) as file:
        body = file.read(_SMALL_BYTES + 1)
    if len(body) > _SMALL_BYTES:
        raise ValueError(f"{name} is larger than any that we make")
    return body


def ok(found: str) -> Finding:
    """Report that something is in order; what comes from the pack cannot draw on the terminal."""
    return Finding(State.OK, one_line(found, _FOUND_CHARACTERS))


def wrong(found: str) -> Finding:
    """Report that the pack is not what was made."""
    return Finding(State.WRONG, one_line(found, _FOUND_CHARACTERS))


def unknown(found: str) -> Finding:
    """Report what could not be checked, and why."""
    return Finding(State.UNKNOWN, one_line(found, _FOUND_CHARACTERS))


def _check_file(pack: zipfile.ZipFile, file: PackedFile, named: PackedFile | None) -> Finding:
    """Hold a file against the manifest and, if it is not the summary itself, against the summary."""
    if file.name != SUMMARY_JSON and named is None:
        return wrong("The summary does not name it.")
    expected = [("manifest", file), *([("summary", named)] if named else [])]
    size = pack.getinfo(file.name).file_size
    for who, its in expected:
        if size != its.bytes:
            return wrong(f"It has {size:,} bytes, and by the {who} {its.bytes:,}.")
    try:
        with pack.open(file.name) as content:
            sha256, length = digest(content)
        for who, its in expected:
            if (sha256, length) != (its.sha256, its.bytes):
                return wrong(f"Its {length:,} bytes have the SHA-256 {sha256}, and by the {who} {its.sha256}.")
        # The page shows some of the rows, and the summary has none
        rows = file.rows if file.name in {SUMMARY_JSON, REPORT_HTML} else rows_in(pack, file.name)
    except (*BROKEN, ValueError) as error:
        return wrong(f"It cannot be read: {error}.")
    for who, its in expected:
        if rows != its.rows:
            return wrong(f"It has {rows} rows, and by the {who} {its.rows}.")
    return ok(f"{file.bytes:,} bytes{'' if file.rows is None else f', {file.rows:,} rows'}: SHA-256 {sha256}.")


def _check_question(summary: Mapping[str, Any]) -> Finding:
    """Calculate the fingerprint, and where the filters are kept their hash."""
    job = summary["searchJob"]
    if "fingerprint" not in job:
        return unknown("The report was made by a version that kept no question.")
    try:
        filters = ItemFilters.of(job["itemFilters"])
        if job["itemFilters"] is not None and filters.sha256 != job["itemFiltersSha256"]:
            return wrong("The hash of the item filters is another one.")
        if job["itemFilters"] is not None and list(filters.names) != job["itemFilterNames"]:
            return wrong("The item filters are others than their names say.")
        calculated = fingerprint_of(job["scope"], job["itemFiltersSha256"])
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError):
        return wrong("Scope or filters are not those of a summary.")
    if calculated != job["fingerprint"]:
        return wrong(f"The fingerprint of scope and filters is {calculated}, and by the summary {job['fingerprint']}.")
    return ok(f"Scope and filters have the fingerprint {calculated}.")


def _check_agreement(opened: Opened) -> Finding:
    """Hold what the manifest says of the report against what the summary says, and the keys against its search job."""
    for member, value in opened.said.items():
        if opened.manifest.get(member) != value:
            found = f"{opened.manifest.get(member)!r} in the manifest, and {value!r} in the summary"
            return wrong(f"{member} is {found}.")
    for name, named in opened.named.items():
        if not _is_same(opened.files.get(name, named), named):
            return wrong(f"The manifest describes {name} in another way than the summary: another key or version.")
    left_out = {each["name"] for each in opened.manifest["leftOut"]}
    if missing := opened.named.keys() - opened.files.keys() - left_out:
        return wrong(f"The summary names {min(missing)}, which is not in the pack.")
    try:
        keys = keys_of(opened.summary)
    except ValueError as error:
        return wrong(f"{SUMMARY_JSON} is no summary: {error}.")
    for name, file in {**opened.named, **opened.files}.items():
        if file.key != keys[name]:
            return wrong(f"The key of {name} is {file.key}, and that of this search job is {keys[name]}.")
    without = f" It was made without {', '.join(sorted(left_out))}." if left_out else ""
    return ok(f"They agree: {opened.said['verdict']}, search job {opened.said['searchJobIdentifier']}.{without}")


def _is_same(packed: PackedFile, named: PackedFile) -> bool:
    """Whether a manifest and a summary, which knows no lock, describe the same version."""
    return replace(packed, lockedUntil=None, lockMode=None, lastModified=None) == named


def _check_hash(opened: Opened) -> Finding:
    said, calculated = opened.said["contentSha256"], content_sha256(opened.summary)
    if said is None:
        return unknown("The report was made by a version that calculated no hash.")
    if said != calculated:
        return wrong(f"The summary says {said}, and its content has {calculated}.")
    try:
        page = _small(opened.zip, REPORT_HTML) if REPORT_HTML in opened.files else b""
    except (*BROKEN, ValueError) as error:
        return wrong(f"{REPORT_HTML} cannot be read: {error}.")
    if calculated.encode() not in page:
        return wrong(f"The page does not name the hash {calculated}: it is of another report.")
    return ok(f"Compare it with the print: {calculated}.")
