"""The rest-json protocol, and beside it EC2's, driven by AWS's own service models as botocore ships them.

Routes, wire names and locations, constraints, timestamp formats, error codes and their HTTP statuses are read from the
model; nothing in this folder knows a particular service. Payload blobs, event streams and document types, which
neither ``backup-search`` nor ``backup`` uses, are left out.
"""

from local.backup_simulator.protocol.message import Disruption, Reply, Request
from local.backup_simulator.protocol.reading import InvalidInputError, read_input
from local.backup_simulator.protocol.rendering import (
    RenderedJson,
    ServiceError,
    render_error,
    render_json,
    render_output,
)
from local.backup_simulator.protocol.service import Route, Service, service_of

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
