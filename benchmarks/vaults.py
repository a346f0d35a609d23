"""Figure h: what the inventory of the vaults adds to a report, in an account with many vaults and recovery points."""

from datetime import UTC, datetime, timedelta

from benchmarks.measure import OURS, Bench, Figure, Measurement, run_report, spreads
from benchmarks.servers import aws
from search_coverage.names import Variable
from simulators.backup_search import RecoveryPointGroup

VAULTS = 200
POINTS_PER_VAULT = 5_000
QUICK_POINTS_PER_VAULT = 500
IN_WINDOW = 5
CALL_SECONDS = 0.1


def measure(bench: Bench) -> Figure:
    per_vault = QUICK_POINTS_PER_VAULT if bench.quick else POINTS_PER_VAULT
    taken: dict[tuple[int, str], list[Measurement]] = {}
    calls: dict[tuple[int, str], int] = {}
    with aws(bench.folder) as (servers, environment):
        bench.say(f"{VAULTS} vaults of {per_vault:,} recovery points")
        for vault in range(VAULTS):
            arn = f"arn:aws:backup:{{region}}:{{account}}:recovery-point:{vault:08x}-0000-4000-8000-{{i:012x}}"
            young = RecoveryPointGroup(count=IN_WINDOW, arn=arn, created=timedelta(hours=12))
            old = RecoveryPointGroup(count=per_vault - IN_WINDOW, arn=arn, created=timedelta(days=30))
            servers.vault(f"vault-{vault:03}", young, old)
        searches = {
            VAULTS * IN_WINDOW: servers.search(datetime.now(UTC) - timedelta(days=1)),
            VAULTS * per_vault: servers.search(),
        }
        servers.delay("ListRecoveryPointsByBackupVault", CALL_SECONDS)
        for in_scope, search_job in searches.items():
            complete = {"listed": in_scope, "excluded": 0, "verdict": "COMPLETE"}
            for inventory in ("OFF", "ON"):
                variables = {**environment, Variable.INVENTORY: inventory}
                for _ in bench.rounds(f"{in_scope:,} in scope, inventory {inventory}"):
                    servers.forget_calls()
                    measurement = run_report(OURS, search_job, "replay", environment=variables, **complete)
                    taken.setdefault((in_scope, inventory), []).append(measurement)
                calls[in_scope, inventory] = sum(n for name, n in servers.calls().items() if "RecoveryPoint" in name)
    return Figure(
        "The inventory of the vaults",
        {
            "vaults": VAULTS,
            "points": VAULTS * per_vault,
            "call_seconds": CALL_SECONDS,
            "calls": calls,
            "wall": spreads(taken, lambda m: m.wall_seconds),
            "cpu": spreads(taken, lambda m: m.cpu_seconds),
            "peak_mebibytes": spreads(taken, lambda m: m.peak_mebibytes),
        },
    )
