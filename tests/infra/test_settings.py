"""What a deployment may choose, and what it is told when it chooses something else."""

import json

import pytest

from infra.settings import FIELDS, LOG_RETENTION_DAYS, Settings, SettingsError
from tests.infra.conftest import ROOT

KEY = "arn:aws:kms:eu-central-1:111122223333:key/11111111-2222-3333-4444-555555555555"
OTHER_KEY = "arn:aws-us-gov:kms:us-gov-west-1:444455556666:key/mrk-1234abcd12ab34cd56ef1234567890ab"


def in_cdk_json(**settings: object) -> dict[str, object]:
    """Give the context of a cdk.json with these settings."""
    return {"searchCoverage": settings, "@aws-cdk/core:checkSecretUsage": True}


def test_cdk_json_spells_out_the_defaults() -> None:
    # Given the cdk.json that ships
    context = json.loads((ROOT / "cdk.json").read_text())["context"]

    # Then it says of every setting what would hold without it
    assert Settings.from_context(context) == Settings.from_context({}) == Settings()
    assert len(context["searchCoverage"]) == len(FIELDS)


def test_a_search_that_left_out_anything_is_told_unless_somebody_chose_otherwise() -> None:
    assert Settings().notify_on == "EXCLUDED"


def test_every_setting_can_stand_in_cdk_json() -> None:
    settings = Settings.from_context(
        in_cdk_json(
            notificationEmails=["a@example.com"],
            alarmEmails=["b@example.com"],
            notifyOn="FAILED",
            searchJobStatuses=["STOPPED", "COMPLETED"],
            pollMinutes=15,
            reportRetentionDays=30,
            objectLockDays=30,
            logRetentionDays=7,
            inventory=False,
            reservedConcurrency=False,
            alarmOnIncomplete=True,
            searchKeyArns=[KEY],
        )
    )

    assert settings == Settings(
        notification_emails=("a@example.com",),
        alarm_emails=("b@example.com",),
        notify_on="FAILED",
        search_job_statuses=("COMPLETED", "STOPPED"),
        poll_minutes=15,
        report_retention_days=30,
        object_lock_days=30,
        log_retention_days=7,
        inventory=False,
        reserved_concurrency=False,
        alarm_on_incomplete=True,
        search_key_arns=(KEY,),
    )


def test_every_setting_but_one_can_be_overridden_on_the_command_line_where_all_is_text() -> None:
    # Given a cdk.json that says otherwise
    context = in_cdk_json(pollMinutes=2, inventory=True, notificationEmails=["old@example.com"])

    # When each key comes with -c
    overridden = {
        "notificationEmails": "a@example.com, b@example.com",
        "alarmEmails": '["c@example.com"]',
        "notifyOn": "ALWAYS",
        "searchJobStatuses": "FAILED",
        "pollMinutes": "5",
        "reportRetentionDays": "365",
        "logRetentionDays": "3653",
        "inventory": "false",
        "reservedConcurrency": "False",
        "alarmOnIncomplete": "true",
        "searchKeyArns": f"{KEY}, {OTHER_KEY}",
    }
    settings = Settings.from_context(context | overridden)

    # Then it wins
    assert set(FIELDS) - set(overridden) == {"objectLockDays"}
    assert settings == Settings(
        notification_emails=("a@example.com", "b@example.com"),
        alarm_emails=("c@example.com",),
        notify_on="ALWAYS",
        search_job_statuses=("FAILED",),
        poll_minutes=5,
        report_retention_days=365,
        log_retention_days=3653,
        inventory=False,
        reserved_concurrency=False,
        alarm_on_incomplete=True,
        search_key_arns=(KEY, OTHER_KEY),
    )


@pytest.mark.parametrize(
    "context",
    [
        in_cdk_json(notificationEmails=["a@example.com"]),
        in_cdk_json(notificationEmails=["a@example.com"], alarmEmails=None),
        {"notificationEmails": "a@example.com"},
    ],
    ids=["not given", "null", "on the command line"],
)
def test_alarms_go_to_the_notification_addresses_unless_told_otherwise(context: dict[str, object]) -> None:
    assert Settings.from_context(context).alarm_emails == ("a@example.com",)


