"""search-coverage, the command for the people who operate the stack."""

import sys
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click
from click.shell_completion import get_completion_class

from cli.errors import CommandError, ExitCode
from cli.options import Options, SearchJobId, echo_json, epilog, progress, shared_options
from search_coverage import __version__
from search_coverage.names import SERVICE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cli.deployment import Deployment
    from cli.doctor.finding import Finding
    from cli.replay import Outcome
    from cli.verify import Opened

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
    """Operate Search Coverage: check the stack, look before a search, read a report, pack it, make it again.

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


_PREFLIGHT_EXAMPLES = f"""\
  {PROGRAM} preflight --type S3 --source arn:aws:s3:::payroll --after 2026-11-01
  {PROGRAM} preflight --search-scope file://scope.json --as arn:aws:iam::111122223333:role/case-team"""


@main.command(epilog=epilog(_PREFLIGHT_EXAMPLES, "preflight", "preflight --as"))
@click.option("--search-scope", metavar="JSON", help="As StartSearchJob takes it: JSON, or file:// and a path.")
@click.option(
    "--cli-input-json", metavar="JSON", help="The whole input of StartSearchJob, of which SearchScope counts."
)
@click.option("--type", type=click.Choice(["S3", "EBS"]), help="What the backups are of.")
@click.option("--source", multiple=True, metavar="ARN", help="Only backups of this bucket or volume.")
@click.option("--backup", multiple=True, metavar="ARN", help="Only this backup.")
@click.option("--after", metavar="TIME", help="Only backups made after it, such as 2026-11-01 or 2026-11-01T12:00:00Z.")
@click.option("--before", metavar="TIME", help="Only backups made before it.")
@click.option("--tag", multiple=True, metavar="KEY=VALUE", help="Only backups with this tag.")
@click.option("--as", "role", metavar="ROLE_ARN", help="Ask IAM whether this role may search them.")
@shared_options
@click.pass_obj
def preflight(options: Options, /, role: str | None, **scope: Any) -> None:
    """Say what a search would look into, and what it would miss.

    It reads the vaults with your own permissions, and needs no stack. Exits with 0 only if one search would look into
    every backup in its scope, and with --as only if IAM allows it to the role.
    """
    from cli.preflight import as_text, requested_scope, rights_of, run_preflight  # noqa: PLC0415

    search_scope = requested_scope(scope)
    deployment = _connect(options)
    with progress("Reading the vaults"):
        result = run_preflight(deployment, search_scope)
        rights = rights_of(deployment, role, result) if role else None
    if options.as_json:
        echo_json({**result.as_json(), **({"rights": rights.as_json()} if rights else {})})
    else:
        click.echo(as_text(result, rights))
    _exit(well=result.sees_all and not (rights and rights.denied))


_EVIDENCE_EXAMPLES = f"""\
  {PROGRAM} evidence 11111111-2222-3333-4444-555555555555
  {PROGRAM} evidence ID --output case-4711.zip --without-results"""


@main.command(epilog=epilog(_EVIDENCE_EXAMPLES, "evidence"))
@click.argument("search_job", metavar="ID", type=SearchJobId())
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="[default: search-coverage-ID.zip]")
@click.option("--without-results", is_flag=True, help="Leave out what the search found, even if it is kept.")
@shared_options
@click.pass_obj
def evidence(options: Options, search_job: str, output: Path | None, *, without_results: bool) -> None:
    """Make one file of a report: a pack of evidence.

    The ZIP file has the page, the tables, the summary, the results if they are kept, and a manifest with the SHA-256,
    the version and the lock date of each. Exits with 1 if results that are kept could not be read, with 3 if there is
    no report. Results name files: give the pack only to people who may read them.
    """
    deployment = _connect(options)
    from cli.evidence import make_pack  # noqa: PLC0415
    from cli.report import find_report  # noqa: PLC0415

    with progress("Packing the report") as advance:
        found = find_report(deployment, search_job)
        path = output or Path(f"{PROGRAM}-{search_job}.zip")
        pack = make_pack(deployment, found, path, with_results=not without_results, advance=advance)
    if options.as_json:
        echo_json(pack.as_json())
    else:
        click.echo(pack.as_text())
    _exit(well=without_results or not pack.left_out)


_VERIFY_EXAMPLES = f"""\
  {PROGRAM} verify search-coverage-11111111-2222-3333-4444-555555555555.zip
  {PROGRAM} verify case-4711.zip --offline"""


@main.command(epilog=epilog(_VERIFY_EXAMPLES, "verify"))
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--offline", is_flag=True, help="Do not look for credentials, and do not ask AWS.")
@shared_options
@click.pass_obj
def verify(options: Options, file: Path, *, offline: bool) -> None:
    """Check that a pack of evidence was not changed.

    It needs no AWS: it holds the files against the manifest and the summary, and calculates the hashes. Where there are
    credentials, it also asks the bucket. Exits with 1 if something is wrong. Who forges a whole pack can make it fit by
    itself: compare the hash in the last line with the printed page, or ask the bucket.
    """
    from rich.console import Console  # noqa: PLC0415

    from cli.doctor import printout  # noqa: PLC0415
    from cli.doctor.finding import State  # noqa: PLC0415
    from cli.verify import OFFLINE_CONCLUSIONS, PACK_CONCLUSIONS, NotWhole, open_contents, open_pack  # noqa: PLC0415
    from cli.verify import verify as verify_pack  # noqa: PLC0415

    findings: dict[str, Finding] = {}
    with open_pack(file) as pack, progress("Checking the pack") as advance:
        checks = verify_pack(pack, file)
        if not offline:
            with suppress(NotWhole):  # which verify_pack finds
                checks = chain(checks, _asked_of_the_bucket(options, open_contents(pack)))
        for name, finding in checks:
            findings[name] = finding
            advance()
    if options.as_json:
        echo_json(printout.as_json(findings))
    else:
        conclusions = OFFLINE_CONCLUSIONS if offline else PACK_CONCLUSIONS
        printout.print_findings(findings, Console(highlight=False), conclusions=conclusions)
    _exit(well=printout.worst(findings) is not State.WRONG)


def _asked_of_the_bucket(options: Options, opened: "Opened") -> "Iterator[tuple[str, Finding]]":
    from cli.verify_bucket import not_compared, verify_against_bucket  # noqa: PLC0415

    try:
        deployment = _connect(options)
    except CommandError as error:
        yield "bucket", not_compared(error.format_message())
    else:
        yield from verify_against_bucket(deployment, opened)


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
