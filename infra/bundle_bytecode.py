"""The bytecode of the bundle: the code folder of Lambda is read-only, so without it every cold start compiles anew.

The sources stay beside it, for tracebacks and for interpreters of another version.
"""

import functools
import os
import subprocess
from pathlib import Path
from typing import Final

import uv

from infra.bundle_error import BundlingError

_FOLDER_IN_LAMBDA: Final = "/var/task"
"""The folder of the bundle in Lambda. Tracebacks name it, and no byte depends on where the bundle was built."""


@functools.cache
def find_interpreter(version: str) -> str | None:
    """Find an interpreter on this machine by uv, without a download.

    Args:
        version: Such as "3.13": bytecode works with the minor version that made it only.

    Returns:
        Its path, or None if there is none.
    """
    command = [uv.find_uv_bin(), "python", "find", "--no-project", "--no-python-downloads", version]
    # uv stops at a shim of pyenv that does not answer, and a shim answers for the chosen version only.
    for chosen in ({}, {"PYENV_VERSION": version}):
        finished = subprocess.run(  # no input from outside
            command, env={**os.environ, **chosen}, capture_output=True, text=True, check=False
        )
        if finished.returncode == 0:
            return finished.stdout.strip()
    return None


def compile_all(bundle: Path, interpreter: str) -> None:
    """Compile every module, so that the interpreter never checks the time or the content of a source.

    Args:
        bundle: The folder with the packages.
        interpreter: The Python that compiles, of the version that runs the bundle.

    Raises:
        BundlingError: A module does not compile.
    """
    options = ["-P", "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    command = [interpreter, *options, "-s", str(bundle), "-p", _FOLDER_IN_LAMBDA, str(bundle)]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    finished = subprocess.run(  # no input from outside
        command,
        env={**environment, "PYTHONHASHSEED": "0"},  # sets of constants are stored in the order of their hashes
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise BundlingError(f"{interpreter} could not compile them: {finished.stdout}{finished.stderr}")
