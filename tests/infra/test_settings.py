"""What a deployment may choose, and what the person reads who chooses something else."""

import json

import pytest
from pydantic import ValidationError

from infra.settings import FIELDS, LOG_RETENTION_DAYS, Settings, SettingsError
from tests.infra.conftest import ROOT

CDK_JSON = json.loads((ROOT / "cdk.json").read_text())["context"]
KEY = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
OTHER_KEY = "arn:aws-us-gov:kms:us-gov-west-1:444455556666:key/mrk-1234abcd12ab34cd56ef1234567890ab"
READER, OTHER_READER = (f"arn:aws:iam::111122223333:role/{name}" for name in ("case-team", "path/auditor"))
ONLY_IN_CDK_JSON = "objectLockDays"

# By key: in cdk.json, on the command line, where all is text, and what both mean
CHOSEN: dict[str, tuple[object, str, object]] = {
    "notificationEmails": (["a@example.com", "b@x.org"], "a@example.com, b@x.org", ("a@example.com", "b@x.org")),
    "alarmEmails": (["c@example.com"], '["c@example.com"]', ("c@example.com",)),
    "notifyOn": ("ALWAYS", "ALWAYS", "ALWAYS"),
    "searchJobStatuses": (["STOPPED", "COMPLETED"], "STOPPED,COMPLETED", ("COMPLETED", "STOPPED")),
    "pollMinutes": (15, "15", 15),
    "reportRetentionDays": (365, "365", 365),
    ONLY_IN_CDK_JSON: (30, "", 30),
    "logRetentionDays": (3653, "3653", 3653),
    "inventory": (False, "false", False),
    "postureSchedule": ("rate(12 hours)", "rate(12 hours)", "rate(12 hours)"),
    "searchableTarget": (95, "95", 95),
    "postureMail": ("NEVER", "NEVER", "NEVER"),
    "keepItemFilters": (True, "true", True),
    "keepResults": (True, "true", True),
    "resultRetentionDays": (30, "30", 30),
    "maxResults": (1000, "1000", 1000),
    "resultReaderArns": ([READER, OTHER_READER], f"{READER}, {OTHER_READER}", (READER, OTHER_READER)),
    "reservedConcurrency": (False, "False", False),
    "alarmOnIncomplete": (True, "true", True),
    "searchKeyArns": ([KEY, OTHER_KEY], f"{KEY}, {OTHER_KEY}", (KEY, OTHER_KEY)),
}


def in_cdk_json(**settings: object) -> dict[str, object]:
    """Return the context of a cdk.json with these settings."""
    return {"searchCoverage": settings, "@aws-cdk/core:checkSecretUsage": True}


def sentence(context: dict[str, object]) -> str:
    """Return the sentence that refuses a context."""
    with pytest.raises(SettingsError) as caught:
        Settings.from_context(context)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_cdk_json_spells_out_the_defaults() -> None:
    assert Settings.from_context(CDK_JSON) == Settings.from_context({}) == Settings()
    assert list(CDK_JSON["searchCoverage"]) == list(FIELDS) == list(CHOSEN)


def test_a_search_that_left_out_anything_is_notified_by_default() -> None:
    assert Settings().notify_on == "EXCLUDED"


@pytest.mark.parametrize("key", CHOSEN)
def test_every_setting_can_stand_in_cdk_json_and_all_but_one_on_the_command_line_which_wins(key: str) -> None:
    written, text, meant = CHOSEN[key]
    contexts = [in_cdk_json(**{key: written})]
    if key != ONLY_IN_CDK_JSON:
        contexts += [{key: text}, CDK_JSON | {key: text}]

    for context in contexts:
        found = Settings.from_context(context).model_dump(by_alias=True)
        others = Settings().model_dump(by_alias=True)
        if key == "notificationEmails":
            others["alarmEmails"] = meant  # the alarms go to the same addresses unless chosen otherwise
        if key == "inventory":
            others["postureSchedule"] = None  # the posture follows
        assert found == {**others, key: meant}


def test_alarms_go_to_the_notification_addresses_where_null_is_written() -> None:
    for null in (in_cdk_json(alarmEmails=None), {"alarmEmails": "null"}):
        assert Settings.from_context({"notificationEmails": "a@example.com"} | null).alarm_emails == ("a@example.com",)


@pytest.mark.parametrize("no_recipient", [in_cdk_json(alarmEmails=[]), {"alarmEmails": ""}, {"alarmEmails": "[]"}])
def test_alarms_can_have_no_recipient_while_notifications_have_one(no_recipient: dict[str, object]) -> None:
    assert Settings.from_context({"notificationEmails": "a@example.com"} | no_recipient).alarm_emails == ()


@pytest.mark.parametrize("days", LOG_RETENTION_DAYS)
def test_every_retention_that_cloudwatch_logs_knows_can_be_chosen(days: int) -> None:
    assert Settings.from_context(in_cdk_json(logRetentionDays=days)).log_retention_days == days


