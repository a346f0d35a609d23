"""A service as its model describes it: its operations, the one that a request means, its errors, its page tokens."""

import re
from collections.abc import Iterable
from typing import TypeVar

from botocore.loaders import create_loader
from moto.core.model import OperationModel, ServiceModel, StructureShape
from moto.core.request import Request
from moto.core.routing import PROTOCOL_ROUTERS
from werkzeug.exceptions import NotFound

_S = TypeVar("_S", bound="Service")
_LOADER = create_loader()  # one for all: it keeps the models that it has read, and that of EC2 is large

_COMMON_ERRORS = {"AccessDeniedException": 403, "ThrottlingException": 400}
"""The usual errors of ``backup`` that its model lacks, and their statuses, as AWS's pages on common errors say."""

_EC2_ERRORS = {"InvalidParameterValue": 400, "RequestLimitExceeded": 503, "UnauthorizedOperation": 403}
"""The errors of EC2; its model has no errors at all
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html)."""


class Service:
    """One AWS service that speaks rest-json, or EC2.

    Attributes:
        model: The service model.
        is_ec2: Whether it speaks EC2's protocol.
        errors: The shape of each error in the model, by its code.
        error_statuses: The HTTP status of each error that the service may answer, by its code.
    """

    def __init__(self, name: str) -> None:
        description = _LOADER.load_service_model(name, "service-2")
        self.model = ServiceModel(description, name)
        self.is_ec2 = name == "ec2"
        shapes = [self.structure(shape.name) for shape in self.model.error_shapes]
        self.errors = {str(shape.error_code): shape for shape in shapes}
        self.error_statuses: dict[str, int] = dict(_EC2_ERRORS if self.is_ec2 else _COMMON_ERRORS)
        for code, shape in self.errors.items():
            default = 500 if description["shapes"][shape.name].get("fault") else 400
            self.error_statuses[code] = int(shape.metadata.get("error", {}).get("httpStatusCode", default))
        self._router = PROTOCOL_ROUTERS[str(self.model.protocol)](self.model)

    @property
    def signing_name(self) -> str:
        """The name of the service in the credential scope of a signature."""
        return str(self.model.signing_name)

    def match(self, request: Request) -> tuple[OperationModel, dict[str, str]] | None:
        """Return the operation that a request means, and its URI labels; None if there is no such operation."""
        try:
            operation, labels = self._router.match(request)
        except NotFound:
            return None
        # moto also takes a slash that the client did not encode for a part of the last label.
        path = operation.http_trait.path
        is_encoded = "+}" in path or path.rstrip("/").count("/") == request.raw_path.rstrip("/").count("/")
        return (operation, labels) if is_encoded or self.is_ec2 else None

    def structure(self, name: str) -> StructureShape:
        """Return the structure of this name in the model."""
        shape = self.model.shape_for(name)
        assert isinstance(shape, StructureShape), f"{name} is a {shape.type_name}"  # noqa: S101 - for the type checker
        return shape

    def enum(self, name: str) -> list[str]:
        """Return the values of an enum in the model."""
        return list(getattr(self.model.shape_for(name), "enum", []))

    def input_members(self, operation: str) -> frozenset[str]:
        """Return the members of the input of an operation."""
        shape = self.model.operation_model(operation).input_shape
        return frozenset() if shape is None else frozenset(shape.members)


def service_of(request: Request, services: Iterable[_S]) -> tuple[_S, ...]:
    """Return the services that a request may be for: the one it is signed for, or all if it is not signed.

    Two services may share a route (``/tags/{arn}``). On AWS the host name distinguishes them, here the signature does.
    """
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request", request.headers.get("Authorization", ""))
    return tuple(service for service in services if scope is None or service.signing_name == scope[1])
