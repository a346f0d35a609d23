"""The operations of ``backup-search`` that search jobs need, over the account's search jobs."""

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from botocore.model import ListShape, Shape, StructureShape
from botocore.validate import ParamValidator

from simulators.backup_search.account import Account
from simulators.backup_search.backup_rows import BackupRows, row_of
from simulators.backup_search.errors import ScenarioError
from simulators.backup_search.page_tokens import InvalidTokenError, PageTokens, Place
from simulators.backup_search.protocol import Service, ServiceError
from simulators.backup_search.scenario import Scenario
from simulators.backup_search.search_jobs import SearchJob, order

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DEFAULT_PAGE = 1000
_CONCURRENT_SEARCH_JOBS = 10

Input = Mapping[str, Any]
Output = dict[str, Any]


class BackupSearch:
    """AWS Backup search, as far as search jobs go.

    Attributes:
        service: The service's model.
        operations: What answers each operation.
        invalid_input_code: The error code for input that the model does not allow.
    """

    invalid_input_code = "ValidationException"

    def __init__(self, account: Account, tokens: PageTokens) -> None:
        self.service = Service("backupsearch")
        self.operations: Mapping[str, Callable[[Input], Output]] = {
            "GetSearchJob": self.get_search_job,
            "ListSearchJobBackups": self.list_search_job_backups,
            "ListSearchJobs": self.list_search_jobs,
            "StartSearchJob": self.start_search_job,
            "StopSearchJob": self.stop_search_job,
        }
        self._account = account
        self._tokens = tokens
        self._started: dict[str, tuple[Input, str]] = {}
        self._row_shape = self.service.structure("SearchJobBackupsResult")
        self._rows = lru_cache(maxsize=64)(self._make_rows)

    def list_search_jobs(self, given: Input) -> Output:
        """Answers ListSearchJobs: the latest job first; a job that starts between two pages moves nothing."""
        now = self._account.clock()
        wanted = given.get("ByStatus")
        listing = f"ListSearchJobs({wanted or ''})"
        place = self._place(listing, given)
        jobs = [
            job
            for job in self._account.search_jobs.known(now)
            if wanted in {None, job.status(now)} and (place.position is None or order(job) < tuple(place.position))
        ]
        size = given.get("MaxResults", _DEFAULT_PAGE)
        page = jobs[:size]
        output: Output = {"SearchJobs": [self._summary(job) for job in page]}
        if len(jobs) > size:
            output["NextToken"] = self._tokens.token(listing, Place(place.page + 1, order(page[-1])))
        return output

    def get_search_job(self, given: Input) -> Output:
        """Answers GetSearchJob."""
        return self._details(self._job(given))

    def list_search_job_backups(self, given: Input) -> Output:
        """Answers ListSearchJobBackups; as long as the search goes on, the list ends at the row it has got to."""
        job = self._job(given)
        now = self._account.clock()
        listing = f"ListSearchJobBackups({job.identifier})"
        place = self._place(listing, given)
        start = place.position or 0
        scanned = job.backups_scanned(now)
        total = job.scenario.rows if job.ended(now) else scanned
        stop = min(start + given.get("MaxResults", _DEFAULT_PAGE), total)
        output: Output = {
            "Results": self._rows(job.identifier).json(
                start, stop, stopped_from=scanned, nulls=self._account.wire.nulls
            )
        }
        if stop < total:
            output["NextToken"] = self._tokens.token(listing, Place(place.page + 1, stop))
        return output

    def start_search_job(self, given: Input) -> Output:
        """Answers StartSearchJob; the same ClientToken with the same input gives the same job again."""
        now = self._account.clock()
        client_token = given.get("ClientToken")
        job = self._started_with(client_token, given)
        if job is None:
            self._check_quota()
            scenario = self._account.scenario_of(given.get("Name"))
            job = self._account.search_jobs.add(
                replace(
                    self._account.search_job(scenario, now, given["SearchScope"]),
                    name=given.get("Name"),
                    item_filters=given.get("ItemFilters", {}),
                    encryption_key_arn=given.get("EncryptionKeyArn"),
                )
            )
            if client_token is not None:
                self._started[client_token] = (given, job.identifier)
        details = self._details(job)
        return {name: details[name] for name in ("SearchJobArn", "CreationTime", "SearchJobIdentifier")}

    def stop_search_job(self, given: Input) -> Output:
        """Answers StopSearchJob; a job that is stopping already just goes on stopping."""
        job = self._job(given)
        now = self._account.clock()
        if job.ended(now):
            raise ServiceError(
                "ConflictException",
                f"Search job {job.identifier} is {job.status(now)} and cannot be stopped",
                resourceId=job.identifier,
                resourceType="search-job",
            )
        self._account.search_jobs.stop(job, now)
        return {}

    def check(self, scenario: Scenario) -> None:
        """Checks everything that a scenario will put on the wire against the model, except enums.

        Raises:
            ScenarioError: Something is not as the model has it; the text says what and where.
        """
        where = scenario.origin or f"scenario {scenario.name!r}"
        job_shape = self.service.structure("GetSearchJobOutput")
        types = _values(self.service.model.shape_for("ResourceTypeList"))
        if scenario.resource_type not in types:
            raise ScenarioError(
                f"{where}: resource_type must be one of {', '.join(types)}, not {scenario.resource_type!r}."
            )
        optional = [name for name in job_shape.members if name not in job_shape.required_members]
        _check_names(f"{where}: omit", scenario.omit, optional)
        now = self._account.clock()
        scope = {"BackupResourceTypes": [scenario.resource_type]}
        job = SearchJob(scenario=scenario, name=scenario.name, created_at=now - scenario.runs_for, search_scope=scope)
        _check_shape(where, self._details(job), job_shape)
        _check_shape(where, self._summary(job), self.service.structure("SearchJobSummary"))
        for number, group in enumerate(scenario.backups, 1):
            _check_names(f"{where}: backups[{number}].omit", group.omit, list(self._row_shape.members))
            _check_shape(f"{where}: backups[{number}]", row_of(scenario, group, now), self._row_shape)

    def _job(self, given: Input) -> SearchJob:
        """Returns the job that the input names. Which errors there are was seen on AWS (aws-facts.md §2)."""
        identifier = given["SearchJobIdentifier"]
        if not _UUID.fullmatch(identifier):
            raise ServiceError("ValidationException", f"Invalid search job identifier: {identifier}")
        job = self._account.search_jobs.find(identifier.lower(), self._account.clock())
        if job is None:
            raise ServiceError(
                "ResourceNotFoundException",
                f"Search job {identifier} was not found",
                resourceId=identifier,
                resourceType="search-job",
            )
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

    def _summary(self, job: SearchJob) -> Output:
        wanted = self.service.structure("SearchJobSummary").members
        return {name: value for name, value in self._details(job).items() if name in wanted}

    def _make_rows(self, identifier: str) -> BackupRows:
        job = self._job({"SearchJobIdentifier": identifier})
        return BackupRows(self._row_shape, job.scenario, job.created_at, {**self._account.names, **job.names})

    def _place(self, listing: str, given: Input) -> Place:
        try:
            return self._tokens.place(listing, given.get("NextToken"))
        except InvalidTokenError as error:
            raise ServiceError("ValidationException", str(error)) from error

    def _started_with(self, client_token: str | None, given: Input) -> SearchJob | None:
        before, identifier = self._started.get(client_token or "", (None, ""))
        job = self._account.search_jobs.find(identifier, self._account.clock())
        if job is not None and before != given:
            raise ServiceError(
                "ConflictException",
                f"ClientToken {client_token} was used with other input",
                resourceId=job.identifier,
                resourceType="search-job",
            )
        return job

    def _check_quota(self) -> None:
        now = self._account.clock()
        going_on = sum(not job.ended(now) for job in self._account.search_jobs.known(now))
        if self._account.enforce_quotas and going_on >= _CONCURRENT_SEARCH_JOBS:
            raise ServiceError(
                "ServiceQuotaExceededException",
                f"There are {going_on} search jobs already; the quota is {_CONCURRENT_SEARCH_JOBS} at a time",
                resourceId="search-job",
                resourceType="search-job",
                serviceCode=self.service.signing_name,
            )


def _values(shape: Shape) -> list[str]:
    member = shape.member if isinstance(shape, ListShape) else shape
    return list(getattr(member, "enum", []))


def _check_names(key: str, names: tuple[str, ...], allowed: list[str]) -> None:
    for name in names:
        if name not in allowed:
            raise ScenarioError(f"{key} names {name!r}; allowed: {', '.join(allowed)}.")


def _check_shape(where: str, value: Output, shape: StructureShape) -> None:
    report = ParamValidator().validate(value, shape)
    if report.has_errors():
        raise ScenarioError(f"{where}: {' '.join(report.generate_report().splitlines())}.")
