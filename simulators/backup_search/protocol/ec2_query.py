"""EC2's own protocol, a form that is answered in XML; moto writes and reads it, from the same models."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

from botocore.loaders import create_loader
from botocore.model import OperationModel
from moto.core.model import OperationModel as MotosModel
from moto.core.model import ServiceModel
from moto.core.parse import EC2QueryParser
from moto.core.serialize import EC2Serializer

from simulators.backup_search.protocol.message import Reply, Request

NAME = "ec2"
COMMON_ERRORS = {"InvalidParameterValue": 400, "RequestLimitExceeded": 503, "UnauthorizedOperation": 403}
"""What EC2 may answer with; its model has no errors at all
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html)."""


def form_of(request: Request) -> dict[str, str]:
    """Returns the fields of a request."""
    return dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))


def read_form(operation: OperationModel, request: Request) -> dict[str, Any]:
    """Returns an operation's input by member name.

    Raises:
        ValueError: A number is none.
    """
    form: Any = {"values": form_of(request)}
    return EC2QueryParser(_of_moto(operation)).parse(form)


def render_xml(operation: OperationModel, output: Mapping[str, Any]) -> Reply:
    """Returns the reply that carries an operation's output."""
    return Reply(200, str(EC2Serializer(_of_moto(operation)).serialize(output)["body"]).encode())


def render_xml_error(code: str, message: str, status: int) -> Reply:
    """Returns the reply that carries an error."""
    error = f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
    return Reply(status, f"<Response><Errors>{error}</Errors><RequestID>simulated</RequestID></Response>".encode())


def _of_moto(operation: OperationModel) -> MotosModel:
    """Returns the model of an operation as moto has it, which is botocore's with a little more."""
    model: MotosModel = _model().operation_model(operation.name)
    return model


@cache
def _model() -> ServiceModel:
    return ServiceModel(create_loader().load_service_model(NAME, "service-2"), NAME)
