"""The settings a person may change, read from the CDK context and checked before anything is built.

They stand in `cdk.json` as the object `searchCoverage`, and each but `objectLockDays` can be overridden on the command
line with `-c <key>=<value>`. A wrong one stops the synthesis with one sentence, because CloudFormation would say it
after minutes, in other words, or not at all.
"""

import difflib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from types import MappingProxyType
from typing import Final, Self

from search_coverage.coverage.search_job import ENDED
from search_coverage.report.mail.alert import NotifyOn

CONTEXT_KEY: Final = "searchCoverage"

NOTIFY_ON: Final = tuple(each.value for each in NotifyOn)
SEARCH_JOB_STATUSES: Final = tuple(sorted(status.value for status in ENDED))

POLL_MINUTES_MAX: Final = 15
"""A sweep every quarter of an hour still meets an AWS search job many times in the 7 days for which AWS keeps it."""

RETENTION_DAYS_MIN: Final = 8
"""A day longer than AWS knows a search job after its end: a report that expires sooner would be made and told again."""

RETENTION_DAYS_MAX: Final = 36_500
"""100 years, the longest period that S3 Object Lock takes."""

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
LOG_RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)

_KMS_KEY = re.compile(r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")
_EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,.]+")

# What the CDK itself keeps in the context: its command line's switches, the feature flags of construct libraries, the
# answers of look-ups, the notices that somebody acknowledged.
_KEY_OF_THE_CDK = re.compile(r"(aws:|aws-cdk:|@|[a-z-]+:account=).*|acknowledged-issue-numbers|cli-telemetry")


_WORD_MIN: Final = 4
"""Letters of a key from which on it may stand for the settings that contain it: `email` may, `on` may not."""


class SettingsError(ValueError):
    """A setting is wrong; the message is one sentence for the person who wrote it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a deployment can choose.

    Attributes:
        notification_emails: Who gets the digest of a report. Each address confirms its subscription once.
        alarm_emails: Who gets the alarms; the notification addresses if not set.
        notify_on: The smallest occasion for a message: `FAILED`, `EXCLUDED` or `ALWAYS`.
        search_job_statuses: The end states of a search job that get a report.
        poll_minutes: Minutes between two sweeps.
        report_retention_days: Days for which a report is kept.
        object_lock_days: Days for which nobody but a privileged person can delete a report; 0 is off. It stands in
            cdk.json alone: one that was given on the command line would be gone with the next deployment that forgets
            it (docs/decisions/0013-object-lock-cannot-be-forgotten.md).
        log_retention_days: Days for which CloudWatch keeps the functions' logs.
        inventory: Whether the list of a search is compared with what the vaults hold in its scope. Without it the
            report function may not ask the vaults at all.
        reserved_concurrency: Whether the functions reserve a share of the account's Lambda concurrency. A new account
            with a quota of 10 cannot reserve any; there it has to be false.
        alarm_on_incomplete: Whether a report that is not COMPLETE is an alarm, too. Off by default: it is news about
            the backups, which the messages tell, and not about this product.
        search_key_arns: The customer keys that search jobs are encrypted with; the report function may decrypt with
            these, for search jobs only.
    """

    notification_emails: tuple[str, ...] = ()
    alarm_emails: tuple[str, ...] = ()
    notify_on: str = NotifyOn.EXCLUDED.value
    search_job_statuses: tuple[str, ...] = SEARCH_JOB_STATUSES
    poll_minutes: int = 1
    report_retention_days: int = 2555
    object_lock_days: int = 0
    log_retention_days: int = 90
    inventory: bool = True
    reserved_concurrency: bool = True
    alarm_on_incomplete: bool = False
    search_key_arns: tuple[str, ...] = ()

    @classmethod
    def from_context(cls, context: Mapping[str, object]) -> Self:
        """Read the settings out of everything that the CDK context holds.

        Args:
            context: The app's whole context, `app.node.get_all_context()`.

        Returns:
            The settings, complete and checked.

        Raises:
            SettingsError: A key is not known, or a value is not allowed.
        """
        given = _given(context)
        values = {key: _READERS[key](value) for key, value in given.items()}
        if values.get("alarmEmails") is None:
            values["alarmEmails"] = values.get("notificationEmails", ())
        settings = cls(**{_ATTRIBUTES[key]: value for key, value in values.items()})  # type: ignore[arg-type]  # the readers hold the types
        if settings.object_lock_days > settings.report_retention_days:
            raise given["objectLockDays"].error(
                f"it must not be above reportRetentionDays ({settings.report_retention_days}), "
                "because a locked report cannot expire"
            )
        return settings


