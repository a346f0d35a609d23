"""Page tokens: opaque to the client, valid for one list only, and impossible to forge."""

import secrets
from dataclasses import dataclass
from typing import Any

from itsdangerous import BadData, URLSafeSerializer


class InvalidTokenError(ValueError):
    """A token that this simulator did not issue, or issued for another list."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: its number, from 1, and the position to continue from (any JSON value, None at first)."""

    page: int = 1
    position: Any = None


class PageTokens:
    """Makes and reads page tokens. The same place of the same list always has the same token."""

    def __init__(self) -> None:
        self._serializer = URLSafeSerializer(secrets.token_bytes(32))

    def token(self, listing: str, place: Place) -> str:
        """Return the token of a place in a list, which is named by the operation and what is listed."""
        return str(self._serializer.dumps([listing, place.page, place.position]))

    def place(self, listing: str, token: str | None) -> Place:
        """Return the place that a token stands for; the beginning for None.

        Raises:
            InvalidTokenError: The token is invalid, or belongs to another list.
        """
        if token is None:
            return Place()
        of, place = self._read(token)
        if of != listing:
            raise InvalidTokenError(f"The page token is one of {of}, not of {listing}")
        return place

    def page(self, token: str | None) -> int:
        """Return the number of the page that a token stands for; 1 for None and for an invalid token."""
        try:
            return 1 if token is None else self._read(token)[1].page
        except InvalidTokenError:
            return 1

    def _read(self, token: str) -> tuple[str, Place]:
        try:
            listing, page, position = self._serializer.loads(token)
        except BadData as error:
            raise InvalidTokenError("The page token is invalid") from error
        return listing, Place(page, position)
