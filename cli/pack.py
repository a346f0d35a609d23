"""What a pack of evidence holds: the names of its files, and where the summary of a report names each."""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import IO, Any, Final, Self, get_type_hints

from cli.errors import CommandError
from search_coverage.coverage.arn import Arn
from search_coverage.coverage.errors import SearchCoverageError
from search_coverage.coverage.search_job import SearchJob, search_job_identifier
from search_coverage.names import EXCLUDED_BACKUPS_CSV, REPORT_HTML, RESULTS_CSV, RESULTS_JSONL, SERVICE, SUMMARY_JSON
from search_coverage.report.files.keys import ReportKeys

MANIFEST: Final = "manifest.json"
EXCLUDED_BACKUPS_JSONL: Final = "excluded-backups.jsonl.gz"
VERSION: Final = 1

UNKNOWN: Final = "unknown"
"""In place of a lock that the caller may not see."""

_OF_REPORT: Final = {REPORT_HTML: "html", EXCLUDED_BACKUPS_CSV: "csv", EXCLUDED_BACKUPS_JSONL: "jsonl"}
_OF_RESULTS: Final = {RESULTS_CSV: "csv", RESULTS_JSONL: "jsonl"}
RESULTS: Final = frozenset(_OF_RESULTS)
NAMES: Final = frozenset({SUMMARY_JSON, *_OF_REPORT, *_OF_RESULTS})
"""The files that a pack may hold, beside its manifest."""

_SHA256: Final = re.compile("[0-9a-f]{64}")
_CHUNK_BYTES: Final = 1024 * 1024


class PackError(CommandError):
    """A file cannot be read as a pack, or written as one."""


@dataclass(frozen=True, slots=True)
class PackedFile:
    """A file as the manifest describes it.

    Attributes:
        rows: How many rows a table has; None for the summary.
        lockedUntil: The end of its Object Lock; None without a lock, `UNKNOWN` if the caller may not see it.
        lockMode: GOVERNANCE or COMPLIANCE, or as `lockedUntil`.
        lastModified: When S3 got this version.
    """

    name: str
    bucket: str
    key: str
    versionId: str | None  # noqa: N815 - the members of the JSON
    sha256: str
    bytes: int
    rows: int | None
    lockedUntil: str | None = None  # noqa: N815
    lockMode: str | None = None  # noqa: N815
    lastModified: str | None = None  # noqa: N815

    @classmethod
    def parse(cls, members: Any) -> Self:
        """Read it from JSON that may say anything; members of later versions are ignored.

        Raises:
            ValueError: It is no such file; the text says why.
        """
        hints = get_type_hints(cls)
        found: dict[str, Any] = {name: members.get(name) if isinstance(members, dict) else None for name in hints}
        for name, hint in hints.items():
            # An exact type, as True is an int
            if type(found[name]) not in getattr(hint, "__args__", (hint,)):
                raise ValueError(f"{name} of a file is {found[name]!r}"[:200])
        file = cls(**found)
        is_table = file.name != SUMMARY_JSON
        if (
            not _SHA256.fullmatch(file.sha256)
            or file.bytes < 0
            or (file.rows or 0) < 0
            or is_table == (file.rows is None)
        ):
            raise ValueError(f"SHA-256, bytes or rows of {file.name!r} cannot be right"[:200])
        if file.lockedUntil not in (None, UNKNOWN) and datetime.fromisoformat(file.lockedUntil).tzinfo is None:
            raise ValueError(f"lockedUntil of {file.name!r} has no time zone"[:200])
        return file

    def as_json(self) -> dict[str, Any]:
        """Return it as the manifest has it."""
        return asdict(self)


def files_of(summary: Any, bucket: str) -> dict[str, PackedFile]:
    """Return the files that a summary names, by name, in the order of a pack; those of the report are in ``bucket``.

    Raises:
        ValueError: It is no summary.
    """
    try:
        results = summary.get("results") or {}
        kept = _OF_RESULTS if results.get("files") else {}
        of_report = [(name, bucket, summary["files"][kind]) for name, kind in _OF_REPORT.items()]
        of_results = [(name, results["bucket"], results["files"][kind]) for name, kind in kept.items()]
        named = [PackedFile.parse({**file, "name": name, "bucket": of}) for name, of, file in (*of_report, *of_results)]
    except (LookupError, TypeError, AttributeError) as error:
        raise ValueError(f"it names its files in another way: {error!r}"[:200]) from None
    return {file.name: file for file in named}


def keys_of(summary: Any) -> dict[str, str]:
    """Return the keys that the files of a report have, by name, as they follow from its search job.

    Raises:
        ValueError: It is no summary.
    """
    try:
        job = summary["searchJob"]
        created, ended = (
            datetime.fromisoformat(job[moment]) if job[moment] else None
            for moment in ("creationTime", "completionTime")
        )
        identifier, arn = search_job_identifier(job["identifier"]), Arn.parse(job["arn"])
        keys = ReportKeys.of(SearchJob(identifier, arn, "", creation_time=created, completion_time=ended))
    except (LookupError, TypeError, OverflowError, SearchCoverageError) as error:
        raise ValueError(f"its search job is described in another way: {error!r}"[:200]) from None
    return {
        SUMMARY_JSON: keys.summary,
        REPORT_HTML: keys.html,
        EXCLUDED_BACKUPS_CSV: keys.csv,
        EXCLUDED_BACKUPS_JSONL: keys.jsonl,
        RESULTS_CSV: keys.results_csv,
        RESULTS_JSONL: keys.results_jsonl,
    }


def said_of(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a manifest repeats of the summary.

    Raises:
        ValueError: It is no summary.
    """
    try:
        job = summary["searchJob"]
        arn = Arn.parse(job["arn"])
        return {
            "account": arn.account,
            "region": arn.region,
            "searchJobIdentifier": job["identifier"],
            "fingerprint": job.get("fingerprint"),
            "verdict": summary["verdict"],
            "contentSha256": summary.get("contentSha256"),
            "generatorVersion": summary["generatorVersion"],
        }
    except (LookupError, TypeError, AttributeError, SearchCoverageError) as error:
        raise ValueError(f"it lacks what a manifest repeats: {error!r}"[:200]) from None


def manifest_of(
    summary: Mapping[str, Any], files: list[PackedFile], left_out: Mapping[str, str], created_at: str, created_by: str
) -> dict[str, Any]:
    """Return the manifest of a pack."""
    return {
        "version": VERSION,
        "product": SERVICE,
        "createdAt": created_at,
        "createdBy": created_by,
        **said_of(summary),
        "files": [file.as_json() for file in files],
        "leftOut": [{"name": name, "why": why} for name, why in left_out.items()],
    }


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
