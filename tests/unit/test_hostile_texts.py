"""Hostile names, messages and ARNs, all the way through: they are text in what comes out, and nothing more."""

import csv
import gzip
import io
import json
import re
from html.parser import HTMLParser
from types import ModuleType
from typing import Any

import pytest

from search_coverage.aws.alerts_topic import AlertsTopic
from search_coverage.aws.backup_search import BackupSearch
from search_coverage.aws.event_bus import EventBus
from search_coverage.report.mail.alert import NotifyOn
from tests.conftest import Log
from tests.examples import JOB_ARN, JOB_ID
from tests.fakes import World
from tests.functions import function
from tests.invocation import Context, state_change
from tests.wire import Wire

HOSTILE = [
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "\t=1+1",
    "\r=1+1",
    "-2+3",
    "x\r\nBcc: everybody@example.com\r\n\r\nfree money",
    "</title><script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "javascript:alert(1)",
    "<!--",
    "]]><b>",
    "{{7*7}}{% raw %}",
    "../../../../etc/passwd",
    "..%2f..%2fetc",
    "a/b/c/summary.json",
    'x\n{"level":"ERROR","message":"forged"}',
    (
        '{"_aws":{"Timestamp":1,"CloudWatchMetrics":[{"Namespace":"SearchCoverage","Dimensions":[[]],"Metrics":'
        '[{"Name":"Forged","Unit":"Count"}]}]},"Forged":[1]}'
    ),
    "\x00\x1b[2J\x1b[31mred",
    "\u202eexe.txt\u2028next\u2029line",
    "${jndi:ldap://example.com/a}",
    "`; DROP TABLE summaries; --",
    "😀" * 300,
    "\ud83d",
    "x" * 5000,
]
_KEY = re.compile(
    r"(reports/\d{12}/us-east-1/\d{4}/\d\d/\d\d/[0-9a-f-]{36}/(report\.html|excluded-backups\.csv|summary\.json)"
    r"|questions/\d{12}/us-east-1/[0-9a-f]{64}/\d{13}-[0-9a-f-]{36}\.json"
    r"|(excluded_backups|summaries)/account=\d{12}/region=us-east-1/date=\d{4}-\d\d-\d\d/[0-9a-f-]{36}\.json(l\.gz)?)"
)


class Markup(HTMLParser):
    """Collects what a browser would take for markup."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {tag} | {f"{tag} {name}" for name, _ in attrs}
        self.found |= {"a script address" for _, value in attrs if (value or "").strip().startswith("javascript:")}


class ReportFunction:
    """The report function over the fakes, but with the real adapters that a text of AWS passes through."""

    def __init__(self, module: ModuleType) -> None:
        published = b"<PublishResponse><PublishResult><MessageId>id</MessageId></PublishResult></PublishResponse>"
        self._module = module
        self._aws = Wire("backupsearch", b"")
        self.sns = Wire("sns", published)
        self.events = Wire("events", {"FailedEntryCount": 0, "Entries": [{"EventId": "id"}]})
        self._adapters = (
            BackupSearch(self._aws.client),
            AlertsTopic(self.sns.client, "arn:aws:sns:us-east-1:123456789012:alerts"),
            EventBus(self.events.client, "default"),
        )
        self.bucket: dict[str, bytes] = {}

    def report(self, text: str) -> Any:
        """Report a search job of which AWS Backup returns this text in every member that may have one."""
        job = {
            "SearchJobIdentifier": JOB_ID,
            "SearchJobArn": JOB_ARN + text,
            "CreationTime": 1795168800,
            **dict.fromkeys(("Name", "Status", "StatusMessage", "EncryptionKeyArn"), text),
            "SearchScope": {
                "BackupResourceTypes": [text],
                "SourceResourceArns": [text],
                "BackupResourceTags": {text: text},
            },
        }
        texts = dict.fromkeys(("BackupResourceArn", "SourceResourceArn", "ResourceType", "StatusMessage"), text)
        statuses = ("COMPLETED", "COMPLETED", "FAILED", "FAILED", "FAILED", text)
        # An ARN with half a character cannot be asked about.
        tags = () if any("\ud800" <= character <= "\udfff" for character in text) else ({"Tags": {text: text}},)
        self._aws.answer(job, *tags, {"Results": [{"Status": status, **texts} for status in statuses]})
        for wire in (self.sns, self.events):
            wire.requests.clear()
        world = World()
        world.notify_on = NotifyOn.ALWAYS
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(self._module, "report_search_job", world.reporter(*self._adapters))
            outcome = self._module.handler(state_change(JOB_ID), Context())
        self.bucket = {key: each.body for key, each in world.bucket.objects.items()}
        return outcome

    def file(self, name: str) -> bytes:
        """Return the only file with this end of its name."""
        (body,) = [body for key, body in self.bucket.items() if key.endswith(name)]
        return body

    def markup(self) -> set[str]:
        """Return what a browser would take for markup."""
        return Markup(self.file("report.html").decode()).found


@pytest.fixture(scope="module")
def reporting() -> ReportFunction:
    """The function; it takes longer to load it than to run a test."""
    with pytest.MonkeyPatch.context() as patch:
        return ReportFunction(function("report", patch))


@pytest.fixture(scope="module")
def harmless_markup(reporting: ReportFunction) -> set[str]:
    """What the page of a report with harmless texts is made of."""
    reporting.report("harmless")
    return reporting.markup()


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_text_is_text_in_every_file_message_and_event(
    reporting: ReportFunction, harmless_markup: set[str], text: str
) -> None:
    outcome = reporting.report(text)

    # S3 keys
    assert all(_KEY.fullmatch(key) for key in reporting.bucket), reporting.bucket.keys()
    # The counts and the verdict
    assert outcome["verdict"] == "NONE"
    assert outcome["backups"] == {"listed": 6, "searched": 0, "excluded": 6, "failed": 3}
    # CSV and JSON Lines
    rows = list(csv.DictReader(io.StringIO(reporting.file(".csv").decode(), newline="")))
    records = [json.loads(line) for line in gzip.decompress(reporting.file(".jsonl.gz")).splitlines()]
    assert len(rows) == len(records) == 6
    assert {record["backup_arn"] for record in records} == {text}
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row.values())
    # The page
    assert reporting.markup() <= harmless_markup
    # The mail
    (mail,) = reporting.sns.requests
    assert mail["Subject"].isprintable()
    assert len(mail["Subject"]) < 100
    # The event
    ((event,),) = [request["Entries"] for request in reporting.events.requests]
    assert json.loads(event["Detail"])["searchJobIdentifier"] == JOB_ID


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_text_makes_no_line_of_the_log_and_no_metric(
    reporting: ReportFunction, log: Log, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()

    reporting.report(text)

    assert [line["search_job_id"] for line in log.lines] == [JOB_ID] * len(log.lines)
    assert "report done" in [line["message"] for line in log.lines]
    lines = log.lines + [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(isinstance(line, dict) for line in lines)
    assert not any(line.get("message") == "forged" or "Forged" in line for line in lines)
    blobs = [blob for line in lines if "_aws" in line for blob in line["_aws"]["CloudWatchMetrics"]]
    names = {metric["Name"] for blob in blobs for metric in blob["Metrics"]}
    assert names >= {"Reports", "BackupsListed"}
    assert all(re.fullmatch(r"(Backups|Report)\w+", name) for name in names)
    dimensions = {name for blob in blobs for names in blob["Dimensions"] for name in names}
    assert dimensions <= {"service", "verdict", "reason"}
