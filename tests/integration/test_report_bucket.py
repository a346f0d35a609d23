"""The bucket: an attempt that was frozen wakes up when another has made the report, and what the other wrote stays."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws
from moto.s3.exceptions import PreconditionFailed
from moto.s3.responses import S3Response

from search_coverage.aws.report_bucket import ReportBucket
from search_coverage.report.files.keys import ReportKeys
from search_coverage.use_cases.ports import LeaseLost
from tests.examples import JOB_ID, search_job
from tests.invocation import CREDENTIALS

BUCKET, KEY = "reports-bucket", "reports/1/a.csv"
MARK = "reports/1/summary.json"
SUMMARY: dict[str, Any] = {
    "verdict": "PARTIAL",
    "backups": {},
    "excludedByReason": {},
    "files": {},
    "notification": {},
    "generatedAt": "2026-11-20T09:05:30Z",
}


@pytest.fixture(scope="module")
def client() -> Any:
    """A client; it takes longer to make one than to run a test."""
    return boto3.client("s3", **CREDENTIALS)


@pytest.fixture
def s3(client: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An S3 with a versioned bucket; moto gets If-Match on CompleteMultipartUpload, and has If-None-Match."""
    post = S3Response._key_response_post

    def with_condition(self: Any, *arguments: Any) -> Any:
        if "uploadId" in self.querystring and (expected := self.headers.get("If-Match")):
            found = self.backend.get_object(self.bucket_name, self.parse_key_name())
            if found is None or found.etag.strip('"') != expected.strip('"'):
                raise PreconditionFailed("If-Match")
        return post(self, *arguments)

    monkeypatch.setattr(S3Response, "_key_response_post", with_condition)
    with mock_aws():
        client.create_bucket(Bucket=BUCKET)
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        yield client


@pytest.fixture
def bucket(s3: Any) -> ReportBucket:
    return ReportBucket(s3, BUCKET)


@dataclass
class Lease:
    """A lease that is held, or lost."""

    held: bool = True

    def confirm(self) -> None:
        if not self.held:
            raise LeaseLost("taken over")


HELD, LOST = Lease(), Lease(held=False)


def stored(s3: Any, key: str = KEY) -> bytes:
    body: bytes = s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
    return body


@pytest.fixture(params=["at once", "in parts"])
def file(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is uploaded in one request, or in several."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    if request.param == "in parts":
        monkeypatch.setattr("search_coverage.aws.guarded_objects._PART_BYTES", 400)
        monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
    return path


def test_a_file_of_a_successor_is_never_replaced(s3: Any, bucket: ReportBucket, file: Path) -> None:
    bucket.put_file(KEY, file, "text/csv", HELD)

    file.write_bytes(b"y" * 1000)
    with pytest.raises(LeaseLost):
        bucket.put_file(KEY, file, "text/csv", LOST)

    assert stored(s3) == b"x" * 1000
    assert s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []) == []


def test_a_file_of_a_predecessor_is_replaced_by_who_holds_the_lease(s3: Any, bucket: ReportBucket, file: Path) -> None:
    first = bucket.put_file(KEY, file, "text/csv", HELD)

    file.write_bytes(b"y" * 1000)
    second = bucket.put_file(KEY, file, "text/csv", HELD)

    assert stored(s3) == b"y" * 1000
    assert None is not first != second
    assert s3.head_object(Bucket=BUCKET, Key=KEY)["VersionId"] == second


def test_a_condition_is_of_what_was_seen_before_the_lease_was_confirmed(
    s3: Any, bucket: ReportBucket, file: Path
) -> None:
    # Given an attempt that sees a file, confirms its lease, and is frozen: meanwhile a successor writes
    bucket.put_file(KEY, file, "text/csv", HELD)
    successor = file.with_name("successor")
    successor.write_bytes(b"successor")

    class FrozenOnceConfirmed(Lease):
        def confirm(self) -> None:
            super().confirm()
            self.held = False
            bucket.put_file(KEY, successor, "text/csv", HELD)

    # When it wakes
    file.write_bytes(b"y" * 1000)
    with pytest.raises(LeaseLost):
        bucket.put_file(KEY, file, "text/csv", FrozenOnceConfirmed())

    # Then it has replaced nothing
    assert stored(s3) == b"successor"


