"""May the report function use the customer keys that search jobs are encrypted with?"""

from typing import Any, Final

from botocore.exceptions import ClientError

from cli.doctor.aws_answers import is_missing
from cli.doctor.checks.rights import heeds_conditions, refusals_of
from cli.doctor.deployment import Deployment
from cli.doctor.finding import Finding, attention, ok, unknown
from cli.doctor.needs import key_of_a_search_job
from cli.doctor.section import Section
from search_coverage.aws.backup_search import BackupSearch

_READ: Final = 50
"""Only the answer about a single search job names its key; each is a call, of which there should not be many."""


def look(deployment: Deployment) -> Finding:
    """Read the latest search jobs, and ask IAM about the keys that they name."""
    client = deployment.client("backupsearch")
    known = BackupSearch(client).search_jobs().jobs
    latest = sorted(known, key=lambda job: job.creation_time or deployment.now(), reverse=True)[:_READ]
    keys = {key: job.identifier for job in latest if (key := _key_of(client, job.identifier))}
    looked = f"the {len(latest)} latest of {len(known)}" if len(latest) < len(known) else f"the {len(known)}"
    if not keys:
        return ok(f"None of {looked} search jobs that AWS knows is encrypted with a customer key.")
    iam = deployment.client("iam")
    role = deployment.function("ReportFunctionName")["Role"]
    refused = [
        key
        for key in keys
        if list(refusals_of(iam, role, key_of_a_search_job(key, deployment.region), deployment.region))
    ]
    if not refused:
        return ok(f"The report function may use all {len(keys)} keys of {looked} search jobs that AWS knows.")
    named = ", ".join(f"{key} (search job {keys[key]})" for key in refused)
    if not heeds_conditions(iam):
        return unknown(
            f"The IAM that was asked does not heed conditions, so that it is not known of {named}.",
            "See whether the setting searchKeyArns names it",
            Section.SEARCH_KEYS,
        )
    return attention(
        f"The report function may not use {named}, so that AWS very probably refuses to hand such search jobs out.",
        "Add it to the setting searchKeyArns, and deploy",
        Section.SEARCH_KEYS,
    )


def _key_of(client: Any, identifier: str) -> str | None:
    try:
        key: str | None = client.get_search_job(SearchJobIdentifier=identifier).get("EncryptionKeyArn")
    except ClientError as error:
        if is_missing(error):  # AWS forgot it meanwhile
            return None
        raise
    return key
