"""The environment variables of the functions. Missing or wrong: one sentence that names the variable."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from search_coverage.coverage.errors import SearchCoverageError
from search_coverage.coverage.search_job import ENDED
from search_coverage.names import Variable

if TYPE_CHECKING:
    from search_coverage.report.mail.alert import NotifyOn
    from search_coverage.use_cases.posture_mail import PostureMailOn


class EnvironmentInvalid(SearchCoverageError):
    """An environment variable of the function is missing or wrong."""


@dataclass(frozen=True, slots=True)
class ReportEnvironment:
    """The environment of the report function.

    Attributes:
        inventory: Whether the vaults are to be compared with the list.
        keep_item_filters: Whether a report holds the filters of its search.
        results_bucket: The bucket for the results of searches; None if they are not to be kept.
        max_results: How many results of a search are kept.
    """

    report_bucket: str
    alerts_topic_arn: str
    event_bus_name: str
    idempotency_table: str
    notify_on: "NotifyOn"
    inventory: bool
    keep_item_filters: bool
    results_bucket: str | None
    max_results: int

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        """Read and check the variables.

        Raises:
            EnvironmentInvalid: One is missing or wrong.
        """
        from search_coverage.report.mail.alert import NotifyOn  # noqa: PLC0415 - the watch function does not notify

        return cls(
            report_bucket=_required(variables, Variable.REPORT_BUCKET),
            alerts_topic_arn=_required(variables, Variable.ALERTS_TOPIC_ARN),
            event_bus_name=_required(variables, Variable.EVENT_BUS_NAME),
            idempotency_table=_required(variables, Variable.IDEMPOTENCY_TABLE),
            notify_on=NotifyOn(_one_of(Variable.NOTIFY_ON, _required(variables, Variable.NOTIFY_ON), list(NotifyOn))),
            inventory=_is_on(variables, Variable.INVENTORY),
            keep_item_filters=_is_on(variables, Variable.KEEP_ITEM_FILTERS),
            results_bucket=variables.get(Variable.RESULTS_BUCKET) or None,
            max_results=_whole_number(Variable.MAX_RESULTS, variables.get(Variable.MAX_RESULTS) or "1000000"),
        )


@dataclass(frozen=True, slots=True)
class WatchEnvironment:
    """The environment of the watch function."""

    report_bucket: str
    event_bus_name: str
    idempotency_table: str
    search_job_statuses: frozenset[str]

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        """Read and check the variables.

        Raises:
            EnvironmentInvalid: One is missing or wrong.
        """
        statuses = [status.strip() for status in _required(variables, Variable.SEARCH_JOB_STATUSES).split(",")]
        return cls(
            report_bucket=_required(variables, Variable.REPORT_BUCKET),
            event_bus_name=_required(variables, Variable.EVENT_BUS_NAME),
            idempotency_table=_required(variables, Variable.IDEMPOTENCY_TABLE),
            search_job_statuses=frozenset(_one_of(Variable.SEARCH_JOB_STATUSES, s, sorted(ENDED)) for s in statuses),
        )


@dataclass(frozen=True, slots=True)
class PostureEnvironment:
    """The environment of the posture function.

    Attributes:
        searchable_target: In percent; None if there is no target.
    """

    report_bucket: str
    alerts_topic_arn: str
    event_bus_name: str
    idempotency_table: str
    posture_mail: "PostureMailOn"
    searchable_target: int | None

    @classmethod
    def read(cls, variables: Mapping[str, str]) -> Self:
        """Read and check the variables.

        Raises:
            EnvironmentInvalid: One is missing or wrong.
        """
        from search_coverage.use_cases.posture_mail import PostureMailOn  # noqa: PLC0415 - the others do not mail one

        mail_on = _one_of(Variable.POSTURE_MAIL, _required(variables, Variable.POSTURE_MAIL), list(PostureMailOn))
        target = variables.get(Variable.SEARCHABLE_TARGET, "").strip()
        return cls(
            report_bucket=_required(variables, Variable.REPORT_BUCKET),
            alerts_topic_arn=_required(variables, Variable.ALERTS_TOPIC_ARN),
            event_bus_name=_required(variables, Variable.EVENT_BUS_NAME),
            idempotency_table=_required(variables, Variable.IDEMPOTENCY_TABLE),
            posture_mail=PostureMailOn(mail_on),
            searchable_target=_whole_number(Variable.SEARCHABLE_TARGET, target, highest=100) if target else None,
        )


def _required(variables: Mapping[str, str], name: str) -> str:
    value = variables.get(name, "").strip()
    if not value:
        raise EnvironmentInvalid(
            f"The environment variable {name} of this function is not set; deploy the stack again."
        )
    return value


def _whole_number(name: str, value: str, highest: int | None = None) -> int:
    is_number = value.isascii() and value.isdecimal() and int(value)
    if not is_number or (highest is not None and int(value) > highest):
        allowed = "from 1." if highest is None else f"from 1 to {highest}."
        raise EnvironmentInvalid(
            f"The environment variable {name} of this function has the value {value!r}; allowed is a whole number "
            f"{allowed}"
        )
    return int(value)


def _is_on(variables: Mapping[str, str], name: str) -> bool:
    return _one_of(name, variables.get(name) or "OFF", ["ON", "OFF"]) == "ON"


def _one_of(name: str, value: str, allowed: list[str]) -> str:
    if value not in allowed:
        raise EnvironmentInvalid(
            f"The environment variable {name} of this function has the value {value!r}; "
            f"allowed is {', '.join(str(one) for one in allowed)}."
        )
    return value