@pytest.mark.parametrize("sent", ["put_object", "complete_multipart_upload"])
def test_a_write_whose_answer_got_lost_is_not_done_twice(
    s3: Any, bucket: ReportBucket, file: Path, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given an SDK that sends a request twice, because the answer to the first got lost
    send = getattr(s3, sent)

    def send_twice(**request: Any) -> Any:
        send(**request)
        if "Body" in request:
            request["Body"].seek(0)
        return send(**request)

    monkeypatch.setattr(s3, sent, send_twice)

    # When
    version = bucket.put_file(KEY, file, "text/csv", HELD)

    # Then it is written once, under the version that is there
    assert len(s3.list_object_versions(Bucket=BUCKET, Prefix=KEY)["Versions"]) == 1
    assert s3.head_object(Bucket=BUCKET, Key=KEY)["VersionId"] == version


def test_a_stale_summary_never_replaces_that_of_a_newer_replay(s3: Any, bucket: ReportBucket) -> None:
    bucket.put_summary(MARK, {"made": "by the replay"}, "replay", HELD)

    with pytest.raises(LeaseLost):
        bucket.put_summary(MARK, {"made": "long ago"}, "first", LOST)

    assert json.loads(stored(s3, MARK)) == {"made": "by the replay"}


def test_a_frozen_replay_does_not_take_the_mark_off_its_successors_report(s3: Any, bucket: ReportBucket) -> None:
    bucket.put_summary(MARK, {"made": "first"}, "first", HELD)
    seen = bucket.summary(MARK)
    assert seen
    bucket.put_summary(MARK, {"made": "by the successor"}, "successor", HELD)

    with pytest.raises(LeaseLost):
        bucket.remove(MARK, LOST, seen.etag)

    assert json.loads(stored(s3, MARK)) == {"made": "by the successor"}


def test_a_stale_mark_that_falls_between_a_replays_removal_and_its_own_is_taken_off_again(bucket: ReportBucket) -> None:
    # Given a key that is free, because a replay has just taken the mark off; when a frozen attempt sets its mark there
    with pytest.raises(LeaseLost):
        bucket.put_summary(MARK, {"made": "long ago"}, "first", LOST)

    # Then nothing vouches for the files of the replay
    assert bucket.summary(MARK) is None


@pytest.mark.parametrize("seen", [True, False])
def test_a_line_replaces_the_one_that_this_attempt_has_written(bucket: ReportBucket, s3: Any, *, seen: bool) -> None:
    etag = bucket.put_summary_line(KEY, {"n": 1}, HELD)

    bucket.put_summary_line(KEY, {"n": 2}, LOST if seen else HELD, etag if seen else None)

    assert stored(s3) == b'{"n":2}\n'


def test_a_summary_is_read_back_with_the_request_that_it_was_made_for(bucket: ReportBucket) -> None:
    bucket.put_summary(MARK, SUMMARY, "the-request", HELD)

    found = bucket.summary(MARK)

    assert found
    assert (found.content, found.request_id, found.pending) == (SUMMARY, "the-request", None)


@pytest.mark.parametrize(
    "damaged", [b"", b"{", b"[1]", b"null", b"{}", b'{"verdict": "COMPLETE"}', b'{"files": 5}', b"\xff\xfe"]
)
def test_a_damaged_summary_is_none(s3: Any, bucket: ReportBucket, damaged: bytes) -> None:
    s3.put_object(Bucket=BUCKET, Key=MARK, Body=damaged)

    found = bucket.summary(MARK)

    assert found
    assert found.content is None


@pytest.mark.parametrize(("change", "believed"), [(None, True), ("another", False), ("gone", False), ("unnamed", True)])
def test_a_summary_is_accepted_while_its_files_are_the_versions_that_it_names(
    s3: Any, bucket: ReportBucket, tmp_path: Path, change: str | None, *, believed: bool
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x")
    version = bucket.put_file(KEY, path, "text/csv", HELD)
    if change == "another":
        s3.put_object(Bucket=BUCKET, Key=KEY, Body=b"of another attempt")
    elif change == "gone":
        s3.delete_object(Bucket=BUCKET, Key=KEY)

    named = {} if change == "unnamed" else {"versionId": version}  # version 1.0.0 named none
    assert bucket.has_files_of(SUMMARY | {"files": {"csv": {"key": KEY, **named}}}) is believed


@pytest.mark.parametrize(
    ("names", "reported"),
    [
        ([], False),
        (["report.html"], False),
        (["summary.json"], True),
        (["summary.json", "notification-pending.json"], False),
    ],
)
def test_a_search_job_is_reported_if_its_report_has_its_mark_and_no_other(
    s3: Any, bucket: ReportBucket, names: list[str], *, reported: bool
) -> None:
    prefix = ReportKeys.of(search_job()).prefix
    for name in names:
        s3.put_object(Bucket=BUCKET, Key=f"{prefix}{name}")

    assert bucket.reported([search_job()], date(2026, 11, 1)) == ({JOB_ID} if reported else set())
