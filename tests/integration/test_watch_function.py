"""The watch function: every search job that has ended and has no report is announced, and none of them for nothing."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import boto3
import pytest

from search_coverage.aws.backup_search import BackupSearch
from search_coverage.coverage.errors import AwsCallFailed, SearchCoverageError
from simulators.backup_search import BackupGroup, Scenario
from tests.integration.conftest import Deployment
from tests.invocation import ACCOUNT, REGION, Context

DONE = Scenario("done", (BackupGroup(count=2), BackupGroup(status="FAILED")))


def announced(deployment: Deployment) -> list[str]:
    events = [e for e in deployment.put_events() if e["detail-type"] == "Search Job State Change"]
    return [event["detail"]["searchJobIdentifier"] for event in events]


def later(deployment: Deployment, span: timedelta, **changes: str) -> dict[str, int]:
    """Sweep in a fresh environment, some time from now."""
    module = deployment.function("watch", **changes)
    moment = datetime.now(UTC) + span
    with patch.object(module, "datetime", wraps=datetime) as clock:
        clock.now.return_value = moment
        result: dict[str, int] = module.handler({}, Context())
    return result


def test_a_search_job_that_ended_is_announced_with_the_event_of_the_contract(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(DONE)

    deployment.sweep()

    (event,) = deployment.put_events()
    assert event["source"] == "search-coverage"
    assert event["detail-type"] == "Search Job State Change"
    arn = f"arn:aws:backup-search:{REGION}:{ACCOUNT}:search-job/{search_job}"
    assert event["resources"] == [arn]
    assert list(event["detail"]) == [
        "searchJobIdentifier",
        "searchJobArn",
        "name",
        "status",
        "creationTime",
        "completionTime",
    ]
    assert event["detail"]["searchJobArn"] == arn
    assert event["detail"]["name"] == "done"
    assert event["detail"]["status"] == "COMPLETED"
    assert event["detail"]["completionTime"].endswith("Z")


@pytest.mark.parametrize("status", ["COMPLETED", "FAILED", "STOPPED", "TIMED_OUT"])
def test_a_search_job_is_announced_however_it_ended(deployment: Deployment, status: str) -> None:
    search_job = deployment.simulator.finish_job(Scenario("ended", (BackupGroup(),), end_status=status))

    deployment.sweep()

    assert announced(deployment) == [search_job]


def test_a_running_search_job_is_not_announced_before_it_ends(deployment: Deployment) -> None:
    deployment.simulator.add_scenario(Scenario("slow", (BackupGroup(),), runs_for=timedelta(minutes=5)))
    boto3.client("backupsearch").start_search_job(Name="slow", SearchScope={"BackupResourceTypes": ["S3"]})

    assert deployment.sweep() == {"known": 1, "ended": 0, "unreported": 0, "announced": 0}
    deployment.simulator.move_clock(timedelta(minutes=6))
    assert deployment.sweep() == {"known": 1, "ended": 1, "unreported": 1, "announced": 1}


def test_a_setting_leaves_out_statuses_but_never_one_that_nobody_knew(deployment: Deployment) -> None:
    deployment.simulator.finish_job(Scenario("stopped", end_status="STOPPED"))
    deployment.simulator.finish_job(Scenario("failed", end_status="FAILED"))
    completed = deployment.simulator.finish_job(DONE)
    timed_out = deployment.simulator.finish_job(Scenario("timed-out", end_status="TIMED_OUT"))

    deployment.sweep(SEARCH_JOB_STATUSES="COMPLETED")

    assert sorted(announced(deployment)) == sorted([completed, timed_out])


def test_a_second_sweep_in_a_fresh_environment_announces_nothing_twice(deployment: Deployment) -> None:
    deployment.simulator.finish_job(DONE)

    first, second = deployment.sweep(), deployment.sweep()

    assert (first["announced"], second["announced"]) == (1, 0)
    assert second["unreported"] == 1
    assert len(announced(deployment)) == 1


def test_a_search_job_whose_report_is_missing_is_announced_again_after_an_hour_and_not_before(
    deployment: Deployment,
) -> None:
    deployment.simulator.finish_job(DONE)
    deployment.sweep()

    assert later(deployment, timedelta(minutes=59))["announced"] == 0
    assert later(deployment, timedelta(minutes=61))["announced"] == 1
    assert later(deployment, timedelta(minutes=119))["announced"] == 0


def test_a_search_job_with_a_report_is_never_announced_again(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(DONE)
    deployment.report({"searchJobIdentifier": search_job})

    swept = later(deployment, timedelta(days=2))

    assert swept == {"known": 1, "ended": 1, "unreported": 0, "announced": 0}


def test_a_report_without_its_mark_counts_as_missing(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(DONE)
    deployment.report({"searchJobIdentifier": search_job})
    (mark,) = [key for key in deployment.stored() if key.endswith("summary.json")]
    deployment.s3.delete_object(Bucket=deployment.bucket, Key=mark)

    assert deployment.sweep()["announced"] == 1


def test_a_lost_event_is_made_good_by_a_later_sweep(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(DONE)
    deployment.sweep()
    deployment.put_events()  # taken from the queue, and lost

    later(deployment, timedelta(hours=1, minutes=1))
    (event,) = deployment.put_events()
    deployment.report(event)

    assert deployment.summary(search_job) is not None
    assert len(deployment.messages(deployment.people)) == 1


def test_after_a_day_without_sweeps_the_next_one_announces_all_oldest_first(deployment: Deployment) -> None:
    ages = [timedelta(days=1), timedelta(days=6), timedelta(hours=1), timedelta(days=3)]
    jobs = {age: deployment.simulator.finish_job(DONE, ended_ago=age) for age in ages}

    deployment.sweep()

    assert announced(deployment) == [jobs[age] for age in sorted(ages, reverse=True)]


def test_a_deleted_record_repeats_an_announcement_and_the_report_stays_one(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(DONE)
    deployment.sweep()
    deployment.forget_idempotency()
    deployment.sweep()

    for event in deployment.put_events():
        deployment.report(event)

    assert deployment.summary(search_job) is not None
    assert len(deployment.messages(deployment.people)) == 1


def test_23_search_jobs_are_announced_in_batches_of_ten_no_faster_than_mail_may_be_sent(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    pauses: list[float] = []
    monkeypatch.setattr("search_coverage.use_cases.sweep_search_jobs.time.sleep", pauses.append)
    jobs = {deployment.simulator.finish_job(DONE) for _ in range(23)}
    module = deployment.function("watch")
    sizes: list[int] = []
    client = module.sweep_search_jobs.bus._client
    client.meta.events.register(
        "provide-client-params.events.PutEvents", lambda params, **_: sizes.append(len(params["Entries"]))
    )

    module.handler({}, Context())

    assert sizes == [10, 10, 3]
    assert pauses == [2.0, 2.0]
    assert set(announced(deployment)) == jobs


def test_what_does_not_fit_into_a_sweep_is_announced_by_the_next(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    for _ in range(23):
        deployment.simulator.finish_job(DONE)

    hurried = deployment.function("watch").handler({}, Context(seconds_left=60, seconds_a_look=14))

    assert hurried["announced"] == 20
    assert deployment.sweep()["announced"] == 3


def test_a_search_job_that_cannot_be_identified_stops_no_other_and_is_told(deployment: Deployment) -> None:
    search_job = deployment.simulator.finish_job(DONE)
    module = deployment.function("watch")
    client = module.sweep_search_jobs.search._client
    list_search_jobs = client.list_search_jobs

    def with_odd_entries(**request: Any) -> Any:
        page = list_search_jobs(**request)
        page["SearchJobs"] += [
            {"Name": "nobody"},
            {**page["SearchJobs"][0], "SearchJobArn": "x"},
            page["SearchJobs"][0],
        ]
        return page

    client.list_search_jobs = with_odd_entries
    with pytest.raises(SearchCoverageError, match=r"AWS lists 2 search jobs that cannot be read.*nobody"):
        module.handler({}, Context())

    assert announced(deployment) == [search_job]


class RefusingBus:
    """Answers PutEvents as EventBridge does when it takes only some of the entries; moto never refuses."""

    def __init__(self, client: Any, refused: int) -> None:
        self._client = client
        self._refused = refused

    def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803 - the SDK's own name
        results: list[dict[str, str]] = [{"EventId": str(number)} for number in range(len(Entries))]
        results[: self._refused] = [{"ErrorCode": "ThrottlingException", "ErrorMessage": "Slow down"}] * self._refused
        if taken := Entries[self._refused :]:
            self._client.put_events(Entries=taken)
        return {"FailedEntryCount": self._refused, "Entries": results}


def test_an_entry_that_was_refused_is_not_recorded_and_goes_out_with_the_next_sweep(deployment: Deployment) -> None:
    jobs = [deployment.simulator.finish_job(DONE, ended_ago=timedelta(hours=age)) for age in (5, 4, 3)]
    module = deployment.function("watch")
    bus = module.sweep_search_jobs.bus
    bus._client = RefusingBus(bus._client, refused=2)

    with pytest.raises(SearchCoverageError, match=r"refused 2 of 3 announcements \(ThrottlingException: Slow down\)"):
        module.handler({}, Context())
    assert announced(deployment) == jobs[2:]

    assert deployment.sweep()["announced"] == 2
    assert announced(deployment) == jobs[:2]


def test_a_sweep_over_nothing_new_costs_two_calls_and_the_next_one_call(deployment: Deployment) -> None:
    for _ in range(3):
        deployment.report({"searchJobIdentifier": deployment.simulator.finish_job(DONE)})
    module = deployment.function("watch")
    calls: list[str] = []
    sweeping = module.sweep_search_jobs
    for owner in (sweeping.search, sweeping.bucket, sweeping.announcements, sweeping.bus):
        owner._client.meta.events.register("before-send", lambda request, **_: calls.append(request.method))

    swept = module.handler({}, Context())

    assert swept == {"known": 3, "ended": 3, "unreported": 0, "announced": 0}
    assert calls == ["GET", "GET"]

    module.handler({}, Context())

    assert calls == ["GET", "GET", "GET"], "what a warm environment has seen in the bucket it does not look up again"


def test_a_sweep_over_no_search_job_costs_one_call(deployment: Deployment) -> None:
    deployment.sweep()

    assert [request.operation for request in deployment.simulator.requests] == ["ListSearchJobs"]


def test_1500_search_jobs_are_listed_to_the_end(deployment: Deployment) -> None:
    for _ in range(1500):
        deployment.simulator.finish_job(Scenario("failed", end_status="FAILED"))

    assert deployment.sweep(SEARCH_JOB_STATUSES="COMPLETED")["known"] == 1500


def test_a_list_of_search_jobs_that_cannot_be_read_fails_the_sweep(deployment: Deployment) -> None:
    deployment.simulator.finish_job(DONE)
    deployment.simulator.faults.add("broken_json", operation="ListSearchJobs")

    with pytest.raises(AwsCallFailed):
        deployment.sweep()

    assert announced(deployment) == []


def test_of_a_list_that_breaks_off_what_was_read_is_announced_and_then_the_sweep_fails(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given two pages of search jobs, of which the second names itself as the next one
    monkeypatch.setattr("search_coverage.aws.backup_search.PAGE_SIZE", 2)
    jobs = {deployment.simulator.finish_job(DONE) for _ in range(7)}
    deployment.simulator.faults.add("token_cycle", operation="ListSearchJobs")

    # When
    with pytest.raises(AwsCallFailed, match=r"a second time.* 4 of the search jobs that were read are announced"):
        deployment.sweep()

    # Then what was read has its event, and the sweep does not count as one that succeeded
    found = announced(deployment)
    assert len(found) == 4
    assert set(found) < jobs
    assert "CloudWatchMetrics" not in capsys.readouterr().out


@pytest.mark.parametrize("moment", ["yesterday", 1e20, {}, float("inf")])
def test_a_search_job_whose_time_cannot_be_read_stops_no_other_and_is_told(
    deployment: Deployment, moment: object
) -> None:
    # Given a list in which one entry has a time that is none
    unreadable, search_job = deployment.simulator.finish_job(DONE), deployment.simulator.finish_job(DONE)
    module = deployment.function("watch")

    def change(response_dict: dict[str, Any], **_: object) -> None:
        page = json.loads(response_dict["body"])
        for entry in page["SearchJobs"]:
            if entry["SearchJobIdentifier"] == unreadable:
                entry["CreationTime"] = moment
        response_dict["body"] = json.dumps(page).encode()

    module.sweep_search_jobs.search._client.meta.events.register_first(
        "before-parse.backupsearch.ListSearchJobs", change
    )

    # When
    with pytest.raises(SearchCoverageError, match=rf"AWS lists 1 search jobs that cannot be read.*{unreadable}"):
        module.handler({}, Context())

    # Then the other is announced
    assert announced(deployment) == [search_job]


def test_a_sweep_ends_in_order_while_dynamodb_hands_back_keys_without_end(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a table that answers for one search job of two, and hands back the other again and again
    monkeypatch.setattr("time.sleep", lambda _: None)
    for _ in range(2):
        deployment.simulator.finish_job(DONE)
    module = deployment.function("watch")
    client, table = module.sweep_search_jobs.announcements._client, deployment.table

    def hand_back(**request: Any) -> Any:
        keys = request["RequestItems"][table]["Keys"]
        return {"Responses": {}, "UnprocessedKeys": {table: {"Keys": keys[-1:]}}}

    client.batch_get_item = hand_back

    # When
    with pytest.raises(SearchCoverageError, match=r"when 1 search jobs were last announced; the next sweep asks again"):
        module.handler({}, Context(seconds_left=60, seconds_a_look=5))

    # Then the sweep has ended by itself, and what it knows is announced
    assert len(announced(deployment)) == 1


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        ({"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}, "answers with 1 entries for 2 events"),
        ({"FailedEntryCount": 0, "Entries": []}, "answers with 0 entries for 2 events"),
        ({"FailedEntryCount": 1, "Entries": [{"EventId": "1"}, {"EventId": "2"}]}, "says that it refused 1"),
        ({"FailedEntryCount": 0, "Entries": [{}, {"EventId": "2"}]}, "gave no id for an event"),
        ({"FailedEntryCount": 0, "Entries": [None, {"EventId": "2"}]}, "gave no id for an event"),
    ],
)
def test_an_answer_of_the_bus_that_cannot_be_right_is_a_refusal(
    deployment: Deployment, answer: dict[str, Any], sentence: str
) -> None:
    # Given
    for _ in range(2):
        deployment.simulator.finish_job(DONE)
    module = deployment.function("watch")
    bus = module.sweep_search_jobs.bus

    class Bus:
        def put_events(self, **_: object) -> dict[str, Any]:
            return answer

    real, bus._client = bus._client, Bus()

    # When
    with pytest.raises(SearchCoverageError, match=sentence):
        module.handler({}, Context())

    # Then what was not surely taken is announced again
    bus._client = real
    announced(deployment)
    module.handler({}, Context())
    assert len(announced(deployment)) == (1 if sentence.startswith("gave") else 2)


def test_what_cannot_be_recorded_keeps_no_other_search_job_from_being_announced(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda _: None)
    jobs = {deployment.simulator.finish_job(DONE) for _ in range(12)}
    module = deployment.function("watch")

    def refuse(**_: object) -> None:
        raise ValueError("no table")

    module.sweep_search_jobs.announcements._client.meta.events.register("before-send.dynamodb.PutItem", refuse)
    with pytest.raises(SearchCoverageError, match=r"no table.*The next sweep announces it again"):
        module.handler({}, Context())

    assert set(announced(deployment)) == jobs


@pytest.mark.parametrize("entry", ["x", 5, [], None, {}])
def test_an_entry_that_is_no_search_job_stops_no_other(deployment: Deployment, entry: object) -> None:
    search_job = deployment.simulator.finish_job(DONE)
    module = deployment.function("watch")

    def add(response_dict: dict[str, Any], **_: object) -> None:
        page = json.loads(response_dict["body"])
        page["SearchJobs"].append(entry)
        response_dict["body"] = json.dumps(page).encode()

    module.sweep_search_jobs.search._client.meta.events.register_first("before-parse.backupsearch.ListSearchJobs", add)
    with pytest.raises(SearchCoverageError, match="AWS lists 1 search jobs that cannot be read"):
        module.handler({}, Context())

    assert announced(deployment) == [search_job]


def test_two_readers_may_share_a_client(deployment: Deployment) -> None:
    deployment.simulator.finish_job(DONE)
    client = boto3.client("backupsearch")

    assert [len(BackupSearch(client).search_jobs().jobs) for _ in range(2)] == [1, 1]


def test_a_list_that_was_read_to_its_end_in_the_last_moment_is_whole(deployment: Deployment) -> None:
    deployment.simulator.finish_job(DONE)

    assert deployment.function("watch").handler({}, Context(seconds_left=20))["announced"] == 1


def test_a_search_job_without_an_end_time_is_announced_and_does_not_stop_the_others(deployment: Deployment) -> None:
    endless = deployment.simulator.finish_job(Scenario("endless", omit=("CompletionTime",)))
    other = deployment.simulator.finish_job(DONE)

    deployment.sweep()

    assert sorted(announced(deployment)) == sorted([endless, other])


def test_a_sweep_that_came_to_its_end_counts_itself(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> None:
    deployment.simulator.finish_job(DONE)

    deployment.sweep()

    (blob,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"CloudWatchMetrics"' in line]
    assert (blob["Sweeps"], blob["SearchJobsUnreported"], blob["SearchJobsAnnounced"]) == ([1.0], [1.0], [1.0])
    assert blob["SearchJobsOverdue"] == [0.0]
    assert blob["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["service"]]


def overdue(deployment: Deployment, capsys: pytest.CaptureFixture[str]) -> float:
    """Sweep, and give how many search jobs the sweep counted as overdue."""
    capsys.readouterr()
    deployment.sweep()
    (blob,) = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"CloudWatchMetrics"' in line]
    (count,) = blob["SearchJobsOverdue"]
    return float(count)


def test_a_search_job_without_a_report_is_overdue_an_hour_after_its_end_and_until_it_has_one(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given one that ended just now, one less than an hour ago, and one more than an hour ago
    deployment.simulator.finish_job(DONE)
    deployment.simulator.finish_job(DONE, ended_ago=timedelta(minutes=58))
    late = deployment.simulator.finish_job(DONE, ended_ago=timedelta(minutes=61))

    # Then the last is overdue, announced or not, until its report is there
    assert [overdue(deployment, capsys), overdue(deployment, capsys)] == [1.0, 1.0]
    deployment.report({"searchJobIdentifier": late})
    assert overdue(deployment, capsys) == 0.0


def test_a_search_job_of_which_nobody_knows_when_it_ended_counts_as_overdue(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.simulator.finish_job(DONE)
    module = deployment.function("watch")
    client = module.sweep_search_jobs.search._client
    list_search_jobs = client.list_search_jobs

    def without_times(**request: Any) -> Any:
        page = list_search_jobs(**request)
        for entry in page["SearchJobs"]:
            del entry["CreationTime"], entry["CompletionTime"]
        return page

    client.list_search_jobs = without_times
    module.handler({}, Context())

    assert '"SearchJobsOverdue":[1.0]' in capsys.readouterr().out


def test_a_status_that_is_to_get_no_report_is_never_overdue(
    deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    deployment.simulator.finish_job(Scenario("stopped", end_status="STOPPED"), ended_ago=timedelta(hours=2))

    deployment.sweep(SEARCH_JOB_STATUSES="COMPLETED")

    assert '"SearchJobsOverdue":[0.0]' in capsys.readouterr().out
