"""A service as its model describes it: which operations it has, and which one a request means."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Self
from urllib.parse import parse_qs, unquote

from botocore.exceptions import UnknownServiceError
from botocore.loaders import create_loader
from botocore.model import OperationModel, ServiceModel, Shape, StructureShape

from simulators.backup_search.protocol import ec2_query
from simulators.backup_search.protocol.message import Request

_LOADER = create_loader()  # one for all: it keeps the models that it has read, and that of EC2 is large

_COMMON_ERRORS = {"AccessDeniedException": 403, "ThrottlingException": 400}
"""Errors that a service may answer with although its model does not have them, and their HTTP statuses, as AWS's pages
on common errors say. Of ``backup`` these are the usual ones."""


@dataclass(frozen=True, slots=True)
class Route:
    """The method and the URI template of one operation.

    Attributes:
        operation: The operation's model.
        method: The HTTP method.
        path: Matches a raw path and captures its labels.
        labels: The names of the captured labels, in order.
        literals: How many characters of the template are not labels; the more, the more specific is the route.
        query: Literal query parameters that the template asks for (``?delete``).
    """

    operation: OperationModel
    method: str
    path: re.Pattern[str]
    labels: tuple[str, ...]
    literals: int
    query: Mapping[str, list[str]]

    @classmethod
    def of(cls, operation: OperationModel) -> Self:
        """Returns the route that the model's ``http`` trait describes."""
        template, _, query = operation.http["requestUri"].partition("?")
        labels: list[str] = []
        pattern = ""
        literals = 0
        # A trailing slash makes no difference between two operations, so it is not asked for.
        for part in re.split(r"(\{[^}]+\})", template.rstrip("/")):
            if part.startswith("{"):
                greedy = part.endswith("+}")
                labels.append(part.strip("{+}"))
                pattern += "(.+)" if greedy else "([^/]+)"
            else:
                literals += len(part)
                pattern += re.escape(part)
        return cls(
            operation=operation,
            method=operation.http["method"],
            path=re.compile(pattern + "/?"),
            labels=tuple(labels),
            literals=literals,
            query=parse_qs(query, keep_blank_values=True),
        )

    def match(self, request: Request) -> dict[str, str] | None:
        """Returns the decoded labels if the request is for this operation, else None."""
        found = self.path.fullmatch(request.path) if request.method == self.method else None
        if found is None or any(name not in request.query for name in self.query):
            return None
        return {label: unquote(text) for label, text in zip(self.labels, found.groups(), strict=True)}


class Service:
    """One AWS service that speaks rest-json, or EC2.

    Attributes:
        name: botocore's name of the service.
        model: botocore's service model.
        is_ec2: Whether it speaks EC2's protocol.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        description = _LOADER.load_service_model(name, "service-2")
        self.model = ServiceModel(description, name)
        self._faults = {shape for shape, content in description["shapes"].items() if content.get("fault")}
        protocol = self.model.metadata["protocol"]
        self.is_ec2 = protocol == ec2_query.NAME
        if not self.is_ec2 and "rest-json" not in self.model.metadata.get("protocols", [protocol]):
            raise UnknownServiceError(service_name=name, known_service_names="services that speak rest-json, and ec2")
        self._common_errors = ec2_query.COMMON_ERRORS if self.is_ec2 else _COMMON_ERRORS
        self._pagination = _LOADER.load_service_model(name, "paginators-1")["pagination"]

    @property
    def signing_name(self) -> str:
        """The service's name in the credential scope of a signature."""
        return str(self.model.signing_name)

    @cached_property
    def routes(self) -> tuple[Route, ...]:
        """All routes, the most specific first."""
        routes = (Route.of(self.model.operation_model(name)) for name in self.model.operation_names)
        return tuple(sorted(routes, key=lambda route: (-len(route.query), -route.literals)))

    def match(self, request: Request) -> tuple[OperationModel, dict[str, str]] | None:
        """Returns the operation that a request means, and its URI labels; None if no operation has such a route."""
        if self.is_ec2:
            action = ec2_query.form_of(request).get("Action") if request.path == "/" else None
            return (self.model.operation_model(action), {}) if action in self.model.operation_names else None
        for route in self.routes:
            labels = route.match(request)
            if labels is not None:
                return route.operation, labels
        return None

    def structure(self, name: str) -> StructureShape:
        """Returns the model's structure of this name.

        Raises:
            TypeError: The model has a shape of this name, but it is no structure.
        """
        shape: Shape = self.model.shape_for(name)
        if not isinstance(shape, StructureShape):
            raise TypeError(f"{name} of {self.name} is no structure but a {shape.type_name}")
        return shape

    def input_members(self, operation: str) -> frozenset[str]:
        """Returns the members of an operation's input."""
        shape = self.model.operation_model(operation).input_shape
        return frozenset() if shape is None else frozenset(shape.members)

    @cached_property
    def errors(self) -> dict[str, StructureShape]:
        """The shape of every error of the service, by its code."""
        if self.is_ec2:
            return {}
        shapes = (self.structure(shape.name) for shape in self.model.error_shapes)
        return {str(shape.error_code): shape for shape in shapes}

    @property
    def error_codes(self) -> frozenset[str]:
        """The codes of all errors of the service, those that every service has among them."""
        return frozenset(self.errors) | frozenset(self._common_errors)

    def error_status(self, code: str) -> int:
        """Returns the HTTP status of an error.

        An error that the model gives no status has the protocol's own: 500 if the service is to blame, else 400.

        Raises:
            KeyError: The service has no such error code.
        """
        shape = self.errors.get(code)
        if shape is None:
            return self._common_errors[code]
        default = 500 if shape.name in self._faults else 400
        return int(shape.metadata.get("error", {}).get("httpStatusCode", default))

    def page_tokens(self, operation: str) -> tuple[str, str] | None:
        """Returns the input and the output member that carry the page token; None if the operation has no pages."""
        pages = self._pagination.get(operation)
        return None if pages is None else (pages["input_token"], pages["output_token"])


def service_of(request: Request, services: Iterable[Service]) -> tuple[Service, ...]:
    """Returns the services that a request may be for: the one it is signed for, or all if it is not signed.

    Two services may share a route (``/tags/{arn}``); on AWS the host name tells them apart, here the signature does.
    """
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request", request.headers.get("authorization", ""))
    return tuple(service for service in services if scope is None or service.signing_name == scope[1])
