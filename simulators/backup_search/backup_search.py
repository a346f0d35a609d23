"""The operations of ``backup-search`` that search jobs need, over the account's search jobs."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

from simulators.backup_search.account import Account
from simulators.backup_search.field_types import ScenarioError
from simulators.backup_search.model_values import check_one_of, check_value
from simulators.backup_search.protocol import ServiceError
from simulators.backup_search.rows import Rows, backup_members, result_members, result_runs, runs_of
from simulators.backup_search.scenario import Scenario
from simulators.backup_search.search_jobs import SearchJob
from simulators.backup_search.simulated_service import DEFAULT_PAGE, Input, Output, SimulatedService

_ARN = re.compile(r"arn(:[^:]*){4}:.+")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_RESULTS = ("S3ResultItem", "EBSResultItem")
_CONCURRENT_SEARCH_JOBS = 10


class BackupSearch(SimulatedService):
    """AWS Backup search, as far as search jobs go. Which errors it answers was seen on AWS (aws-facts.md §2)."""

    name = "backupsearch"
    invalid_input_code = "ValidationException"

    def __init__(self, account: Account) -> None:
        super().__init__(account)
        self._started: dict[str, tuple[Input, str]] = {}
        self._rows = lru_cache(maxsize=64)(self._make_rows)

    def list_search_jobs(self, given: Input) -> Output:
        """Answer ListSearchJobs: the latest job first; a job that starts between two pages moves nothing."""
        now = self._account.clock()
        wanted = given.get("ByStatus")
        listing = f"ListSearchJobs({wanted or ''})"
        page, position = self._place(listing, given)
        jobs = [
            job
            for job in self._account.search_jobs.known(now)
            if wanted in {None, job.status(now)} and (position is None or job.order < tuple(position))
        ]
        size = given.get("MaxResults", DEFAULT_PAGE)
        members = self.structure("SearchJobSummary").members
        summaries = [
            {name: value for name, value in self._details(job).items() if name in members} for job in jobs[:size]
        ]
        next_position = jobs[size - 1].order if len(jobs) > size else None
        return self._page(listing, page, {"SearchJobs": summaries}, next_position)

    def get_search_job(self, given: Input) -> Output:
        """Answer GetSearchJob."""
        return self._details(self._job(given))

    def list_search_job_backups(self, given: Input) -> Output:
        """Answer ListSearchJobBackups; while the search runs, the list ends at the row that it has reached."""
        job = self._job(given)
        now = self._account.clock()
        total = job.scenario.rows if job.ended(now) else job.backups_scanned(now)
        return self._results("SearchJobBackupsResult", given, total, lambda start, stop: runs_of(job, start, stop, now))

    def list_search_job_results(self, given: Input) -> Output:
        """Answer ListSearchJobResults: what the search has found so far.

        Whether a FAILED or a STOPPED job keeps its results is unknown; here it does.
        """
        job = self._job(given)
        total = job.results_found(self._account.clock())
        return self._results("ResultItem", given, total, partial(result_runs, job.scenario))

    def list_tags_for_resource(self, given: Input) -> Output:
        """Answer ListTagsForResource for search jobs; AWS does not document what a job without tags has.

        Here it has no Tags: a client that can do without them can do with an empty mapping (INF).
        """
        arn = given["ResourceArn"]
        if not _ARN.fullmatch(arn):
            raise ServiceError("ValidationException", f"Invalid resource ARN: {arn}")
        job = self._account.search_jobs.find(arn.rpartition("/")[2], self._account.clock())
        if job is None or arn != self._account.search_job_arn(job.identifier):
            raise _error("ResourceNotFoundException", f"{arn} was not found", arn)
        return {"Tags": dict(job.tags)} if job.tags else {}

    def start_search_job(self, given: Input) -> Output:
        """Answer StartSearchJob; the same ClientToken with the same input returns the same job."""
        client_token = given.get("ClientToken")
        job = self._started_with(client_token, given)
        if job is None:
            self._check_quota()
            scenario = self._account.scenario_of(given.get("Name"))
            job = self._account.search_job(scenario, self._account.clock(), given["SearchScope"])
            job = replace(
                job,
                name=given.get("Name"),
                item_filters=given.get("ItemFilters", job.item_filters),
                tags=given.get("Tags", job.tags),
                encryption_key_arn=given.get("EncryptionKeyArn"),
            )
            self._account.search_jobs.add(job)
            if client_token is not None:
                self._started[client_token] = (given, job.identifier)
        details = self._details(job)
        return {name: details[name] for name in ("SearchJobArn", "CreationTime", "SearchJobIdentifier")}

    def stop_search_job(self, given: Input) -> Output:
        """Answer StopSearchJob; a job that is stopping already continues to stop."""
        job = self._job(given)
        now = self._account.clock()
        if job.ended(now):
            message = f"Search job {job.identifier} is {job.status(now)} and cannot be stopped"
            raise _error("ConflictException", message, job.identifier)
        self._account.search_jobs.stop(job, now)
        return {}

    def check(self, scenario: Scenario) -> None:
        """Raise a ScenarioError if a scenario will send what the model does not know, except statuses."""
        where = scenario.where
        check_one_of(f"{where}: resource_type", scenario.resource_type, self.enum("ResourceType"))
        self.check_item_filters(f"{where}: item_filters", scenario.item_filters)
        job_shape = self.structure("GetSearchJobOutput")
        optional = [name for name in job_shape.members if name not in job_shape.required_members]
        _check_omitted(f"{where}: omit", scenario.omit, optional)
        members = list(self.structure("SearchJobBackupsResult").members)
        for number, group in enumerate(scenario.backups, 1):
            _check_omitted(f"{where}: backups[{number}].omit", group.omit, members)
        members = [name for shape in _RESULTS for name in self.structure(shape).members]
        for number, result in enumerate(scenario.results, 1):
            place = f"{where}: results[{number}]"
            _check_omitted(f"{place}.omit", result.omit, list(dict.fromkeys(members)))
            # A search of the vaults shows its rows later.
            if not scenario.selects and result.backup > scenario.rows:
                raise ScenarioError(f"{place}.backup must be a row, from 1 to {scenario.rows}, not {result.backup}.")

    def check_item_filters(self, where: str, item_filters: Mapping[str, Any]) -> None:
        """Raise a ScenarioError if these are not ItemFilters of the model."""
        check_value(where, item_filters, self.structure("ItemFilters"))

    def _job(self, given: Input) -> SearchJob:
        identifier = given["SearchJobIdentifier"]
        if not _UUID.fullmatch(identifier):
            raise ServiceError("ValidationException", f"Invalid search job identifier: {identifier}")
        job = self._account.search_jobs.find(identifier.lower(), self._account.clock())
        if job is None:
            raise _error("ResourceNotFoundException", f"Search job {identifier} was not found", identifier)
        return job

    def _details(self, job: SearchJob) -> Output:
        now = self._account.clock()
        totals = job.scenario.totals
        done = job.progress(now)
        members = {
            "Name": job.name,
            "SearchScopeSummary": {
                "TotalRecoveryPointsToScanCount": totals.recovery_points_to_scan,
                "TotalItemsToScanCount": totals.items_to_scan,
            },
            "CurrentSearchProgress": {
                "RecoveryPointsScannedCount": int(done * (totals.recovery_points_scanned or 0)),
                "ItemsScannedCount": int(done * (totals.items_scanned or 0)),
                "ItemsMatchedCount": int(done * (totals.items_matched or 0)),
            },
            "StatusMessage": job.status_message(now),
            "EncryptionKeyArn": job.encryption_key_arn,
            "CompletionTime": job.ends_at if job.ended(now) else None,
            "Status": job.status(now),
            "SearchScope": job.search_scope,
            "ItemFilters": job.item_filters,
            "CreationTime": job.created_at,
            "SearchJobIdentifier": job.identifier,
            "SearchJobArn": self._account.search_job_arn(job.identifier),
        }
        return {name: value for name, value in members.items() if value is not None and name not in job.scenario.omit}

    def _results(
        self, shape: str, given: Input, total: int, runs: Callable[[int, int], Iterable[tuple[Any, range]]]
    ) -> Output:
        """Return a page of one of a search job's lists, which has so many rows of this shape."""
        identifier = self._job(given).identifier
        listing = f"{shape} of {identifier}"
        page, position = self._place(listing, given)
        start = position or 0
        stop = min(start + given.get("MaxResults", DEFAULT_PAGE), total)
        rows = self._rows(shape, identifier).json(runs(start, stop), nulls=self._account.sends_nulls)
        return self._page(listing, page, {"Results": rows}, stop if stop < total else None)

    def _make_rows(self, shape: str, identifier: str) -> Rows:
        job = self._job({"SearchJobIdentifier": identifier})
        members = backup_members if shape == "SearchJobBackupsResult" else result_members
        names = {**self._account.names, **job.names}
        return Rows(self, shape, partial(members, job.scenario, job.created_at), names)

    def _started_with(self, client_token: str | None, given: Input) -> SearchJob | None:
        before, identifier = self._started.get(client_token or "", (None, ""))
        job = self._account.search_jobs.find(identifier, self._account.clock())
        if job is not None and before != given:
            raise _error("ConflictException", f"ClientToken {client_token} was used with other input", job.identifier)
        return job

    def _check_quota(self) -> None:
        now = self._account.clock()
        running = sum(not job.ended(now) for job in self._account.search_jobs.known(now))
        if self._account.enforce_quotas and running >= _CONCURRENT_SEARCH_JOBS:
            message = f"There are {running} search jobs already; the quota is {_CONCURRENT_SEARCH_JOBS} at a time"
            error = _error("ServiceQuotaExceededException", message, "search-job")
            error.members["serviceCode"] = self.signing_name
            raise error


def _error(code: str, message: str, resource_id: str) -> ServiceError:
    return ServiceError(code, message, resourceId=resource_id, resourceType="search-job")


def _check_omitted(key: str, names: tuple[str, ...], allowed: list[str]) -> None:
    for name in names:
        if name not in allowed:
            raise ScenarioError(f"{key} names {name!r}; allowed: {', '.join(allowed)}.")