@dataclass(frozen=True, slots=True)
class _Given:
    """A value as somebody wrote it, and where.

    Attributes:
        key: The setting's name in the context.
        value: The value, of whatever type was written.
        on_command_line: Whether it came from `-c`, where every value is a string.
    """

    key: str
    value: object
    on_command_line: bool

    def error(self, allowed: str) -> SettingsError:
        """The sentence that says which setting is wrong, where it was found and what is allowed."""
        origin = f"-c {self.key}" if self.on_command_line else f"{CONTEXT_KEY} in cdk.json"
        return SettingsError(f"Setting {self.key} is {json.dumps(self.value, default=str)} (from {origin}): {allowed}.")


def _given(context: Mapping[str, object]) -> dict[str, _Given]:
    """Collect what was written, the command line winning over cdk.json."""
    in_file = context.get(CONTEXT_KEY, {})
    if not isinstance(in_file, Mapping):
        raise SettingsError(
            f"{CONTEXT_KEY} in the CDK context is {json.dumps(in_file, default=str)}: it must be an object of settings "
            "in cdk.json; to change one setting on the command line, use -c <key>=<value>."
        )
    for key in in_file:
        _require_known(str(key), f"{CONTEXT_KEY} in cdk.json")
    for key in context:
        if key != CONTEXT_KEY and not _KEY_OF_THE_CDK.fullmatch(key):
            _require_known(key, f"-c {key}, or the context in cdk.json, cdk.context.json or ~/.cdk.json")
    given = {key: _Given(key, value, on_command_line=False) for key, value in in_file.items()}
    given |= {key: _Given(key, context[key], on_command_line=True) for key in _READERS if key in context}
    return given


def _require_known(key: str, origin: str) -> None:
    """Refuse what is no setting: whoever wrote it believes that it does something."""
    if key not in _READERS:
        raise SettingsError(
            f"Setting {key} (from {origin}) is not known: the settings are {', '.join(_READERS)}.{_did_you_mean(key)}"
        )


def _did_you_mean(key: str) -> str:
    """Name the settings that a misspelt or a shortened key may stand for; an empty text if none comes close."""
    by_lower_case = {known.lower(): known for known in _READERS}
    word = re.sub(r"[^a-z]", "", key.lower())
    near = difflib.get_close_matches(word, by_lower_case, n=1, cutoff=0.85)
    near = near or [known for known in by_lower_case if len(word) >= _WORD_MIN and word in known]
    return f" Did you mean {' or '.join(by_lower_case[known] for known in near)}?" if near else ""


def _texts(given: _Given, allowed: str) -> tuple[str, ...]:
    """Read a list of texts: a JSON list, or on the command line also comma-separated."""
    value = given.value
    if given.on_command_line and isinstance(value, str):
        value = _json_list(value) if value.lstrip().startswith("[") else value.split(",") if value.strip() else []
    if not isinstance(value, Sequence) or isinstance(value, str) or not all(isinstance(text, str) for text in value):
        raise given.error(f"it must be {allowed}")
    return tuple(text.strip() for text in value)


