"""A function of ours with everything that belongs to it: its log group, its role, and nothing it does not use."""

from collections.abc import Mapping, Sequence
from typing import Final, cast

from aws_cdk import Acknowledgment, Duration, RemovalPolicy, Size, Validations
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from aws_cdk.aws_lambda_destinations import SqsDestination
from constructs import Construct

from infra.python_bundle import ARCHITECTURE, RUNTIME
from infra.settings import Settings
from search_coverage.names import METRICS_NAMESPACE, SERVICE

POWERTOOLS: Final = {
    "POWERTOOLS_SERVICE_NAME": SERVICE,
    "POWERTOOLS_METRICS_NAMESPACE": METRICS_NAMESPACE,
    "POWERTOOLS_LOG_LEVEL": "INFO",
}


class PythonFunction(Construct):
    """A Lambda function, its log group with a retention, and a role that allows what is listed and no more.

    The role's statements stand inside the role, not in policies that are attached later: the function exists only
    once it may do all it needs. And the CDK cannot add to them, because its own grants give more than we use
    (`grant_put` three actions for one, `SqsDestination` the reading of the queue's attributes).

    Attributes:
        function: The function.
        role: Its role.
    """

    def __init__(  # noqa: PLR0913  # a bill of materials
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        code: lambda_.Code,
        handler: str,
        description: str,
        environment: Mapping[str, str],
        statements: Sequence[iam.PolicyStatement],
        timeout: Duration,
        memory_megabytes: int,
        reserved_concurrency: int,
        retry_attempts: int,
        max_event_age: Duration,
        temporary_storage: Size | None = None,
        failure_queue: sqs.IQueue | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        log_group = logs.LogGroup(
            self,
            "Logs",
            removal_policy=RemovalPolicy.DESTROY,
        )
        # The CDK names the periods ("TWO_WEEKS"); the settings give them in days, as CloudWatch does.
        cast("logs.CfnLogGroup", log_group.node.default_child).retention_in_days = settings.log_retention_days
        self.role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Search Coverage: {description}",
            inline_policies={
                "WhatTheFunctionCalls": iam.PolicyDocument(
                    statements=[
                        *statements,
                        iam.PolicyStatement(
                            sid="WriteItsLog",
                            actions=["logs:CreateLogStream", "logs:PutLogEvents"],
                            resources=[log_group.log_group_arn],
                        ),
                        iam.PolicyStatement(
                            sid="SendTraces",
                            actions=["xray:PutTraceSegments", "xray:PutTelemetryRecords"],
                            resources=["*"],  # X-Ray has no resources for these
                        ),
                    ]
                )
            },
        )
        Validations.of(self.role).acknowledge(
            Acknowledgment(
                id="AwsSolutions-IAM5[Resource::*]",
                reason=(
                    "X-Ray's two write actions, and backup-search:ListSearchJobs of the watch function, take no "
                    "resource: AWS accepts nothing but * for them (Service Authorization Reference)."
                ),
            )
        )
        self.function = lambda_.Function(
            self,
            "Function",
            description=description,
            runtime=RUNTIME,
            architecture=ARCHITECTURE,
            code=code,
            handler=handler,
            environment={**environment, **POWERTOOLS},
            role=self.role.without_policy_updates(),
            log_group=log_group,
            tracing=lambda_.Tracing.ACTIVE,
            timeout=timeout,
            memory_size=memory_megabytes,
            ephemeral_storage_size=temporary_storage,
            reserved_concurrent_executions=reserved_concurrency if settings.reserved_concurrency else None,
            retry_attempts=retry_attempts,
            max_event_age=max_event_age,
            on_failure=SqsDestination(failure_queue) if failure_queue else None,
        )
        Validations.of(self.function).acknowledge(
            Acknowledgment(
                id="AwsSolutions-L1",
                reason=(
                    "Python 3.13 is what the dependencies are locked, bundled and tested for; Lambda supports it to "
                    "2029-06. A newer runtime is a change of its own, with its own test run."
                ),
            )
        )
