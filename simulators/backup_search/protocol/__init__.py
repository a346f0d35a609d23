"""The rest-json protocol, and beside it EC2's, driven by AWS's own service models as botocore ships them.

Routes, wire names and locations, constraints, timestamp formats, error codes and their HTTP statuses are read from the
model; nothing in this folder knows a particular service. Payload blobs, event streams and document types, which
neither ``backup-search`` nor ``backup`` uses, are left out.
"""

from simulators.backup_search.protocol.message import Disruption, Reply, Request
from simulators.backup_search.protocol.reading import InvalidInputError, read_input
from simulators.backup_search.protocol.rendering import (
    RenderedJson,
    ServiceError,
    render_error,
    render_json,
    render_output,
)
from simulators.backup_search.protocol.service import Route, Service, service_of

__all__ = [
    "Disruption",
    "InvalidInputError",
    "RenderedJson",
    "Reply",
    "Request",
    "Route",
    "Service",
    "ServiceError",
    "read_input",
    "render_error",
    "render_json",
    "render_output",
    "service_of",
]
