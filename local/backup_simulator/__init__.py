"""An HTTP server that imitates AWS Backup and its search for the demo and the tests, from AWS's own service models.

``python -m local.backup_simulator --help`` runs it by itself; :class:`BackupSimulator` runs it inside a test. What a
scenario file may hold is shown by ``scenarios/nightly-invoices.yaml`` in this folder. Signatures and permissions are
not checked.
"""

from local.backup_simulator.errors import ScenarioError
from local.backup_simulator.faults import Effect, Fault, FaultError
from local.backup_simulator.request_log import RecordedRequest
from local.backup_simulator.scenario import BackupGroup, Progress, Scenario
from local.backup_simulator.scenario_files import load_scenario, load_scenarios, read_scenario
from local.backup_simulator.scope import Scope
from local.backup_simulator.simulator import BackupSimulator
from local.backup_simulator.vault import AIR_GAPPED_VAULT, BACKUP_VAULT, RecoveryPointGroup, Vault

__all__ = [
    "AIR_GAPPED_VAULT",
    "BACKUP_VAULT",
    "BackupGroup",
    "BackupSimulator",
    "Effect",
    "Fault",
    "FaultError",
    "Progress",
    "RecordedRequest",
    "RecoveryPointGroup",
    "Scenario",
    "ScenarioError",
    "Scope",
    "Vault",
    "load_scenario",
    "load_scenarios",
    "read_scenario",
]
