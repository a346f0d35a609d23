"""A deployed stack, seen with the operator's own credentials."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar, Final

import boto3
from botocore.config import Config

from search_coverage.names import STACK

PATIENCE: Final = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 2})
"""Somebody waits for the answer: what does not answer within seconds is reported as such."""


class PartMissing(Exception):
    """A part of the stack is not known; the text is a sentence."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of the stack.

    Attributes:
        type: Its type, such as `AWS::KMS::Key`.
        logical_id: Its name in the template.
        physical_id: Its name in AWS.
    """

    type: str
    logical_id: str
    physical_id: str


def _now() -> datetime:
    return datetime.now(UTC)


class Deployment:
    """The stack, and the clients to look at it. All clients are made by one session, so that tests can listen.

    Attributes:
        stack_name: The stack's name; there is no other (`infra/stack.py`).
        account: The account of the credentials.
        region: The Region.
        partition: The partition of the account, `aws` for most.
        now: Gives the current time, aware.
    """

    stack_name: ClassVar[str] = STACK

    def __init__(
        self,
        session: boto3.session.Session,
        *,
        account: str,
        partition: str = "aws",
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._session = session
        self._clients: dict[str, Any] = {}
        self._making = threading.Lock()  # boto3 makes one client at a time
        self.account = account
        self.region = str(session.region_name)
        self.partition = partition
        self.now = now

    def client(self, service: str) -> Any:
        """Give the client of a service, by boto3's name of it."""
        with self._making:
            if service not in self._clients:
                make: Callable[..., Any] = self._session.client
                self._clients[service] = make(service, config=PATIENCE)
            return self._clients[service]

    @cached_property
    def stack(self) -> Mapping[str, Any]:
        """The stack, as CloudFormation describes it."""
        answer = self.client("cloudformation").describe_stacks(StackName=self.stack_name)
        stack: Mapping[str, Any] = answer["Stacks"][0]
        return stack

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """The outputs of the stack."""
        return {output["OutputKey"]: output["OutputValue"] for output in self.stack.get("Outputs", [])}

    @cached_property
    def resources(self) -> list[Resource]:
        """The resources of the stack that were made."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.stack_name)
        return [
            Resource(each["ResourceType"], each["LogicalResourceId"], each["PhysicalResourceId"])
            for page in pages
            for each in page["StackResourceSummaries"]
            if each.get("PhysicalResourceId")
        ]

    def output(self, name: str) -> str:
        """Give an output.

        Raises:
            PartMissing: The stack has none of this name.
        """
        if name not in self.outputs:
            raise PartMissing(f"The stack has no output {name}")
        return self.outputs[name]

    def resource(self, resource_type: str, *, named: str = "") -> str:
        """Give the physical id of the one resource of a type.

        Args:
            resource_type: Its type.
            named: What its logical id begins with, where the stack has several of the type.

        Raises:
            PartMissing: The stack has none.
        """
        found = [each.physical_id for each in self.of_type(resource_type) if each.logical_id.startswith(named)]
        if not found:
            raise PartMissing(f"The stack has no resource {named or resource_type}")
        return found[0]

    def of_type(self, resource_type: str) -> list[Resource]:
        """Give all resources of a type."""
        return [each for each in self.resources if each.type == resource_type]

    def arn(self, service: str, resource: str) -> str:
        """Write the ARN of something in this account and Region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def function_arn(self, output: str) -> str:
        """Write the ARN of the function whose name is an output."""
        return self.arn("lambda", f"function:{self.output(output)}")

    def queue_arn(self, output: str) -> str:
        """Write the ARN of the queue whose URL is an output."""
        return self.arn("sqs", self.output(output).rsplit("/", 1)[-1])

    def function(self, output: str) -> Mapping[str, Any]:
        """Read the configuration of the function whose name is an output."""
        answer: Mapping[str, Any] = self.client("lambda").get_function_configuration(FunctionName=self.output(output))
        return answer
