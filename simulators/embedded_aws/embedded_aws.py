"""The embedded AWS as the demo and the tests use it: start it, deploy to it, talk to it, stop it."""

import ipaddress
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import boto3
import botocore.session

from simulators.embedded_aws.cdk import CdkCommandLine, Outputs
from simulators.embedded_aws.environments import (
    ACCESS_KEY_ID,
    ACCOUNT_ID,
    LOOPBACK,
    REGION,
    SECRET_ACCESS_KEY,
    SIMULATED_SERVICES,
    client_environment,
    loopback_only,
)
from simulators.embedded_aws.errors import EmulatorError
from simulators.embedded_aws.mailbox import Mail, Mailbox
from simulators.embedded_aws.process import EmulatorProcess, Options


class EmbeddedAws:
    """An AWS account on this computer, for as long as a `with` block lasts.

        with EmbeddedAws(state_dir=Path("out/aws"), simulator_url=simulator.endpoint_url) as aws:
            outputs = aws.deploy(Path("."), context={}, outputs_file=Path("out/outputs.json"))

    It starts empty and forgets everything at the end. Nothing in it can reach a real AWS.

    Args:
        state_dir: The folder that it writes to: its log, its mails, the CDK command line's home, the cloud assembly.
        port: The port on 127.0.0.1, or 0 for any free one.
        simulator_url: The simulator of AWS Backup, on loopback.
        concurrency: How many asynchronous Lambda invocations run at once.
        retry_delays: Seconds before each retry of an asynchronous invocation. On AWS: 60 and 120.

    Raises:
        EmulatorError: The simulator is not on loopback.
    """

    account_id = ACCOUNT_ID
    region = REGION

    def __init__(
        self,
        *,
        state_dir: Path,
        port: int = 0,
        simulator_url: str | None = None,
        concurrency: int = 4,
        retry_delays: tuple[float, ...] = (1.0, 2.0),
    ) -> None:
        simulator_url = _on_loopback(simulator_url) if simulator_url else None
        self._options = Options(state_dir.resolve(), port, simulator_url, concurrency, retry_delays)
        self._process: EmulatorProcess | None = None
        self._session: boto3.session.Session | None = None

    def start(self) -> Self:
        """Start it, and wait until it answers.

        Raises:
            EmulatorError: The port is in use, the emulator is missing or another version, or it does not start.
        """
        self._process = EmulatorProcess.start(self._options)
        return self

    def stop(self) -> None:
        """End it with all that it started. Harmless when repeated."""
        if self._process:
            self._process.stop()
            self._process = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    @property
    def process(self) -> EmulatorProcess:
        """The running process."""
        if self._process is None:
            raise RuntimeError("The embedded AWS is not started: use it in a `with` block.")
        return self._process

    @property
    def endpoint_url(self) -> str:
        """The address of all its services."""
        return f"http://{LOOPBACK}:{self.process.port}"

    @property
    def log_file(self) -> Path:
        """The log of the emulator and of the functions."""
        return self._options.log_file

    def settings(self) -> dict[str, str]:
        """Return the environment variables by which a program uses it; nothing of the user's is among them."""
        return self._options.aws_settings(self.process.port)

    def environment(self, *, network: bool = False) -> dict[str, str]:
        """Return the environment for programs that use it, such as the AWS command line or another Python.

        With `network` the program may reach other computers: the CDK app's bundling has to, for its packages.
        """
        proxies = {} if network else loopback_only()
        return client_environment(aws=self.settings(), cdk_home=self._options.state_dir / "cdk-home") | proxies

    def client(self, service: str) -> Any:
        """Return a boto3 client, which ignores the user's AWS configuration."""
        if self._session is None:
            self._session = _session(absent=self._options.state_dir / "no-aws-config")
        simulator_url = self._options.simulator_url if service in SIMULATED_SERVICES else None
        make_client: Callable[..., Any] = self._session.client
        return make_client(service, endpoint_url=simulator_url or self.endpoint_url)

    def deploy(
        self,
        app_dir: Path,
        *,
        context: Mapping[str, str],
        outputs_file: Path,
        progress: Callable[[str], None] = lambda _line: None,
    ) -> Outputs:
        """Run `cdk bootstrap` and `cdk deploy` for all stacks of the app, and return the outputs of each stack.

        Args:
            app_dir: The folder with `cdk.json`.
            context: Context values, as with `-c`.
            outputs_file: The file that the outputs are written to.
            progress: Called with each line that the CDK command line prints.

        Raises:
            EmulatorError: Node.js or the CDK command line is missing, or it failed; with the last lines it printed.
        """
        command_line = CdkCommandLine(self._options.state_dir, self.environment(network=True), progress)
        return command_line.deploy(app_dir, context, outputs_file)

    def event_sink(self) -> Callable[[Mapping[str, Any]], None]:
        """Return what puts an event on the default bus, for the simulator of AWS Backup to send its events to."""
        events = self.client("events")

        def put(event: Mapping[str, Any]) -> None:
            answer = events.put_events(Entries=[event])
            if answer["FailedEntryCount"]:
                raise EmulatorError(f"The embedded AWS refused an event: {answer['Entries'][0]['ErrorMessage']}.")

        return put

    def mails(self) -> list[Mail]:
        """Return the e-mails that SNS sent to its e-mail subscriptions so far, oldest first."""
        return Mailbox(self._options.mailbox).mails()

    def lambda_logs(self, function_name: str) -> list[str]:
        """Return all lines that a function has logged so far, oldest first; none if it never ran."""
        configuration = self.client("lambda").get_function_configuration(FunctionName=function_name)
        group = (configuration.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{function_name}"
        logs = self.client("logs")
        try:
            pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=group))
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [entry["message"] for page in pages for entry in page["events"]]


def _on_loopback(url: str) -> str:
    """Return the URL if it is plain HTTP to this computer: nothing started from here may reach a real AWS."""
    parts = urlsplit(url)
    try:
        is_loopback = parts.hostname == "localhost" or ipaddress.ip_address(parts.hostname or "").is_loopback
    except ValueError:
        is_loopback = False
    if parts.scheme == "http" and is_loopback:
        return url.rstrip("/")
    raise EmulatorError(
        f"The endpoint {url!r} is refused: the embedded AWS talks to this computer only, "
        f"so it must look like http://{LOOPBACK}:<port>."
    )


def _session(*, absent: Path) -> boto3.session.Session:
    """Return a session that reads neither files nor environment variables of the user."""
    isolated = botocore.session.Session(
        session_vars={
            "profile": (None, None, None, None),
            "config_file": (None, None, str(absent), None),
            "credentials_file": (None, None, str(absent), None),
        }
    )
    return boto3.session.Session(
        aws_access_key_id=ACCESS_KEY_ID,
        aws_secret_access_key=SECRET_ACCESS_KEY,
        region_name=REGION,
        botocore_session=isolated,
    )
