"""Which backups count as searched, and the reason of those that do not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_coverage.coverage.backup import Backup
from search_coverage.coverage.exclusion import Exclusion, Reason, exclusion_reason
from tests.examples import backup

NOT_AUTHORIZED = "is not authorized to perform: backup:SearchRecoveryPoint"
INDEXED = "Indexed recovery point arn : arn:aws:ec2:r::x/y"


def test_a_completed_backup_without_a_message_was_searched() -> None:
    assert exclusion_reason(backup(status="COMPLETED", status_message=None)) is None


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        ("RUNNING", Reason.NOT_FINISHED),
        ("STOPPING", Reason.NOT_FINISHED),
        ("STOPPED", Reason.NOT_FINISHED),
        ("FAILED", Reason.FAILED_OTHER),
        ("PENDING", Reason.INDEX_PENDING),
        ("DELETING", Reason.INDEX_DELETING),
        ("ACTIVE", Reason.UNKNOWN_STATUS),
        ("TIMED_OUT", Reason.UNKNOWN_STATUS),
        ("EXPIRED", Reason.UNKNOWN_STATUS),
        ("ERRORED", Reason.UNKNOWN_STATUS),
        ("completed", Reason.UNKNOWN_STATUS),
        ("COMPLETED ", Reason.UNKNOWN_STATUS),
        ("", Reason.UNKNOWN_STATUS),
        (None, Reason.UNKNOWN_STATUS),
    ],
)
def test_any_other_status_is_an_exclusion(status: str | None, reason: Reason) -> None:
    assert exclusion_reason(backup(status=status)) is reason


@pytest.mark.parametrize("status", ["FAILED", "COMPLETED"])
@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("Access denied", Reason.PERMISSION_DENIED),
        (f"User: arn:aws:iam::111122223333:role/archive {NOT_AUTHORIZED}", Reason.PERMISSION_DENIED),
        ("Access denied by arn:aws:iam::111122223333:user/kms-reader", Reason.PERMISSION_DENIED),
        ("Access denied to the recovery point in backup vault 'cold storage'", Reason.PERMISSION_DENIED),
        ("You have no permission to access the index", Reason.PERMISSION_DENIED),
        ("Missing permissions to access the backup index", Reason.PERMISSION_DENIED),
        ("Search of the index failed: Access denied", Reason.PERMISSION_DENIED),
        ("Index access failed due to insufficient permissions", Reason.PERMISSION_DENIED),
        ("The caller has insufficient privileges", Reason.PERMISSION_DENIED),
        ("The role is not allowed to read the recovery point", Reason.PERMISSION_DENIED),
        ("The role does not have access to the recovery point", Reason.PERMISSION_DENIED),
        ("An explicit denial in the vault's policy", Reason.PERMISSION_DENIED),
        ("KMSAccessDeniedException", Reason.KMS_ACCESS_DENIED),
        ("The CMK is disabled", Reason.KMS_ACCESS_DENIED),
        ("The key used to encrypt the backup is inaccessible", Reason.KMS_ACCESS_DENIED),
        ("Operation is not supported while the index is being created", Reason.INDEX_PENDING),
        ("Index is not available", Reason.INDEX_PENDING),
        ("INDEX_PENDING", Reason.INDEX_PENDING),
        ("Indexing is not enabled for the recovery point", Reason.INDEX_MISSING),
        ("Index build was unsuccessful", Reason.INDEX_FAILED),
        ("The backup index failed", Reason.INDEX_FAILED),
        ("Index corrupted", Reason.INDEX_FAILED),
        ("Index creation failed: unsupported file system", Reason.NOT_SUPPORTED),
        ("Storage class is COLD", Reason.ARCHIVED),
        ("RAID volumes cannot be searched", Reason.NOT_SUPPORTED),
        ("No recognizable file system on the volume", Reason.NOT_SUPPORTED),
        (f"AccessDeniedException: User {NOT_AUTHORIZED}", Reason.PERMISSION_DENIED),
        ("You do not have sufficient permissions to search this recovery point.", Reason.PERMISSION_DENIED),
        ("Unable to assume the role arn:aws:iam::000000000000:role/x", Reason.PERMISSION_DENIED),
        ("Access denied while reading the index of the recovery point", Reason.PERMISSION_DENIED),
        ("Access to the KMS key was denied", Reason.KMS_ACCESS_DENIED),
        ("Not authorized to perform kms:Decrypt on the resource", Reason.KMS_ACCESS_DENIED),
        ("The encryption key of the backup is disabled", Reason.KMS_ACCESS_DENIED),
        ("The recovery point does not have a backup index", Reason.INDEX_MISSING),
        ("No index exists for this recovery point", Reason.INDEX_MISSING),
        ("Recovery point is not indexed", Reason.INDEX_MISSING),
        ("Index not found", Reason.INDEX_MISSING),
        ("Index status is PENDING", Reason.INDEX_PENDING),
        ("The backup index is not yet ACTIVE", Reason.INDEX_PENDING),
        ("The index is still being created", Reason.INDEX_PENDING),
        ("Index creation failed: insufficient permissions", Reason.INDEX_FAILED),
        ("Index status: FAILED", Reason.INDEX_FAILED),
        # AWS's own texts (aws-facts.md §7)
        (f"An AWS Backup recovery point index failed to create. {INDEXED}", Reason.INDEX_FAILED),
        (f"An AWS Backup recovery point index was deleted. {INDEXED}", Reason.INDEX_MISSING),
        ("Failed to create the backup index", Reason.INDEX_FAILED),
        ("The index is being deleted", Reason.INDEX_DELETING),
        ("Index status is DELETING", Reason.INDEX_DELETING),
        ("The snapshot is archived", Reason.ARCHIVED),
        ("Recovery point is in cold storage", Reason.ARCHIVED),
        ("File system type is not supported", Reason.NOT_SUPPORTED),
        ("Recovery points in a logically air-gapped vault cannot be searched", Reason.NOT_SUPPORTED),
        ("Unsupported file system: zfs", Reason.NOT_SUPPORTED),
    ],
)
def test_the_meaning_of_a_message_determines_the_reason(status: str, message: str, reason: Reason) -> None:
    assert exclusion_reason(backup(status=status, status_message=message)) is reason


@pytest.mark.parametrize(
    ("status", "message", "reason"),
    [
        ("FAILED", "Internal problem 17", Reason.FAILED_OTHER),
        ("COMPLETED", "Done, mostly", Reason.REVIEW),
        ("COMPLETED", " ", Reason.REVIEW),
        ("COMPLETED", "No matching items were found in the index", Reason.REVIEW),
        ("COMPLETED", "Index searched, 0 errors", Reason.REVIEW),
        ("COMPLETED", "Index scanned with no failures", Reason.REVIEW),
        ("COMPLETED", "Done without errors; index version 2", Reason.REVIEW),
        ("TIMED_OUT", "Access denied", Reason.UNKNOWN_STATUS),
    ],
)
def test_another_message_leaves_a_failure_open_a_success_in_doubt_and_an_unknown_status_unknown(
    status: str, message: str, reason: Reason
) -> None:
    assert exclusion_reason(backup(status=status, status_message=message)) is reason


def test_a_row_without_any_member_is_excluded() -> None:
    assert exclusion_reason(Backup()) is Reason.UNKNOWN_STATUS


@given(status=st.none() | st.text(), message=st.none() | st.text())
def test_only_completed_without_a_message_counts_as_searched(status: str | None, message: str | None) -> None:
    searched = exclusion_reason(backup(status=status, status_message=message)) is None

    assert searched == (status == "COMPLETED" and message in {None, ""})


def test_failed_means_that_aws_itself_says_failed() -> None:
    assert Exclusion(backup(status="FAILED"), Reason.FAILED_OTHER).is_failed
    assert not Exclusion(backup(status="STOPPED"), Reason.NOT_FINISHED).is_failed
