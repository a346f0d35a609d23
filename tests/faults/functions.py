"""The two functions, loaded once, and each invoked in a process of its own that can be killed at any moment.

The process is a fork of one that has run both functions once and has no connection open: a warm execution environment.
A cold one loads our own modules, and makes its clients, anew. Four things are not as in Lambda: a part of the messages
takes fewer rows, so that a dozen fill two; the SDK does not wait between its retries (``time.sleep`` returns at once);
where a call is to time out it does so after 0.3 seconds instead of twenty; and a lease that shows no sign of life is
taken over in a fraction of a second instead of 45.
"""

import gc
import importlib
import json
import os
import sys
import time
import traceback
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from botocore.config import Config
from botocore.httpsession import URLLib3Session

from tests.faults.fault import Fault, Kind
from tests.faults.stops import ATTEMPT_HEADER
from tests.faults.surroundings import Surroundings
from tests.invocation import Context

_HASTY_SECONDS = 0.3
_PART_BYTES = 6000
_KILLED = "killed"


@dataclass(frozen=True, slots=True)
class Attempt:
    """How an invocation ended.

    Attributes:
        error: The name of the error, ``killed``, or nothing.
        calls: What it called.
    """

    result: dict[str, Any] | None
    error: str
    message: str
    calls: list[dict[str, Any]]

    @property
    def ok(self) -> bool:
        """Whether Lambda would call it a success."""
        return not self.error

    def sent_again_by_itself(self, fault: Fault | None) -> bool:
        """Whether the SDK sent something again although nothing was made to go wrong with it: a slow computer."""
        return any(
            call["sent_again"]
            and (fault is None or (call["service"], call["operation"]) != (fault.service, fault.operation))
            for call in self.calls
        )


@dataclass(frozen=True, slots=True)
class Running:
    """An invocation in its process."""

    process_id: int
    _go: int
    answer: int

    def go(self) -> None:
        """Let it begin."""
        os.write(self._go, b".")
        os.close(self._go)

    def outcome(self) -> dict[str, Any]:
        """Wait for its end; give ``result``, ``error`` and ``message``."""
        with os.fdopen(self.answer, "rb") as pipe:
            answer = pipe.read()
        os.waitpid(self.process_id, 0)
        outcome: dict[str, Any] = json.loads(answer) if answer else {"result": None, "error": _KILLED, "message": ""}
        return outcome


@dataclass(frozen=True, slots=True)
class Special:
    """What is special about the process of an attempt.

    Attributes:
        name: What its calls are told by.
        seconds_ahead: How much its clock is ahead.
        cold: Whether it begins as a new execution environment does.
    """

    name: str
    seconds_ahead: float
    cold: bool

    def prepare(self, module: ModuleType) -> ModuleType:
        """Change this process, and give the function's module."""
        if self.cold:
            for name in [name for name in sys.modules if name.split(".")[0] == "search_coverage"]:
                del sys.modules[name]
            _adapt()
            module = importlib.import_module(module.__name__)
        send, right = URLLib3Session.send, time.time

        def send_as(session: URLLib3Session, request: Any) -> Any:
            request.headers[ATTEMPT_HEADER] = self.name
            return send(session, request)

        URLLib3Session.send = send_as  # type: ignore[method-assign,assignment]
        time.time = lambda: right() + self.seconds_ahead
        return module


@dataclass(slots=True)
class _Pace:
    """How quickly a lease shows that it is alive, and is taken over if it does not."""

    seconds_between_looks: float = 0.01
    renewed_every_seconds: float = 10.0


_pace = _Pace()


def side_by_side(seconds_between_looks: float) -> None:
    """Let attempts that run at the same time see each other's signs of life; the pace is for those that do not."""
    _pace.seconds_between_looks = seconds_between_looks
    _pace.renewed_every_seconds = 1.5 * seconds_between_looks
    _adapt()


def _adapt() -> None:
    """Make parts of the messages small, and the lease quick; look up few indexes, since one is like the other."""
    from search_coverage.aws import report_lease  # noqa: PLC0415 - it may be loaded anew
    from search_coverage.inventory import thin_indexes  # noqa: PLC0415
    from search_coverage.report.mail import messages  # noqa: PLC0415

    messages._ROWS_BYTES = _PART_BYTES
    thin_indexes._INDEXES_AT_MOST = 2
    report_lease._SECONDS_BETWEEN_LOOKS = _pace.seconds_between_looks
    report_lease._RENEWED_EVERY_SECONDS = _pace.renewed_every_seconds


class Functions:
    """The report and the watch function of one deployment."""

    def __init__(self, surroundings: Surroundings, environment: dict[str, str]) -> None:
        self._surroundings = surroundings
        os.environ.update(environment)
        self._modules = {hasty: self._load(hasty=hasty) for hasty in (False, True)}

    def warm_up(self, event: object) -> None:
        """Invoke both functions once in this very process: what they load on the way need not be loaded each time."""
        for modules in self._modules.values():
            modules["watch"].handler({}, Context("watch"))
            modules["report"].handler(event, Context())
        gc.unfreeze()  # else the collector does not show what the handlers froze
        for session in gc.get_objects():
            if isinstance(session, URLLib3Session):
                session.close()  # a child must not share a connection
        gc.freeze()  # what the children share stays shared

    def invoke(self, name: str, event: object, context: Context, fault: Fault | None = None) -> Attempt:
        """Invoke a function, with one of its calls going wrong."""
        running = self.start(name, event, context, hasty=fault is not None and fault.kind is Kind.TIMEOUT)
        self._surroundings.watch(running.process_id, fault)
        running.go()
        outcome = running.outcome()
        return Attempt(**outcome, calls=self._surroundings.calls())

    def start(
        self,
        name: str,
        event: object,
        context: Context,
        *,
        hasty: bool = False,
        as_attempt: "Special | None" = None,
    ) -> "Running":
        """Start a process for an invocation; it waits for a word to go."""
        go_in, go_out = os.pipe()
        answer_in, answer_out = os.pipe()
        process_id = os.fork()
        if not process_id:
            os.close(go_out)
            os.read(go_in, 1)
            module = self._modules[hasty][name]
            if as_attempt:
                module = as_attempt.prepare(module)
            self._run(module, event, context, answer_out)
        os.close(answer_out)
        os.close(go_in)
        return Running(process_id, go_out, answer_in)

    def _load(self, *, hasty: bool) -> dict[str, ModuleType]:
        from search_coverage.aws import clients  # noqa: PLC0415 - after the environment is there

        _adapt()
        if hasty:
            for name in ("_CONFIG", "_SNS_CONFIG", "_BACKUP_CONFIG"):
                limits = Config(connect_timeout=_HASTY_SECONDS, read_timeout=_HASTY_SECONDS)
                setattr(clients, name, getattr(clients, name).merge(limits))
        modules = {}
        for name in ("report", "watch"):
            path = f"search_coverage.handlers.{name}"
            sys.modules.pop(path, None)
            modules[name] = importlib.import_module(path)
        return modules

    def _run(self, module: ModuleType, event: object, context: Context, answer_out: int) -> None:
        outcome: dict[str, Any] = {"result": None, "error": "", "message": ""}
        try:
            time.sleep = lambda _: None
            try:
                outcome["result"] = module.handler(event, context)
            except Exception as error:
                outcome.update(error=type(error).__name__, message=str(error))
            sys.stdout.flush()
            os.write(answer_out, json.dumps(outcome).encode())
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(0)
