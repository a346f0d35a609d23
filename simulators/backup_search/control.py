"""The control path: the in-process API over HTTP, for a demo and for tests in other processes.

===========================  ========================================================================================
GET /health                  The account, the Region, the time, the scenarios, how many search jobs there are.
GET /requests                The latest requests, oldest first. DELETE forgets them.
GET /faults                  The faults that are due. DELETE removes them all. POST adds one: ``{"effect": …, …}``
                             with the attributes of :class:`~simulators.backup_search.faults.Fault`.
POST /scenarios              Adds a scenario: the content of a scenario file, as YAML or JSON.
POST /search-jobs            Adds an ended search job: ``{"scenario": name or content, "ended_seconds_ago": 0}``.
GET /vaults                  The vaults, their types, and how many recovery points are in them.
                             POST adds a vault, or its recovery points to the one of the same name: a mapping like
                             those under ``vaults`` in a scenario file, as JSON.
POST /plans                  Adds a backup plan, or replaces it: a mapping like those under ``plans`` in a scenario
                             file, as JSON.
POST /failing-indexes        Lets the indexes of sources fail: ``{"sources": [ARN, …], "message": …}``.
DELETE /recovery-points      Deletes a recovery point: ``{"arn": …}``.
POST /clock                  Moves the clock; plans make backups meanwhile: ``{"forward_seconds": 3600}``.
===========================  ========================================================================================
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from simulators.backup_search.faults import FaultError
from simulators.backup_search.field_types import ScenarioError
from simulators.backup_search.plans import Plan
from simulators.backup_search.protocol import Reply, Request
from simulators.backup_search.scenario_files import checked, read_scenario, scenario_of
from simulators.backup_search.simulation import Simulation
from simulators.backup_search.vault import Vault

CONTROL_PATH = "/_simulator/"
_ORIGIN = "the request body"
_YEAR = 366 * 86_400


class ControlError(ValueError):
    """A control request that cannot be met; the text says why."""


def control(simulation: Simulation, request: Request) -> Reply:
    """Return the reply to a request whose path begins with ``CONTROL_PATH``."""
    action = _ACTIONS.get(f"{request.method} {request.path.removeprefix(CONTROL_PATH)}")
    if action is None:
        allowed = ", ".join(key.replace(" ", f" {CONTROL_PATH}") for key in _ACTIONS)
        return Reply.of_json({"message": f"There is no such control; allowed: {allowed}."}, status=404)
    try:
        return Reply.of_json(action(simulation, request.get_data()) or {})
    except (ControlError, FaultError, ScenarioError) as error:
        return Reply.of_json({"message": str(error)}, status=400)


def _health(simulation: Simulation, _: bytes) -> dict[str, Any]:
    account = simulation.account
    now = account.clock()
    return {
        "status": "ready",
        "account": account.account_id,
        "region": account.region,
        "now": _text(now),
        "scenarios": list(account.scenarios),
        "searchJobs": len(account.search_jobs.known(now)),
    }


def _requests(simulation: Simulation, _: bytes) -> dict[str, Any]:
    return {"requests": [{**asdict(request), "at": _text(request.at)} for request in simulation.requests]}


def _faults(simulation: Simulation, _: bytes) -> dict[str, Any]:
    return {"faults": [asdict(fault) for fault in simulation.faults.active()]}


def _add_fault(simulation: Simulation, body: bytes) -> dict[str, Any]:
    return asdict(simulation.faults.add(**{"effect": "", **_mapping(body)}))


def _add_scenario(simulation: Simulation, body: bytes) -> dict[str, Any]:
    scenario = read_scenario(body.decode(errors="replace"), origin=_ORIGIN)
    simulation.add_scenario(scenario)
    return {"name": scenario.name}


def _finish_job(simulation: Simulation, body: bytes) -> dict[str, Any]:
    details = _mapping(body)
    ended_ago = _seconds(details, "ended_seconds_ago")
    wanted = details.get("scenario")
    if isinstance(wanted, str) and wanted not in simulation.account.scenarios:
        known = ", ".join(simulation.account.scenarios) or "none so far"
        raise ControlError(f"There is no scenario {wanted!r}; allowed: {known}.")
    scenario = wanted if isinstance(wanted, str) else scenario_of(wanted, origin=_ORIGIN)
    identifier = simulation.finish_job(scenario, ended_ago=ended_ago)
    return {"SearchJobIdentifier": identifier, "SearchJobArn": simulation.account.search_job_arn(identifier)}


def _vaults(simulation: Simulation, _: bytes) -> dict[str, Any]:
    return {
        "vaults": [
            {"name": vault.name, "type": vault.type, "recoveryPoints": sum(group.count for group in vault.groups)}
            for vault in simulation.account.vaults.all()
        ]
    }


def _add_vault(simulation: Simulation, body: bytes) -> dict[str, Any]:
    vault = checked(Vault, _mapping(body), _ORIGIN)
    simulation.add_vault(vault)
    return {"name": vault.name}


def _add_plan(simulation: Simulation, body: bytes) -> dict[str, Any]:
    plan = checked(Plan, _mapping(body), _ORIGIN)
    simulation.add_plan(plan.id, plan.content, plan.selections)
    return {"id": plan.id}


def _fail_indexes(simulation: Simulation, body: bytes) -> dict[str, Any]:
    details = _mapping(body)
    sources, message = details.get("sources", []), details.get("message")
    if not isinstance(sources, list) or not isinstance(message, str | None):
        raise ControlError("sources must be a list of ARNs, and message text.")
    simulation.fail_indexes(*map(str, sources), message=message)
    return {"sources": sources}


def _delete_recovery_point(simulation: Simulation, body: bytes) -> None:
    arn = _mapping(body).get("arn")
    try:
        simulation.delete_recovery_point(str(arn))
    except KeyError as error:
        raise ControlError(f"There is no recovery point {arn!r}.") from error


def _move_clock(simulation: Simulation, body: bytes) -> dict[str, Any]:
    return {"now": _text(simulation.move_clock(_seconds(_mapping(body), "forward_seconds")))}


_ACTIONS: dict[str, Callable[[Simulation, bytes], dict[str, Any] | None]] = {
    "GET health": _health,
    "GET requests": _requests,
    "DELETE requests": lambda simulation, _: simulation.clear_requests(),
    "GET faults": _faults,
    "POST faults": _add_fault,
    "DELETE faults": lambda simulation, _: simulation.faults.clear(),
    "POST scenarios": _add_scenario,
    "POST search-jobs": _finish_job,
    "GET vaults": _vaults,
    "POST vaults": _add_vault,
    "POST plans": _add_plan,
    "POST failing-indexes": _fail_indexes,
    "DELETE recovery-points": _delete_recovery_point,
    "POST clock": _move_clock,
}


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
    if type(value) not in {int, float} or not 0 <= value <= _YEAR:
        raise ControlError(f"{key} must be a number of seconds from 0 to {_YEAR}, not {value!r}.")
    return timedelta(seconds=value)


def _text(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
