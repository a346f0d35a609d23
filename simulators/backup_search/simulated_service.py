"""The base of every simulated service: its model, the methods that answer its operations, and pages."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from botocore import xform_name

from simulators.backup_search.account import Account
from simulators.backup_search.page_tokens import InvalidTokenError
from simulators.backup_search.protocol import Service, ServiceError

Input = Mapping[str, Any]
Output = dict[str, Any]

DEFAULT_PAGE = 1000
"""How many rows a list call of ``backup`` returns if it is not told."""


class SimulatedService(Service):
    """One AWS service over the account. The method ``list_search_jobs`` answers the operation ListSearchJobs.

    A method takes the input and returns the output, by the model's member names, or raises a ServiceError.
    ``invalid_input_code`` is the error code for input that the model does not allow.
    """

    name: ClassVar[str]
    invalid_input_code: ClassVar[str]

    def __init__(self, account: Account) -> None:
        super().__init__(self.name)
        self.operations: dict[str, Callable[[Input], Output]] = {
            name: getattr(self, xform_name(name))
            for name in self.model.operation_names
            if hasattr(self, xform_name(name))
        }
        self._account = account

    def _place(self, listing: str, given: Input) -> tuple[int, Any]:
        """Return which page is asked for, and the position where it begins; None for the beginning."""
        try:
            return self._account.tokens.place(listing, given.get("NextToken"))
        except InvalidTokenError as error:
            raise ServiceError(self.invalid_input_code, str(error)) from error

    def _page(self, listing: str, page: int, output: Output, next_position: object) -> Output:
        """Return an output with the token of the next page; without one where the next position is None."""
        if next_position is None:
            return output
        return {**output, "NextToken": self._account.tokens.token(listing, page + 1, next_position)}


def not_found(what: str) -> ServiceError:
    """Return the error for something that does not exist."""
    return ServiceError("ResourceNotFoundException", f"{what} was not found")
