"""The saved queries about questions, cases and what changed, each over a few reports."""

from simulators.backup_search import Scope
from tests.integration.athena import Reports, backup, left_out, reports, searched, simulator, source

__all__ = ["reports", "simulator"]  # fixtures

INVOICES, MAIL, ALL = (Scope(source_arns=(source("invoices"),)), Scope(source_arns=(source("mail"),)), Scope())


def test_all_searches_of_a_case_come_with_their_question_and_the_checksums_of_their_files(reports: Reports) -> None:
    # Given three searches, of which two belong to a case, whatever the name of the tag
    first = reports.of_search(5, searched("invoices"), left_out("invoices"), scope=INVOICES, tags={"case": "4711"})
    reports.of_search(6, searched("mail"), scope=MAIL, tags={"case": "4712"})
    reports.of_search(6, searched("mail"), scope=MAIL)
    last = reports.of_search(7, searched("invoices"), scope=INVOICES, tags={"requester": "x", "ticket": "4711"})

    columns = "date search_job_id sources resource_types item_filters verdict excluded closes_previous"
    assert reports.answer("searches-of-a-case", columns, about="4711") == [
        ("2026-10-07", last, source("invoices"), "S3", "", "COMPLETE", 0, True),
        ("2026-10-05", first, source("invoices"), "S3", "", "PARTIAL", 1, None),
    ]
    summary = reports.deployment.summary(first)
    assert summary
    (row,) = [row for row in reports.athena().answer("searches-of-a-case", "4711") if row["search_job_id"] == first]
    assert (row["fingerprint"], row["summary_hash"]) == (summary["searchJob"]["fingerprint"], summary["contentSha256"])
    assert (row["page"], row["page_sha256"]) == (summary["files"]["html"]["key"], summary["files"]["html"]["sha256"])
    assert reports.answer("searches-of-a-case", about="471") == []


def test_only_what_every_search_of_a_question_left_out_was_excluded_every_time(reports: Reports) -> None:
    # Given three searches with one question, which all left out one backup, and two another
    reports.of_search(5, left_out("invoices"), left_out("invoices", 2), scope=INVOICES)
    reports.of_search(6, left_out("invoices", status="STOPPED"), left_out("invoices", 2), scope=INVOICES)
    latest = reports.of_search(7, left_out("invoices"), searched("invoices"), scope=INVOICES, name="third")
    # And a question that was asked once
    reports.of_search(8, left_out("mail"), scope=MAIL)

    columns = "search_job_name searches backup_arn source_resource_arn reasons"
    assert reports.answer("excluded-every-time", columns) == [
        ("third", 3, backup("invoices"), source("invoices"), "NOT_FINISHED, PERMISSION_DENIED")
    ]
    (since,) = {row["excluded_since"] for row in reports.deployment.json_rows(latest)}
    assert reports.answer("excluded-every-time", "excluded_since") == [(since,)]
    assert since.startswith("2026-10-05")


def test_the_first_whole_search_of_a_source_had_it_in_its_scope_and_was_complete(reports: Reports) -> None:
    # Given a bucket that the second search with it in scope searched whole, one only by a search of everything,
    # and one that was never searched whole
    reports.of_search(5, searched("invoices"), left_out("invoices"), scope=INVOICES)
    reports.of_search(6, searched("mail"), left_out("mail"), scope=MAIL)
    whole = reports.of_search(7, searched("invoices"), scope=INVOICES)
    reports.of_search(8, searched("elsewhere"), scope=Scope(tags={"stage": "prod"}))
    everything = reports.of_search(9, searched("invoices"), searched("mail"), scope=ALL)
    reports.of_search(10, searched("vol-1"), left_out("vol-1"), scope=ALL, resource_type="EBS")

    columns = "source_arn resource_type first_searched_whole search_job_id searches"
    assert reports.answer("first-time-searched-whole", columns) == [
        (source("invoices"), "S3", "2026-10-07", whole, 3),
        (source("mail"), "S3", "2026-10-09", everything, 2),
        (source("vol-1"), "EBS", None, None, 1),
    ]


def test_a_search_of_other_sources_is_none_to_check(reports: Reports) -> None:
    reports.of_search(5, searched("invoices"), left_out("invoices"), scope=INVOICES)
    reports.of_search(6, searched("mail"), scope=MAIL)
    assert reports.answer("never-searched-whole", "searched_whole searches_to_check") == [("NEVER", 0)]

    reports.of_search(7, searched("mail"), scope=ALL)
    assert reports.answer("never-searched-whole", "searched_whole searches_to_check") == [("NOT KNOWN", 1)]


def test_what_changed_is_there_for_each_search_with_a_previous_one(reports: Reports) -> None:
    first = reports.of_search(5, left_out("invoices"), left_out("invoices", 2), searched("invoices"), scope=INVOICES)
    second = reports.of_search(6, left_out("invoices"), left_out("invoices", 3), searched("invoices"), scope=INVOICES)
    third = reports.of_search(7, searched("invoices"), scope=INVOICES)

    columns = "search_job_id previous_search_job_id closed newly_excluded still_excluded not_in_this_search"
    assert reports.answer("changed-since-the-previous-search", columns) == [
        (third, second, True, 0, 0, 2),
        (second, first, False, 1, 1, 1),
    ]


def test_who_relied_on_a_search_with_a_gap_is_told_while_it_is_open_and_when_it_is_closed(reports: Reports) -> None:
    # Given a question that is still open, one that was closed, and one that never had a gap
    first = reports.of_search(
        5, searched("invoices"), left_out("invoices"), scope=INVOICES, tags={"requester": "team-a"}
    )
    second = reports.of_search(
        6, searched("invoices"), left_out("invoices"), scope=INVOICES, tags={"requester": "team-b", "case": "4711"}
    )
    closed = reports.of_search(6, searched("mail"), left_out("mail"), scope=MAIL, tags={"requester": "team-c"})
    reports.of_search(7, searched("mail"), scope=MAIL, tags={"requester": "team-d"})
    reports.of_search(8, searched("elsewhere"), scope=ALL, tags={"requester": "team-e"})

    answer = reports.answer("who-should-be-told", "state tag_values search_job_id verdict excluded closed")

    assert [(state, set(tags.split(", ")), *others) for state, tags, *others, _ in answer] == [
        ("OPEN", {"team-a"}, first, "PARTIAL", 1),
        ("OPEN", {"team-b", "4711"}, second, "PARTIAL", 1),
        ("CLOSED", {"team-c"}, closed, "PARTIAL", 1),
    ]
    assert [str(closed)[:10] for *_, closed in answer] == ["None", "None", "2026-10-07"]