def _json_list(text: str) -> object:
    """Decode JSON; what is no JSON is left to the caller's check as it stands."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


def _emails(given: _Given) -> tuple[str, ...]:
    """Read e-mail addresses; SNS would refuse a malformed one only in the middle of a deployment."""
    allowed = 'a list of different e-mail addresses such as ["a@example.com"], or empty'
    addresses = _texts(given, allowed)
    if wrong := [address for address in addresses if not _EMAIL.fullmatch(address)]:
        raise given.error(f"it must be {allowed}; no address: {_quoted(wrong)}")
    folded = [address.casefold() for address in addresses]
    if again := [address for number, address in enumerate(addresses) if folded[number] in folded[:number]]:
        raise given.error(f"it must be {allowed}; more than once: {_quoted(again)}")
    return addresses


def _quoted(addresses: Sequence[str]) -> str:
    """Name addresses so that an empty one is seen, too."""
    return ", ".join(json.dumps(address, ensure_ascii=False) for address in addresses)


def _alarm_emails(given: _Given) -> tuple[str, ...] | None:
    """Read the alarm addresses; null stands for "the same as notificationEmails"."""
    return None if given.value is None or (given.on_command_line and given.value == "null") else _emails(given)


def _statuses(given: _Given) -> tuple[str, ...]:
    """Read the end states of a search job, in a fixed order so that their order changes no template."""
    allowed = f"a list of at least one of {', '.join(SEARCH_JOB_STATUSES)}, each once"
    statuses = _texts(given, allowed)
    if not statuses or len(set(statuses)) < len(statuses) or not set(statuses) <= set(SEARCH_JOB_STATUSES):
        raise given.error(f"it must be {allowed}")
    return tuple(status for status in SEARCH_JOB_STATUSES if status in statuses)


def _notify_on(given: _Given) -> str:
    """Read the occasion for a message."""
    if not isinstance(given.value, str) or given.value not in NOTIFY_ON:
        raise given.error(f"it must be one of {', '.join(NOTIFY_ON)}")
    return given.value


def _whole_number(given: _Given, allowed: str) -> int:
    """Read a whole number; on the command line it is written in digits."""
    value = given.value
    if given.on_command_line and isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,9}", value.strip()):
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise given.error(f"it must be {allowed}")
    return value


def _number_between(lowest: int, highest: int, unit: str) -> Callable[[_Given], int]:
    """Make a reader for a whole number with bounds."""
    allowed = f"a whole number of {unit} from {lowest} to {highest}"

    def read(given: _Given) -> int:
        number = _whole_number(given, allowed)
        if not lowest <= number <= highest:
            raise given.error(f"it must be {allowed}")
        return number

    return read


def _object_lock_days(given: _Given) -> int:
    """Read the days of Object Lock, from where they are not forgotten."""
    if given.on_command_line:
        raise given.error(
            f"it must stand in {CONTEXT_KEY} in cdk.json, because reports would no longer be locked after a deployment "
            f"that forgets -c {given.key}"
        )
    return _number_between(0, RETENTION_DAYS_MAX, "days")(given)


def _log_retention_days(given: _Given) -> int:
    """Read a retention period that CloudWatch Logs knows."""
    allowed = f"one of {', '.join(str(days) for days in LOG_RETENTION_DAYS)}, the days that CloudWatch Logs allows"
    days = _whole_number(given, allowed)
    if days not in LOG_RETENTION_DAYS:
        raise given.error(f"it must be {allowed}")
    return days


def _flag(given: _Given) -> bool:
    """Read true or false."""
    value = given.value
    if given.on_command_line and isinstance(value, str) and value.strip().lower() in ("true", "false"):
        value = value.strip().lower() == "true"
    if not isinstance(value, bool):
        raise given.error("it must be true or false")
    return value


def _key_arns(given: _Given) -> tuple[str, ...]:
    """Read the ARNs of KMS keys; IAM does not take an alias for the key that it stands for."""
    example = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
    allowed = f'a list of different ARNs of KMS keys such as ["{example}"], or empty'
    arns = _texts(given, allowed)
    for arn in arns:
        if not _KMS_KEY.fullmatch(arn):
            raise given.error(f"it must be {allowed}; {json.dumps(arn)} is not the ARN of a key")
        if arns.count(arn) > 1:
            raise given.error(f"it must be {allowed}; {json.dumps(arn)} is there twice")
    return arns


_READERS: Final[Mapping[str, Callable[[_Given], object]]] = MappingProxyType(
    {
        "notificationEmails": _emails,
        "alarmEmails": _alarm_emails,
        "notifyOn": _notify_on,
        "searchJobStatuses": _statuses,
        "pollMinutes": _number_between(1, POLL_MINUTES_MAX, "minutes"),
        "reportRetentionDays": _number_between(RETENTION_DAYS_MIN, RETENTION_DAYS_MAX, "days"),
        "objectLockDays": _object_lock_days,
        "logRetentionDays": _log_retention_days,
        "inventory": _flag,
        "reservedConcurrency": _flag,
        "alarmOnIncomplete": _flag,
        "searchKeyArns": _key_arns,
    }
)

_ATTRIBUTES: Final = MappingProxyType(dict(zip(_READERS, (field.name for field in fields(Settings)), strict=True)))
