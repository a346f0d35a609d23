"""What all tests may ask for."""

import io
import json
import logging
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from search_coverage.names import SERVICE


class Log(io.StringIO):
    """What the functions log from now on, but for the metrics, which are printed."""

    @property
    def lines(self) -> list[dict[str, Any]]:
        """The lines, each of which is a JSON object; a text in one may hold what only Python takes for a line's end."""
        return [json.loads(line) for line in self.getvalue().split("\n") if line]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    """The log; the logger of a process keeps the first standard output that it has seen."""
    log = Log()
    Logger(service=SERVICE)  # makes the handler that all loggers of the service share
    for handler in logging.getLogger(SERVICE).handlers:
        if isinstance(handler, logging.StreamHandler) and handler.name != "LogCaptureHandler":
            monkeypatch.setattr(handler, "stream", log)
    return log
