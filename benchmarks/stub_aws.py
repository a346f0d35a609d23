"""S3, SNS, EventBridge and DynamoDB as far as the functions call them: correct enough for botocore, and fast.

It stores nothing: what is put is read and counted. Only the listing of a bucket has content.
"""

import json
import threading
from bisect import bisect_right
from collections import Counter
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from simulators.quiet_server import QuietServer

_KEYS_PER_PAGE = 1000
_ETAG = '"00000000000000000000000000000000"'
_ID = "00000000-0000-4000-8000-000000000000"
_S3 = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
_PUBLISHED = (
    '<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">'
    f"<PublishResult><MessageId>{_ID}</MessageId></PublishResult>"
    f"<ResponseMetadata><RequestId>{_ID}</RequestId></ResponseMetadata></PublishResponse>"
)
_NO_SUCH_KEY = "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>"


class StubAws(QuietServer):
    """Listens on a free port of the loopback.

    Attributes:
        calls: How many requests there were, by service and operation.
        keys: What ListObjectsV2 finds, in order.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.calls: Counter[str] = Counter()
        self.keys: list[str] = []
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # headers and body in one packet
    server: StubAws

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def handle_expect_100(self) -> bool:
        """Ask for the body at once: without this, botocore waits one second before it sends the body to S3."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def answer(self) -> None:
        body = self._read_body()
        url = urlsplit(self.path)
        query = parse_qs(url.query, keep_blank_values=True)
        target = self.headers.get("X-Amz-Target")
        if target:
            self._json_service(target.rsplit(".", 1)[-1], body)
        elif b"Action=Publish" in body[:1000]:
            self._send("SNS Publish", 200, _PUBLISHED.encode(), "text/xml")
        else:
            self._s3(url.path, query)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = answer  # noqa: N815 - http.server finds them by these names

    def _read_body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(chunks)

    def _json_service(self, operation: str, body: bytes) -> None:
        answers: dict[str, Any] = {}
        if operation == "PutEvents":
            entries = json.loads(body)["Entries"]
            answers = {"FailedEntryCount": 0, "Entries": [{"EventId": _ID} for _ in entries]}
        elif operation == "BatchGetItem":
            answers = {"Responses": {}, "UnprocessedKeys": {}}
        service = "EventBridge" if operation == "PutEvents" else "DynamoDB"
        self._send(f"{service} {operation}", 200, json.dumps(answers).encode(), "application/x-amz-json-1.1")

    def _s3(self, path: str, query: dict[str, list[str]]) -> None:
        bucket, _, key = path.strip("/").partition("/")
        match self.command:
            case "GET" if not key:
                self._send("S3 ListObjectsV2", 200, self._listing(bucket, query), "application/xml")
            case "GET" | "HEAD":
                self._send(f"S3 {self.command.title()}Object", 404, _NO_SUCH_KEY.encode(), "application/xml")
            case "PUT":
                self._send("S3 UploadPart" if "partNumber" in query else "S3 PutObject", 200)
            case "DELETE":
                self._send("S3 AbortMultipartUpload" if "uploadId" in query else "S3 DeleteObject", 204)
            case _ if "uploads" in query:
                self._send_multipart("CreateMultipartUpload", "InitiateMultipartUploadResult", bucket, key)
            case _:
                self._send_multipart("CompleteMultipartUpload", "CompleteMultipartUploadResult", bucket, key)

    def _send_multipart(self, operation: str, element: str, bucket: str, key: str) -> None:
        inside = f"<Bucket>{escape(bucket)}</Bucket><Key>{escape(key)}</Key><UploadId>{_ID}</UploadId>"
        text = f"<{element} {_S3}>{inside}<ETag>{escape(_ETAG)}</ETag></{element}>"
        self._send(f"S3 {operation}", 200, text.encode(), "application/xml")

    def _listing(self, bucket: str, query: dict[str, list[str]]) -> bytes:
        prefix, after = (query.get(name, [""])[0] for name in ("prefix", "start-after"))
        after = query.get("continuation-token", [after])[0]
        keys = [key for key in self.server.keys[bisect_right(self.server.keys, after) :] if key.startswith(prefix)]
        page, more = keys[:_KEYS_PER_PAGE], len(keys) > _KEYS_PER_PAGE
        contents = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<ETag>{escape(_ETAG)}</ETag><Size>1000</Size><StorageClass>STANDARD</StorageClass></Contents>"
            for key in page
        )
        token = f"<NextContinuationToken>{escape(page[-1])}</NextContinuationToken>" if more else ""
        return (
            f"<ListBucketResult {_S3}><Name>{escape(bucket)}</Name><Prefix>{escape(prefix)}</Prefix>"
            f"<KeyCount>{len(page)}</KeyCount><MaxKeys>{_KEYS_PER_PAGE}</MaxKeys>"
            f"<IsTruncated>{str(more).lower()}</IsTruncated>{token}{contents}</ListBucketResult>"
        ).encode()

    def _send(self, operation: str, status: int, content: bytes = b"", content_type: str = "") -> None:
        with self.server.lock:
            self.server.calls[operation] += 1
        self.send_response(status)
        if content_type:
            self.send_header("Content-Type", content_type)
        self.send_header("ETag", _ETAG)
        self.send_header("x-amzn-RequestId", _ID)
        if status != 204:
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
