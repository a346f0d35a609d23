"""What all tests may ask for, and what none of them may print."""

import io
import json
import logging
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from search_coverage.names import SERVICE
from tests.planted import PlantedWordFound, refuse_planted


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Fail a test in whose output, captured by pytest, is a planted word."""
    report = yield
    for name, text in report.sections:
        try:
            refuse_planted(text if name.endswith(call.when) else "", name)
        except PlantedWordFound as found:
            report.outcome, report.longrepr = "failed", str(found)
    return report


@pytest.fixture
def capsys(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> pytest.CaptureFixture[str]:
    """Capture as pytest does, and refuse a planted word in what a test reads of it."""
    read = capsys.readouterr

    def readouterr() -> Any:
        captured = read()
        refuse_planted("".join(captured), "standard output or standard error")
        return captured

    monkeypatch.setattr(capsys, "readouterr", readouterr)
    return capsys


class Log(io.StringIO):
    """What the functions log from now on, but for the metrics, which are printed."""

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines, each of which is a JSON object; a text in one may hold what only Python takes for a line's end."""
        return [json.loads(line) for line in self.getvalue().split("\n") if line]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[Log]:
    """The log; the logger of a process keeps the first standard output that it has seen."""
    log = Log()
    Logger(service=SERVICE)  # makes the handler that all loggers of the service share
    for handler in logging.getLogger(SERVICE).handlers:
        if isinstance(handler, logging.StreamHandler) and handler.name != "LogCaptureHandler":
            monkeypatch.setattr(handler, "stream", log)
    yield log
    refuse_planted(log.getvalue(), "the log")
