"""The functions, loaded once, and each invoked in a process of its own that can be killed at any moment.

The process is a fork of one that has run each function once and has no connection open: a warm execution environment.
A cold one loads our own modules, and makes its clients, anew. Some limits are smaller than in Lambda, so that little
data takes all paths, and `time.sleep` returns at once.
"""

import gc
import importlib
import json
import os
import sys
import time
import traceback
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

from botocore.httpsession import URLLib3Session

from tests.faults.aws_process import AwsProcess
from tests.faults.call import name_attempt, name_calls
from tests.faults.faults import Fault
from tests.invocation import Context

_PART_BYTES = 6000  # of a message's rows: a dozen rows fill two messages
_PAGE_SIZE = 20  # of the lists of AWS Backup
_INDEXES_AT_MOST = 2  # looked up for the inventory: one is like the other


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an invocation ended.

    Attributes:
        error: The name of the error, ``killed``, or nothing.
        calls: What it called, where that was recorded.
    """

    result: dict[str, Any] | None
    error: str
    message: str
    calls: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.error

    @property
    def ended(self) -> str:
        return self.error or ("in progress" if (self.result or {}).get("inProgress") else "done")


@dataclass(frozen=True, slots=True)
class Running:
    """An invocation in its process."""

    process_id: int
    _go: int
    answer: int

    def go(self) -> None:
        os.write(self._go, b".")
        os.close(self._go)

    def outcome(self) -> Attempt:
        with os.fdopen(self.answer, "rb") as pipe:
            answer = pipe.read()
        os.waitpid(self.process_id, 0)
        result, error, message = json.loads(answer) if answer else (None, "killed", "")
        return Attempt(result, error, message)


@dataclass(frozen=True, slots=True)
class Special:
    """What is special about the process of an attempt.

    Attributes:
        name: Sent with each of its calls.
        seconds_ahead: How much its clock is ahead.
        cold: Whether it begins as a new execution environment does.
        posture_days_ahead: How much the day of a posture is ahead.
    """

    name: str = ""
    seconds_ahead: float = 0.0
    cold: bool = False
    posture_days_ahead: int = 0

    def prepare(self, module: ModuleType) -> ModuleType:
        """Change this process, and return the function's module."""
        name_attempt(self.name)
        if self.cold:
            for name in [name for name in sys.modules if name.split(".")[0] == "search_coverage"]:
                del sys.modules[name]
            _set_limits()
            module = importlib.import_module(module.__name__)
        right = time.time
        time.time = lambda: right() + self.seconds_ahead
        if self.posture_days_ahead:
            for holder in (module.take_posture, module.take_posture.mail):
                object.__setattr__(holder, "now", self._posture_now)
        return module

    def _posture_now(self) -> datetime:
        return datetime.now(UTC) + timedelta(days=self.posture_days_ahead)


@dataclass(slots=True)
class _LeaseLimits:
    seconds_between_looks: float = 0.001
    renewed_every_seconds: float = 10.0


_lease_limits = _LeaseLimits()


def run_side_by_side(seconds_between_looks: float) -> None:
    """Set the limits of the lease so that attempts at the same time see each other, after a short wait."""
    _lease_limits.seconds_between_looks = seconds_between_looks
    _lease_limits.renewed_every_seconds = 1.5 * seconds_between_looks
    _set_limits()


def _set_limits() -> None:
    limits: dict[str, dict[str, float]] = {
        "inventory.ports": {"POINTS_PER_PAGE": _PAGE_SIZE},  # these two first: others import them by their names
        "aws.long_lists": {"PAGE_SIZE": _PAGE_SIZE},
        "aws.report_lease": {
            "_SECONDS_BETWEEN_LOOKS": _lease_limits.seconds_between_looks,
            "_RENEWED_EVERY_SECONDS": _lease_limits.renewed_every_seconds,
        },
        "report.mail.messages": {"_ROWS_BYTES": _PART_BYTES},
        "inventory.thin_indexes": {"_INDEXES_AT_MOST": _INDEXES_AT_MOST},
    }
    for name, values in limits.items():
        module = importlib.import_module(f"search_coverage.{name}")
        assert values.keys() <= vars(module).keys(), f"search_coverage.{name} has no {', '.join(values)}"
        vars(module).update(values)


class Functions:
    """The functions of one deployment."""

    def __init__(self, aws: AwsProcess, environment: dict[str, str], *names: str) -> None:
        self._aws = aws
        os.environ.update(environment)
        _set_limits()
        name_calls()
        self._modules = {name: importlib.import_module(f"search_coverage.handlers.{name}") for name in names}

    def warm_up(self, **events: object) -> None:
        """Invoke functions once in this very process: what they load on the way need not be loaded each time."""
        for name, event in events.items():
            self._modules[name].handler(event, Context(name))
        gc.unfreeze()  # else the collector does not show what the handlers froze
        for session in gc.get_objects():
            if isinstance(session, URLLib3Session):
                session.close()  # a child must not share a connection
        gc.freeze()  # what the children share stays shared

    def invoke(
        self,
        name: str,
        event: object,
        context: Context,
        fault: Fault | None = None,
        special: Special | None = None,
    ) -> Attempt:
        running = self.start(name, event, context, special)
        self._aws.watch(running.process_id, fault)
        running.go()
        return replace(running.outcome(), calls=self._aws.calls())

    def start(self, name: str, event: object, context: Context, special: Special | None = None) -> Running:
        """Start a process for an invocation; it waits for `go`."""
        go_in, go_out = os.pipe()
        answer_in, answer_out = os.pipe()
        process_id = os.fork()
        if not process_id:
            os.close(go_out)
            os.read(go_in, 1)
            module = self._modules[name]
            _run(special.prepare(module) if special else module, event, context, answer_out)
        os.close(answer_out)
        os.close(go_in)
        return Running(process_id, go_out, answer_in)


def _run(module: ModuleType, event: object, context: Context, answer_out: int) -> None:
    result, error, message = None, "", ""
    try:
        time.sleep = lambda _: None
        try:
            result = module.handler(event, context)
        except Exception as failure:
            error, message = type(failure).__name__, str(failure)
        sys.stdout.flush()
        os.write(answer_out, json.dumps((result, error, message)).encode())
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(0)
