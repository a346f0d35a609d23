"""AWS Backup search, as it is read: page by page to the end, entry by entry, and whatever AWS answers."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from search_coverage.aws.backup_search import BackupSearch
from search_coverage.aws.errors import reading, reading_search_job
from search_coverage.coverage.errors import AwsCallFailed, SearchCoverageError
from search_coverage.use_cases.ports import SearchJobUnknown, SearchKeyDenied
from tests.examples import JANE, JOB_ARN, JOB_ID
from tests.invocation import ACCOUNT, REGION
from tests.planted import refuse_planted
from tests.wire import Answer, Wire, response

KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
JOB: dict[str, Any] = {"SearchJobIdentifier": JOB_ID, "SearchJobArn": JOB_ARN, "Status": "COMPLETED"}


NO_MOMENTS: tuple[Any, ...] = ("yesterday", 1e20, {}, float("inf"))


def jobs_page(*entries: Any, more: str | None = None) -> dict[str, Any]:
    return {"SearchJobs": list(entries), "NextToken": more}


def job_entry(number: int) -> dict[str, Any]:
    return JOB | {"SearchJobIdentifier": f"{number:08}-1111-2222-3333-444455556666"}


def backups_page(first: int, more: str | None = None) -> dict[str, Any]:
    rows = [{"BackupResourceArn": f"backup-{number}", "Status": "FAILED"} for number in range(first, first + 2)]
    return {"Results": rows, "NextToken": more}


def search(*answers: Answer) -> BackupSearch:
    return BackupSearch(Wire("backupsearch", *answers).client)


# The list of search jobs


def test_the_list_of_search_jobs_is_read_to_its_end() -> None:
    wire = Wire("backupsearch", *(jobs_page(job_entry(number), more=f"{number}") for number in range(3)), jobs_page())

    known = BackupSearch(wire.client).search_jobs()

    assert [len(known.jobs), known.unreadable, known.broken_off] == [3, [], None]
    assert [request.get("NextToken") for request in wire.requests] == [None, "0", "1", "2"]


@pytest.mark.parametrize(
    "entry",
    [
        *("x", 5, [], None, {}, {"Name": "nobody"}, JOB | {"SearchJobArn": "x"}),
        *(job_entry(7) | {"CreationTime": moment} for moment in NO_MOMENTS),
    ],
    ids=str,
)
def test_an_entry_that_cannot_be_read_stops_no_other(entry: object) -> None:
    known = search(jobs_page(job_entry(1), entry, job_entry(2), job_entry(1))).search_jobs()

    assert len(known.jobs) == 2  # each once, also if the list moved between two pages
    (unreadable,) = known.unreadable
    assert unreadable.startswith(str(entry))


def test_a_list_that_breaks_off_is_returned_as_far_as_it_was_read_with_the_reason() -> None:
    known = search(jobs_page(job_entry(1), more="again"), jobs_page(job_entry(2), more="again")).search_jobs()

    assert len(known.jobs) == 2
    assert "gave a page token of the list of search jobs a second time" in str(known.broken_off)


@pytest.mark.parametrize("token", ["more", None])
def test_a_list_that_was_read_to_its_end_in_the_last_moment_is_whole(token: str | None) -> None:
    known = search(jobs_page(job_entry(1), more=token), jobs_page(job_entry(2))).search_jobs(lambda: True)

    assert len(known.jobs) == 1
    assert (known.broken_off is None) == (token is None)


def test_a_list_of_which_not_even_the_first_page_can_be_read_is_an_error() -> None:
    with pytest.raises(AwsCallFailed, match="Listing the search jobs failed"):
        search(b"<html>").search_jobs()


def test_two_readers_may_share_a_client() -> None:
    client = Wire("backupsearch", jobs_page(job_entry(1))).client

    assert [len(BackupSearch(client).search_jobs().jobs) for _ in range(2)] == [1, 1]


# The backups of a search job


def test_the_pages_come_in_order_and_whole() -> None:
    pages = search(*(backups_page(number, more=str(number)) for number in (0, 2)), backups_page(4))

    arns = [arn for page in pages.pages_of_backups(JOB_ID) for arn in page.listed]

    assert arns == [f"backup-{number}" for number in range(6)]


def test_one_page_is_read_ahead_and_no_more() -> None:
    wire = Wire("backupsearch", *(backups_page(number, more=str(number)) for number in range(5)), backups_page(5))
    pages = BackupSearch(wire.client).pages_of_backups(JOB_ID)

    for read in (1, 2):
        next(pages)
        time.sleep(0.1)
        assert len(wire.requests) == read + 1

    pages.close()
    time.sleep(0.1)
    assert len(wire.requests) == 3


@pytest.mark.parametrize("breaks_off", [b"{", b"", EndpointConnectionError(endpoint_url="https://aws.example")])
def test_an_error_comes_where_it_belongs_after_the_pages_before_it(breaks_off: Answer) -> None:
    wire = Wire("backupsearch", backups_page(0, more="next"), breaks_off)
    pages = BackupSearch(wire.client).pages_of_backups(JOB_ID)

    assert len(next(pages).listed) == 2
    with pytest.raises(AwsCallFailed, match=f"Listing the backups of search job {JOB_ID} failed"):
        next(pages)
    assert len(wire.requests) == 2


@pytest.mark.parametrize("cycle", [["a", "a"], ["a", "b", "a"]])
def test_a_page_token_that_comes_back_is_an_error(cycle: list[str]) -> None:
    with pytest.raises(AwsCallFailed, match=r"gave a page token of the backups of search job .* a second time"):
        list(search(*(backups_page(0, more=token) for token in cycle)).pages_of_backups(JOB_ID))


@pytest.mark.parametrize(
    "body",
    [
        b'{"Results": [null]}',
        b'{"Results": {}}',
        b'{"Results": "x"}',
        b'{"Results": [{"Status": "FAILED", "StatusMessage": {"is": "no text"}}]}',
        b'{"Results": [{"BackupCreationTime": 1e18}]}',
        b"[1]",
        b"null",
        b"\xff",
        b'{"Results": [{"BackupCreationTime": "soon"}]}',
    ],
)
def test_an_answer_of_another_shape_is_a_sentence(body: bytes) -> None:
    with pytest.raises(AwsCallFailed, match=f"Listing the backups of search job {JOB_ID} failed"):
        list(search(body).pages_of_backups(JOB_ID))


# One search job


@pytest.mark.parametrize("identifier", ["../../../summary", "x/summary.json", "", "0a1b2c3d\n"])
def test_an_identifier_from_aws_that_is_none_never_becomes_a_key(identifier: str) -> None:
    with pytest.raises(SearchCoverageError, match="expected the UUID of a search job"):
        search(JOB | {"SearchJobIdentifier": identifier}).search_job(JOB_ID)


@pytest.mark.parametrize("body", [b"{}", b"[1]", b"", b"\xff"])
def test_a_search_job_of_which_aws_gives_no_status_is_an_error(body: bytes) -> None:
    with pytest.raises(AwsCallFailed, match=f"Reading search job {JOB_ID} failed"):
        search(body).search_job(JOB_ID)


@pytest.mark.parametrize(
    "filters",
    [
        {"S3ItemFilters": [{"CreationTimes": [{"Value": JANE}]}]},
        {"S3ItemFilters": [{"Sizes": JANE}]},
        {"S3ItemFilters": [{"ObjectKeys": [{"Value": "x", "Operator": {JANE: 1}}]}]},
        {"EBSItemFilters": {JANE: JANE}},
        JANE,
    ],
    ids=range(5),
)
def test_filters_of_another_shape_are_a_sentence_that_does_not_quote_them(filters: object) -> None:
    with pytest.raises(AwsCallFailed, match="failed: AWS answered with something unexpected") as error:
        search(JOB | {"ItemFilters": filters}).search_job(JOB_ID)

    refuse_planted(str(error.value), "the error")


def test_a_search_job_that_aws_forgot_is_said_to_be_forgotten() -> None:
    with pytest.raises(SearchJobUnknown, match="forgets a search job 7 days after its end"):
        search(response({"message": "no"}, 404, "ResourceNotFoundException")).search_job(JOB_ID)


@pytest.mark.parametrize(
    "content",
    [
        {"ObjectKeys": [{"Value": f"{JANE}/\u00ff"}]},  # one byte of it gets lost below
        {"CreationTimes": [{"Value": JANE, "Operator": "EQUALS_TO"}]},
        {"Sizes": [{"Value": JANE, "Operator": "EQUALS_TO"}]},
        {"Sizes": JANE},
    ],
    ids=lambda content: next(iter(content)),
)
def test_filters_that_cannot_be_read_are_not_quoted(content: dict[str, Any]) -> None:
    body = json.dumps(JOB | {"ItemFilters": {"S3ItemFilters": [content]}}, ensure_ascii=False).encode()

    with pytest.raises(AwsCallFailed, match="AWS answered with something unexpected") as refused:
        search(body.replace("\u00ff".encode(), b"\xff")).search_job(JOB_ID)

    assert JANE not in f"{refused.value!r} {refused.value.__cause__!r}"


# Search jobs under a customer key


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("AccessDeniedException", f"User: arn:aws:sts::1:assumed-role/r/f may not perform: kms:Decrypt on {KEY}"),
        ("AccessDeniedException", "The ciphertext refers to a key that does not exist or that you may not access."),
        ("AccessDeniedException", f"Access to {KEY} was denied."),
        ("AccessDeniedException", "Cannot decrypt the search job."),
        ("KMSAccessDeniedException", "No."),
    ],
)
@pytest.mark.parametrize("key_arn", [KEY, None])
def test_a_search_job_whose_key_may_not_be_used_says_which_and_names_the_setting(
    key_arn: str | None, code: str, message: str
) -> None:
    denied = ClientError({"Error": {"Code": code, "Message": message}}, "ListSearchJobBackups")

    with pytest.raises(SearchKeyDenied) as caught, reading_search_job("Listing them", key_arn):
        raise denied

    sentence = str(caught.value)
    assert f"ListSearchJobBackups answered {code}: {message.removesuffix('.')}. The search job is encrypted" in sentence
    named = KEY if key_arn or KEY in message else "that AWS does not name here"
    assert f"use it: the key {named}. Add its ARN to the setting searchKeyArns" in sentence


@pytest.mark.parametrize("operation", ["GetSearchJob", "ListSearchJobBackups"])
def test_both_calls_recognize_that_the_key_may_not_be_used(operation: str) -> None:
    denied = search(response({"message": f"kms:Decrypt on {KEY}"}, 403, "AccessDeniedException"))

    with pytest.raises(SearchKeyDenied, match=f"{operation} answered AccessDeniedException"):
        denied.search_job(JOB_ID) if operation == "GetSearchJob" else list(denied.pages_of_backups(JOB_ID, KEY))


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "AccessDeniedException",
            "User: arn:aws:sts::1:assumed-role/key-user/kms-f may not perform: backup-search:Get",
        ),
        ("AccessDeniedException", "No."),
        ("ValidationException", "The key is wrong."),
    ],
)
def test_an_error_that_is_not_about_a_key_names_no_key(code: str, message: str) -> None:
    with pytest.raises(AwsCallFailed) as caught:
        search(response({"message": message}, 400, code)).search_job(JOB_ID)

    assert type(caught.value) is AwsCallFailed
    assert "searchKeyArns" not in str(caught.value)


@pytest.mark.parametrize("error", [TypeError(), ValueError(), KeyError(), AttributeError(), OverflowError()])
def test_an_error_of_shape_while_an_answer_is_read_is_an_error_of_aws(error: Exception) -> None:
    with pytest.raises(AwsCallFailed, match="failed: AWS answered with something unexpected"), reading("Reading"):
        raise error
