"""An attempt that was frozen wakes up when another has made the report: what the other wrote stays."""

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.s3.exceptions import PreconditionFailed
from moto.s3.responses import S3Response

from search_coverage.aws.report_bucket import ReportBucket
from search_coverage.aws.report_lease import ReportLease
from search_coverage.coverage.errors import AwsCallFailed
from search_coverage.use_cases.ports import LeaseLost
from simulators.backup_search import BackupGroup, RecoveryPointGroup, Scenario, Vault
from tests.integration.conftest import Deployment
from tests.invocation import ACCOUNT, REGION, Context, state_change

NEVER_INDEXED = f"arn:aws:backup:{REGION}:{ACCOUNT}:recovery-point:never-indexed"
ONE_FAILED = Scenario("one-failed", (BackupGroup(count=2), BackupGroup(status="FAILED")))


@pytest.fixture(autouse=True)
def if_match_on_complete(monkeypatch: pytest.MonkeyPatch) -> None:
    """Teach moto the condition If-Match on CompleteMultipartUpload; it knows If-None-Match alone."""
    post = S3Response._key_response_post

    def with_condition(self: Any, *arguments: Any) -> Any:
        if "uploadId" in self.querystring and (expected := self.headers.get("If-Match")):
            found = self.backend.get_object(self.bucket_name, self.parse_key_name())
            if found is None or found.etag.strip('"') != expected.strip('"'):
                raise PreconditionFailed("If-Match")
        return post(self, *arguments)

    monkeypatch.setattr(S3Response, "_key_response_post", with_condition)


class Lease:
    """A lease that is held, or lost."""

    def __init__(self, attempt: str, *, held: bool = True) -> None:
        self.attempt = attempt
        self.held = held

    def confirm(self) -> None:
        if not self.held:
            raise LeaseLost("taken over")


def bucket_of(deployment: Deployment) -> ReportBucket:
    bucket: ReportBucket = deployment.function("report").report_search_job.bucket
    return bucket


def held(attempt: str) -> ReportLease:
    return Lease(attempt)  # type: ignore[return-value]


def lost(attempt: str) -> ReportLease:
    return Lease(attempt, held=False)  # type: ignore[return-value]


def search_that_misses_one(deployment: Deployment) -> str:
    """Search a vault of two backups, one of which was never indexed, and give the search job."""
    groups = (RecoveryPointGroup(), RecoveryPointGroup(index=None, arn=NEVER_INDEXED))
    deployment.simulator.add_vault(Vault("nightly", groups))
    search: Any = boto3.client("backupsearch").start_search_job
    search_job: str = search(SearchScope={"BackupResourceTypes": ["S3"]})["SearchJobIdentifier"]
    deployment.simulator.move_clock(timedelta(minutes=10))
    return search_job


def versions(deployment: Deployment, key: str) -> int:
    return len(deployment.s3.list_object_versions(Bucket=deployment.bucket, Prefix=key).get("Versions", []))


