"""The environment variables that keep the emulator, its functions and its clients away from any real AWS."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from simulators.embedded_aws.loopback import LOOPBACK

ACCOUNT_ID = "111122223333"  # AWS's own example account
REGION = "us-east-1"
# The emulator takes a key of 12 digits as the account. No real access key looks like that.
ACCESS_KEY_ID = ACCOUNT_ID
SECRET_ACCESS_KEY = "embedded"  # noqa: S105  not a secret: the emulator accepts anything

_NO_PROXY_THERE = f"http://{LOOPBACK}:9"  # the port of the discard service, at which nobody listens

_SIMULATED_SERVICES = ("BACKUPSEARCH", "BACKUP", "EC2")
_WHAT_PYTHON_NEEDS = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def aws_settings(*, endpoint_url: str, simulator_url: str | None, absent: Path) -> dict[str, str]:
    """The `AWS_*` variables of everything that talks to the emulator, functions included.

    Args:
        endpoint_url: The emulator.
        simulator_url: The simulator of `backup-search` and `backup`; without one these go to the emulator, too.
        absent: A path at which there is no file: in place of the user's AWS configuration and credentials.
    """
    settings = {
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": ACCESS_KEY_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_CONFIG_FILE": str(absent),
        "AWS_SHARED_CREDENTIALS_FILE": str(absent),
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if simulator_url:
        settings |= {f"AWS_ENDPOINT_URL_{service}": simulator_url for service in _SIMULATED_SERVICES}
    return settings


def loopback_only() -> dict[str, str]:
    """Sends everything that is not for this computer to a proxy that is none: it fails at once.

    A function, or a client that overlooks `AWS_ENDPOINT_URL`, so cannot reach a real AWS by mistake.
    """
    no_proxy = f"{LOOPBACK},localhost,::1"
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), _NO_PROXY_THERE)
    return {
        **proxies,
        **{name.lower(): url for name, url in proxies.items()},
        "NO_PROXY": no_proxy,
        "no_proxy": no_proxy,
    }


def emulator_environment(*, aws: Mapping[str, str], port: int, identity: str, run_dir: Path) -> dict[str, str]:
    """The whole environment of the emulator; its functions inherit it, so nothing of the user's is in it.

    Args:
        aws: From `aws_settings`.
        port: The port it serves.
        identity: A word that only this process answers the health check with.
        run_dir: Where it writes, and nowhere else.
    """
    return {
        **{name: os.environ[name] for name in _WHAT_PYTHON_NEEDS if name in os.environ},
        **aws,
        **loopback_only(),
        "HOME": str(run_dir),
        "TMPDIR": str(run_dir),
        "S3_DATA_DIR": str(run_dir / "s3"),
        "STATE_DIR": str(run_dir / "state"),
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        "PYTHONNOUSERSITE": "1",
        "PYTHONUNBUFFERED": "1",
        "BIND_HOST": LOOPBACK,
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": LOOPBACK,  # stands in queue URLs; "localhost" may mean ::1
        "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
        "MINISTACK_REGION": REGION,
        "MINISTACK_EDITION": identity,  # a free text that comes back in the health check
        "LAMBDA_EXECUTOR": "local",
        "DOCKER_HOST": f"unix://{run_dir / 'no-docker'}",  # it would reap containers of other emulators
        "IOT_MTLS_ENABLED": "0",  # listens on 8883 otherwise
        "SFTP_ENABLED": "0",
    }


def client_environment(*, aws: Mapping[str, str], cdk_home: Path) -> dict[str, str]:
    """The environment of programs that use the emulator: the CDK and AWS command lines, the CDK app.

    It is the user's, since the app's bundling needs the package caches and proxies set up there, but without any
    AWS or CDK setting, and with loopback kept off the proxies.

    Args:
        aws: From `aws_settings`.
        cdk_home: In place of `~/.cdk`, where the CDK command line would remember which account a key belongs to.
    """
    inherited = {name: text for name, text in os.environ.items() if not name.upper().startswith(("AWS_", "CDK_"))}
    direct = ",".join(filter(None, [inherited.get("NO_PROXY") or inherited.get("no_proxy"), LOOPBACK, "localhost"]))
    return {
        **inherited,
        **aws,
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)]),
        "NO_PROXY": direct,
        "no_proxy": direct,
        "NO_COLOR": "1",
        # Advice to upgrade Node.js: Node.js 20 does, and the lines would bury the progress of the deployment.
        "NODE_NO_WARNINGS": "1",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "AWS_PAGER": "",
        "CDK_HOME": str(cdk_home),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_NOTICES": "1",
        "CDK_NOTICES": "false",  # what CDK_DISABLE_NOTICES leaves: a look whether there is a network
        "CDK_DISABLE_VERSION_CHECK": "1",
    }
