"""What all commands share: options, the type of a search job, and the output."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from cli.permissions import PERMISSIONS
from search_coverage.coverage.search_job import InvalidIdentifier, search_job_identifier

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass
class Options:
    """The options that a user can pass before or after the name of the command."""

    profile: str | None = None
    region: str | None = None
    as_json: bool = False


def shared_options(command: Command) -> Command:
    """Add `--profile`, `--region` and `--json` to a command or to the group."""
    remembered: Any = {"callback": _remember, "expose_value": False}
    for option in (
        click.option("--json", "as_json", is_flag=True, help="Print one JSON document on stdout.", **remembered),
        click.option("--region", help="Region [default: AWS_REGION, or that of the profile].", **remembered),
        click.option("--profile", help="Profile of the AWS configuration [default: AWS_PROFILE].", **remembered),
    ):
        command = option(command)
    return command


def _remember(context: click.Context, parameter: click.Parameter, value: object) -> None:
    options = context.ensure_object(Options)
    if value:
        setattr(options, str(parameter.name), value)


def epilog(examples: str, *commands: str) -> str:
    """Return the end of a command's help: examples, and the permissions that it needs."""
    needs = [f"Permissions for {name}: {', '.join(PERMISSIONS[name])}." for name in commands]
    return "\n\n".join([f"\b\nExamples:\n{examples}", *needs])


class SearchJobId(click.ParamType[str]):
    """The identifier of a search job, or its ARN."""

    name = "ID"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the identifier."""
        try:
            return search_job_identifier(value.rpartition(":search-job/")[2])
        except InvalidIdentifier:
            self.fail(f"{value!r} is neither the identifier (a UUID) nor the ARN of a search job.", param, ctx)


def echo_json(document: object) -> None:
    """Print a document on stdout."""
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))


@contextmanager
def progress(description: str, total: int | None = None) -> Iterator[Callable[..., None]]:
    """Show a progress bar on stderr, where that is a terminal, until the block ends.

    Yields:
        A function that advances the bar by one step, or by ``steps`` of a ``total`` that is known later.
    """
    from rich.console import Console  # noqa: PLC0415 - `--help` does not need it
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415

    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        task = bars.add_task(description, total=total)
        yield lambda steps=1, total=None: bars.update(task, advance=steps, total=total)
