"""The mail about a posture: what it says and in which order, that it fits, and that nobody's texts forge its lines."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_coverage.coverage.backup_plan import BackupPlan
from search_coverage.coverage.posture import Change, Counts, IndexFailure, IndexFailures, Posture, RulePosture
from search_coverage.coverage.searchability import Searchability
from search_coverage.coverage.verdict import NotSearchable
from search_coverage.report.posture.mail import posture_message, subject
from tests.postures import TAKEN_AT, keys, newest, posture, since, sources
from tests.reports import HOSTILE

SNS_LIMIT = 256 * 1024
MISSING = Searchability.INDEX_MISSING
FORGERY = (
    "x\r\n\nTHE FULL REPORT\nhttps://evil.example/ " + "word " * 9 + "THE FULL REPORT https://evil.example/ INDEXES"
)


def mail(of: Posture) -> str:
    text: str = json.loads(posture_message(of, "reports-bucket", keys()).body)["email"]
    return text


def for_machines(of: Posture) -> dict[str, Any]:
    default: dict[str, Any] = json.loads(json.loads(posture_message(of, "reports-bucket", keys()).body)["default"])
    return default


def unwrapped(text: str) -> str:
    return " ".join(text.split())


def with_texts(text: str, count: int = 1) -> Posture:
    """Return a posture in which all texts that are not the product's own are this one."""
    changes = (Change(text, None, MISSING),) * count
    return posture(
        problems=(text,) * count,
        notes=(text,) * count,
        since=since(worse=count, better=count, new_not_searchable=count, examples_worse=changes, examples_new=changes),
        rules=(RulePosture("p", text, {"S3": Counts({MISSING: 9})}, 9, 9),),
        plans={"p": BackupPlan("p", None, None, {"BackupPlanName": text, "Rules": [{"RuleName": text}]})},
        index_failures=IndexFailures(count, TAKEN_AT, (IndexFailure(text, text),) * count),
        unreachable=(NotSearchable(text, 1, (text,)),) * count,
    )


def test_it_begins_with_the_state_and_goes_on_with_what_changed_and_what_helps_most() -> None:
    plan = BackupPlan("p", None, None, {"BackupPlanName": "Nightly", "Rules": [{"RuleName": "every-night"}]})
    text = mail(
        posture(
            newest=newest(61, INDEX_MISSING=12, INDEX_FAILED=4, AIR_GAPPED=3),
            target=95,
            since=since(
                worse=7,
                new_not_searchable=1,
                gone=2,
                examples_worse=sources("payroll", 7),
                examples_new=sources("n", 1),
            ),
            rules=(RulePosture("p", "every-night", {"S3": Counts({MISSING: 9})}, 9, 9),),
            plans={"p": plan},
            index_failures=IndexFailures(
                7, TAKEN_AT, tuple(IndexFailure(f"arn:{number}", "Access denied.") for number in range(7))
            ),
            unreachable=(NotSearchable("Default", 3, ()),),
            notes=("AWS names no source for 2 backups.",),
        )
    )

    said = unwrapped(text)
    for before, after in (
        ("A search could look into the newest backup of 61 of 80 sources.", "Target 95%"),
        ("Target 95% of the sources: MISSED, it is 76.2%.", "SINCE 13 Nov 2026"),
        ("Sources: 7 can no longer be searched, 1 new and not searchable, 2 without a backup now.", "The share"),
        ("The share was 50% and is 76.2%.", "Worse:"),
        ("- payroll-4 (no index) - and 2 more", "New, not searchable: - n-0"),
        ("WHAT HELPS MOST 1. Index the newest backup of 12 sources", "2. Turn on indexing in backup plan Nightly"),
        ("3. Mend the index of the newest backup of 4 sources", "THE FULL REPORT"),
        ("https://us-east-1.console.aws.amazon.com/s3/buckets/reports-bucket?", "s3://reports-bucket/posture/"),
        ("INDEXES THAT FAILED (7)", "- arn:4 Access denied. - and 2 more"),
        ("3 backups of EC2 instances", "WHAT THIS DOES NOT SAY"),
        ("AWS names no source for 2 backups.", "the setting postureMail turns it off"),
    ):
        assert before in said
        assert after in said.partition(before)[2], after


