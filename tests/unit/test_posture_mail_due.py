"""When a posture is mailed: never twice within a week, and whenever it is due."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_coverage.coverage.posture import IndexFailure, IndexFailures
from search_coverage.report.mail.messages import Message
from search_coverage.report.posture.summary import Mailed, MailStatus
from search_coverage.use_cases.index_failures import FailedIndexes
from search_coverage.use_cases.ports import NotPublished
from search_coverage.use_cases.posture_mail import PostureMail, PostureMailOn
from tests.fakes_posture import FIRST, HERE, FakePostureBucket, PostureWorld
from tests.interruptions import Crash
from tests.postures import files, keys, newest, posture, since

A_WEEK = timedelta(days=7) - timedelta(hours=1)
NO_MESSAGE = Message("", "", {})


@dataclass
class Mailbox:
    """Postures that are mailed one after the other; it is itself the topic and the lease."""

    mail_on: PostureMailOn = PostureMailOn.ON_CHANGE
    now: datetime = FIRST
    fate: str = "sent"
    mails: list[datetime] = field(default_factory=list)
    bucket: FakePostureBucket = field(default_factory=lambda: FakePostureBucket(lambda _call: None))

    def send(self, days: float = 0, **changes: Any) -> Mailed:
        """Mail a posture if it is due, so many days after the last one; it is compared with the last mail."""
        self.now += timedelta(days=days)
        record = self.bucket.json(keys().last_mail) or {}
        what = {"worse": changes.pop("worse", 0), "summary_key": record.get("summaryKey", "none")}
        of = posture(taken_at=self.now, **{"since": since(**what), **changes})
        mail = PostureMail(self.bucket, self, self.mail_on, lambda *_: NO_MESSAGE, lambda: self.now)
        return mail.send_if_due(of, keys(self.now), files(self.now), self)

    def publish(self, message: Message) -> str:
        if self.fate == "refused":
            raise NotPublished("Publish answered KMSDisabled: The key is disabled.")
        if self.fate == "dies before it":
            raise Crash
        self.mails.append(self.now)
        if self.fate == "dies after it":
            raise Crash
        return f"message-{len(self.mails)}"

    def confirm(self) -> None:
        """The lease is held."""


DAYS = st.lists(
    st.tuples(
        st.floats(0.02, 2.5),
        st.booleans(),
        st.sampled_from(["sent"] * 6 + ["refused", "dies before it", "dies after it"]),
    ),
    max_size=60,
)


@settings(max_examples=200)
@given(DAYS, st.sampled_from([PostureMailOn.WEEKLY, PostureMailOn.ON_CHANGE]))
def test_no_two_mails_within_a_week_but_for_one_more_per_attempt_that_died_in_doubt_and_none_is_lost(
    days: list[tuple[float, bool, str]], mail_on: PostureMailOn
) -> None:
    box = Mailbox(mail_on)
    known: list[datetime] = []
    died: list[datetime] = []
    for passed, changed, box.fate in days:
        try:
            mailed = box.send(passed, worse=int(changed))
        except Crash:
            died.append(box.now)
            continue
        due = not known or (box.now - known[-1] >= A_WEEK and (changed or mail_on is PostureMailOn.WEEKLY))
        tries = [each for each in died if not known or each > known[-1]]
        if box.fate == "sent" and due and (len(tries) < 3 or box.now - tries[-1] >= A_WEEK):
            assert mailed.status is MailStatus.SENT
        if mailed.status is MailStatus.SENT and box.mails[-1] == box.now:
            known.append(box.now)

    assert all(later - earlier >= A_WEEK for earlier, later in pairwise(known))
    assert set(box.mails) <= {*known, *died}
    for each in box.mails:
        of_a_week = [other for other in box.mails if timedelta(0) <= other - each < A_WEEK]
        assert len(of_a_week) <= 1 + 3


@pytest.mark.parametrize(
    ("days", "changes", "status"),
    [
        (7, {}, "NOT_DUE"),
        (7, {"worse": 1}, "SENT"),
        (6.96, {"worse": 1}, "SENT"),  # a schedule that fires some minutes early
        (6.95, {"worse": 1}, "NOT_DUE"),
        (7, {"index_failures": IndexFailures(1)}, "SENT"),
        (7, {"since": None}, "SENT"),  # what changed is not known
        (7, {"since": since(worse=0)}, "SENT"),  # it was compared with another posture than the one that was mailed
        (7, {"target": 60}, "SENT"),
        (7, {"target": 50}, "NOT_DUE"),
        (7, {"target": 60, "problems": ("A vault was not read.",)}, "NOT_DUE"),
        (7, {"worse": 1, "problems": ("A vault was not read.",)}, "SENT"),
        (365, {}, "NOT_DUE"),
    ],
)
def test_a_change_since_the_last_mail_is_mailed_after_a_week(days: float, changes: Any, status: str) -> None:
    box = Mailbox()
    assert box.send().status == "SENT"

    assert box.send(days, **changes).status == status


def test_a_target_that_is_met_again_is_mailed() -> None:
    box = Mailbox()
    box.send(target=60)
    assert box.send(7, target=60).status == "NOT_DUE"

    assert box.send(1, target=60, newest=newest(9, INDEX_MISSING=1)).status == "SENT"


@pytest.mark.parametrize(("mail_on", "mails"), [("NEVER", 0), ("WEEKLY", 5), ("ON_CHANGE", 1)])
def test_in_a_month_without_a_change(mail_on: str, mails: int) -> None:
    box = Mailbox(PostureMailOn(mail_on))
    for _ in range(30):
        mailed = box.send(1)

    assert len(box.mails) == mails
    assert (mailed.status == "OFF") == (mail_on == "NEVER")
    assert bool(box.bucket.objects) == (mail_on != "NEVER")


def test_the_same_posture_is_mailed_once() -> None:
    box = Mailbox()

    assert box.send() == box.send(0.5) == Mailed(MailStatus.SENT, "message-1")
    assert len(box.mails) == 1


@pytest.mark.parametrize("sent_at", ["2026-11-02T03:00:00", "yesterday", "", None, 7, "2126-11-02T03:00:00Z"])
def test_a_record_whose_moment_cannot_be_true_does_not_silence_the_mails(sent_at: Any) -> None:
    box = Mailbox()
    box.send()
    record = {**box.bucket.json(keys().last_mail), "sentAt": sent_at}
    box.bucket.put_json(keys().last_mail, record, box)

    assert box.send(1, worse=1).status == "SENT"


def test_while_sns_takes_nothing_postures_are_whole_and_the_first_one_after_it_is_mailed() -> None:
    # Given postures of which SNS takes no mail
    world = PostureWorld(sns_refuses=True)
    for index in ("ACTIVE", "ACTIVE", None):
        world.days_pass(1)
        world.hold_sources(payroll=index)
        outcome = world.take("the request")
        retried = world.take("the request")

        assert world.summary["mail"]["status"] == "PENDING"
        assert "The key is disabled" in world.summary["mail"]["why"]
        assert outcome.pending
        assert retried.pending
    assert world.mails == []

    # When it takes one
    world.sns_refuses = False
    assert world.take("the request").pending is None

    # Then the retry sends it, and what comes later does not repeat it
    assert world.summary["mail"] == {"status": "SENT", "messageId": "message-1", "why": None}
    world.days_pass(1)
    world.take()
    assert world.summary["mail"]["status"] == "NOT_DUE"
    assert len(world.mails) == 1


def test_each_index_that_fails_is_in_one_mail() -> None:
    world = PostureWorld()
    world.hold_sources(payroll="ACTIVE")
    failed = FailedIndexes(world.bucket, HERE.account, HERE.region)
    for number, day in enumerate((-1.0, 0.0, 0.5, 3.0, 6.999, 7.0, 8.0)):
        failed.record(IndexFailure(f"arn:{number}", "Access denied."), FIRST + timedelta(days=day), f"event-{number}")

    found = []
    for _ in range(22):
        world.take()
        if world.summary["mail"]["status"] == "SENT":
            found.append([each["recoveryPointArn"] for each in world.summary["indexFailures"]["examples"]])
        world.days_pass(1)

    assert found == [["arn:0"], ["arn:4", "arn:3", "arn:2", "arn:1"], ["arn:6", "arn:5"]]
