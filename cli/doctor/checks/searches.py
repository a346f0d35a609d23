"""Checks that AWS Backup search answers, and that each search job that ended has its report."""

from datetime import datetime, timedelta
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, UnknownEndpointError
from botocore.exceptions import ConnectionError as NoConnection

from cli.aws_errors import is_denied, summarize
from cli.deployment import Deployment
from cli.doctor.finding import Finding, ok, wrong
from cli.doctor.section import Section
from search_coverage.aws.backup_search import BackupSearch
from search_coverage.aws.report_bucket import ReportBucket
from search_coverage.coverage.search_job import ENDED, SearchJob
from search_coverage.names import Variable

_OVERDUE_AFTER: Final = timedelta(hours=1)
_OLDEST_KNOWN: Final = timedelta(days=8)  # AWS deletes a search job 7 days after its end (docs/aws-facts.md §2)
_NAMED: Final = 3


def answers(deployment: Deployment) -> Finding:
    """Check that AWS Backup lists search jobs."""
    try:
        deployment.client("backupsearch").list_search_jobs(MaxResults=1)
    except (NoConnection, HTTPClientError, UnknownEndpointError):
        found = f"AWS Backup search is not reachable in Region {deployment.region}."
        remedy = "Check that the Region has AWS Backup search, and that this network can reach it"
        return wrong(found, remedy, Section.SWEEPS_FAIL)
    except (ClientError, BotoCoreError) as error:
        if isinstance(error, ClientError) and is_denied(error):
            raise
        found = f"AWS Backup search does not list the search jobs: {summarize(error)}."
        return wrong(found, "Wait and check again; if it stays, the sweeps fail as well", Section.SWEEPS_FAIL)
    return ok(f"It lists the search jobs of Region {deployment.region}.")


def overdue(deployment: Deployment) -> Finding:
    """Compare the search jobs that ended with the reports in the bucket, as a sweep does."""
    variables = deployment.function("WatchFunctionName")["Environment"]["Variables"]
    wanted = set(variables[Variable.SEARCH_JOB_STATUSES].split(","))
    known = BackupSearch(deployment.client("backupsearch")).search_jobs()
    if known.broken_off:
        raise known.broken_off
    ended = [job for job in known.jobs if job.is_terminal and (job.status in wanted or job.status not in ENDED)]
    now = deployment.now()
    bucket = ReportBucket(deployment.client("s3"), deployment.output("ReportBucketName"))
    reported = bucket.reported(ended, (now - _OLDEST_KNOWN).date()) if ended else set()
    missing = [job.identifier for job in ended if job.identifier not in reported and _is_overdue(job, now)]
    if missing:
        named = ", ".join(missing[:_NAMED]) + (f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else "")
        found = f"{len(missing)} of {len(ended)} search jobs that ended more than an hour ago have no report, or one"
        remedy = "Find out why, before AWS deletes them; after an outage or a deployment, check again in some minutes"
        return wrong(f"{found} whose messages are pending: {named}.", remedy, Section.OVERDUE)
    return ok(f"None; AWS knows {len(ended)} search jobs that ended and get a report.")


def _is_overdue(job: SearchJob, now: datetime) -> bool:
    """Whether the report is late. A job without any date counts as late."""
    moment = job.completion_time or job.creation_time
    return moment is None or now - moment >= _OVERDUE_AFTER
