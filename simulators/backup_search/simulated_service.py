"""What every simulated service has: its model, the methods that answer its operations, and pages."""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from botocore import xform_name

from simulators.backup_search.account import Account
from simulators.backup_search.errors import ScenarioError
from simulators.backup_search.faults import Breakable
from simulators.backup_search.page_tokens import InvalidTokenError, PageTokens, Place
from simulators.backup_search.protocol import Service, ServiceError

Input = Mapping[str, Any]
Output = dict[str, Any]


class SimulatedService:
    """One AWS service over the account. The method ``list_search_jobs`` answers the operation ListSearchJobs.

    Attributes:
        name: botocore's name of the service.
        invalid_input_code: The error code for input that the model does not allow.
        service: The service's model.
        operations: The method for each operation that is simulated: input in, output out, or a ServiceError.
    """

    name: ClassVar[str]
    invalid_input_code: ClassVar[str]

    def __init__(self, account: Account, tokens: PageTokens) -> None:
        self.service = Service(self.name)
        self.operations: dict[str, Callable[[Input], Output]] = {
            name: getattr(self, xform_name(name))
            for name in self.service.model.operation_names
            if hasattr(self, xform_name(name))
        }
        self._account = account
        self._tokens = tokens

    def breakable(self, operation: str) -> Breakable:
        """Return what a fault of an operation may name."""
        return Breakable(self.service.error_statuses, self.service.input_members(operation))

    def _place(self, listing: str, given: Input) -> Place:
        try:
            return self._tokens.place(listing, given.get("NextToken"))
        except InvalidTokenError as error:
            raise ServiceError(self.invalid_input_code, str(error)) from error

    def _page(self, listing: str, place: Place, output: Output, next_position: object) -> Output:
        """Return an output with the token of the next page; without one where the next position is None."""
        if next_position is None:
            return output
        return {**output, "NextToken": self._tokens.token(listing, Place(place.page + 1, next_position))}


def check_one_of(where: str, value: str, allowed: list[str]) -> None:
    """Check a value against the model.

    Raises:
        ScenarioError: The model does not have it.
    """
    if value not in allowed:
        raise ScenarioError(f"{where} must be one of {', '.join(allowed)}, not {value!r}.")
