"""An HTTP server that imitates AWS Backup and its search for the demo and the tests, from AWS's own service models.

``python -m simulators.backup_search --help`` runs it by itself; :class:`BackupSimulator` runs it inside a test. What a
scenario file may hold is shown by ``scenarios/nightly-invoices.yaml`` in this folder. Signatures and permissions are
not checked.
"""

from simulators.backup_search.dispatch import RecordedRequest
from simulators.backup_search.faults import Effect, Fault, FaultError
from simulators.backup_search.field_types import ScenarioError
from simulators.backup_search.plans import Plan, Selection
from simulators.backup_search.result_group import ResultGroup
from simulators.backup_search.scenario import BackupGroup, Progress, Scenario, Scope
from simulators.backup_search.scenario_files import load_scenario, load_scenarios, read_scenario
from simulators.backup_search.simulator import BackupSimulator
from simulators.backup_search.vault import AIR_GAPPED_VAULT, BACKUP_VAULT, RecoveryPointGroup, Vault

__all__ = [
    "AIR_GAPPED_VAULT",
    "BACKUP_VAULT",
    "BackupGroup",
    "BackupSimulator",
    "Effect",
    "Fault",
    "FaultError",
    "Plan",
    "Progress",
    "RecordedRequest",
    "RecoveryPointGroup",
    "ResultGroup",
    "Scenario",
    "ScenarioError",
    "Scope",
    "Selection",
    "Vault",
    "load_scenario",
    "load_scenarios",
    "read_scenario",
]
