"""Runs the main job from end to end in the embedded AWS, shows it, and leaves what was delivered in `out/demo`."""

import contextlib
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from cli.errors import ExitCode
from demo import search_jobs
from demo.closing_the_gap import create_indexes
from demo.deployed_stack import DeployedStack
from demo.results import show
from demo.shell import Shell
from search_coverage.names import SERVICE, STACK
from simulators.backup_search import BackupSimulator, load_scenarios
from simulators.embedded_aws.embedded_aws import EmbeddedAws
from simulators.embedded_aws.errors import EmulatorError

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "out" / "demo"
STATE = ROOT / "out" / "emulator"
MAIL_ADDRESS = "backup-admin@example.com"
SEARCHED_AGAIN = "quarterly-audit"

_INDEX_SECONDS = 1.5


def main() -> None:
    """Run the demo; end with one sentence if it cannot."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    console = Console(highlight=False)
    try:
        run(console)
    except EmulatorError as error:
        sys.exit(f"The demo stopped: {error}")
    except KeyboardInterrupt:
        sys.exit("\nThe demo was interrupted; everything that it started is stopped.")


def run(console: Console) -> None:
    """Start, deploy, search, search again, and show the results; stop everything at the end, also after an error."""
    started = time.monotonic()
    console.print(
        "This takes about two minutes. It needs no AWS account and reaches none.\n"
        "Ctrl-C ends it; until then, out/demo keeps the results of an earlier run."
    )
    scenarios = load_scenarios(ROOT / "demo" / "scenarios")
    with (
        _replaced_when_done(OUT) as folder,
        BackupSimulator(
            scenarios=scenarios,
            account=EmbeddedAws.account_id,
            region=EmbeddedAws.region,
            index_takes=timedelta(seconds=_INDEX_SECONDS),
        ) as simulator,
        EmbeddedAws(state_dir=STATE, simulator_url=simulator.endpoint_url) as aws,
    ):
        console.print(f"[bold]1. An embedded AWS[/] answers at {aws.endpoint_url}, AWS Backup beside it.")
        stack = _deploy(aws, folder, console)
        console.print("[bold]3. Search jobs[/], started with StartSearchJob; the schedule looks for ended ones:")
        client = aws.client("backupsearch")
        jobs = search_jobs.start(client, simulator, scenarios)
        search_jobs.follow(jobs, client, stack, console)
        audit = next(job for job in jobs if job.name == SEARCHED_AGAIN)
        shell = Shell(aws, folder, console)
        console.print(f"[bold]4. What {audit.name} left out[/] gets an index, by the commands of its report:")
        create_indexes(stack.excluded_backups(audit.identifier), shell, aws.client("backup"), console)
        console.print("[bold]5. The same search again[/]: the same question, and a sweep when it has ended:")
        again = search_jobs.start_again(client, audit)
        search_jobs.follow([again], client, stack, console, at_once=True)
        console.print("[bold]6. The pack[/]: everything about this search in one file, and its check:")
        shell.show(f"{SERVICE} evidence {again.identifier}")
        pack = f"{SERVICE}-{again.identifier}.zip"
        shell.show(f"{SERVICE} verify {pack}")
        console.print("[bold]7. Before the next search[/]: what it would miss, and the posture of every day:")
        shell.show(f"{SERVICE} preflight --type S3", also_ends_with=ExitCode.NOT_WELL)
        sources = stack.take_posture()["sources"]
        results = stack.collect()
        posture = stack.posture_page()
    console.print("[bold]8. What arrived[/]:")
    show(console, results, OUT.relative_to(ROOT))
    console.print(f"   Of {sources['total']} sources, {sources['newestSearchable']} could be searched: the posture is")
    console.print(f"   {OUT.relative_to(ROOT) / posture}")
    console.print("   The pack can be checked on any computer, with verify --offline:")
    console.print(f"   {OUT.relative_to(ROOT) / pack}")
    console.print(f"Done in {time.monotonic() - started:.0f} s; everything that was started is stopped.")


def _deploy(aws: EmbeddedAws, folder: Path, console: Console) -> DeployedStack:
    console.print(
        "[bold]2. cdk deploy[/] of the stack. Settings: one address in notificationEmails,\n"
        "   keepResults and keepItemFilters, so that reports have question and answer."
    )
    with console.status("cdk bootstrap") as status:
        deployed = aws.deploy(
            ROOT,
            context={"notificationEmails": MAIL_ADDRESS, "keepResults": "true", "keepItemFilters": "true"},
            outputs_file=folder / "outputs.json",
            progress=lambda line: status.update(line[: console.width - 4]),
        )
    return DeployedStack(aws, deployed[STACK], folder)


@contextlib.contextmanager
def _replaced_when_done(folder: Path) -> Iterator[Path]:
    """Yield an empty folder that replaces another one at the end, unless the block fails."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f"{folder.name}-") as beside:
        new, old = Path(beside, "new"), Path(beside, "old")
        new.mkdir()
        yield new
        if folder.exists():
            folder.rename(old)
        new.rename(folder)


if __name__ == "__main__":
    main()