@pytest.mark.parametrize("nobody", [in_cdk_json(alarmEmails=[]), {"alarmEmails": ""}, {"alarmEmails": "[]"}])
def test_alarms_can_go_to_nobody_although_notifications_go_to_somebody(nobody: dict[str, object]) -> None:
    settings = Settings.from_context({"notificationEmails": "a@example.com"} | nobody)

    assert settings.alarm_emails == ()


@pytest.mark.parametrize("days", LOG_RETENTION_DAYS)
def test_every_retention_that_cloudwatch_logs_knows_can_be_chosen(days: int) -> None:
    assert Settings.from_context(in_cdk_json(logRetentionDays=days)).log_retention_days == days


WRONG_IN_CDK_JSON: list[tuple[str, object, str]] = [
    ("notificationEmails", "a@example.com", "a list of different e-mail addresses"),
    ("notificationEmails", None, "a list of different e-mail addresses"),
    ("notificationEmails", [1], "a list of different e-mail addresses"),
    ("notificationEmails", ["nobody"], "a list of different e-mail addresses"),
    ("notificationEmails", ["a b@example.com"], "a list of different e-mail addresses"),
    ("notificationEmails", ["a@example.com", "A@example.com"], "a list of different e-mail addresses"),
    ("alarmEmails", [""], "a list of different e-mail addresses"),
    ("alarmEmails", {}, "a list of different e-mail addresses"),
    ("notifyOn", "failed", "one of FAILED, EXCLUDED, ALWAYS"),
    ("notifyOn", None, "one of FAILED, EXCLUDED, ALWAYS"),
    ("notifyOn", ["FAILED"], "one of FAILED, EXCLUDED, ALWAYS"),
    ("searchJobStatuses", [], "at least one of COMPLETED, FAILED, STOPPED"),
    ("searchJobStatuses", ["RUNNING"], "at least one of COMPLETED, FAILED, STOPPED"),
    ("searchJobStatuses", ["FAILED", "FAILED"], "at least one of COMPLETED, FAILED, STOPPED"),
    ("searchJobStatuses", "FAILED", "at least one of COMPLETED, FAILED, STOPPED"),
    ("pollMinutes", 0, "a whole number of minutes from 1 to 15"),
    ("pollMinutes", 16, "a whole number of minutes from 1 to 15"),
    ("pollMinutes", 1.5, "a whole number of minutes from 1 to 15"),
    ("pollMinutes", True, "a whole number of minutes from 1 to 15"),
    ("pollMinutes", "1", "a whole number of minutes from 1 to 15"),
    ("reportRetentionDays", 7, "a whole number of days from 8 to 36500"),
    ("reportRetentionDays", 36_501, "a whole number of days from 8 to 36500"),
    ("objectLockDays", -1, "a whole number of days from 0 to 36500"),
    ("objectLockDays", None, "a whole number of days from 0 to 36500"),
    ("logRetentionDays", 91, "the days that CloudWatch Logs allows"),
    ("logRetentionDays", "90", "the days that CloudWatch Logs allows"),
    ("inventory", "true", "true or false"),
    ("inventory", 1, "true or false"),
    ("reservedConcurrency", None, "true or false"),
    ("searchKeyArns", KEY, "a list of different ARNs of KMS keys"),
    ("searchKeyArns", None, "a list of different ARNs of KMS keys"),
]


