"""The tables of all cases and plays, for people and for machines.

They are out/faults.md, out/faults-posture.md and out/freeze.md, and the JSON beside.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

OUT = Path(__file__).resolve().parents[2] / "out"
_COLUMNS: Mapping[str, Callable[[dict[str, Any]], object]] = {
    "#": lambda row: row["number"],
    "function": lambda row: row["function"],
    "call": lambda row: row["call"].replace("<", "&lt;"),
    "fault": lambda row: row["fault"],
    "for": lambda row: row["lasting"],
    "attempts": lambda row: ", ".join(row["attempts"]),
    "failure queue": lambda row: "yes" if row["in_failure_queue"] else "",
    "made by": lambda row: row["made_by"],
    "digests": lambda row: row["digests"],
    "created": lambda row: row["created"],
    "wrong": lambda row: "; ".join(row["wrong"]),
}
_PECULIARITIES: Mapping[str, Callable[[dict[str, Any]], bool]] = {
    "With clocks that differ": lambda plan: len(set(plan["seconds_ahead"])) > 1,
    "with a cold process": lambda plan: any(plan["cold"]),
    "with slow S3": lambda plan: plan["slow_s3"] > 0,
    "with an SNS that refuses the first attempt": lambda plan: plan["no_sns"],
    "replays": lambda plan: plan["replay"],
}


def wrong(rows: list[dict[str, Any]], *words: str) -> list[dict[str, Any]]:
    """Return the rows in which something is wrong, and one of the words says so."""
    return [row for row in rows if any(word in flaw for flaw in row["wrong"] for word in words)]


def write_cases(name: str, about: str, rows: list[dict[str, Any]]) -> None:
    """Write the table of crash cases; ``about`` says whose calls fail."""
    made_by = Counter(row["made_by"] for row in rows)
    digests = Counter(row["digests"] for row in rows)
    in_failure_queue = sum(row["in_failure_queue"] for row in rows)
    counts = {
        "lost": len(wrong(rows, "lost")),
        "false COMPLETE": len(wrong(rows, "a false COMPLETE")),
        "with anything that must not be": len(wrong(rows, "")),
    }
    lines = [
        f"# Every call of {about}, with what can go wrong",
        "",
        "Made by `tests/faults`. The calls come from a recording over HTTP. Each case is a call that goes wrong, then",
        "Lambda's retries, then the next runs of the schedule.",
        "",
        f"- Cases: {len(rows)}; {'; '.join(f'{name}: {count}' for name, count in counts.items())}",
        f"- Event in the failure queue, report there or made by a later run: {in_failure_queue}",
        f"- Made by: {', '.join(f'{name} {count}' for name, count in sorted(made_by.items()))}",
        f"- Digests: {', '.join(f'{count} cases with {n}' for n, count in sorted(digests.items()))}",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        f"|{'---|' * len(_COLUMNS)}",
        *(f"| {' | '.join(str(cell(row)) for cell in _COLUMNS.values())} |" for row in rows),
    ]
    _write(name, rows, lines)


def write_plays(plays: list[dict[str, Any]]) -> None:
    kinds = Counter((play["plan"]["how"], _of_the_second(play["plan"])) for play in plays if play["was_stopped"])
    counts = {
        "lost": len(wrong(plays, "lost")),
        "false COMPLETE": len(wrong(plays, "COMPLETE")),
        "file under a foreign summary": len(wrong(plays, "vouches", "missing", "rows")),
        "anything else that must not be": len(wrong(plays, "")),
    }
    endings = Counter(ended for play in plays for ended in play["ended"])
    digests = sorted(Counter(play["digests"] for play in plays).items())
    peculiar = {name: sum(holds(play["plan"]) for play in plays) for name, holds in _PECULIARITIES.items()}
    lines = [
        "# Attempts that are frozen or killed at any moment, while the next one is at work",
        "",
        "Made by `tests/faults`. What happens in a play is drawn at random from its number.",
        "",
        f"- Plays: {len(plays)}; {'; '.join(f'{name}: {count}' for name, count in counts.items())}",
        f"- The first attempt ended before its stop came: {sum(not play['was_stopped'] for play in plays)}",
        f"- Attempts that ended: {', '.join(f'{name} {count}' for name, count in endings.most_common())}",
        f"- Digests: {', '.join(f'{n} in {count} plays' for n, count in digests)}",
        f"- {'; '.join(f'{name}: {count}' for name, count in peculiar.items())}",
        "",
        "| the first attempt | the second | plays |",
        "|---|---|---|",
        *(f"| {first} | {second} | {count} |" for (first, second), count in sorted(kinds.items())),
    ]
    _write("freeze", plays, lines)


def _of_the_second(plan: dict[str, Any]) -> str:
    second: str = plan["second"]
    return "is held while the first wakes and ends" if second == "held" else second


def _write(name: str, rows: list[dict[str, Any]], lines: list[str]) -> None:
    OUT.mkdir(exist_ok=True)
    (OUT / f"{name}.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    (OUT / f"{name}.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
