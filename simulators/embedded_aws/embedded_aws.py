"""The embedded AWS as the demo and the tests use it: start it, deploy to it, talk to it, stop it."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Self

import boto3
import botocore.session

from simulators.embedded_aws.cdk_deployment import CdkDeployment, Outputs
from simulators.embedded_aws.loopback import LOOPBACK, require_loopback
from simulators.embedded_aws.mailbox import Mail, Mailbox
from simulators.embedded_aws.server_process import ServerOptions, ServerProcess
from simulators.embedded_aws.surroundings import (
    ACCESS_KEY_ID,
    ACCOUNT_ID,
    REGION,
    SECRET_ACCESS_KEY,
    aws_settings,
    client_environment,
    loopback_only,
)

_SIMULATED_SERVICES = ("backup", "backupsearch", "ec2")


def _say_nothing(_line: str) -> None:
    pass


class EmbeddedAws:
    """An AWS account on this computer, for as long as a `with` block lasts.

        with EmbeddedAws(state_dir=Path("out/aws"), simulator_url=simulator.url) as aws:
            outputs = aws.deploy(Path("."), context={}, outputs_file=Path("out/outputs.json"))

    It starts empty and forgets everything at the end. Nothing in it can reach a real AWS.
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
        """Takes the settings; `start` or `with` starts it.

        Args:
            state_dir: Where it writes: its log, the CDK command line's home, the cloud assembly.
            port: The port on 127.0.0.1, or 0 for any free one.
            simulator_url: The simulator of `backup-search` and `backup`, on loopback.
            concurrency: How many asynchronous Lambda invocations may run at once.
            retry_delays: Seconds before each retry of an asynchronous invocation. On AWS: 60 and 120.

        Raises:
            EmulatorError: The simulator is not on loopback.
        """
        self._options = ServerOptions(
            state_dir=state_dir.resolve(),
            port=port,
            simulator_url=require_loopback(simulator_url) if simulator_url else None,
            concurrency=concurrency,
            retry_delays=retry_delays,
        )
        self._server: ServerProcess | None = None
        self._session: boto3.session.Session | None = None

    def start(self) -> Self:
        """Starts it, and waits until it answers.

        Raises:
            EmulatorError: The port is in use, ministack is missing or another version, or it does not come up.
        """
        self._server = ServerProcess.start(self._options)
        return self

    def stop(self) -> None:
        """Ends it with all that it started. Harmless when repeated."""
        if self._server:
            self._server.stop()
            self._server = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    @property
    def server(self) -> ServerProcess:
        """The running process, with its log."""
        if self._server is None:
            raise RuntimeError("The embedded AWS is not started: use it in a `with` block.")
        return self._server

    @property
    def endpoint_url(self) -> str:
        """Where all its services answer."""
        return f"http://{LOOPBACK}:{self.server.port}"

    @property
    def log_file(self) -> Path:
        """What ministack and the functions said."""
        return self._options.state_dir / "emulator.log"

    def settings(self) -> dict[str, str]:
        """The environment variables by which a program uses it; nothing of the user's is among them."""
        return aws_settings(
            endpoint_url=self.endpoint_url,
            simulator_url=self._options.simulator_url,
            absent=self._options.state_dir / "no-aws-config",
        )

    def environment(self, *, network: bool = False) -> dict[str, str]:
        """The environment for programs that use it, such as the AWS command line or another Python.

        Args:
            network: Whether the program may reach further than this computer. The CDK app's bundling has to,
                for the packages that it bundles.
        """
        walls = {} if network else loopback_only()
        return client_environment(aws=self.settings(), cdk_home=self._options.state_dir / "cdk-home") | walls

    def client(self, service: str) -> Any:
        """A boto3 client, by boto3's name of the service; the user's AWS configuration has no say in it."""
        if self._session is None:
            self._session = _session(absent=self._options.state_dir / "no-aws-config")
        simulator_url = self._options.simulator_url if service in _SIMULATED_SERVICES else None
        make_client: Callable[..., Any] = self._session.client
        return make_client(service, endpoint_url=simulator_url or self.endpoint_url)

    def deploy(
        self,
        app_dir: Path,
        *,
        context: Mapping[str, str],
        outputs_file: Path,
        progress: Callable[[str], None] = _say_nothing,
    ) -> Outputs:
        """Does `cdk bootstrap` and `cdk deploy` with the CDK command line, for all stacks of the app.

        Args:
            app_dir: The folder with `cdk.json`.
            context: Context values, as with `-c`.
            outputs_file: Where the outputs are written, too.
            progress: Called with each line that the CDK command line prints.

        Returns:
            The outputs of each stack, by the stack's name.

        Raises:
            EmulatorError: Node.js or the CDK command line is missing, or it failed; with the last lines it printed.
        """
        return CdkDeployment(
            app_dir=app_dir,
            context=context,
            outputs_file=outputs_file,
            state_dir=self._options.state_dir,
            environment=self.environment(network=True),
            progress=progress,
        ).run()

    def mails(self) -> list[Mail]:
        """The e-mails that SNS sent to its e-mail subscriptions so far, oldest first."""
        return Mailbox(self._options.mailbox).mails()

    def lambda_logs(self, function_name: str) -> list[str]:
        """All lines that a function has logged so far, oldest first; none if it never ran."""
        configuration = self.client("lambda").get_function_configuration(FunctionName=function_name)
        group = (configuration.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{function_name}"
        logs = self.client("logs")
        try:
            pages = list(logs.get_paginator("filter_log_events").paginate(logGroupName=group))
        except logs.exceptions.ResourceNotFoundException:
            return []
        return [entry["message"] for page in pages for entry in page["events"]]


def _session(*, absent: Path) -> boto3.session.Session:
    """A session that reads neither files nor environment variables of the user."""
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
