"""search-coverage, the command for the people who operate the stack."""

import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.shell_completion import get_completion_class

from cli.errors import CommandError, ExitCode
from cli.options import Options, SearchJobId, echo_json, epilog, progress, shared_options
from search_coverage import __version__
from search_coverage.names import SERVICE

if TYPE_CHECKING:
    from cli.deployment import Deployment
    from cli.replay import Outcome

PROGRAM = SERVICE

_EXIT_CODES = """\b
Exit codes:
  0    done, and all is well
  1    done, and not well: a check is wrong, a verdict is not COMPLETE, a replay failed
  2    could not start: usage, credentials, permission, no stack, not confirmed
  3    the search job has no report
  130  interrupted
"""


class _Group(click.Group):
    """Ends every command with an exit code, and with one sentence where it fails."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (click.exceptions.Exit, BrokenPipeError):
            raise
        except (KeyboardInterrupt, click.Abort):
            click.echo("Interrupted.", err=True)
            ctx.exit(ExitCode.INTERRUPTED)
        except Exception as error:
            from cli.aws_errors import sentence_about  # noqa: PLC0415 - `--help` does not need boto3

            known = error if isinstance(error, click.ClickException) else CommandError(sentence_about(error))
            if ctx.ensure_object(Options).as_json:
                echo_json({"error": known.format_message()})
            raise known from error


@click.group(
    PROGRAM,
    cls=_Group,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=f"{_EXIT_CODES}\nEach command names its permissions and has examples: {PROGRAM} COMMAND --help",
)
@click.version_option(__version__, prog_name=PROGRAM)
@shared_options
def main() -> None:
    """Operate a deployed Search Coverage stack: check it, read a report, make a report again.

    The options below can stand before or after the command. Credentials and Region come from where the AWS CLI looks.
    """


@main.command(epilog=epilog(f"  {PROGRAM} doctor\n  {PROGRAM} doctor --profile backup --region eu-west-1", "doctor"))
@shared_options
@click.pass_obj
def doctor(options: Options) -> None:
    """Check, read-only, that the stack is in order.

    Exits with 1 if something is wrong. A check that cannot run, for example without a permission, is "unknown".
    """
    deployment = _connect(options)
    from rich.console import Console  # noqa: PLC0415

    from cli.doctor import printout  # noqa: PLC0415
    from cli.doctor.checkup import CHECKS, run_checks  # noqa: PLC0415
    from cli.doctor.finding import State, ok  # noqa: PLC0415

    findings = {"credentials": ok(deployment.identity)}
    with progress("Checking the stack", total=len(CHECKS) + 1) as advance:
        for name, finding in run_checks(deployment):
            findings[name] = finding
            advance()
    left_out = len(CHECKS) + 2 - len(findings)
    if options.as_json:
        echo_json(printout.as_json(findings, left_out=left_out))
    else:
        printout.print_findings(findings, Console(highlight=False), left_out=left_out)
    _exit(well=printout.worst(findings) is not State.WRONG)


@main.command(epilog=epilog(f"  {PROGRAM} report 11111111-2222-3333-4444-555555555555 --open", "report"))
@click.argument("search_job", metavar="ID", type=SearchJobId())
@click.option("--open", "open_it", is_flag=True, help="Open the page of the report in the browser.")
@shared_options
@click.pass_obj
def report(options: Options, search_job: str, *, open_it: bool) -> None:
    """Show the report of a search job: verdict and more.

    ID is the identifier of the search job or its ARN. Exits with 1 if the verdict is not COMPLETE, with 3 if there is
    no report. For a search job that AWS Backup no longer knows (7 days after its end), the command lists the bucket:
    one request per 1,000 reports.
    """
    deployment = _connect(options)
    from cli.report import find_report, open_page  # noqa: PLC0415

    with progress("Looking for the report"):
        found = find_report(deployment, search_job)
    if options.as_json:
        echo_json(found.as_json())
    else:
        click.echo(found.as_text())
    if open_it:
        open_page(deployment, found)
    _exit(well=found.is_complete)


_REPLAY_EXAMPLES = f"""\
  {PROGRAM} replay 11111111-2222-3333-4444-555555555555
  {PROGRAM} replay --yes ID1 ID2 ID3
  {PROGRAM} replay --failed"""


@main.command(epilog=epilog(_REPLAY_EXAMPLES, "replay", "replay --failed"))
@click.argument("search_jobs", metavar="[ID]...", nargs=-1, type=SearchJobId())
@click.option("--failed", is_flag=True, help="Redo the messages of the failure queue.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
@shared_options
@click.pass_obj
def replay(options: Options, search_jobs: tuple[str, ...], *, failed: bool, yes: bool) -> None:
    """Make reports again, of search jobs or of failures.

    With ID..., each report is written again and NOTIFIES PEOPLE AGAIN. It is possible within 7 days of the end of the
    search job. Each report takes up to 15 minutes; after Ctrl-C, the report function finishes the current one.

    With --failed, the report function receives each event of the failure queue as it was sent. A report that exists is
    not written again, unless the event itself asks for a replay, which notifies people again. A message is deleted only
    after its report succeeded, and several messages with one request lead to one invocation. The others stay.
    """
    if failed == bool(search_jobs):
        raise click.UsageError("Pass the identifiers of search jobs, or --failed.")
    if not failed and not yes and not is_terminal():
        raise CommandError("A replay notifies people again; without a terminal to confirm it, pass --yes.")
    deployment = _connect(options)
    if failed:
        _replay_failed(options, deployment)
    identifiers = list(dict.fromkeys(search_jobs))
    if not yes:
        click.echo(deployment.identity, err=True)
        reports = "this report" if len(identifiers) == 1 else f"these {len(identifiers)} reports"
        if not click.confirm(f"Write {reports} again, and notify people again?", err=True):
            raise CommandError("Nothing was done.")
    from cli.replay import replay as replay_report  # noqa: PLC0415

    outcomes = []
    for number, identifier in enumerate(identifiers, start=1):
        with progress(f"Report {number} of {len(identifiers)}: {identifier}"):
            outcomes.append(replay_report(deployment, identifier))
        _show(options, outcomes[-1])
    if options.as_json:
        echo_json({"reports": [outcome.as_json() for outcome in outcomes]})
    _exit(well=all(outcome.succeeded for outcome in outcomes))


def _replay_failed(options: Options, deployment: "Deployment") -> NoReturn:
    from cli.replay import FailureQueue  # noqa: PLC0415

    queue = FailureQueue(deployment)
    redoing = queue.redo()
    while True:
        with progress("Redoing the messages of the failure queue"):
            outcome = next(redoing, None)
        if outcome is None:
            break
        _show(options, outcome)
    outcomes, left = queue.outcomes.values(), len(queue.left)
    if options.as_json:
        messages = {"deleted": queue.deleted, "left": left}
        echo_json({"reports": [outcome.as_json() for outcome in outcomes], "messages": messages})
    elif outcomes:
        click.echo(f"Messages: {queue.deleted} deleted, {left} left in the failure queue.")
        if any(outcome.is_lost for outcome in outcomes):
            click.echo(f"Some can never succeed. To delete all: aws sqs purge-queue --queue-url {queue.url}")
    else:
        click.echo("The failure queue is empty.")
    _exit(well=not left)


_COMPLETION = f"""\b
Install it once:
  {PROGRAM} completion bash > ~/.local/share/bash-completion/completions/{PROGRAM}
  {PROGRAM} completion zsh > ~/.zfunc/_{PROGRAM}   (with ~/.zfunc in $fpath)
  {PROGRAM} completion fish > ~/.config/fish/completions/{PROGRAM}.fish"""


@main.command(epilog=_COMPLETION)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the completion script of a shell."""
    completer: Any = get_completion_class(shell)
    click.echo(completer(main, {}, PROGRAM, "_SEARCH_COVERAGE_COMPLETE").source())


def is_terminal() -> bool:
    """Whether a person can answer a question."""
    return sys.stdin.isatty()


def _connect(options: Options) -> "Deployment":
    from cli.credentials import connect  # noqa: PLC0415 - boto3 takes most of the time of a start

    return connect(options.profile, options.region)


def _show(options: Options, outcome: "Outcome") -> None:
    if not options.as_json:
        click.echo(outcome.as_text())


def _exit(*, well: bool) -> NoReturn:
    click.get_current_context().exit(ExitCode.WELL if well else ExitCode.NOT_WELL)


if __name__ == "__main__":
    main()
