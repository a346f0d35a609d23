"""`search-coverage evidence`: makes one file of a report, with a manifest of checksums, versions and lock dates."""

import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import ClientError

from cli.aws_errors import is_denied, is_missing, summarize
from cli.deployment import Deployment
from cli.pack import MANIFEST, PackedFile, PackError, chunks, digest, files_of, manifest_of
from cli.report import Report
from search_coverage.coverage.timestamp import utc_text
from search_coverage.names import RESULTS_CSV, RESULTS_JSONL, SUMMARY_JSON

_RESULTS: Final = frozenset({RESULTS_CSV, RESULTS_JSONL})


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack that was written.

    Attributes:
        left_out: Why a file of the report is not in it, by its name.
        sha256: Of the pack itself.
    """

    path: Path
    sha256: str
    manifest: dict[str, Any]
    left_out: dict[str, str]

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
            *(f"{'Files' if not n else '':13} {file['name']}" for n, file in enumerate(self.manifest["files"])),
            *(f"LEFT OUT      {name}: {why}" for name, why in self.left_out.items()),
            f"Verify it     search-coverage verify {self.path}",
        ]
        return "\n".join(lines)


def make_pack(
    deployment: Deployment, report: Report, path: Path, *, with_results: bool, advance: Callable[[], None]
) -> Pack:
    """Write the pack of a report.

    Args:
        deployment: The stack that made the report.
        report: The report.
        path: Where the pack goes; nothing may be there.
        with_results: Whether the results of the search go into it, if they are kept.
        advance: Called after each file.

    Raises:
        PackError: There is something at ``path``, or a file is not what the summary says.
    """
    if path.exists():
        raise PackError(f"{path} exists; pass another name with --output.")
    s3 = deployment.client("s3")
    answer = s3.get_object(Bucket=report.bucket, Key=report.keys.summary)
    body = answer["Body"].read()
    try:
        summary = json.loads(body)
        named = files_of(summary, report.bucket)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise PackError(f"s3://{report.bucket}/{report.keys.summary} is damaged: it is not a summary.") from error
    of_summary = PackedFile(
        SUMMARY_JSON, report.bucket, report.keys.summary, answer.get("VersionId"), hashlib.sha256(body).hexdigest(),
        len(body), None,
    )  # fmt: skip
    made = datetime.fromisoformat(summary["generatedAt"])
    packed, left_out = [_with_lock(s3, of_summary)], {}
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as pack:
            pack.writestr(_entry(SUMMARY_JSON, made), body)
            for each in named:
                if each.name in _RESULTS and not with_results:
                    left_out[each.name] = "--without-results was given."
                elif why := _why_not_readable(s3, each) if each.name in _RESULTS else None:
                    left_out[each.name] = why
                else:
                    _add(pack, s3, each, made)
                    packed.append(_with_lock(s3, each))
                advance()
            caller = deployment.client("sts").get_caller_identity()["Arn"]
            manifest = manifest_of(summary, packed, left_out, utc_text(deployment.now()) or "", caller)
            pack.writestr(_entry(MANIFEST, made), json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
        Path(temporary).rename(path)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise
    with path.open("rb") as written:
        return Pack(path, digest(written)[0], manifest, left_out)


def version_of(file: PackedFile, owner: str | None = None) -> dict[str, str]:
    """Return the parameters of S3 that name the very version of a file."""
    parameters = {"Bucket": file.bucket, "Key": file.key}
    parameters |= {"VersionId": file.versionId} if file.versionId else {}
    return parameters | ({"ExpectedBucketOwner": owner} if owner else {})


def lock_of(s3: Any, file: PackedFile) -> str | None:
    """Return until when S3 locks a file; None without a lock, or without s3:GetObjectRetention."""
    return utc_text(s3.head_object(**version_of(file)).get("ObjectLockRetainUntilDate"))


def _with_lock(s3: Any, file: PackedFile) -> PackedFile:
    return replace(file, lockedUntil=lock_of(s3, file))


def _entry(name: str, made: datetime) -> zipfile.ZipInfo:
    """Describe an entry: the same for the same report, whenever the pack is made."""
    entry = zipfile.ZipInfo(name, made.timetuple()[:6])
    entry.compress_type = zipfile.ZIP_STORED if name.endswith(".gz") else zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def _why_not_readable(s3: Any, file: PackedFile) -> str | None:
    try:
        s3.get_object(**version_of(file), Range="bytes=0-0")["Body"].close()
    except ClientError as error:
        if is_denied(error):
            return "You may not read the results of searches (docs/access.md)."
        if is_missing(error):
            return "S3 no longer has it: results have a retention of their own, and can be erased."
        raise PackError(f"{file.name} cannot be read: {summarize(error)}.") from error
    return None


def _add(pack: zipfile.ZipFile, s3: Any, file: PackedFile, made: datetime) -> None:
    """Download a file into the pack, and hold it against the summary."""
    try:
        body = s3.get_object(**version_of(file))["Body"]
    except ClientError as error:
        if not is_missing(error):
            raise
        raise PackError(
            f"S3 no longer has the version of {file.name} that the summary names. If the report was made again in this "
            "moment, try again."
        ) from error
    hashed, length = hashlib.sha256(), 0
    with pack.open(_entry(file.name, made), "w", force_zip64=True) as entry:
        for chunk in chunks(body.read):
            hashed.update(chunk)
            length += len(chunk)
            entry.write(chunk)
    if (hashed.hexdigest(), length) != (file.sha256, file.bytes):
        raise PackError(
            f"s3://{file.bucket}/{file.key} is not what the summary says: its SHA-256 is {hashed.hexdigest()}, and not "
            f"{file.sha256}."
        )
