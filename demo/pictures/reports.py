"""The reports of the demo's search jobs, made by the report function's own code, at a fixed time, without a bucket."""

import json
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import create_autospec, patch

from search_coverage.aws import clients
from search_coverage.aws.backup_search import BackupSearch
from search_coverage.aws.backup_vaults import BackupVaults
from search_coverage.aws.search_results import SearchResults
from search_coverage.aws.snapshots import Snapshots
from search_coverage.coverage.verdict import InventoryStatus
from search_coverage.names import REPORT_HTML, SUMMARY_JSON
from search_coverage.report.mail.alert import NotifyOn
from search_coverage.use_cases.keep_results import KeepResults
from search_coverage.use_cases.notifier import Notifier
from search_coverage.use_cases.ports import (
    AlertsTopic,
    FileStore,
    Leases,
    ReportEvents,
    ReportStore,
    SentDigests,
    StoredSummary,
)
from search_coverage.use_cases.report_search_job import ReportSearchJob
from search_coverage.use_cases.take_inventory import TakeInventory
from simulators.backup_search import BackupSimulator, Scenario, load_scenarios

SEARCHED_AGAIN = "quarterly-audit-again"
"""The name of the report that closes the gap of another one."""

_SCENARIOS = Path(__file__).parents[1] / "scenarios"
_NOW = datetime(2026, 11, 20, 9, 5, 30, tzinfo=UTC)
_ACCOUNT, _REGION = "111122223333", "eu-central-1"
_IDENTIFIERS = uuid.UUID("5ea2c4c0-0000-4000-8000-000000000000")
_SDK = {
    "AWS_ACCESS_KEY_ID": "none",
    "AWS_SECRET_ACCESS_KEY": "none",
    "AWS_DEFAULT_REGION": _REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
}
_STOPPED = "stopped-by-hand"
_STOPPED_AFTER = timedelta(seconds=5)


class ReportsNotMade(Exception):
    """A report does not show what it should."""


@dataclass(frozen=True, slots=True)
class Mail:
    """What a person receives."""

    subject: str
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a person receives about a search job.

    Attributes:
        page: report.html.
        mail: The mail where ``notifyOn`` is ALWAYS; by default not every report is mailed.
    """

    page: str
    mail: Mail


def demo_reports() -> dict[str, Report]:
    """Make the report of each of the demo's search jobs, by its name.

    After them, the search that left out what has no index is made again, with the same question, when it has one. Its
    report is the one of ``SEARCHED_AGAIN``.

    Raises:
        ReportsNotMade: The vaults could not be compared, or there is no mail.
    """
    reports = {}
    files: dict[str, bytes] = {}
    scenarios = load_scenarios(_SCENARIOS)
    with BackupSimulator(scenarios=scenarios, clock=_now, account=_ACCOUNT, region=_REGION) as simulator:
        variables = {**_SDK, "AWS_ENDPOINT_URL": simulator.endpoint_url}
        now = simulator.account.clock
        with patch.dict(os.environ, variables):
            for scenario in scenarios:
                identifier = _end_search_job(simulator, scenario, scenario.name)
                reports[scenario.name] = _report(identifier, files, now)
            _create_indexes(simulator)
            (scenario,) = (scenario for scenario in scenarios if SEARCHED_AGAIN.startswith(scenario.name))
            reports[SEARCHED_AGAIN] = _report(_end_search_job(simulator, scenario, SEARCHED_AGAIN), files, now)
    return reports


def _create_indexes(simulator: BackupSimulator) -> None:
    """Index what is in the vaults of scenarios, and let a day pass."""
    account = simulator.account
    for group in account.vaults.groups():
        if group.index.status is None and group.is_indexable:
            for number in group.numbers:
                account.indexing.create(group, number, account.clock())
    simulator.move_clock(timedelta(days=1))


def _end_search_job(simulator: BackupSimulator, scenario: Scenario, name: str) -> str:
    """Add a search job of the demo that ended a moment ago, under an identifier that follows from a name."""
    identifier = str(uuid.uuid5(_IDENTIFIERS, name))
    account, now = simulator.account, simulator.account.clock()
    if scenario.name == _STOPPED:
        created = now - _STOPPED_AFTER - scenario.stops_for
        job = account.search_job(scenario, created, None)
        job = replace(job, stop_requested_at=created + _STOPPED_AFTER)
    else:
        job = account.search_job(scenario, now - scenario.runs_for, None)
    account.search_jobs.add(replace(job, identifier=identifier))
    return identifier


def _report(identifier: str, files: dict[str, bytes], now: Callable[[], datetime]) -> Report:
    """Make a report with the report function's use case, whose files and messages stay in memory.

    Args:
        files: Those of all reports, by key.
        now: Returns the time.
    """
    topic = create_autospec(AlertsTopic, instance=True)
    topic.publish.return_value = "kept"
    sent = create_autospec(SentDigests, instance=True)
    sent.message_id.return_value = None
    results = create_autospec(FileStore, instance=True)
    results.name = f"search-coverage-results-{_ACCOUNT}"
    results.put_file.return_value = "kept"
    bucket = _bucket(files)
    reporting = ReportSearchJob(
        search=BackupSearch(clients.backup_search()),
        bucket=bucket,
        leases=create_autospec(Leases, instance=True),
        notifier=Notifier(topic, sent, NotifyOn.ALWAYS, bucket.name),
        bus=create_autospec(ReportEvents, instance=True),
        take_inventory=TakeInventory(lambda: BackupVaults(clients.backup()), lambda: Snapshots(clients.ec2()), now).run,
        keep_results=KeepResults(SearchResults(clients.backup_search()), results, at_most=1_000_000),
        keep_item_filters=True,
        now=now,
    )
    outcome = reporting.run(identifier, replay=False, request_id="", seconds_left=lambda: 900.0)
    folder, _, _ = outcome.event_detail["summaryKey"].rpartition("/")
    messages = [call.args[0] for call in topic.publish.call_args_list]
    mails = [Mail(message.subject, text) for message in messages if (text := json.loads(message.body).get("email"))]
    inventory = json.loads(files[f"{folder}/{SUMMARY_JSON}"])["inventory"]
    if inventory["status"] != InventoryStatus.COMPLETE or not mails:
        raise ReportsNotMade(f"The report of search job {identifier} is not what it should be: {inventory['message']}")
    return Report(files[f"{folder}/{REPORT_HTML}"].decode(), mails[-1])


def _bucket(files: dict[str, bytes]) -> ReportStore:
    """Return a bucket whose objects are these files."""
    bucket = create_autospec(ReportStore, instance=True)
    bucket.name = f"search-coverage-reports-{_ACCOUNT}"
    bucket.put_file.side_effect = lambda key, path, *_, **__: files.update({key: path.read_bytes()})
    for put in (bucket.put_summary, bucket.put_json):
        put.side_effect = lambda key, content, *_, **__: files.update({key: json.dumps(content).encode()})
    bucket.put_summary_line.return_value = "not kept"
    bucket.summary.side_effect = lambda key: StoredSummary(json.loads(files[key]), "", "") if key in files else None
    bucket.get_file.side_effect = lambda key, path: path.write_bytes(files[key])
    bucket.keys_after.side_effect = lambda key, _: sorted(
        other for other in files if other.rpartition("/")[0] == key.rpartition("/")[0] and other > key
    )
    kept: ReportStore = bucket
    return kept


def _now() -> datetime:
    return _NOW