ALLOWED = {
    "notificationEmails": "a list of different e-mail addresses",
    "alarmEmails": "a list of different e-mail addresses",
    "notifyOn": "one of FAILED, EXCLUDED, ALWAYS",
    "searchJobStatuses": "at least one of COMPLETED, FAILED, STOPPED",
    "pollMinutes": "a whole number of minutes from 1 to 15",
    "reportRetentionDays": "a whole number of days from 8 to 36500",
    "objectLockDays": "a whole number of days from 0 to 36500",
    "logRetentionDays": "the days that CloudWatch Logs allows",
    "inventory": "true or false",
    "postureSchedule": "rate(n hours) or rate(n days), from an hour to 3 days, or null",
    "searchableTarget": "a whole number of percent from 1 to 100, or null",
    "postureMail": "one of NEVER, WEEKLY, ON_CHANGE",
    "keepItemFilters": "true or false",
    "keepResults": "true or false",
    "resultRetentionDays": "a whole number of days from 8 to 36500",
    "maxResults": "a whole number of results from 1 to 5000000",
    "resultReaderArns": "a list of different ARNs of IAM roles or users",
    "reservedConcurrency": "true or false",
    "alarmOnIncomplete": "true or false",
    "searchKeyArns": "a list of different ARNs of KMS keys",
}
TWICE = ["a@example.com", "A@example.com"]
WRONG_IN_CDK_JSON: dict[str, list[object]] = {
    "notificationEmails": ["a@example.com", None, [1], ["nobody"], ["a b@example.com"], TWICE],
    "alarmEmails": [[""], {}],
    "notifyOn": ["failed", None, ["FAILED"]],
    "searchJobStatuses": [[], ["RUNNING"], ["FAILED", "FAILED"], "FAILED"],
    "pollMinutes": [0, 16, 1.5, True, "1"],
    "reportRetentionDays": [7, 36_501],
    "objectLockDays": [-1, None],
    "logRetentionDays": [91, "90", True],
    "inventory": ["true", 1],
    "postureSchedule": ["", "rate(1 days)", "rate(2 day)", "rate(73 hours)", "rate(4 days)", "cron(0 3 * * ? *)", 1],
    "searchableTarget": [0, 101, 99.5, "95", True],
    "postureMail": ["DAILY", None],
    "keepItemFilters": ["true", 1],
    "keepResults": ["true", 1],
    "resultRetentionDays": [7],
    "maxResults": [0, 5_000_001],
    "resultReaderArns": [READER, [READER.replace("iam", "sts")], [READER.replace("role", "group")], ["*"]],
    "reservedConcurrency": [None],
    "alarmOnIncomplete": ["yes"],
    "searchKeyArns": [KEY, None],
}
WRONG_ON_THE_COMMAND_LINE = {
    "notificationEmails": ["a@example.com,,b@example.com", '["a@example.com"'],
    "notifyOn": [""],
    "searchJobStatuses": ["", "COMPLETED;FAILED"],
    "pollMinutes": ["one", "1.0", "9" * 5000],
    "logRetentionDays": ["forever"],
    "inventory": ["yes"],
    "reservedConcurrency": ["0"],
}


def cases(table: dict[str, list[object]] | dict[str, list[str]]) -> list[tuple[str, object]]:
    return [(key, value) for key, values in table.items() for value in values]


@pytest.mark.parametrize(("key", "value"), cases(WRONG_IN_CDK_JSON))
def test_a_wrong_value_in_cdk_json_is_named_with_what_is_allowed(key: str, value: object) -> None:
    said = sentence(in_cdk_json(**{key: value}))

    assert said.startswith(f"Setting {key} is {json.dumps(value)} (from searchCoverage in cdk.json): it must be ")
    assert ALLOWED[key] in said
    assert said.endswith(".")


@pytest.mark.parametrize(("key", "value"), cases(WRONG_ON_THE_COMMAND_LINE))
def test_a_wrong_value_on_the_command_line_is_named_with_what_is_allowed(key: str, value: str) -> None:
    said = sentence({key: value})

    assert said.startswith(f"Setting {key} is {json.dumps(value)} (from -c {key}): it must be ")
    assert ALLOWED[key] in said


def test_a_posture_without_the_inventory_is_off_by_default_and_refused_where_somebody_asks_for_it() -> None:
    assert Settings.from_context(in_cdk_json(inventory=False)).posture_schedule is None
    assert Settings.from_context(in_cdk_json(inventory=False, postureSchedule="rate(1 day)")).posture_schedule is None

    said = sentence(in_cdk_json(inventory=False, postureSchedule="rate(6 hours)"))

    assert said.startswith(
        'Setting postureSchedule is "rate(6 hours)" (from searchCoverage in cdk.json): it must be null'
    )
    assert "because inventory is false" in said


