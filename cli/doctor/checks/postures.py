"""Checks when the last posture was taken, and whether it was whole."""

import json
from datetime import datetime, timedelta
from typing import Final

from cli.deployment import Deployment
from cli.doctor.checks.functions import NO_POSTURE
from cli.doctor.finding import Finding, attention, ok, wrong
from cli.doctor.section import Section
from search_coverage.names import SUMMARY_JSON
from search_coverage.report.posture.keys import day_prefix, postures_prefix

_LOOK_BACK: Final = timedelta(days=8)
_TOLERANCE: Final = timedelta(days=6)
"""Two of the longest intervals; the alarm "PostureMissing" knows the real one."""


def check(deployment: Deployment) -> Finding:
    """Look for the newest summary of a posture."""
    if "PostureFunctionName" not in deployment.outputs:
        return NO_POSTURE
    s3, bucket, now = deployment.client("s3"), deployment.output("ReportBucketName"), deployment.now()
    prefix = postures_prefix(deployment.account, deployment.region)
    after = day_prefix(deployment.account, deployment.region, (now - _LOOK_BACK).date())
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix, StartAfter=after)
    keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
    summaries = [key for key in keys if key.endswith(f"/{SUMMARY_JSON}")]
    if not summaries:
        if now - deployment.stack["CreationTime"] < timedelta(hours=1):
            found = "No posture so far; the stack was created a short time ago."
            return attention(found, "Wait a few minutes, and check again", Section.POSTURE_MISSING)
        return wrong("There is no posture of the last week.", "Find out why none is taken", Section.POSTURE_MISSING)
    summary = json.loads(s3.get_object(Bucket=bucket, Key=summaries[-1])["Body"].read())
    taken = datetime.fromisoformat(summary["takenAt"])
    said = f"The last posture is of {taken:%Y-%m-%d %H:%M} UTC"
    if summary["status"] != "COMPLETE":
        problem = (summary["problems"] or ["no reason given"])[0]
        return attention(f"{said}, and did not read all vaults: {problem}", "Remove the cause", Section.POSTURE_MISSING)
    if now - taken > _TOLERANCE:
        return wrong(f"{said}.", "Find out why no later one is taken", Section.POSTURE_MISSING)
    sources = summary["sources"]
    return ok(f"{said}: {sources['newestSearchable']} of {sources['total']} sources can be searched.")
