"""The settings of a deployment, read from the CDK context and checked before the stack is built.

`cdk.json` holds them as the object `searchCoverage`. `-c <key>=<value>` overrides each of them, except
`objectLockDays`, on the command line. A wrong setting stops the synthesis with one sentence: CloudFormation reports it
only after minutes, in other words, or not at all.
"""

import difflib
import json
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Self, get_origin

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import ErrorDetails, PydanticCustomError

from search_coverage.coverage.arn import Arn, MalformedArn
from search_coverage.coverage.search_job import ENDED
from search_coverage.report.mail.alert import NotifyOn
from search_coverage.use_cases.posture_mail import PostureMailOn

CONTEXT_KEY: Final = "searchCoverage"

SEARCH_JOB_STATUSES: Final = tuple(sorted(status.value for status in ENDED))

RETENTION_DAYS_MIN: Final = 8
"""One day longer than AWS keeps a search job: a report that expires earlier would be written and published again."""

RETENTION_DAYS_MAX: Final = 36_500
"""100 years, the longest period that S3 Object Lock accepts."""

# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
LOG_RETENTION_DAYS: Final = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip

# Context keys of the CDK itself: command line switches, feature flags, lookups, acknowledged notices.
_CDK_KEY = re.compile(r"(aws:|aws-cdk:|@|[a-z-]+:account=).*|acknowledged-issue-numbers|cli-telemetry")

_EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,.]+")
_KEY = re.compile(r"key/[A-Za-z0-9-]+")
_READER = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/[\w+=,.@/-]+")
_RATE = re.compile(r"rate\((?P<number>[1-9][0-9]{0,2}) (?P<unit>hours?|days?)\)")
_LONGEST_SCHEDULE_HOURS: Final = 72
"""The alarm on a posture that does not come looks back for two intervals, of which CloudWatch allows a week."""

_EVERY_DAY: Final = "rate(1 day)"
"""The default, which means off where there is no inventory."""

_EXAMPLE_KEY: Final = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"

_SHORTEST_HINT: Final = 4
"""The fewest letters of a key that suggest the settings which contain it: `email` does, `on` does not."""

_RULE: Final = "rule"
"""The type of a validation error whose message is the whole rule."""


class SettingsError(ValueError):
    """A setting is wrong; the message is one sentence for the person who wrote it."""


def _is_key_arn(text: str) -> bool:
    """Whether a text is the ARN of a KMS key: in an IAM policy, the ARN of an alias does not stand for its key."""
    try:
        arn = Arn.parse(text)
    except MalformedArn:
        return False
    return bool(
        (arn.partition.startswith("aws"), arn.service, len(arn.account)) == (True, "kms", 12)
        and arn.region
        and _KEY.fullmatch(arn.resource)
    )


def _is_reader_arn(text: str) -> bool:
    """Whether a text is the ARN of a role or a user: in the condition of a policy, that of a session is not theirs."""
    return bool(_READER.fullmatch(text))


def _different(valid: Callable[[str], object]) -> AfterValidator:
    """Make a validator of a list that names the texts that are not valid, or else those that are repeated."""

    def check(texts: tuple[str, ...]) -> tuple[str, ...]:
        folded = [text.casefold() for text in texts]
        wrong = [text for text in texts if not valid(text)]
        repeated = [text for number, text in enumerate(texts) if folded[number] in folded[:number]]
        if found := wrong or repeated:
            problem = "not valid" if wrong else "listed more than once"
            raise ValueError(f"{problem}: {', '.join(json.dumps(text, ensure_ascii=False) for text in found)}")
        return texts

    return AfterValidator(check)


def _known_to_cloudwatch(days: int) -> int:
    if days not in LOG_RETENTION_DAYS:
        raise ValueError
    return days


def _hours_of_schedule(schedule: str | None) -> str | None:
    if schedule is not None and not 1 <= hours_of(schedule) <= _LONGEST_SCHEDULE_HOURS:
        raise ValueError
    return schedule


def hours_of(schedule: str) -> int:
    """Return the hours of a schedule such as `rate(1 day)`; 0 for anything else."""
    found = _RATE.fullmatch(schedule)
    if found is None or (found["number"] == "1") == found["unit"].endswith("s"):  # rate(1 day), but rate(2 days)
        return 0
    return int(found["number"]) * (24 if found["unit"].startswith("day") else 1)


def _whole_number(default: int, unit: str, *, lowest: int, highest: int) -> Any:
    """Describe a field with a whole number."""
    allowed = f"a whole number of {unit} from {lowest} to {highest}"
    return Field(default=default, ge=lowest, le=highest, description=allowed)


