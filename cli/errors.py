"""Errors that end a command with one sentence and an exit code."""

from enum import IntEnum

import click


class ExitCode(IntEnum):
    """The exit codes of every command."""

    WELL = 0
    NOT_WELL = 1
    NOT_STARTED = 2
    NO_REPORT = 3
    INTERRUPTED = 130


class CommandError(click.ClickException):
    """The command cannot start: no credentials, no permission, no stack, or a wrong argument."""

    exit_code = ExitCode.NOT_STARTED


class StackMissing(CommandError):
    """The account has no stack in this Region."""


class PartMissing(CommandError):
    """The stack lacks an output or a resource: it is of another version."""


class NoSuchReport(CommandError):
    """The search job has no report."""

    exit_code = ExitCode.NO_REPORT
