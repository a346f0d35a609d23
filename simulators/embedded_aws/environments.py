"""The environment variables that keep the emulator, its functions and its clients away from any real AWS."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

LOOPBACK = "127.0.0.1"
ACCOUNT_ID = "111122223333"  # AWS's own example account
REGION = "us-east-1"
# The emulator takes a key of 12 digits as the account. No real access key looks like that.
ACCESS_KEY_ID = ACCOUNT_ID
SECRET_ACCESS_KEY = "embedded"  # noqa: S105  not a secret: the emulator accepts anything

SIMULATED_SERVICES = ("backupsearch", "backup", "ec2")
"""The services for which the simulator of AWS Backup stands in, by boto3's names."""

_NO_PROXY_THERE = f"http://{LOOPBACK}:9"  # the port of the discard service, where nothing listens
_NEEDED_BY_PYTHON = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")


def aws_settings(*, endpoint_url: str, simulator_url: str | None, absent: Path) -> dict[str, str]:
    """Return the `AWS_*` variables of everything that talks to the emulator, functions included.

    Args:
        endpoint_url: The emulator.
        simulator_url: The simulator of AWS Backup; without one its services go to the emulator, too.
        absent: A path without a file, instead of the user's AWS configuration and credentials.
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
        settings |= {f"AWS_ENDPOINT_URL_{service.upper()}": simulator_url for service in SIMULATED_SERVICES}
    return settings


def loopback_only() -> dict[str, str]:
    """Return the variables that send everything for another computer to a proxy that does not exist.

    So a function, or a client that overlooks `AWS_ENDPOINT_URL`, cannot reach a real AWS by mistake.
    """
    no_proxy = f"{LOOPBACK},localhost,::1"
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), _NO_PROXY_THERE) | {"NO_PROXY": no_proxy}
    return proxies | {name.lower(): value for name, value in proxies.items()}


def emulator_environment(*, aws: Mapping[str, str], port: int, identity: str, run_dir: Path) -> dict[str, str]:
    """Return the whole environment of the emulator. Its functions inherit it, so it holds nothing of the user's.

    Args:
        aws: From `aws_settings`.
        port: The port that it serves.
        identity: A word with which only this process answers the health check.
        run_dir: The only folder that it writes to.
    """
    return {
        **{name: os.environ[name] for name in _NEEDED_BY_PYTHON if name in os.environ},
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
        "DOCKER_HOST": f"unix://{run_dir / 'no-docker'}",  # it would remove containers of other emulators
        "IOT_MTLS_ENABLED": "0",  # listens on 8883 otherwise
        "SFTP_ENABLED": "0",
    }


def client_environment(*, aws: Mapping[str, str], cdk_home: Path) -> dict[str, str]:
    """Return the environment of programs that use the emulator: the CDK and AWS command lines, the CDK app.

    It is the user's, since the app's bundling needs the package caches and proxies set up there, but without any
    AWS or CDK setting, and without a proxy for loopback. `cdk_home` stands in for `~/.cdk`, where the CDK command line
    would remember which account a key belongs to.
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
        "NODE_NO_WARNINGS": "1",  # advice to upgrade Node.js would bury the progress of the deployment
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        "JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION": "1",
        "AWS_PAGER": "",
        "CDK_HOME": str(cdk_home),
        "CDK_DISABLE_CLI_TELEMETRY": "true",
        "CDK_DISABLE_NOTICES": "1",
        "CDK_NOTICES": "false",  # CDK_DISABLE_NOTICES still looks for a network
        "CDK_DISABLE_VERSION_CHECK": "1",
    }
