"""An HTTP server that imitates AWS Backup search for the demo and the tests, generated from AWS's own service model.

``python -m local.backup_simulator --help`` runs it by itself; :class:`BackupSimulator` runs it inside a test. What a
scenario file may hold is shown by ``scenarios/nightly-invoices.yaml`` in this folder. Signatures and permissions are
not checked.
"""

from local.backup_simulator.faults import Effect, Fault, FaultError
from local.backup_simulator.request_log import RecordedRequest
from local.backup_simulator.scenario import BackupGroup, Progress, Scenario, ScenarioError
from local.backup_simulator.scenario_files import load_scenario, load_scenarios, read_scenario
from local.backup_simulator.simulator import BackupSimulator

__all__ = [
    "BackupGroup",
    "BackupSimulator",
    "Effect",
    "Fault",
    "FaultError",
    "Progress",
    "RecordedRequest",
    "Scenario",
    "ScenarioError",
    "load_scenario",
    "load_scenarios",
    "read_scenario",
]
