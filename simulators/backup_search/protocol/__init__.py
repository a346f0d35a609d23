"""The rest-json protocol, and EC2's, driven by AWS's own service models.

moto reads EC2's forms, routes requests and writes answers. What moto does not do is here: it takes input that breaks
the model's constraints, it leaves out null members, and it answers every error without ``Retry-After`` and, where the
model gives no status, with 400.
"""

from moto.core.request import Request

from simulators.backup_search.protocol.reading import InvalidInputError, read_input
from simulators.backup_search.protocol.rendering import (
    RenderedJson,
    Reply,
    ServiceError,
    render_error,
    render_json,
    render_output,
)
from simulators.backup_search.protocol.service import Service, service_of

__all__ = [
    "InvalidInputError",
    "RenderedJson",
    "Reply",
    "Request",
    "Service",
    "ServiceError",
    "read_input",
    "render_error",
    "render_json",
    "render_output",
    "service_of",
]
