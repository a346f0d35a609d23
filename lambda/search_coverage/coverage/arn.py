"""Amazon Resource Names and their parts."""

import re
from dataclasses import dataclass
from typing import Self

from search_coverage.coverage.errors import SearchCoverageError

_ARN = re.compile(
    r"arn:(?P<partition>[a-z][a-z0-9-]*):(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):(?P<account>[0-9]*):(?P<resource>.+)",
    re.DOTALL,
)


class MalformedArn(SearchCoverageError):
    """A text is not an ARN."""


@dataclass(frozen=True, slots=True)
class Arn:
    """An ARN and its parts."""

    text: str
    partition: str
    service: str
    region: str
    account: str
    resource: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Split ``text``.

        Raises:
            MalformedArn: ``text`` is not an ARN.
        """
        parts = _ARN.fullmatch(text)
        if parts is None:
            raise MalformedArn(
                f"{text[:200]!r} is not an ARN; expected arn:<partition>:<service>:<region>:<account>:<resource>."
            )
        return cls(text, **parts.groupdict())

    def __str__(self) -> str:
        return self.text
