"""Page tokens: opaque to the client, valid for one list only, and impossible to forge."""

import secrets
from typing import Any

from itsdangerous import BadData, URLSafeSerializer


class InvalidTokenError(ValueError):
    """A token that this simulator did not issue, or issued for another list."""


class PageTokens:
    """Makes and reads page tokens. The same page of the same list always has the same token."""

    def __init__(self) -> None:
        self._serializer = URLSafeSerializer(secrets.token_bytes(32))

    def token(self, listing: str, page: int, position: object) -> str:
        """Return the token of a page (from 1) that begins at a position (any JSON value) of a list."""
        return str(self._serializer.dumps([listing, page, position]))

    def place(self, listing: str, token: str | None) -> tuple[int, Any]:
        """Return the page and the position that a token of this list stands for; 1 and None without a token."""
        of, page, position = self._read(token) if token else (listing, 1, None)
        if of != listing:
            raise InvalidTokenError(f"The page token is one of {of}, not of {listing}")
        return page, position

    def page(self, token: str | None) -> int:
        """Return the page that a token stands for; 1 without a token and for an invalid one."""
        try:
            return int(self._read(token)[1]) if token else 1
        except InvalidTokenError:
            return 1

    def _read(self, token: str) -> list[Any]:
        try:
            return list(self._serializer.loads(token))
        except BadData as error:
            raise InvalidTokenError("The page token is invalid") from error
