"""The commands of the page, run by a shell with the AWS CLI: they start a search with the same question."""

import json
import os
import re
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from search_coverage.names import Variable
from simulators.backup_search import BackupGroup, Scenario
from tests.examples import JANE
from tests.integration.conftest import Deployment
from tests.pages import block
from tests.unit.test_search_commands import HOSTILE

ROOT = Path(__file__).parents[2]
WEEK = timedelta(days=7, hours=1)
SCENARIO = Scenario(
    "erasure request 4711",
    (BackupGroup(count=3), BackupGroup(count=2, status="STOPPED")),
    resource_type="S3",
    runs_for=timedelta(seconds=1),
)


def filters_for(text: str) -> dict[str, Any]:
    conditions = [{"Value": f"{text}{JANE}", "Operator": "BEGINS_WITH"}]
    moment = [{"Value": "2026-01-01T00:00:00Z", "Operator": "GREATER_THAN_EQUAL_TO"}]
    return {
        "S3ItemFilters": [
            {"ObjectKeys": conditions, "Sizes": [{"Value": 7, "Operator": "LESS_THAN_EQUAL_TO"}]},
            {"CreationTimes": moment},
        ]
    }


class Reader:
    """Somebody who has the files of a report, a shell and the AWS CLI."""

    def __init__(self, deployment: Deployment, folder: Path) -> None:
        self._deployment = deployment
        self._folder = folder
        self._client = boto3.client("backupsearch")
        self.page = ""

    def gets_the_report_of(self, search_job: str, *, kept: str) -> dict[str, Any]:
        """Report a search job, put the files into the folder, and return the summary."""
        self._deployment.report({"searchJobIdentifier": search_job}, None, **{Variable.KEEP_ITEM_FILTERS: kept})
        for key in self._deployment.stored():
            if f"/{search_job}/" in key:
                (self._folder / key.rpartition("/")[2]).write_bytes(self._deployment.read(key))
        self.page = (self._folder / "report.html").read_text()
        summary: dict[str, Any] = json.loads((self._folder / "summary.json").read_text())
        return summary

    def runs(self, name: str) -> list[str]:
        """Copy a block of commands from the page and run it; return the search jobs that it starts."""
        (self._folder / "aws").write_text(f'#!/bin/sh\nexec "{ROOT}/.venv/bin/python" -m awscli "$@"\n')
        (self._folder / "aws").chmod(0o700)
        environment = {**os.environ, "PATH": f"{self._folder}:{os.environ['PATH']}", "AWS_PAGER": ""}
        command = ["/bin/sh", "-e", "-c", block(self.page, name)]
        ran = subprocess.run(command, cwd=self._folder, env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return re.findall(r'"SearchJobIdentifier": "(.*?)"', ran.stdout)

    def looks_up(self, search_job: str) -> dict[str, Any]:
        return dict(self._client.get_search_job(SearchJobIdentifier=search_job))


@pytest.fixture
def reader(deployment: Deployment, tmp_path: Path) -> Reader:
    return Reader(deployment, tmp_path)


@pytest.fixture
def finish(deployment: Deployment) -> Callable[..., str]:
    """End a search job with a text in its filters and its tags."""

    def run(text: str = "people/", item_filters: dict[str, Any] | None = None) -> str:
        filters = filters_for(text) if item_filters is None else item_filters
        return deployment.simulator.finish_job(SCENARIO, item_filters=filters, tags={"case": f"4711{text}"})

    return run


@pytest.mark.parametrize("text", ["people/", "".join(HOSTILE).replace("\ud800", "")], ids=["a text", "hostile texts"])
def test_the_same_search_starts_again_when_aws_has_forgotten_it(
    deployment: Deployment, reader: Reader, finish: Callable[..., str], text: str
) -> None:
    summary = reader.gets_the_report_of(finish(text), kept="ON")
    deployment.simulator.move_clock(WEEK)

    (second,) = reader.runs("same-search")
    deployment.simulator.move_clock(timedelta(minutes=1))

    # Then its report has the same question
    again = reader.gets_the_report_of(second, kept="OFF")
    for member in ("name", "scope", "tags", "itemFiltersSha256", "fingerprint"):
        assert again["searchJob"][member] == summary["searchJob"][member], member


def test_the_same_search_starts_again_with_the_filters_from_aws_within_seven_days(
    deployment: Deployment, reader: Reader, finish: Callable[..., str]
) -> None:
    summary = reader.gets_the_report_of(finish(), kept="OFF")
    assert JANE not in reader.page

    (second,) = reader.runs("same-search")
    deployment.simulator.move_clock(timedelta(minutes=1))

    assert (
        reader.gets_the_report_of(second, kept="OFF")["searchJob"]["fingerprint"]
        == (summary["searchJob"]["fingerprint"])
    )


@pytest.mark.parametrize(
    ("item_filters", "kept"),
    [
        (filters_for("people/"), "ON"),
        (filters_for("people/"), "OFF"),
        (filters_for("x" * 3000), "ON"),
        ({}, "OFF"),
    ],
    ids=["kept", "not kept", "long", "none"],
)
def test_what_was_left_out_is_searched_for_the_same_items(
    reader: Reader, finish: Callable[..., str], item_filters: dict[str, Any], kept: str
) -> None:
    first = finish(item_filters=item_filters)
    reader.gets_the_report_of(first, kept=kept)
    asked = reader.looks_up(first)

    (second,) = reader.runs("again-NOT_FINISHED")

    job = reader.looks_up(second)
    assert job.get("ItemFilters") == asked.get("ItemFilters")
    assert len(job["SearchScope"]["BackupResourceArns"]) == 2
    assert job["SearchScope"]["BackupResourceTypes"] == ["S3"]
