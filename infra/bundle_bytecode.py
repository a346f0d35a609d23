"""The bundle's bytecode: Lambda's code folder is read-only, so without it every cold start compiles all it imports.

Sources stay beside it, for tracebacks, and for interpreters of another version.
"""

import functools
import os
import subprocess
from pathlib import Path
from typing import Final

import uv

from infra.bundle_error import BundlingError

_FOLDER_IN_LAMBDA: Final = "/var/task"
"""Where the bundle will lie; tracebacks name files there, and no bytes depend on where it was built."""


@functools.cache
def find_interpreter(version: str) -> str | None:
    """Let uv find an interpreter on this machine; nothing is downloaded.

    Args:
        version: Such as "3.13": bytecode is only good for the minor version that made it.

    Returns:
        Its path, or None if there is none.
    """
    command = [uv.find_uv_bin(), "python", "find", "--no-project", "--no-python-downloads", version]
    # uv gives up at a shim of pyenv that does not answer, and it answers only for the version that is chosen.
    for chosen in ({}, {"PYENV_VERSION": version}):
        finished = subprocess.run(  # no input from outside
            command, env={**os.environ, **chosen}, capture_output=True, text=True, check=False
        )
        if finished.returncode == 0:
            return finished.stdout.strip()
    return None


def compile_all(bundle: Path, interpreter: str) -> None:
    """Compile every module, so that the interpreter never looks at the source's time or content.

    Args:
        bundle: The folder with the packages.
        interpreter: The Python that compiles, of the version that will run it.

    Raises:
        BundlingError: Something does not compile.
    """
    command = [
        *(interpreter, "-P", "-S", "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"),
        *("-s", str(bundle), "-p", _FOLDER_IN_LAMBDA, str(bundle)),
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    finished = subprocess.run(  # no input from outside
        command,
        env={**environment, "PYTHONHASHSEED": "0"},  # sets of constants are stored in the order of their hashes
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode != 0:
        raise BundlingError(f"{interpreter} could not compile them and says: {finished.stdout}{finished.stderr}")
