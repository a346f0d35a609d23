"""Checks that the report function can use the customer keys that encrypt search jobs."""

from typing import Any, Final

from botocore.exceptions import ClientError

from cli.aws_errors import is_missing
from cli.deployment import Deployment
from cli.doctor.checks.rights import evaluates_conditions, refusals_of
from cli.doctor.finding import Finding, attention, ok, unknown
from cli.doctor.needs import key_of_a_search_job
from cli.doctor.section import Section
from search_coverage.aws.backup_search import BackupSearch

_JOBS_READ: Final = 50  # only GetSearchJob names the key of a search job: one call per job


def check(deployment: Deployment) -> Finding:
    """Read the latest search jobs, and ask IAM about the keys that they name."""
    client = deployment.client("backupsearch")
    known = BackupSearch(client).search_jobs().jobs
    latest = sorted(known, key=lambda job: job.creation_time or deployment.now(), reverse=True)[:_JOBS_READ]
    keys = {key: job.identifier for job in latest if (key := _key_of(client, job.identifier))}
    jobs = f"the {len(latest)} latest of {len(known)}" if len(latest) < len(known) else f"the {len(known)}"
    if not keys:
        return ok(f"None of {jobs} search jobs that AWS knows is encrypted with a customer key.")
    iam, role = deployment.client("iam"), deployment.function("ReportFunctionName")["Role"]
    refused = [
        f"{key} (search job {identifier})"
        for key, identifier in keys.items()
        if list(refusals_of(iam, role, key_of_a_search_job(key, deployment.region), deployment.region))
    ]
    if not refused:
        return ok(f"The report function can use all {len(keys)} keys of {jobs} search jobs that AWS knows.")
    named = ", ".join(refused)
    if not evaluates_conditions(iam):
        found = f"This IAM ignores conditions, so it cannot say whether the report function can use {named}."
        return unknown(found, "Check whether the setting searchKeyArns lists it", Section.SEARCH_KEYS)
    found = f"The report function cannot use {named}, so AWS probably refuses to return such search jobs."
    return attention(found, "Add it to the setting searchKeyArns, and deploy", Section.SEARCH_KEYS)


def _key_of(client: Any, identifier: str) -> str | None:
    try:
        key: str | None = client.get_search_job(SearchJobIdentifier=identifier).get("EncryptionKeyArn")
    except ClientError as error:
        if is_missing(error):  # AWS has deleted the search job in the meantime
            return None
        raise
    return key
