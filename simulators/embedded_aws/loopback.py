"""Keeps everything on this computer: ports are claimed, and endpoints accepted, on loopback only."""

import errno
import ipaddress
import socket
from urllib.parse import urlsplit

from simulators.embedded_aws.errors import EmulatorError

LOOPBACK = "127.0.0.1"


def claim_port(port: int) -> socket.socket:
    """Binds a TCP port on 127.0.0.1 and gives the bound socket, so that nobody else can take the port meanwhile.

    Args:
        port: The port, or 0 for any free one.

    Raises:
        EmulatorError: The port is in use, or may not be opened.
    """
    claimed = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    claimed.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        claimed.bind((LOOPBACK, port))
    except (OSError, OverflowError) as error:
        claimed.close()
        if getattr(error, "errno", None) == errno.EADDRINUSE:
            raise EmulatorError(
                f"Port {port} on {LOOPBACK} is in use: stop the program that uses it, or choose another port."
            ) from error
        raise EmulatorError(f"Port {port} on {LOOPBACK} cannot be opened: {error}.") from error
    return claimed


def require_loopback(url: str) -> str:
    """Gives the URL back if it is plain HTTP to this computer.

    Raises:
        EmulatorError: The URL leads anywhere else. Nothing started from here may ever reach a real AWS.
    """
    parts = urlsplit(url)
    if parts.scheme == "http" and _is_loopback(parts.hostname):
        return url.rstrip("/")
    raise EmulatorError(
        f"The endpoint {url!r} is refused: the embedded AWS talks to this computer only, "
        f"so it must look like http://{LOOPBACK}:<port>."
    )


def _is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
