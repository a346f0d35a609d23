"""Page tokens: opaque to the client, good for one list only, and impossible to make up."""

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any

_MAC_BYTES = 12


class InvalidTokenError(ValueError):
    """A token that this simulator did not hand out, or not for this list."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins.

    Attributes:
        page: Which page of the list it is, 1 the first.
        position: What the list needs to go on from; any JSON value, None for the beginning.
    """

    page: int = 1
    position: Any = None


class PageTokens:
    """Makes and reads page tokens. The same place of the same list always gives the same token."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def token(self, listing: str, place: Place) -> str:
        """Returns the token of a place in a list, which is named by the operation and what is listed."""
        content = json.dumps([listing, place.page, place.position]).encode()
        return base64.urlsafe_b64encode(self._mac(content) + content).decode()

    def place(self, listing: str, token: str | None) -> Place:
        """Returns the place that a token stands for; the beginning for None.

        Raises:
            InvalidTokenError: The token is none, or one of another list.
        """
        if token is None:
            return Place()
        of, place = self._read(token)
        if of != listing:
            raise InvalidTokenError(f"The page token is one of {of}, not of {listing}")
        return place

    def page(self, token: str | None) -> int:
        """Returns the number of the page that a token stands for; 1 for None and for a token that is none."""
        try:
            return 1 if token is None else self._read(token)[1].page
        except InvalidTokenError:
            return 1

    def _read(self, token: str) -> tuple[str, Place]:
        try:
            decoded = base64.b64decode(token, altchars=b"-_", validate=True)
        except ValueError as error:
            raise InvalidTokenError("The page token is invalid") from error
        mac, content = decoded[:_MAC_BYTES], decoded[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._mac(content)):
            raise InvalidTokenError("The page token is invalid")
        listing, page, position = json.loads(content)
        return listing, Place(page, position)

    def _mac(self, content: bytes) -> bytes:
        return hmac.digest(self._key, content, hashlib.sha256)[:_MAC_BYTES]