@pytest.mark.parametrize(("key", "value", "allowed"), WRONG_IN_CDK_JSON)
def test_a_wrong_value_in_cdk_json_is_named_with_what_is_allowed(key: str, value: object, allowed: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_context(in_cdk_json(**{key: value}))

    sentence = str(caught.value)
    assert sentence.startswith(f"Setting {key} is {json.dumps(value)} (from searchCoverage in cdk.json): it must be ")
    assert allowed in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


WRONG_ON_THE_COMMAND_LINE = [
    ("notificationEmails", "a@example.com,,b@example.com", "a list of different e-mail addresses"),
    ("notificationEmails", '["a@example.com"', "a list of different e-mail addresses"),
    ("notifyOn", "", "one of FAILED, EXCLUDED, ALWAYS"),
    ("searchJobStatuses", "", "at least one of COMPLETED, FAILED, STOPPED"),
    ("searchJobStatuses", "COMPLETED;FAILED", "at least one of COMPLETED, FAILED, STOPPED"),
    ("pollMinutes", "one", "a whole number of minutes from 1 to 15"),
    ("pollMinutes", "1.0", "a whole number of minutes from 1 to 15"),
    ("pollMinutes", "9" * 5000, "a whole number of minutes from 1 to 15"),
    ("logRetentionDays", "forever", "the days that CloudWatch Logs allows"),
    ("inventory", "yes", "true or false"),
    ("reservedConcurrency", "0", "true or false"),
]


@pytest.mark.parametrize(("key", "value", "allowed"), WRONG_ON_THE_COMMAND_LINE)
def test_a_wrong_value_on_the_command_line_is_named_with_what_is_allowed(key: str, value: str, allowed: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_context({key: value})

    sentence = str(caught.value)
    assert sentence.startswith(f"Setting {key} is {json.dumps(value)} (from -c {key}): it must be ")
    assert allowed in sentence


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("a@example.com,nobody,b@example.com,me@here", 'not valid: "nobody", "me@here"'),
        ("a@example.com,,b@example.com", 'not valid: ""'),
        ("a@example.com,b@example.com,A@example.com", 'listed more than once: "A@example.com"'),
    ],
)
@pytest.mark.parametrize("setting", ["notificationEmails", "alarmEmails"])
def test_the_address_that_is_wrong_is_named_and_no_other(setting: str, written: str, named: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_context({setting: written})

    assert str(caught.value).endswith(f"; {named}.")


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "11111111-2222-3333-4444-555555555555",
        KEY.replace("key/", "alias/"),
        KEY.replace("kms", "s3"),
        KEY.replace("111122223333", "*"),
        KEY[: KEY.index("/") + 1] + "*",
        f"{KEY}/more",
    ],
)
def test_what_is_no_key_is_named_among_those_that_are(wrong: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_context(in_cdk_json(searchKeyArns=[KEY, wrong, OTHER_KEY]))

    assert str(caught.value).endswith(f", or empty; not valid: {json.dumps(wrong)}.")


def test_a_key_that_is_there_twice_is_named() -> None:
    with pytest.raises(SettingsError, match=f"; listed more than once: {json.dumps(KEY)}"):
        Settings.from_context({"searchKeyArns": f"{KEY},{KEY}"})


def test_a_lock_longer_than_the_retention_is_refused() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_context(in_cdk_json(objectLockDays=31) | {"reportRetentionDays": "30"})

    assert str(caught.value) == (
        "Setting objectLockDays is 31 (from searchCoverage in cdk.json): it must not be above "
        "reportRetentionDays (30), because a locked report cannot expire."
    )


@pytest.mark.parametrize("days", ["0", "365"])
def test_object_lock_is_not_taken_from_the_command_line_where_the_next_deployment_forgets_it(days: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_context(in_cdk_json(objectLockDays=365) | {"objectLockDays": days})

    assert str(caught.value) == (
        f'Setting objectLockDays is "{days}" (from -c objectLockDays): it must stand in searchCoverage in cdk.json, '
        "because a deployment that omits -c objectLockDays no longer locks reports."
    )


KNOWN = f"the settings are {', '.join(json.loads((ROOT / 'cdk.json').read_text())['context']['searchCoverage'])}."


def test_an_unknown_setting_in_cdk_json_is_named_with_those_that_exist() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_context(in_cdk_json(colour="red"))

    assert str(caught.value) == f"Setting colour (from searchCoverage in cdk.json) is not known: {KNOWN}"


def test_an_unknown_setting_on_the_command_line_is_named_with_those_that_exist() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_context(in_cdk_json() | {"colour": "red"})

    assert str(caught.value) == (
        "Setting colour (from -c colour, or the context in cdk.json, cdk.context.json or ~/.cdk.json) is not known: "
        f"{KNOWN}"
    )


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("pollminutes", "pollMinutes"),
        ("notify-on", "notifyOn"),
        ("email", "notificationEmails or alarmEmails"),
        ("searchCoverage:pollMinutes", None),
        ("on", None),
    ],
)
def test_a_misspelt_or_shortened_setting_is_told_what_was_probably_meant(written: str, meant: str | None) -> None:
    for context in (in_cdk_json(**{written: 1}), {written: "1"}):
        with pytest.raises(SettingsError) as caught:
            Settings.from_context(context)

        assert str(caught.value).startswith(f"Setting {written} ")
        assert str(caught.value).partition(KNOWN)[2] == (f" Did you mean {meant}?" if meant else "")


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
    with pytest.raises(SettingsError, match=r"must be an object of settings in cdk\.json"):
        Settings.from_context({"searchCoverage": "pollMinutes=5"})
