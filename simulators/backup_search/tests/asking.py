"""Requests without a socket."""

from simulators.backup_search.protocol import Request


def request(method: str, target: str, body: bytes = b"", **headers: str) -> Request:
    """Return a request as the server would pass it on."""
    return Request.from_primitives(method, f"http://127.0.0.1{target}", headers, body)