Texts = Annotated[tuple[Annotated[str, StringConstraints(strip_whitespace=True)], ...], Field(strict=False)]
Emails = Annotated[
    Texts,
    _different(_EMAIL.fullmatch),
    Field(description='a list of different e-mail addresses such as ["a@example.com"], or empty'),
]
Statuses = Annotated[
    Texts,
    _different(SEARCH_JOB_STATUSES.__contains__),
    AfterValidator(lambda statuses: tuple(sorted(statuses))),  # their order in cdk.json does not change the template
    Field(min_length=1, description=f"a list of at least one of {', '.join(SEARCH_JOB_STATUSES)}, each once"),
]
KeyArns = Annotated[
    Texts,
    _different(_is_key_arn),
    Field(description=f'a list of different ARNs of KMS keys such as ["{_EXAMPLE_KEY}"], or empty'),
]
LogRetentionDays = Annotated[
    int,
    AfterValidator(_known_to_cloudwatch),
    Field(description=f"one of {', '.join(map(str, LOG_RETENTION_DAYS))}, the days that CloudWatch Logs allows"),
]
ReaderArns = Annotated[
    Texts,
    _different(_is_reader_arn),
    Field(
        description="a list of different ARNs of IAM roles or users such as "
        '["arn:aws:iam::111122223333:role/case-team"], or empty'
    ),
]
PostureSchedule = Annotated[
    str | None,
    AfterValidator(_hours_of_schedule),
    Field(description="rate(n hours) or rate(n days), from an hour to 3 days, or null for no posture"),
]
SearchableTarget = Annotated[
    int | None, Field(ge=1, le=100, description="a whole number of percent from 1 to 100, or null for no target")
]
Flag = Annotated[bool, Field(description="true or false")]


class Settings(BaseModel):
    """What a deployment can choose.

    The description of a field says what is allowed; it completes the sentence "it must be ...".

    Attributes:
        notification_emails: Who gets the digest of a report. Each address confirms its subscription once.
        alarm_emails: Who gets the alarms. Unset or null: the addresses of `notification_emails`.
        notify_on: The smallest occasion for a notification.
        search_job_statuses: The final statuses of a search job that get a report.
        poll_minutes: Minutes between two sweeps. A sweep every 15 minutes still sees a search job many times in the 7
            days for which AWS keeps it.
        report_retention_days: Days for which a report is kept.
        object_lock_days: Days for which only a privileged person can delete a report; 0 turns the lock off. Only
            cdk.json can set it: a value from the command line is lost with the next deployment that omits it
            (docs/decisions/0013-object-lock-cannot-be-forgotten.md).
        log_retention_days: Days for which CloudWatch keeps the logs of the functions.
        inventory: Whether a report compares the list of a search with the content of the vaults. Without it the report
            function has no permission to read the vaults.
        posture_schedule: How often the posture is taken: which backups a search could look into. None turns it off. It
            follows `inventory`, because both read the vaults: where that is false, the default means off.
        searchable_target: The percentage of the sources whose newest backup has to be searchable; below it an alarm
            starts. None turns it off.
        posture_mail: When a posture is mailed, once a week at most.
        keep_item_filters: Whether a report holds the item filters of its search. They can be personal data, such as
            file names; without this setting a report holds what they filter by, and their hash.
        keep_results: Whether what a search found is kept, in a bucket of its own. It names files and objects.
        result_retention_days: Days for which results are kept.
        max_results: How many results of a search are kept. A million take some 0.5 GB of the function's disk.
        result_reader_arns: The only roles and users that may read results, beside the report function. Empty: IAM
            decides.
        reserved_concurrency: Whether the functions reserve a part of the account's Lambda concurrency. A new account
            with a quota of 10 cannot reserve any and needs false.
        alarm_on_incomplete: Whether a report that is not COMPLETE raises an alarm as well. Off by default: such a
            report is about the backups, not about this product.
        search_key_arns: The customer keys that encrypt search jobs; the report function may decrypt with them, for
            search jobs only.
    """

    model_config = ConfigDict(
        frozen=True,
        strict=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
    )

    notification_emails: Emails = ()
    alarm_emails: Emails = Field(default=None, validate_default=True)
    notify_on: NotifyOn = Field(
        default=NotifyOn.EXCLUDED, strict=False, description=f"one of {', '.join(each.value for each in NotifyOn)}"
    )
    search_job_statuses: Statuses = SEARCH_JOB_STATUSES
    poll_minutes: int = _whole_number(1, "minutes", lowest=1, highest=15)
    report_retention_days: int = _whole_number(2555, "days", lowest=RETENTION_DAYS_MIN, highest=RETENTION_DAYS_MAX)
    object_lock_days: int = _whole_number(0, "days", lowest=0, highest=RETENTION_DAYS_MAX)
    log_retention_days: LogRetentionDays = 90
    inventory: Flag = True
    posture_schedule: PostureSchedule = Field(default=_EVERY_DAY, validate_default=True)
    searchable_target: SearchableTarget = None
    posture_mail: PostureMailOn = Field(
        default=PostureMailOn.ON_CHANGE,
        strict=False,
        description=f"one of {', '.join(each.value for each in PostureMailOn)}",
    )
    keep_item_filters: Flag = False
    keep_results: Flag = False
    result_retention_days: int = _whole_number(365, "days", lowest=RETENTION_DAYS_MIN, highest=RETENTION_DAYS_MAX)
    max_results: int = _whole_number(1_000_000, "results", lowest=1, highest=5_000_000)
    result_reader_arns: ReaderArns = ()
    reserved_concurrency: Flag = True
    alarm_on_incomplete: Flag = False
    search_key_arns: KeyArns = ()

    @field_validator("alarm_emails", mode="before")
    @classmethod
    def _same_as_notification_emails(cls, given: object, others: ValidationInfo) -> object:
        return others.data.get("notification_emails", ()) if given is None else given

    @field_validator("posture_schedule", mode="before")
    @classmethod
    def _follows_inventory(cls, schedule: object, given: ValidationInfo) -> object:
        if given.data.get("inventory", True) or schedule is None:
            return schedule
        if schedule != _EVERY_DAY:
            raise PydanticCustomError(
                _RULE, "it must be null or left out, because inventory is false: without it no vault is read"
            )
        return None

    @field_validator("object_lock_days", mode="before")
    @classmethod
    def _locked_for_good(cls, days: object, given: ValidationInfo) -> object:
        retention = given.data.get("report_retention_days", RETENTION_DAYS_MAX)
        if "objectLockDays" in (given.context or {}):
            raise PydanticCustomError(
                _RULE,
                f"it must be in {CONTEXT_KEY} in cdk.json, because a deployment that omits -c objectLockDays no "
                "longer locks reports",
            )
        if isinstance(days, int) and days > retention:
            raise PydanticCustomError(
                _RULE, f"it must not be above reportRetentionDays ({retention}), because a locked report cannot expire"
            )
        return days

    @classmethod
    def from_context(cls, context: Mapping[str, object]) -> Self:
        """Read the settings from everything that the CDK context holds.

        Args:
            context: The whole context of the app, `app.node.get_all_context()`.

        Raises:
            SettingsError: A key is unknown, or a value is not allowed.
        """
        in_file = context.get(CONTEXT_KEY, {})
        if not isinstance(in_file, Mapping):
            raise SettingsError(
                f"{CONTEXT_KEY} in the CDK context is {json.dumps(in_file, default=str)}: it must be an object of "
                "settings in cdk.json; to change one setting on the command line, use -c <key>=<value>."
            )
        for key in in_file:
            _require_known(str(key), f"{CONTEXT_KEY} in cdk.json")
        for key in context:
            if key != CONTEXT_KEY and not _CDK_KEY.fullmatch(key):
                _require_known(key, f"-c {key}, or the context in cdk.json, cdk.context.json or ~/.cdk.json")
        on_command_line = {key: context[key] for key in FIELDS if key in context}
        try:
            values = {**in_file, **{key: _read(key, value) for key, value in on_command_line.items()}}
            return cls.model_validate(values, context=on_command_line)
        except ValidationError as error:
            wrong = error.errors()[0]
            key = str(wrong["loc"][0])
            origin = f"-c {key}" if key in on_command_line else f"{CONTEXT_KEY} in cdk.json"
            value = json.dumps({**in_file, **on_command_line}[key], default=str)
            raise SettingsError(f"Setting {key} is {value} (from {origin}): {_rule(key, wrong)}.") from None


