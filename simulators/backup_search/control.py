"""The control path: what the in-process API can do, over HTTP, for a demo and for tests in other processes.

===========================  ========================================================================================
GET /health                  The account, the Region, the time, the scenarios, how many search jobs there are.
GET /requests                The latest requests, oldest first. DELETE forgets them.
GET /faults                  The faults that are due. DELETE removes them all. POST adds one: ``{"effect": …, …}``
                             with the attributes of :class:`~simulators.backup_search.faults.Fault`.
GET /scenarios               The names. POST adds a scenario: the content of a scenario file, as YAML or JSON.
POST /search-jobs            Makes a search job that has ended: ``{"scenario": name or content,
                             "ended_seconds_ago": 0}``.
GET /vaults                  The vaults, their types, and how many recovery points are in them.
                             POST adds a vault, or what it holds to the one of the same name: a mapping like those
                             under ``vaults`` in a scenario file, as JSON.
DELETE /recovery-points      Deletes a recovery point: ``{"arn": …}``.
POST /clock                  Moves the clock: ``{"forward_seconds": 3600}``.
===========================  ========================================================================================
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from simulators.backup_search.errors import ScenarioError
from simulators.backup_search.faults import FaultError
from simulators.backup_search.protocol import Reply, Request
from simulators.backup_search.scenario_files import read_scenario, scenario_of
from simulators.backup_search.vault_files import vault_of

if TYPE_CHECKING:
    from simulators.backup_search.simulator import BackupSimulator

CONTROL_PATH = "/_simulator/"
_ORIGIN = "the request body"


class ControlError(ValueError):
    """A control request that cannot be met; the text says why."""


class Control:
    """Answers control requests by means of the simulator's public API."""

    def __init__(self, simulator: "BackupSimulator") -> None:
        self._simulator = simulator
        self._actions: dict[str, Callable[[bytes], Any]] = {
            "GET health": self._health,
            "GET requests": self._requests,
            "DELETE requests": self._clear_requests,
            "GET faults": self._faults,
            "POST faults": self._add_fault,
            "DELETE faults": self._clear_faults,
            "GET scenarios": self._scenarios,
            "POST scenarios": self._add_scenario,
            "POST search-jobs": self._finish_job,
            "GET vaults": self._vaults,
            "POST vaults": self._add_vault,
            "DELETE recovery-points": self._delete_recovery_point,
            "POST clock": self._move_clock,
        }

    def answer(self, request: Request) -> Reply:
        """Returns the reply to a request whose path begins with ``CONTROL_PATH``."""
        action = self._actions.get(f"{request.method} {request.path.removeprefix(CONTROL_PATH)}")
        if action is None:
            allowed = ", ".join(key.replace(" ", f" {CONTROL_PATH}") for key in self._actions)
            return Reply.of_json({"message": f"There is no such control; allowed: {allowed}."}, status=404)
        try:
            return Reply.of_json(action(request.body))
        except (ControlError, FaultError, ScenarioError) as error:
            return Reply.of_json({"message": str(error)}, status=400)

    def _health(self, _: bytes) -> dict[str, Any]:
        account = self._simulator.account
        now = account.clock()
        return {
            "status": "ready",
            "account": account.account_id,
            "region": account.region,
            "now": _text(now),
            "scenarios": list(account.scenarios),
            "searchJobs": len(account.search_jobs.known(now)),
        }

    def _requests(self, _: bytes) -> dict[str, Any]:
        requests = [{**asdict(request), "at": _text(request.at)} for request in self._simulator.requests]
        return {"requests": requests}

    def _clear_requests(self, _: bytes) -> dict[str, Any]:
        self._simulator.clear_requests()
        return {}

    def _faults(self, _: bytes) -> dict[str, Any]:
        return {"faults": [asdict(fault) for fault in self._simulator.faults.active()]}

    def _add_fault(self, body: bytes) -> dict[str, Any]:
        details = _mapping(body)
        return asdict(self._simulator.faults.add(details.pop("effect", ""), **details))

    def _clear_faults(self, _: bytes) -> dict[str, Any]:
        self._simulator.faults.clear()
        return {}

    def _scenarios(self, _: bytes) -> dict[str, Any]:
        return {"scenarios": list(self._simulator.account.scenarios)}

    def _add_scenario(self, body: bytes) -> dict[str, Any]:
        scenario = read_scenario(body.decode(errors="replace"), origin=_ORIGIN)
        self._simulator.add_scenario(scenario)
        return {"name": scenario.name}

    def _finish_job(self, body: bytes) -> dict[str, Any]:
        details = _mapping(body)
        ended_ago = _seconds(details, "ended_seconds_ago")
        wanted = details.get("scenario")
        if isinstance(wanted, str) and wanted not in self._simulator.account.scenarios:
            known = ", ".join(self._simulator.account.scenarios) or "none so far"
            raise ControlError(f"There is no scenario {wanted!r}; allowed: {known}.")
        scenario = wanted if isinstance(wanted, str) else scenario_of(wanted, origin=_ORIGIN)
        identifier = self._simulator.finish_job(scenario, ended_ago=ended_ago)
        arn = self._simulator.account.search_job_arn(identifier)
        return {"SearchJobIdentifier": identifier, "SearchJobArn": arn}

    def _vaults(self, _: bytes) -> dict[str, Any]:
        vaults = self._simulator.account.vaults.all()
        return {
            "vaults": [
                {"name": vault.name, "type": vault.type, "recoveryPoints": sum(group.count for group in vault.groups)}
                for vault in vaults
            ]
        }

    def _add_vault(self, body: bytes) -> dict[str, Any]:
        vault = vault_of(_mapping(body), origin=_ORIGIN)
        self._simulator.add_vault(vault)
        return {"name": vault.name}

    def _delete_recovery_point(self, body: bytes) -> dict[str, Any]:
        arn = _mapping(body).get("arn")
        try:
            self._simulator.delete_recovery_point(str(arn))
        except KeyError as error:
            raise ControlError(f"There is no recovery point {arn!r}.") from error
        return {}

    def _move_clock(self, body: bytes) -> dict[str, Any]:
        return {"now": _text(self._simulator.move_clock(_seconds(_mapping(body), "forward_seconds")))}


def _mapping(body: bytes) -> dict[str, Any]:
    try:
        content = json.loads(body)
    except ValueError as error:
        raise ControlError(f"The request body must be a JSON object: {error}.") from error
    if not isinstance(content, dict):
        raise ControlError("The request body must be a JSON object.")
    return content


def _seconds(details: dict[str, Any], key: str) -> timedelta:
    value = details.get(key, 0)
    if type(value) not in {int, float} or not 0 <= value <= 366 * 86_400:
        raise ControlError(f"{key} must be a number of seconds from 0 to {366 * 86_400}, not {value!r}.")
    return timedelta(seconds=value)


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
