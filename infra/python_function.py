"""A Lambda function of the product, with its log group and its role."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final, cast

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Size, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from aws_cdk.aws_lambda_destinations import SqsDestination
from constructs import Construct

from infra.permissions import Grant
from infra.python_bundle import ARCHITECTURE, RUNTIME, function_code
from infra.roles import make_role
from infra.settings import Settings
from search_coverage.names import METRICS_NAMESPACE, SERVICE

POWERTOOLS: Final = {
    "POWERTOOLS_SERVICE_NAME": SERVICE,
    "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
    "POWERTOOLS_LOG_LEVEL": "INFO",
}

WHY_THIS_RUNTIME: Final = (
    "The dependencies are locked, bundled and tested for Python 3.13, which Lambda supports until 2029-06. A newer "
    "runtime is a change of its own, with its own test run."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """What a function runs, and within which limits.

    Attributes:
        handler: The Python function that Lambda calls.
        description: What it does, as the end of a sentence.
        timeout: When Lambda stops an invocation.
        memory_megabytes: The memory; the share of a processor grows with it.
        temporary_storage: The size of `/tmp`; None for the default of Lambda.
        concurrency: How many invocations run at once, where the settings allow a reservation.
        retries: How many times Lambda repeats a failed asynchronous invocation.
        max_event_age: How long Lambda keeps an event that waits.
    """

    handler: str
    description: str
    timeout: Duration
    memory_megabytes: int
    temporary_storage: Size | None = None
    concurrency: int
    retries: int
    max_event_age: Duration


class PythonFunction(Construct):
    """A Lambda function, its log group with a retention, and a role that allows what is granted and no more.

    The statements are inline policies of the role, not policies that are attached later: the function exists only
    after it has all of its permissions. The CDK cannot add to them, because its own grants allow more than the
    functions use (`grant_put` three actions for one, `SqsDestination` reading the attributes of the queue).

    Attributes:
        function: The function.
        role: Its role.
    """

    def __init__(  # noqa: PLR0913  # a bill of materials
        self,
        scope: Construct,
        construct_id: str,
        program: Program,
        *,
        settings: Settings,
        environment: Mapping[str, str],
        grants: Iterable[Grant],
        places: Mapping[str, str],
        failure_queue: sqs.IQueue | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = logs.LogGroup(self, "Logs", removal_policy=RemovalPolicy.DESTROY)
        # The CDK names the periods ("TWO_WEEKS"); the settings give them in days, as CloudWatch does.
        cast("logs.CfnLogGroup", log_group.node.default_child).retention_in_days = settings.log_retention_days
        self.role = make_role(
            self,
            "Role",
            grants,
            {**places, "log_streams": log_group.log_group_arn},
            principal=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Search Coverage: {program.description}",
            policy_name="WhatTheFunctionCalls",
        )
        self.function = lambda_.Function(
            self,
            "Function",
            description=program.description,
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            code=function_code(),
            handler=program.handler,
            environment={**environment, **POWERTOOLS},
            role=self.role.without_policy_updates(),
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE,
            timeout=program.timeout,
            memory_size=program.memory_megabytes,
            ephemeral_storage_size=program.temporary_storage,
            reserved_concurrent_executions=program.concurrency if settings.reserved_concurrency else None,
            retry_attempts=program.retries,
            max_event_age=program.max_event_age,
            on_failure=SqsDestination(failure_queue) if failure_queue else None,
        )
        Validations.of(self.function).acknowledge(Acknowledgment(id="AwsSolutions-L1", reason=WHY_THIS_RUNTIME))
