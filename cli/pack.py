"""What a pack of evidence holds: the names of its files, and where the summary of a report names each."""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import IO, Any, Final, Self, get_type_hints

from cli.errors import CommandError
from search_coverage.names import EXCLUDED_BACKUPS_CSV, REPORT_HTML, RESULTS_CSV, RESULTS_JSONL, SERVICE, SUMMARY_JSON

MANIFEST: Final = "manifest.json"
EXCLUDED_BACKUPS_JSONL: Final = "excluded-backups.jsonl.gz"
VERSION: Final = 1

_OF_REPORT: Final = {REPORT_HTML: "html", EXCLUDED_BACKUPS_CSV: "csv", EXCLUDED_BACKUPS_JSONL: "jsonl"}
_OF_RESULTS: Final = {RESULTS_CSV: "csv", RESULTS_JSONL: "jsonl"}
NAMES: Final = frozenset({SUMMARY_JSON, *_OF_REPORT, *_OF_RESULTS})
"""The files that a pack may hold, beside its manifest."""

_TYPES: Final[dict[Any, tuple[type, ...]]] = {
    str: (str,),
    int: (int,),
    str | None: (str, type(None)),
    int | None: (int, type(None)),
}

_CHUNK_BYTES: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A file as the manifest describes it.

    Attributes:
        rows: How many rows a table has; None for the summary.
        lockedUntil: The end of its Object Lock; None without a lock, or if the caller may not see it.
    """

    name: str
    bucket: str
    key: str
    versionId: str | None  # noqa: N815 - the members of the JSON
    sha256: str
    bytes: int
    rows: int | None
    lockedUntil: str | None = None  # noqa: N815

    @classmethod
    def parse(cls, member: Any) -> Self:
        """Read it from a manifest.

        Raises:
            ValueError: It is not one; the text says why.
        """
        fields: dict[str, Any] = get_type_hints(cls)
        if not isinstance(member, dict) or member.keys() != fields.keys():
            raise ValueError(f"a file does not have exactly the members {', '.join(fields)}")
        types: dict[str, tuple[type, ...]] = {name: _TYPES[fields[name]] for name in fields}
        for name, allowed in types.items():
            if type(member[name]) not in allowed:
                raise ValueError(f"{name} of a file is {str(member[name])[:100]!r}")
        return cls(**member)

    def as_json(self) -> dict[str, Any]:
        """Return it as the manifest has it."""
        return asdict(self)


def files_of(summary: Mapping[str, Any], bucket: str) -> list[PackedFile]:
    """Return the files that a summary names, in the order of a pack; those of the report are in ``bucket``.

    Raises:
        KeyError, TypeError: It is no summary.
    """
    results = summary.get("results") or {}
    kept = _OF_RESULTS if results.get("files") else {}
    of_report = [(name, bucket, summary["files"][kind]) for name, kind in _OF_REPORT.items()]
    of_results = [(name, results["bucket"], results["files"][kind]) for name, kind in kept.items()]
    return [
        PackedFile(name, where, file["key"], file.get("versionId"), file["sha256"], file["bytes"], file["rows"])
        for name, where, file in (*of_report, *of_results)
    ]


def manifest_of(
    summary: Mapping[str, Any], files: list[PackedFile], left_out: Mapping[str, str], created_at: str, created_by: str
) -> dict[str, Any]:
    """Return the manifest of a pack."""
    account, region = summary["searchJob"]["arn"].split(":")[4:2:-1]
    return {
        "version": VERSION,
        "product": SERVICE,
        "createdAt": created_at,
        "createdBy": created_by,
        "account": account,
        "region": region,
        "searchJobIdentifier": summary["searchJob"]["identifier"],
        "fingerprint": summary["searchJob"].get("fingerprint"),
        "verdict": summary["verdict"],
        "contentSha256": summary.get("contentSha256"),
        "files": [file.as_json() for file in files],
        "leftOut": [{"name": name, "why": why} for name, why in left_out.items()],
    }


class PackError(CommandError):
    """A file cannot be read as a pack, or written as one."""


def chunks(read: Callable[[int], bytes]) -> Iterator[bytes]:
    """Read to the end, piece by piece."""
    while chunk := read(_CHUNK_BYTES):
        yield chunk


def digest(file: IO[bytes]) -> tuple[str, int]:
    """Return the SHA-256 of what is left of a file, and its length."""
    hashed, length = hashlib.sha256(), 0
    for chunk in chunks(file.read):
        hashed.update(chunk)
        length += len(chunk)
    return hashed.hexdigest(), length
