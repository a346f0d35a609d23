"""The requests that each role must be allowed to make, derived from the grants in `infra/permissions.py`."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Final, Self

from cli.deployment import Deployment
from infra import permissions
from infra.permissions import ConditionValue, Grant, as_tuple, fill

_SEARCH_JOB: Final = "11111111-2222-3333-4444-555555555555"


@dataclass(frozen=True, slots=True)
class Places:
    """The names of a deployment that the grants leave open.

    Attributes:
        results_bucket: Empty, like its key, where results are not kept.
        log: The log group of the function that has the role; empty for the schedule.
    """

    partition: str
    region: str
    account: str
    bucket: str
    table: str
    topic: str
    scheduled_function: str
    failure_queue: str
    schedule_queue: str
    reports_key: str
    messages_key: str
    results_bucket: str
    results_key: str
    log: str

    @classmethod
    def of(
        cls,
        deployment: Deployment,
        log_group: str = "",
        scheduled: tuple[str, str] = ("WatchFunctionName", "ScheduleDeadLetterQueueUrl"),
    ) -> Self:
        """Read them from the deployment.

        Args:
            scheduled: The outputs of the function that a schedule runs, and of its queue.
        """
        key, results = "AWS::KMS::Key", deployment.outputs.get("ResultsBucketName")
        results_key = deployment.resource(key, named="ResultsStoreKey") if results else ""
        return cls(
            partition=deployment.partition,
            region=deployment.region,
            account=deployment.account,
            bucket=f"arn:{deployment.partition}:s3:::{deployment.output('ReportBucketName')}",
            table=deployment.arn("dynamodb", f"table/{deployment.output('IdempotencyTableName')}"),
            topic=deployment.output("AlertsTopicArn"),
            scheduled_function=deployment.function_arn(scheduled[0]),
            failure_queue=deployment.queue_arn("FailureQueueUrl"),
            schedule_queue=deployment.queue_arn(scheduled[1]),
            reports_key=deployment.arn("kms", f"key/{deployment.resource(key, named='ReportStoreKey')}"),
            messages_key=deployment.arn("kms", f"key/{deployment.resource(key, named='AlertsKey')}"),
            results_bucket=f"arn:{deployment.partition}:s3:::{results}" if results else "",
            results_key=deployment.arn("kms", f"key/{results_key}") if results else "",
            log=deployment.arn("logs", f"log-group:{log_group}"),
        )

    def filled(self) -> Mapping[str, str]:
        """Return a text for each place of a grant, with an example for each wildcard."""
        return {
            **asdict(self),
            "log_streams": f"{self.log}:log-stream:any",
            "search_job": _SEARCH_JOB,
            "report": f"{self.account}/{self.region}/2026/11/20/{_SEARCH_JOB}",
            "posture": f"{self.account}/{self.region}/2026/11/20",
            "plan": _SEARCH_JOB,
            "vault": "Default",
            "recovery_point": _SEARCH_JOB,
            "snapshot": "snap-0123456789abcdef0",
            "any_region": self.region,
        }


@dataclass(frozen=True, slots=True)
class Need:
    """Actions on one resource, with the condition keys of the request.

    Attributes:
        actions: The actions, by their IAM names.
        resource: The resource.
        context: The condition keys; a multivalued key has a tuple.
    """

    actions: tuple[str, ...]
    resource: str
    context: Mapping[str, ConditionValue]

    def at(self, places: Places) -> Self:
        """Fill in the names of a deployment."""
        return self._filled(places.filled())

    def in_region(self, region: str) -> Self:
        """Fill in the Region, for a need that names nothing else."""
        return self._filled({"any_region": region})

    def _filled(self, places: Mapping[str, str]) -> Self:
        return replace(
            self,
            resource=self.resource.format_map(places),
            context={key: fill(value, places) for key, value in self.context.items()},
        )


def _needs(grants: Iterable[Grant]) -> tuple[Need, ...]:
    """Return a request for each resource of each grant, and for each value of its conditions."""
    return tuple(
        Need(grant.actions, resource, dict(context))
        for grant in grants
        for resource in grant.resources
        for context in product(
            *(
                # A request with two entries: a condition without a set operator does not hold for it.
                [(key, (value, value) if operator.startswith("For") else value) for value in as_tuple(values)]
                for operator, pairs in grant.conditions.items()
                if operator != "Null"
                for key, values in pairs.items()
            )
        )
    )


WATCH: Final = _needs(permissions.WATCH)
REPORT: Final = _needs(permissions.report(inventory=False))
INVENTORY: Final = _needs(permissions.INVENTORY)
"""What the report function needs in addition to read the vaults."""
KEEP_RESULTS: Final = _needs(permissions.KEEP_RESULTS)
"""What it needs in addition to keep the results of searches."""
POSTURE: Final = _needs(permissions.POSTURE_FUNCTION)
SCHEDULE: Final = _needs(permissions.SCHEDULE)


def key_of_a_search_job(key_arn: str, region: str) -> Need:
    """Return what the report function needs to read a search job that a customer key encrypts."""
    (need,) = _needs(permissions.read_search_jobs([key_arn]))
    return need.in_region(region)
