"""Figure h: what the inventory of the vaults adds to a report, in an account with many vaults and recovery points."""

from dataclasses import asdict
from datetime import UTC, datetime, timedelta

from benchmarks.figure import Bench, Figure, Table, number
from benchmarks.measure import Measurement, run, spread
from benchmarks.servers import aws
from search_coverage.names import Variable

VAULTS = 200
POINTS_OF_A_VAULT = 5_000
QUICK_POINTS_OF_A_VAULT = 500
IN_WINDOW = 5
CALL_SECONDS = 0.1
OFF, ON = "OFF", "ON"

_NOTE = (
    "The vaults are filtered by AWS as far as it can (type, time), read four at a time, and compared with the list on "
    "disk by SQLite: some 460 bytes of /tmp a backup. What the inventory adds to memory is the pages that are under "
    "way, up to eight, and SQLite's cache of 8 MiB; it does not grow with the number of backups."
)


def measure(bench: Bench) -> Figure:
    """Take the figure."""
    of_a_vault = QUICK_POINTS_OF_A_VAULT if bench.quick else POINTS_OF_A_VAULT
    taken: dict[tuple[int, str], list[Measurement]] = {}
    calls: dict[int, dict[str, int]] = {}
    with aws(bench.folder) as servers:
        bench.say(f"{VAULTS} vaults of {of_a_vault:,} recovery points")
        for vault in range(VAULTS):
            young = {"count": IN_WINDOW, "created": "12 hours ago"}
            old = {"count": of_a_vault - IN_WINDOW, "created": "30 days ago"}
            servers.vault(f"vault-{vault:03}", [_own(vault, group) for group in (young, old)])
        yesterday = datetime.now(UTC) - timedelta(days=1)
        searches = {
            VAULTS * IN_WINDOW: servers.search(created_after=yesterday),
            VAULTS * of_a_vault: servers.search(),
        }
        servers.delay_vaults(CALL_SECONDS)
        for in_scope, search_job in searches.items():
            for inventory in (OFF, ON):
                environment = {**servers.environment(), Variable.INVENTORY: inventory}
                for _, text in bench.rounds(f"{in_scope:,} in scope, inventory {inventory}"):
                    bench.say(text)
                    servers.forget_calls()
                    measurement = run("ours_report", search_job, "replay", environment=environment)
                    _check(measurement, in_scope)
                    taken.setdefault((in_scope, inventory), []).append(measurement)
                    calls[in_scope] = {name: n for name, n in servers.calls().items() if "RecoveryPoint" in name}
    return _figure(taken, calls, VAULTS * of_a_vault)


def _own(vault: int, group: dict[str, object]) -> dict[str, object]:
    arn = f"arn:aws:backup:{{region}}:{{account}}:recovery-point:{vault:08x}-0000-4000-8000-{{i:012x}}"
    return {**group, "arn": arn}


def _check(measurement: Measurement, in_scope: int) -> None:
    backups, verdict = measurement.told["backups"], measurement.told["verdict"]
    if (backups["listed"], backups["excluded"], verdict) != (in_scope, 0, "COMPLETE"):
        raise RuntimeError(f"A complete search of {in_scope} backups was expected, but it told of {measurement.told}.")


def _figure(taken: dict[tuple[int, str], list[Measurement]], calls: dict[int, dict[str, int]], points: int) -> Figure:
    rows = []
    for (in_scope, inventory), found in taken.items():
        counted = calls[in_scope] if inventory == ON else {}
        rows.append(
            [
                f"{in_scope:,}",
                inventory,
                f"{sum(counted.values()):,}",
                number(spread(found, lambda m: m.wall_seconds).median),
                number(spread(found, lambda m: m.cpu_seconds).median),
                number(spread(found, lambda m: m.peak_kibibytes / 1024).median),
            ]
        )
    peak = {key: spread(found, lambda m: m.peak_kibibytes / 1024) for key, found in taken.items()}
    return Figure(
        title="The inventory of the vaults",
        how=(
            f"A report over an account with {VAULTS} vaults and {points:,} recovery points, whose search took a "
            f"thousandth of them or all, with the inventory off and on. Every call to a vault takes "
            f"{CALL_SECONDS * 1000:.0f} ms, the list of the search none. Nothing is missing, so that the comparison "
            "has to look at every one."
        ),
        tables=[
            Table(["backups in scope", "inventory", "calls to vaults", "seconds", "CPU seconds", "peak MiB"], rows)
        ],
        notes=[_NOTE],
        numbers={f"{in_scope} {inventory}": asdict(value) for (in_scope, inventory), value in peak.items()},
    )
