"""Checks when the last posture was taken, and whether it was whole, without reading it."""

from datetime import datetime, timedelta
from typing import Final

from cli.deployment import Deployment
from cli.doctor.finding import Finding, attention, ok, unknown, wrong, wrong_if_missing
from cli.doctor.log_lines import last_error, last_line, log_group
from cli.doctor.schedules import interval
from cli.doctor.section import Section
from search_coverage.coverage.posture import PostureStatus
from search_coverage.names import POSTURE_DONE, SUMMARY_JSON
from search_coverage.report.posture.keys import day_prefix, postures_prefix

# As the alarm "PostureMissing": two intervals, of which the longest that the setting allows is three days.
_INTERVALS: Final = 2
_LONGEST: Final = timedelta(days=3)

_DAWDLING: Final = timedelta(hours=1)
"""How much later than its mark the log may say that a posture is done; its clock is another one."""


def check(deployment: Deployment) -> Finding:
    """Look for the mark of the newest posture in the bucket, and for its line in the log."""
    group, now = log_group(deployment, "PostureFunctionName"), deployment.now()
    tolerance = _INTERVALS * (interval(deployment, "PostureScheduleName") or _LONGEST)
    taken = _newest_mark(deployment, now - tolerance)
    with wrong_if_missing(f"log group {group}"):
        if taken is None or now - taken > tolerance:
            error = last_error(deployment, group, taken or now - tolerance)
            return _missing(taken, error, is_new=now - deployment.stack["CreationTime"] < tolerance)
        line = last_line(deployment, group, POSTURE_DONE, taken - _DAWDLING)
    said = f"The last posture is of {taken:%Y-%m-%d %H:%M} UTC"
    if line is None:
        found = f"{said}, and the log does not say whether it read all vaults."
        return unknown(found, f"Read its {SUMMARY_JSON}", Section.POSTURE_MISSING)
    status, sources = line[1].get("status"), line[1].get("sources", {})
    if status != PostureStatus.COMPLETE:
        remedy = f"Read the problems in its {SUMMARY_JSON}, and remove the cause"
        return attention(f"{said}, and did not read all vaults.", remedy, Section.POSTURE_MISSING)
    return ok(f"{said}: {sources.get('newestSearchable')} of {sources.get('total')} sources can be searched.")


def _newest_mark(deployment: Deployment, since: datetime) -> datetime | None:
    """Return when the newest summary since a day was written; None if there is none."""
    prefix = postures_prefix(deployment.account, deployment.region)
    after = day_prefix(deployment.account, deployment.region, since.date())
    pages = (
        deployment.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=deployment.output("ReportBucketName"), Prefix=prefix, StartAfter=after)
    )
    entries = (entry for page in pages for entry in page.get("Contents", []))
    return max((entry["LastModified"] for entry in entries if entry["Key"].endswith(f"/{SUMMARY_JSON}")), default=None)


def _missing(taken: datetime | None, error: str, *, is_new: bool) -> Finding:
    found = f"The last posture is of {taken:%Y-%m-%d %H:%M} UTC" if taken else "There is no posture of the last days"
    if error:
        return wrong(f"{found}. The last error since then: {error}", "Remove the cause", Section.POSTURE_FAILED)
    if taken is None and is_new:
        found = "No posture so far; the stack was created a short time ago."
        return attention(found, "Wait a few minutes, and check again", Section.POSTURE_MISSING)
    return wrong(f"{found}, and the log has no error since.", "Find out why none is taken", Section.POSTURE_MISSING)
