"""The files of a report: on disk, measured, and then in a bucket."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Self


@dataclass(frozen=True, slots=True)
class SpooledFile:
    """A finished file: what goes up, and how to prove later that it is unchanged."""

    path: Path
    sha256: str
    bytes: int
    rows: int

    @classmethod
    def of(cls, path: Path, rows: int) -> Self:
        """Measure a file."""
        with path.open("rb") as file:
            sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(path, sha256, path.stat().st_size, rows)


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A file of a report in a bucket; ``version_id`` is None if the bucket has no versions."""

    key: str
    version_id: str | None
    file: SpooledFile
