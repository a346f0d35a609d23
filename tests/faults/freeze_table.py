"""The table of all plays of frozen and killed attempts, for people: out/freeze.md."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any


def write_plays(plays: list[dict[str, Any]], folder: Path) -> None:
    """Write what became of the plays into a folder, for machines and for people."""
    folder.mkdir(exist_ok=True)
    (folder / "freeze.json").write_text(json.dumps(plays, indent=1) + "\n", encoding="utf-8")
    kinds = Counter((play["plan"]["how"], _what_the_second_did(play)) for play in plays if play["was_stopped"])
    counts = {
        "lost": _with(plays, "lost"),
        "false COMPLETE": _with(plays, "COMPLETE"),
        "file under a foreign summary": _with(plays, "vouches", "missing", "rows"),
        "anything else that must not be": sum(bool(play["wrong"]) for play in plays),
    }
    endings = Counter(ended for play in plays for ended in play["ended"])
    lines = [
        "# Attempts that are frozen or killed at any moment, while the next one is at work",
        "",
        "Made by `tests/faults`. What happens in a play is drawn by lot from its number.",
        "",
        f"- Plays: {len(plays)}; {'; '.join(f'{name}: {count}' for name, count in counts.items())}",
        f"- The first attempt ended before its stop came: {sum(not play['was_stopped'] for play in plays)}",
        f"- Attempts that ended: {', '.join(f'{name} {count}' for name, count in endings.most_common())}",
        f"- Digests: {', '.join(f'{n} in {c} plays' for n, c in sorted(Counter(p['digests'] for p in plays).items()))}",
        f"- {_in_words(plays)}",
        "",
        "| the first attempt | the second | plays |",
        "|---|---|---|",
        *(f"| {first} | {second} | {count} |" for (first, second), count in sorted(kinds.items())),
    ]
    (folder / "freeze.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _in_words(plays: list[dict[str, Any]]) -> str:
    counts: dict[str, Callable[[dict[str, Any]], bool]] = {
        "With clocks that differ": lambda plan: len(set(plan["seconds_ahead"])) > 1,
        "with a cold process": lambda plan: any(plan["cold"]),
        "with slow S3": lambda plan: plan["slow_s3"] > 0,
        "with an SNS that refuses the first attempt": lambda plan: plan["no_sns"],
        "replays": lambda plan: plan["replay"],
    }
    return "; ".join(f"{name}: {sum(holds(play['plan']) for play in plays)}" for name, holds in counts.items())


def _what_the_second_did(play: dict[str, Any]) -> str:
    second: str = play["plan"]["second"]
    return {"held": "is held while the first wakes and ends"}.get(second, second)


def _with(plays: list[dict[str, Any]], *words: str) -> int:
    return sum(any(word in wrong for wrong in play["wrong"] for word in words) for play in plays)