@pytest.fixture(params=["at once", "in parts"])
def file(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file that is uploaded in one request, or in several."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * 1000)
    if request.param == "in parts":
        monkeypatch.setattr("search_coverage.aws.guarded_objects._PART_BYTES", 400)
        monkeypatch.setattr("moto.s3.models.S3_UPLOAD_PART_MIN_SIZE", 1)
    return path


def test_a_file_of_a_successor_is_never_replaced(deployment: Deployment, file: Path) -> None:
    bucket = bucket_of(deployment)
    bucket.put_file("reports/1/a.csv", file, "text/csv", held("successor"))

    file.write_bytes(b"y" * 1000)
    with pytest.raises(LeaseLost):
        bucket.put_file("reports/1/a.csv", file, "text/csv", lost("frozen"))

    assert deployment.read("reports/1/a.csv") == b"x" * 1000
    uploads = deployment.s3.list_multipart_uploads(Bucket=deployment.bucket)
    assert uploads.get("Uploads", []) == []


def test_a_file_of_a_predecessor_is_replaced_by_who_holds_the_lease(deployment: Deployment, file: Path) -> None:
    bucket = bucket_of(deployment)
    first = bucket.put_file("reports/1/a.csv", file, "text/csv", held("predecessor"))

    file.write_bytes(b"y" * 1000)
    second = bucket.put_file("reports/1/a.csv", file, "text/csv", held("successor"))

    assert deployment.read("reports/1/a.csv") == b"y" * 1000
    assert None is not first != second
    assert deployment.s3.head_object(Bucket=deployment.bucket, Key="reports/1/a.csv")["VersionId"] == second


def test_a_condition_is_of_what_was_seen_before_the_lease_was_confirmed(deployment: Deployment, file: Path) -> None:
    # Given an attempt that sees a file, confirms its lease, and is frozen: meanwhile a successor writes
    bucket = bucket_of(deployment)
    bucket.put_file("reports/1/a.csv", file, "text/csv", held("predecessor"))
    successor = file.with_name("successor")
    successor.write_bytes(b"successor")

    class FrozenOnceConfirmed(Lease):
        def confirm(self) -> None:
            super().confirm()
            if self.held:
                self.held = False
                bucket.put_file("reports/1/a.csv", successor, "text/csv", held("successor"))

    # When it wakes
    file.write_bytes(b"y" * 1000)
    with pytest.raises(LeaseLost):
        bucket.put_file("reports/1/a.csv", file, "text/csv", FrozenOnceConfirmed("frozen"))  # type: ignore[arg-type]

    # Then it has replaced nothing
    assert deployment.read("reports/1/a.csv") == b"successor"


@pytest.mark.parametrize("sent", ["put_object", "complete_multipart_upload"])
def test_a_write_whose_answer_got_lost_is_not_done_twice(deployment: Deployment, file: Path, sent: str) -> None:
    # Given an SDK that sends a request twice, because the answer to the first got lost
    bucket = bucket_of(deployment)
    send = getattr(bucket._client, sent)

    def send_twice(**request: Any) -> Any:
        send(**request)
        if "Body" in request:
            request["Body"].seek(0)
        return send(**request)

    setattr(bucket._client, sent, send_twice)

    # When
    version = bucket.put_file("reports/1/a.csv", file, "text/csv", held("only"))

    # Then it is written once, under the version that is there
    assert versions(deployment, "reports/1/a.csv") == 1
    assert deployment.s3.head_object(Bucket=deployment.bucket, Key="reports/1/a.csv")["VersionId"] == version


def test_a_stale_summary_never_replaces_that_of_a_newer_replay(deployment: Deployment) -> None:
    bucket = bucket_of(deployment)
    bucket.put_summary("reports/1/summary.json", {"made": "by the replay"}, "replay", held("replay"))

    with pytest.raises(LeaseLost):
        bucket.put_summary("reports/1/summary.json", {"made": "long ago"}, "first", lost("frozen"))

    assert json.loads(deployment.read("reports/1/summary.json")) == {"made": "by the replay"}


def test_a_frozen_replay_does_not_take_the_mark_off_its_successors_report(deployment: Deployment) -> None:
    bucket = bucket_of(deployment)
    key = "reports/1/summary.json"
    bucket.put_summary(key, {"made": "first"}, "first", held("first"))
    seen = bucket.summary(key)
    assert seen
    bucket.put_summary(key, {"made": "by the successor"}, "successor", held("successor"))

    with pytest.raises(LeaseLost):
        bucket.remove(key, lost("frozen"), seen.etag)

    assert json.loads(deployment.read(key)) == {"made": "by the successor"}


def test_the_summary_names_the_version_of_each_file(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    deployment.report(state_change(search_job))

    summary = deployment.summary(search_job)
    assert summary
    for file in summary["files"].values():
        stored = deployment.s3.get_object(Bucket=deployment.bucket, Key=file["key"], VersionId=file["versionId"])
        assert hashlib.sha256(stored["Body"].read()).hexdigest() == file["sha256"]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "html"])
@pytest.mark.parametrize("change", ["another version", "gone"])
def test_a_report_whose_files_are_not_those_of_its_summary_is_made_again(
    deployment: Deployment, kind: str, change: str
) -> None:
    # Given
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    deployment.report(state_change(search_job))
    key = deployment.summary(search_job)["files"][kind]["key"]  # type: ignore[index]
    if change == "gone":
        deployment.s3.delete_object(Bucket=deployment.bucket, Key=key)
    else:
        deployment.s3.put_object(Bucket=deployment.bucket, Key=key, Body=b"of another attempt")

    # When
    again = deployment.report(state_change(search_job))

    # Then the report is whole, and people are not told again
    summary = deployment.summary(search_job)
    assert summary
    assert again["created"] is True
    assert hashlib.sha256(deployment.read(key)).hexdigest() == summary["files"][kind]["sha256"]
    assert len(deployment.messages(deployment.people)) == 1


