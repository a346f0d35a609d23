"""`search-coverage evidence`: makes one file of a report, with a manifest of checksums, versions and lock dates."""

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from botocore.exceptions import ClientError

from cli.aws_errors import is_denied, is_missing
from cli.deployment import Deployment
from cli.object_version import version_of, with_lock
from cli.pack import MANIFEST, RESULTS, PackedFile, PackError, chunks, digest, files_of, manifest_of, said_of
from cli.report import Report
from search_coverage.coverage.timestamp import utc_text
from search_coverage.names import SUMMARY_JSON


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack that was written.

    Attributes:
        left_out: Why a file of the report is not in it, by its name.
        sha256: Of the pack itself.
        results: What the summary says of the results, in words.
    """

    path: Path
    sha256: str
    manifest: dict[str, Any]
    left_out: dict[str, str]
    results: str

    def as_json(self) -> dict[str, Any]:
        """Return what matters as one document."""
        return {"pack": str(self.path), "sha256": self.sha256, **self.manifest}

    def as_text(self) -> str:
        """Return what matters as lines for people."""
        lines = [
            f"Pack          {self.path}",
            f"SHA-256       {self.sha256}",
            f"Verdict       {self.manifest['verdict']}",
            f"Summary hash  {self.manifest['contentSha256']}",
            f"Results       {self.results}",
            *(f"{'Files' if not n else '':13} {file['name']}" for n, file in enumerate(self.manifest["files"])),
            *(f"LEFT OUT      {name}: {why}" for name, why in self.left_out.items()),
            f"Verify it     search-coverage verify {self.path}",
        ]
        return "\n".join(lines)


def make_pack(
    deployment: Deployment, report: Report, path: Path, *, with_results: bool, advance: Callable[..., None]
) -> Pack:
    """Write the pack of a report.

    Args:
        deployment: The stack that made the report.
        report: The report.
        path: Where the pack goes; nothing may be there.
        with_results: Whether the results of the search go into it, if they are kept.
        advance: Called with the number of bytes that were read, and at first with the total.

    Raises:
        PackError: There is something at ``path``, it cannot be written, or a file is not what the summary says.
    """
    if path.exists() or path.is_symlink():
        raise PackError(f"{path} exists; pass another name with --output.")
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                packing = _Packing(deployment, report, with_results=with_results, advance=advance)
                manifest = packing.write_to(file)
            Path(temporary).rename(path)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        with path.open("rb") as written:
            return Pack(path, digest(written)[0], manifest, packing.left_out, packing.results)
    except OSError as error:
        raise PackError(f"{path} cannot be written: {error.strerror or error}.") from error


class _Packing:
    """What it takes to write one pack.

    Attributes:
        left_out: Why a file of the report is not in it, by its name.
        results: What the summary says of the results, in words.
    """

    def __init__(
        self, deployment: Deployment, report: Report, *, with_results: bool, advance: Callable[..., None]
    ) -> None:
        self._deployment, self._with_results, self._advance = deployment, with_results, advance
        self._s3, self._owner = deployment.client("s3"), deployment.account
        where = {"Bucket": report.bucket, "Key": report.keys.summary, "ExpectedBucketOwner": self._owner}
        answer = self._s3.get_object(**where)
        self._body = answer["Body"].read()
        try:
            self._summary = json.loads(self._body)
            self._named = files_of(self._summary, report.bucket)
            said_of(self._summary)
            self._made = datetime.fromisoformat(self._summary["generatedAt"])
        except (ValueError, KeyError, TypeError) as error:
            raise PackError(f"s3://{report.bucket}/{report.keys.summary} is damaged: it is not a summary.") from error
        sha256, size = hashlib.sha256(self._body).hexdigest(), len(self._body)
        version = answer.get("VersionId")
        self._of_summary = PackedFile(
            SUMMARY_JSON, report.bucket, report.keys.summary, version, sha256, size, rows=None
        )
        self.left_out: dict[str, str] = {}
        results = self._summary.get("results") or {"status": "OFF"}
        rows = results.get("rows")
        self.results = f"{results['status']}{'' if rows is None else f', {rows:,} rows'}"

    def write_to(self, file: IO[bytes]) -> dict[str, Any]:
        """Write the pack, and return its manifest."""
        packed = [self._of_summary]
        self._advance(0, total=sum(each.bytes for each in self._named.values()))
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as pack:
            pack.writestr(self._entry(SUMMARY_JSON), self._body)
            for each in self._named.values():
                if why := self._why_left_out(each):
                    self.left_out[each.name] = why
                else:
                    self._add(pack, each)
                    packed.append(each)
            locked = [with_lock(self._s3, each, self._owner) for each in packed]
            caller = self._deployment.client("sts").get_caller_identity()["Arn"]
            created = utc_text(self._deployment.now()) or ""
            manifest = manifest_of(self._summary, locked, self.left_out, created, caller)
            pack.writestr(self._entry(MANIFEST), json.dumps(manifest, indent=2) + "\n")
        return manifest

    def _entry(self, name: str) -> zipfile.ZipInfo:
        """Describe an entry: the same for the same report, whenever the pack is made."""
        entry = zipfile.ZipInfo(name, self._made.timetuple()[:6])
        entry.compress_type = zipfile.ZIP_STORED if name.endswith(".gz") else zipfile.ZIP_DEFLATED
        entry.external_attr = 0o600 << 16
        return entry

    def _why_left_out(self, file: PackedFile) -> str | None:
        """Return why results stay out of the pack; a file of the report never does."""
        if file.name not in RESULTS:
            return None
        if not self._with_results:
            return "--without-results was given."
        try:
            self._s3.get_object(**version_of(file, self._owner), Range="bytes=0-0")["Body"].close()
        except ClientError as error:
            if is_denied(error):
                return "You may not read the results of searches (docs/access.md)."
            if is_missing(error):
                return "S3 no longer has it: results have a retention of their own, and can be erased."
            raise
        return None

    def _add(self, pack: zipfile.ZipFile, file: PackedFile) -> None:
        """Download a file into the pack, and hold it against the summary."""
        try:
            body = self._s3.get_object(**version_of(file, self._owner))["Body"]
        except ClientError as error:
            if not is_missing(error):
                raise
            raise PackError(
                f"S3 no longer has the version of {file.name} that the summary names. If the report is being made "
                "again, try again in some minutes."
            ) from error
        hashed, length = hashlib.sha256(), 0
        with pack.open(self._entry(file.name), "w", force_zip64=True) as entry:
            for chunk in chunks(body.read):
                hashed.update(chunk)
                length += len(chunk)
                entry.write(chunk)
                self._advance(len(chunk))
        if (hashed.hexdigest(), length) != (file.sha256, file.bytes):
            raise PackError(
                f"s3://{file.bucket}/{file.key} is not what the summary says: it has {length:,} bytes and the SHA-256 "
                f"{hashed.hexdigest()}, and not {file.bytes:,} bytes and {file.sha256}."
            )
