"""Which call of which AWS service an HTTP request is."""

import re
from dataclasses import dataclass
from functools import cache
from urllib.parse import parse_qs, unquote, urlsplit

import botocore.session

_SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/aws4_request")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_RECORD = re.compile(rb'"id": *\{"S": *"(\w+)#')
_REST_MODELS = {"backup-search": "backupsearch", "backup": "backup"}
_S3_OPERATIONS = {"PUT": "PutObject", "DELETE": "DeleteObject", "HEAD": "HeadObject"}


@dataclass(frozen=True, slots=True)
class Request:
    """An HTTP request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def invocation_id(self) -> str:
        """What the SDK gives a call; it sends it again with each of its own retries."""
        return self.headers.get("amz-sdk-invocation-id", "")

    @property
    def service(self) -> str:
        """The name that the request is signed for."""
        scope = _SCOPE.search(self.headers.get("authorization", ""))
        return scope[1] if scope else "unknown"

    @property
    def operation(self) -> str:
        """The operation, by the name it has in the service's model."""
        if "x-amz-target" in self.headers:
            return self.headers["x-amz-target"].rsplit(".", 1)[-1]
        url = urlsplit(self.target)
        if self.service in _REST_MODELS:
            return _rest_operation(self.service, self.method, url.path)
        if self.service == "s3":
            listing = "list-type" in parse_qs(url.query)
            return _S3_OPERATIONS.get(self.method) or ("ListObjectsV2" if listing else "GetObject")
        return parse_qs(self.body.decode()).get("Action", ["unknown"])[0]

    @property
    def subject(self) -> str:
        """What the call is about, without what differs from run to run: the kind of an object, a message, a record."""
        if self.service == "dynamodb":
            record = _RECORD.search(self.body)
            return record[1].decode() if record else ""
        if self.service == "sns":
            return "digest" if b"StringValue=digest" in self.body else "entries"
        if self.service != "s3":
            return ""
        name = unquote(urlsplit(self.target).path).rsplit("/", 1)[-1]
        return _UUID.sub("<search job>", name)


def _rest_operation(service: str, method: str, path: str) -> str:
    for pattern, verb, name in _rest_routes(service):
        if verb == method and pattern.fullmatch(unquote(path)):
            return name
    return f"{method} {path}"


@cache
def _rest_routes(service: str) -> list[tuple[re.Pattern[str], str, str]]:
    model = botocore.session.get_session().get_service_model(_REST_MODELS[service])
    routes = []
    for name in model.operation_names:
        http = model.operation_model(name).http
        path = http["requestUri"].split("?")[0].rstrip("/")
        pattern = re.sub(r"\\\{[^}]*\\\}", "[^/]+", re.escape(path)) + "/?"
        routes.append((re.compile(pattern), http["method"], name))
    return sorted(routes, key=lambda route: -len(route[0].pattern))
