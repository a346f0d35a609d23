"""Does AWS Backup search answer, and does each search job that ended have its report?"""

from datetime import datetime, timedelta
from typing import Final

from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, UnknownEndpointError
from botocore.exceptions import ConnectionError as NoConnection

from cli.doctor.aws_answers import is_denied, told
from cli.doctor.deployment import Deployment
from cli.doctor.finding import Finding, ok, wrong
from cli.doctor.section import Section
from search_coverage.aws.backup_search import BackupSearch
from search_coverage.aws.report_bucket import ReportBucket
from search_coverage.coverage.search_job import ENDED, SearchJob
from search_coverage.names import Variable

_OVERDUE_AFTER: Final = timedelta(hours=1)
_OLDEST_KNOWN: Final = timedelta(days=8)  # AWS forgets a search job 7 days after its end (docs/aws-facts.md §2)
_NAMED: Final = 3


def answers(deployment: Deployment) -> Finding:
    """Ask AWS Backup for a search job."""
    try:
        deployment.client("backupsearch").list_search_jobs(MaxResults=1)
    except (NoConnection, HTTPClientError, UnknownEndpointError):
        return wrong(
            f"AWS Backup search is not reachable in Region {deployment.region}.",
            "See whether there is AWS Backup search in this Region, and whether this network lets you through to it",
            Section.SWEEPS_FAIL,
        )
    except ClientError as error:
        if is_denied(error):
            raise
        return wrong(
            f"AWS Backup search does not list the search jobs: {told(error)}.",
            "Wait and look again; if it stays, so do the sweeps fail",
            Section.SWEEPS_FAIL,
        )
    except BotoCoreError as error:
        return wrong(
            f"AWS Backup search answers with something that is no list of search jobs: {error}".rstrip(".") + ".",
            "Wait and look again; if it stays, so do the sweeps fail",
            Section.SWEEPS_FAIL,
        )
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
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        return wrong(
            f"{len(missing)} of {len(ended)} search jobs ended more than an hour ago and have no report, "
            "or one whose messages are pending: "
            f"{', '.join(missing[:_NAMED])}{more}.",
            "Find out why, before AWS forgets them; if the stack is a few minutes old, or an outage is just over, "
            "look again in some minutes",
            Section.OVERDUE,
        )
    return ok(f"None is overdue; AWS knows {len(ended)} search jobs that ended and get a report.")


def _is_overdue(job: SearchJob, now: datetime) -> bool:
    """Whether a report should be there by now; of a job without any date nobody can say that it still has time."""
    moment = job.completion_time or job.creation_time
    return moment is None or now - moment >= _OVERDUE_AFTER