def test_what_left_the_vaults_since_the_first_report_makes_no_replay_complete(deployment: Deployment) -> None:
    # Given a search that listed one backup of two, and a report that says so
    search_job = search_that_misses_one(deployment)
    deployment.report({"searchJobIdentifier": search_job}, INVENTORY="ON")
    first = deployment.summary(search_job)
    assert first
    assert (first["verdict"], first["inventory"]["notListed"]) == ("PARTIAL", 1)

    # When that backup is deleted, and the report made again, once by a replay and once by what a replay left behind
    deployment.simulator.delete_recovery_point(NEVER_INDEXED)
    deployment.report({"searchJobIdentifier": search_job, "replay": True}, INVENTORY="ON")
    replayed = deployment.summary(search_job)
    assert replayed
    deployment.s3.delete_object(
        Bucket=deployment.bucket, Key=next(key for key in deployment.stored() if key.endswith("summary.json"))
    )
    deployment.report({"searchJobIdentifier": search_job}, INVENTORY="ON")
    made_anew = deployment.summary(search_job)
    assert made_anew

    # Then it was not searched, as before
    assert replayed["inventory"]["notListed"] == 0
    assert (replayed["verdict"], made_anew["verdict"]) == ("PARTIAL", "PARTIAL")
    for summary in (replayed, made_anew):
        assert "was PARTIAL, and what was in doubt then may have left the vaults" in " ".join(summary["verdictReasons"])


def test_what_people_were_told_is_not_forgotten_by_the_retry_of_an_attempt_that_died(deployment: Deployment) -> None:
    # Given an attempt that told people of a backup that was not listed, and died before its mark
    search_job = search_that_misses_one(deployment)
    module = deployment.function("report", INVENTORY="ON")

    def die(request: Any, **_: object) -> None:
        if request.url.endswith(f"{search_job}/summary.json") or (mails and "/summaries/" in request.url):
            raise ValueError("the power is gone")

    mails: list[object] = []
    module.report_search_job.notifier.topic._client.meta.events.register("before-send", lambda **_: mails.append(1))
    module.report_search_job.bucket._client.meta.events.register("before-send.s3.PutObject", die)
    with pytest.raises(AwsCallFailed, match="power"):
        module.handler({"searchJobIdentifier": search_job}, Context())

    # When the backup is deleted before the retry
    deployment.simulator.delete_recovery_point(NEVER_INDEXED)
    deployment.report({"searchJobIdentifier": search_job}, INVENTORY="ON")

    # Then the report does not say that all is well
    summary = deployment.summary(search_job)
    assert summary
    assert summary["verdict"] == "PARTIAL"
    assert len(deployment.messages(deployment.people)) == 1


@pytest.mark.parametrize(
    "damaged", [b"", b"{", b"[1]", b"null", b"{}", b'{"verdict": "COMPLETE"}', b'{"files": 5}', b"\xff\xfe"]
)
@pytest.mark.parametrize("replay", [False, True])
def test_a_summary_that_somebody_damaged_is_made_again(deployment: Deployment, damaged: bytes, *, replay: bool) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    deployment.report(state_change(search_job))
    for key in deployment.stored():
        if key.endswith((".json", ".json.gz")):
            deployment.s3.put_object(Bucket=deployment.bucket, Key=key, Body=damaged)

    assert deployment.report({"searchJobIdentifier": search_job, "replay": replay})["created"] is True

    summary = deployment.summary(search_job)
    assert summary
    assert summary["verdict"] == "PARTIAL"


def test_a_summary_of_the_first_version_is_believed(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(ONE_FAILED)
    deployment.report(state_change(search_job))
    summary = deployment.summary(search_job)
    assert summary
    for file in summary["files"].values():
        del file["versionId"]
    del summary["notification"]["pending"], summary["inventory"]["thinIndexes"], summary["inventory"]["notSearchable"]
    (key,) = [key for key in deployment.stored() if key.endswith("/summary.json")]
    deployment.s3.put_object(Bucket=deployment.bucket, Key=key, Body=json.dumps(summary).encode())

    assert deployment.report(state_change(search_job))["created"] is False


def test_a_stale_mark_that_falls_between_a_replays_removal_and_its_own_is_taken_off_again(
    deployment: Deployment,
) -> None:
    # Given a key that is free, because a replay has just taken the mark off
    bucket = bucket_of(deployment)
    key = "reports/1/summary.json"

    class LostMeanwhile(Lease):
        def confirm(self) -> None:
            raise LeaseLost("taken over")

    # When an attempt that was frozen sets its mark there
    with pytest.raises(LeaseLost):
        bucket.put_summary(key, {"made": "long ago"}, "first", LostMeanwhile("frozen"))  # type: ignore[arg-type]

    # Then nothing vouches for the files of the replay
    assert bucket.summary(key) is None
