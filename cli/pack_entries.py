"""The entries of a ZIP file that anybody may have made: which ones a pack may have, and how many rows they hold."""

import gzip
import stat
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import IO, Final

from cli.pack import MANIFEST, NAMES, chunks

BROKEN: Final = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError)
"""What reading an entry can raise; a RuntimeError where it is encrypted, or nested too deep for JSON."""

_ENCRYPTED: Final = 0x1
_EXPANDED_BYTES: Final = 64 * 1024**3


def why_not_ours(pack: zipfile.ZipFile) -> str | None:
    """Return why a ZIP file is none of ours by its entries alone; None if it may be."""
    return next(_oddities(pack), None)


def _oddities(pack: zipfile.ZipFile) -> Iterator[str]:
    entries = pack.infolist()
    for name, count in Counter(entry.filename for entry in entries).items():
        if count > 1:
            yield f"The pack has {name!r} more than once."
        if name not in {*NAMES, MANIFEST}:
            yield f"{name!r} is no file of a pack."
    if MANIFEST not in pack.namelist():
        yield f"The pack has no {MANIFEST}."
    for entry in entries:
        if stat.S_IFMT(entry.external_attr >> 16) not in {0, stat.S_IFREG}:
            yield f"{entry.filename} is no file, but a link or the like."
        if entry.flag_bits & _ENCRYPTED:
            yield f"{entry.filename} is encrypted."
        if entry.compress_type not in {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}:
            yield f"{entry.filename} is compressed in another way than we do."
    if pack.comment or min(entry.header_offset for entry in entries):
        yield "The pack has something before its first file or after its last one."


def rows_in(pack: zipfile.ZipFile, name: str) -> int:
    """Count the rows of a table, in flat memory whatever it holds.

    Raises:
        ValueError: It is no table of ours.
    """
    with pack.open(name) as content:
        return _lines(content) if name.endswith(".gz") else _records(content) - 1


def _lines(content: IO[bytes]) -> int:
    lines = length = 0
    last = b"\n"
    for chunk in chunks(gzip.GzipFile(fileobj=content).read):
        lines += chunk.count(b"\n")
        length += len(chunk)
        last = chunk[-1:]
        if length > _EXPANDED_BYTES:
            raise ValueError("it expands to more than any file that we make")
    return _ended(lines, last)


def _records(content: IO[bytes]) -> int:
    """Count the records of a CSV: the line breaks that no quotes surround."""
    records, is_quoted, last = 0, False, b""
    for chunk in chunks(content.read):
        outside = chunk.split(b'"')[int(is_quoted) :: 2]
        records += sum(part.count(b"\n") for part in outside)
        is_quoted ^= chunk.count(b'"') % 2 == 1
        last = chunk[-1:]
    return _ended(records, b'"' if is_quoted else last)


def _ended(rows: int, last: bytes) -> int:
    if last != b"\n":
        raise ValueError("its last row has no end")
    return rows