def test_a_partial_posture_says_so_first_and_no_more_than_it_knows() -> None:
    of = posture(
        problems=("Listing the recovery points of vault locked failed.", "There was no time."), target=95, since=since()
    )

    said = unwrapped(mail(of))
    assert said.startswith(
        "NOT THE WHOLE PICTURE: Listing the recovery points of vault locked failed. And 1 more. "
        "A search could look into the newest backup of 1 of 2 sources that could be read. "
        "Target 95% of the sources: not known; of those that could be read it is 50%."
    )
    assert "No source got better or worse, as far as the vaults could be read." in said
    assert "MISSED" not in said
    assert subject(of) == "Search Coverage: 1 of 2 sources can be searched, PARTIAL - 000000000000 us-east-1"
    assert for_machines(of)["target"] == {"percent": 95, "missed": None}
    assert posture_message(of, "reports-bucket", keys()).attributes["targetMissed"].value == "unknown"


def test_without_backups_no_share_and_no_target_is_named() -> None:
    of = posture(newest=newest(0), total=Counts(), by_type={}, newest_by_type={}, target=95)

    assert mail(of).startswith("There is no backup of S3 or EBS in the vaults.\n")
    assert "Target" not in mail(of)
    assert subject(of) == "Search Coverage: no backups - 000000000000 us-east-1"


def test_the_machines_message_is_the_one_of_the_contract() -> None:
    message = posture_message(posture(target=60, since=since(worse=1)), "reports-bucket", keys())
    body = for_machines(posture(target=60, since=since(worse=1)))

    assert list(body) == [
        "version", "type", "account", "region", "takenAt", "status", "problems", "notes", "backups", "bySearchability",
        "byResourceType", "sources", "target", "since", "report",
    ]  # fmt: skip
    assert (body["version"], body["type"]) == (1, "SearchabilityReport")
    assert body["sources"] == {"total": 2, "newestSearchable": 1, "newestShare": 50.0}
    assert body["report"]["prefix"] == "posture/000000000000/us-east-1/2026/11/20/"
    assert {name: (each.type, each.value) for name, each in message.attributes.items()} == {
        "kind": ("String", "digest"),
        "account": ("String", "000000000000"),
        "region": ("String", "us-east-1"),
        "targetMissed": ("String", "true"),
        "sourcesNotSearchable": ("Number", "1"),
    }


@pytest.mark.parametrize(
    ("sources", "target", "region", "expected"),
    [
        (4, 95, "us-east-1", "4 of 8 sources can be searched, target 95% MISSED - 000000000000 us-east-1"),
        (4, None, "us-east-1", "4 of 8 sources can be searched, 4 worse - 000000000000 us-east-1"),
        (400, 95, "us-east-1", "400 of 800 sources can be searched, target 95% MISSED - 000000000000 us-east-1"),
        (90_000, 95, "us-east-1", "90,000 of 180,000 sources can be searched, target 95% MISSED - 000000000000 us-ea…"),
    ],
)
def test_the_subject_says_what_matters_most_in_less_than_100_characters(
    sources: int, target: int | None, region: str, expected: str
) -> None:
    newest_ones = newest(sources, INDEX_MISSING=sources)
    of = posture(region=region, newest=newest_ones, target=target, since=since(worse=sources))

    assert subject(of) == f"Search Coverage: {expected}"
    assert len(subject(of)) < 100


@given(text=st.one_of(st.text(max_size=400), st.sampled_from([FORGERY, HOSTILE])))
def test_texts_from_elsewhere_forge_no_line(text: str) -> None:
    lines = mail(with_texts(text)).splitlines()

    usual = mail(with_texts("usual")).splitlines()
    for heading in ("THE FULL REPORT", "WHAT HELPS MOST", "INDEXES THAT FAILED (1)", "WHAT THIS DOES NOT SAY"):
        assert lines.count(heading) == usual.count(heading) == 1
    assert all(line.isprintable() for line in lines)
    margin = ("https:", "s3:", "x", "word", "THE", "INDEXES")
    assert [line for line in lines if line.startswith(margin)] == [line for line in usual if line.startswith(margin)]


@pytest.mark.parametrize("character", ["a ", "拒", "😀", "\x01", '"', "\\", "\ud800", "\n"])
@pytest.mark.parametrize("count", [1, 20, 5_000])
def test_a_message_fits_however_long_the_texts_and_how_many(character: str, count: int) -> None:
    message = posture_message(with_texts(character * 2_000, count), "reports-bucket", keys())

    assert message.size < SNS_LIMIT
    body = json.loads(message.body)
    problems = json.loads(body["default"])["problems"]
    assert len(problems) == min(count, 11)
    assert count <= 10 or problems[-1] == f"And {count - 10:,} more: summary.json has them."
    assert "s3://reports-bucket/posture/" in body["email"]


def test_a_line_fits_a_phone_unless_it_is_a_link_or_an_arn() -> None:
    text = mail(with_texts("Access was denied to the key that the backup is encrypted with. " * 9))

    long = [line for line in text.splitlines() if len(line) > 46]
    assert [line[:5] for line in long] == ["https", "s3://", "- Acc"]
