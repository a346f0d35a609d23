"""Figure i: the posture of an account with many vaults and backups, against that of a small one."""

from datetime import timedelta

from benchmarks.measure import OURS, Bench, Figure, Measurement, Target, run, spreads
from benchmarks.servers import Servers, aws
from search_coverage.names import Variable
from simulators.backup_search import RecoveryPointGroup

VAULTS = 200
POINTS = (1_000, 1_000_000)
QUICK_POINTS = (1_000, 100_000)
SOURCES_PER_VAULT = 150
CALL_SECONDS = 0.1
_MODULE = "ours"
MOST_SECONDS = 60


def measure(bench: Bench) -> Figure:
    sizes = QUICK_POINTS if bench.quick else POINTS
    taken: dict[int, list[Measurement]] = {size: [] for size in sizes}
    calls: dict[int, int] = {}
    for size in sizes:
        with aws(bench.folder) as (servers, environment):
            bench.say(f"{VAULTS} vaults with {size:,} backups")
            searchable = _fill(servers, size // VAULTS)
            servers.delay("ListRecoveryPointsByBackupVault", CALL_SECONDS)
            variables = {**environment, Variable.POSTURE_MAIL: "NEVER"}
            for _ in bench.rounds(f"posture of {size:,} backups"):
                servers.forget_calls()
                measurement = run(_MODULE, "posture", environment=variables)
                if measurement.printed["backups"] != {"total": size, "searchable": searchable}:
                    raise RuntimeError(f"{size} backups, {searchable} searchable, but: {measurement.printed}")
                taken[size].append(measurement)
            calls[size] = sum(n for name, n in servers.calls().items() if "RecoveryPoint" in name)
    wall, peaks = spreads(taken, lambda m: m.wall_seconds), spreads(taken, lambda m: m.peak_mebibytes)
    small, large = sizes
    return Figure(
        "The posture",
        {
            "vaults": VAULTS,
            "call_seconds": CALL_SECONDS,
            "calls": calls,
            "wall": wall,
            "cpu": spreads(taken, lambda m: m.cpu_seconds),
            "peak_mebibytes": peaks,
        },
        targets=[
            Target(f"posture of {large:,} backups in {VAULTS} vaults", "", wall[large].median, MOST_SECONDS, unit=" s"),
            Target(
                f"peak memory of that posture, {OURS}",
                f"of {small:,} backups",
                peaks[large].median / peaks[small].median,
                1.25,
            ),
        ],
    )


def _fill(servers: Servers, per_vault: int) -> int:
    """Fill the vaults: a third of the backups has an index. Return how many can be searched."""
    searchable = 0
    sources = max(1, min(SOURCES_PER_VAULT, per_vault // 5))
    for vault in range(VAULTS):
        groups, first = [], 1
        for source in range(sources):
            count = per_vault // sources + (source < per_vault % sources)
            index = "ACTIVE" if source % 3 == 0 else None
            searchable += count if index else 0
            name = f"arn:aws:s3:::bucket-{vault:03}-{source:03}"
            age = timedelta(days=1 + source % 50)
            groups.append(RecoveryPointGroup(count=count, source=name, first=first, created=age, index=index))
            first += count
        servers.vault(f"vault-{vault:03}", *groups)
    return searchable
