"""All the cases: each call of a recording, with each thing that can go wrong with it, for how long."""

from dataclasses import dataclass
from typing import Any

from tests.faults.fault import Fault, Kind

# How a fault lasts: for the SDK's first try, for a whole attempt, for all three attempts that Lambda makes.
_LASTING = {
    Kind.THROTTLED: ("one try", "one attempt"),
    Kind.SERVER_ERROR: ("one attempt",),
    Kind.TIMEOUT: ("one try", "one attempt"),
    Kind.RESET: ("one attempt",),
    Kind.TRUNCATED: ("one attempt",),
    Kind.DENIED: ("one attempt", "all attempts"),
    Kind.KILLED_BEFORE: ("one attempt",),
    Kind.KILLED_AFTER: ("one attempt", "all attempts"),
}


@dataclass(frozen=True, slots=True)
class Case:
    """A call that goes wrong.

    Attributes:
        function: ``report`` or ``watch``.
        subject: What the call is about: the name of an object.
        lasting: For how long it goes wrong.
    """

    function: str
    fault: Fault
    subject: str
    lasting: str

    @property
    def attempts(self) -> int:
        """How many of Lambda's attempts it goes wrong for."""
        return 3 if self.lasting == "all attempts" else 1

    @property
    def call(self) -> str:
        """The call, in words."""
        subject = f" {self.subject}" if self.subject else ""
        number = f" ({self.fault.number})" if self.fault.number > 1 and not subject else ""
        return f"{self.fault.service} {self.fault.operation}{subject}{number}"


def cases(function: str, recording: list[dict[str, Any]]) -> list[Case]:
    """Give the cases of a recording, in the order of its calls. A sweep is not retried, so it has fewer."""
    found = []
    for call in recording:
        for kind, spans in _LASTING.items():
            for lasting in spans:
                if function == "watch" and lasting == "all attempts":
                    continue
                fault = Fault(call["service"], call["operation"], call["number"], kind, once=lasting == "one try")
                found.append(Case(function, fault, call["subject"], lasting))
    return found
