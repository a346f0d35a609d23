"""A deployed stack, as the operator's own credentials see it."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar, Final

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from cli.aws_errors import code_of, message_of
from cli.errors import PartMissing, StackMissing
from search_coverage.names import STACK

QUICK: Final = Config(connect_timeout=5, read_timeout=20, retries={"mode": "standard", "max_attempts": 2})
"""A person waits for the answer: a service that does not answer within seconds is reported."""


@dataclass(frozen=True, slots=True)
class Resource:
    """A resource of the stack, such as `AWS::KMS::Key`: its names in the template and in AWS."""

    type: str
    logical_id: str
    physical_id: str


def _now() -> datetime:
    return datetime.now(UTC)


class Deployment:
    """The stack, and clients to work with it. One session makes all clients, so that tests can observe the calls.

    Attributes:
        stack_name: The name of the stack, which is fixed (`infra/stack.py`).
        identity: One sentence that names the account, the Region and the caller.
        now: Returns the current time, with a time zone.
    """

    stack_name: ClassVar[str] = STACK

    def __init__(
        self,
        session: boto3.session.Session,
        *,
        account: str,
        partition: str = "aws",
        identity: str = "",
        now: Callable[[], datetime] = _now,
    ) -> None:
        self._session = session
        self._clients: dict[tuple[str, Config], Any] = {}
        self._lock = threading.Lock()  # a session is not thread-safe while it makes a client
        self.account = account
        self.region = str(session.region_name)
        self.partition = partition
        self.identity = identity
        self.now = now

    def client(self, service: str, config: Config = QUICK) -> Any:
        """Return the client of a service, by boto3's name for it."""
        with self._lock:
            if (service, config) not in self._clients:
                make: Callable[..., Any] = self._session.client
                self._clients[service, config] = make(service, config=config)
            return self._clients[service, config]

    @cached_property
    def stack(self) -> Mapping[str, Any]:
        """The stack, as CloudFormation describes it."""
        try:
            answer = self.client("cloudformation").describe_stacks(StackName=self.stack_name)
        except ClientError as error:
            if code_of(error) != "ValidationError" or "does not exist" not in message_of(error):
                raise
            place = f"account {self.account}, Region {self.region}"
            raise StackMissing(f"There is no stack {self.stack_name} in {place}.") from error
        stack: Mapping[str, Any] = answer["Stacks"][0]
        return stack

    @cached_property
    def outputs(self) -> Mapping[str, str]:
        """The outputs of the stack."""
        return {output["OutputKey"]: output["OutputValue"] for output in self.stack.get("Outputs", [])}

    @cached_property
    def resources(self) -> list[Resource]:
        """The resources of the stack that exist."""
        pages = self.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=self.stack_name)
        return [
            Resource(each["ResourceType"], each["LogicalResourceId"], each["PhysicalResourceId"])
            for page in pages
            for each in page["StackResourceSummaries"]
            if each.get("PhysicalResourceId")
        ]

    def output(self, name: str) -> str:
        """Return an output of the stack."""
        if name not in self.outputs:
            raise PartMissing(f"The stack has no output {name}.")
        return self.outputs[name]

    def resource(self, resource_type: str, *, named: str = "") -> str:
        """Return the physical id of the one resource of a type whose logical id begins with a name."""
        found = [each.physical_id for each in self.of_type(resource_type) if each.logical_id.startswith(named)]
        if not found:
            raise PartMissing(f"The stack has no resource {named or resource_type}.")
        return found[0]

    def of_type(self, resource_type: str) -> list[Resource]:
        """Return all resources of a type."""
        return [each for each in self.resources if each.type == resource_type]

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of a resource in this account and Region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def function_arn(self, output: str) -> str:
        """Return the ARN of the function whose name is an output."""
        return self.arn("lambda", f"function:{self.output(output)}")

    def queue_arn(self, output: str) -> str:
        """Return the ARN of the queue whose URL is an output."""
        return self.arn("sqs", self.output(output).rsplit("/", 1)[-1])

    def function(self, output: str) -> Mapping[str, Any]:
        """Return the configuration of the function whose name is an output."""
        answer: Mapping[str, Any] = self.client("lambda").get_function_configuration(FunctionName=self.output(output))
        return answer
