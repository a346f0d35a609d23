"""A whole report in the operator's bucket, as the report function writes it, with results and filters."""

import json
from typing import Any

import boto3

from search_coverage.coverage.arn import Arn
from search_coverage.coverage.search_result import SearchResult
from tests.examples import JANE, filters_for_jane
from tests.fakes import FAILED, SEARCHED, World
from tests.integration.command_line.operator_aws import ARN, BUCKET, JOB, OperatorAws
from tests.invocation import REGION

RESULTS_BUCKET = "results-bucket"


def store_report(aws: OperatorAws, job: str = JOB, **changes: Any) -> dict[str, Any]:
    """Make a report, and put it into versioned buckets; return its summary."""
    world = World()
    world.keeps_results = world.keep_item_filters = True
    world.tags_of_job = (("case", "CASE-4711"),)
    arn = Arn.parse(ARN.replace(JOB, job))
    found = {"items_matched": 2, "item_filters": filters_for_jane(), **changes}
    world.add_job(identifier=job, arn=arn, **found)
    world.backups = [SEARCHED, FAILED]
    world.results = [SearchResult("S3", "arn:b", path=f"people/{JANE}/{number}") for number in range(2)]
    world.report(identifier=job)
    for bucket in (BUCKET, RESULTS_BUCKET):
        if bucket not in {each["Name"] for each in aws.s3.list_buckets()["Buckets"]}:
            aws.s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
        aws.s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    versions = {
        key: aws.s3.put_object(Bucket=bucket, Key=key, Body=stored.body)["VersionId"]
        for bucket, objects in ((BUCKET, world.bucket.objects), (RESULTS_BUCKET, world.results_bucket.objects))
        for key, stored in objects.items()
    }
    (summary_key,) = [key for key in world.bucket.objects if key.endswith("/summary.json")]
    summary: dict[str, Any] = json.loads(world.bucket.objects[summary_key].body)
    for file in (*summary["files"].values(), *summary["results"]["files"].values()):
        file["versionId"] = versions[file["key"]]
    aws.s3.put_object(Bucket=BUCKET, Key=summary_key, Body=json.dumps(summary, indent=2))
    return summary


def keep_results(stack_name: str) -> None:
    """Give the stack the output that it has with the setting keepResults."""
    cloudformation = boto3.client("cloudformation", REGION)
    template = json.loads(json.dumps(cloudformation.get_template(StackName=stack_name)["TemplateBody"]))
    template["Outputs"]["ResultsBucketName"] = {"Value": RESULTS_BUCKET}
    cloudformation.update_stack(StackName=stack_name, TemplateBody=json.dumps(template))