NO_KEYS = [
    "",
    "11111111-2222-3333-4444-555555555555",
    KEY.replace("key/", "alias/"),
    KEY.replace("kms", "s3"),
    KEY.replace("arn:aws", "arn:else"),
    KEY.replace("111122223333", "*"),
    KEY[: KEY.index("/") + 1] + "*",
    f"{KEY}/more",
]


@pytest.mark.parametrize(
    ("key", "written", "problem"),
    [
        *(
            (key, *row)
            for key in ("notificationEmails", "alarmEmails")
            for row in (
                (["a@example.com", "nobody", "b@example.com", "me@here"], 'not valid: "nobody", "me@here"'),
                (["a@example.com", "", "b@example.com"], 'not valid: ""'),
                (["a@example.com", "b@example.com", "A@example.com"], 'listed more than once: "A@example.com"'),
            )
        ),
        *(("searchKeyArns", [KEY, wrong, OTHER_KEY], f"not valid: {json.dumps(wrong)}") for wrong in NO_KEYS),
        ("resultReaderArns", [READER, READER], f"listed more than once: {json.dumps(READER)}"),
        ("searchKeyArns", [KEY, KEY], f"listed more than once: {json.dumps(KEY)}"),
    ],
)
def test_the_part_of_a_list_that_is_wrong_is_named_and_no_other(key: str, written: list[str], problem: str) -> None:
    contexts: list[dict[str, object]] = [in_cdk_json(**{key: written}), {key: ",".join(written)}]
    for context in contexts:
        assert sentence(context).endswith(f", or empty; {problem}.")


def test_a_lock_longer_than_the_retention_is_refused() -> None:
    assert sentence(in_cdk_json(objectLockDays=31) | {"reportRetentionDays": "30"}) == (
        "Setting objectLockDays is 31 (from searchCoverage in cdk.json): it must not be above "
        "reportRetentionDays (30), because a locked report cannot expire."
    )


@pytest.mark.parametrize("days", ["0", "365", "forever"])
def test_object_lock_is_not_taken_from_the_command_line_where_the_next_deployment_forgets_it(days: str) -> None:
    assert sentence(in_cdk_json(objectLockDays=365) | {"objectLockDays": days}) == (
        f'Setting objectLockDays is "{days}" (from -c objectLockDays): it must be in searchCoverage in cdk.json, '
        "because a deployment that omits -c objectLockDays no longer locks reports."
    )


KNOWN = f"is not known: the settings are {', '.join(CDK_JSON['searchCoverage'])}."


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("color", None),
        ("on", None),
        ("searchCoverage:pollMinutes", None),
        ("pollminutes", "pollMinutes"),
        ("poll_minutes", "pollMinutes"),
        ("notify-on", "notifyOn"),
        ("email", "notificationEmails or alarmEmails or postureMail"),
    ],
)
def test_an_unknown_setting_is_named_with_those_that_exist_and_what_was_probably_meant(
    written: str, meant: str | None
) -> None:
    hint = f" Did you mean {meant}?" if meant else ""
    elsewhere = f"-c {written}, or the context in cdk.json, cdk.context.json or ~/.cdk.json"

    assert sentence(in_cdk_json(**{written: 1})) == f"Setting {written} (from searchCoverage in cdk.json) {KNOWN}{hint}"
    assert sentence(in_cdk_json() | {written: "1"}) == f"Setting {written} (from {elsewhere}) {KNOWN}{hint}"


def test_object_lock_from_cdk_json_holds_whatever_else_the_command_line_changes() -> None:
    for options in ({}, {"pollMinutes": "5"}):
        assert Settings.from_context(in_cdk_json(objectLockDays=365) | options).object_lock_days == 365


def test_what_the_cdk_itself_puts_into_the_context_is_left_alone() -> None:
    # Given what the command line of the CDK sets, remembers and looks up, as its own files and the app show it
    context = {
        "aws:cdk:enable-path-metadata": True,
        "aws:cdk:bundling-stacks": ["**"],
        "aws-cdk:enableDiffNoFail": "true",
        "@aws-cdk/aws-iam:minimizePolicies": True,
        "acknowledged-issue-numbers": [16603],
        "availability-zones:account=111122223333:region=us-east-1": ["us-east-1a"],
    }

    assert Settings.from_context(context) == Settings()


def test_settings_that_are_no_object_are_refused() -> None:
    assert "must be an object of settings in cdk.json" in sentence({"searchCoverage": "pollMinutes=5"})


def test_settings_cannot_be_changed_or_made_without_the_checks() -> None:
    with pytest.raises(ValidationError):
        Settings(poll_minutes=0)
    with pytest.raises(ValidationError):
        Settings().poll_minutes = 2  # type: ignore[misc]  # the point of the test