FIELDS: Final = {str(field.alias): field for field in Settings.model_fields.values()}
"""The fields by their keys, as cdk.json and the command line spell them."""

_LISTS: Final = {key for key, field in FIELDS.items() if get_origin(field.annotation) is tuple}


def _rule(key: str, wrong: ErrorDetails) -> str:
    """Describe what is allowed, and which part of the value is not."""
    if wrong["type"] == _RULE:
        return wrong["msg"]
    detail = str(wrong["ctx"]["error"]) if wrong["type"] == "value_error" else ""
    return f"it must be {FIELDS[key].description}{'; ' if detail else ''}{detail}"


def _read(key: str, value: object) -> object:
    """Read a value from the command line, where every value is a text; what does not parse stays a text."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if key in _LISTS and not text.startswith("[") and (key, text) != ("alarmEmails", "null"):
        return text.split(",") if text else []
    try:
        return json.loads(text.lower() if text.lower() in ("true", "false") else text)
    except ValueError:
        return value


def _require_known(key: str, origin: str) -> None:
    """Reject a key that is not a setting, because it would have no effect."""
    if key not in FIELDS:
        raise SettingsError(
            f"Setting {key} (from {origin}) is not known: the settings are {', '.join(FIELDS)}.{_did_you_mean(key)}"
        )


def _did_you_mean(key: str) -> str:
    """Suggest the settings that a misspelt or shortened key may stand for; an empty text if none is close."""
    by_lower_case = {known.lower(): known for known in FIELDS}
    word = re.sub(r"[^a-z]", "", key.lower())
    near = difflib.get_close_matches(word, by_lower_case, n=1, cutoff=0.85)
    near = near or [known for known in by_lower_case if len(word) >= _SHORTEST_HINT and word in known]
    return f" Did you mean {' or '.join(by_lower_case[known] for known in near)}?" if near else ""
