"""The bundles whose start and size are compared, ours and the usual one, and the Python that runs them."""

import importlib.metadata
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import uv

from benchmarks.measure import ROOT
from infra.bundle_bytecode import find_interpreter

RUNTIME_VERSION: Final = "3.13"
USUAL_HANDLER: Final = "usual_handler"

# In a separate process: the CDK starts a Node.js process that would otherwise run during the measurements.
_BUILD = "import pathlib, sys; from infra.python_bundle import build; build(*map(pathlib.Path, sys.argv[1:]))"


def ours(folder: Path) -> Path:
    """Build our bundle anew, as `cdk deploy` does."""
    bundle = _empty(folder / "bundle-ours")
    output_of([sys.executable, "-c", _BUILD, str(ROOT / "lambda"), str(bundle)])
    return bundle


def usual(folder: Path, python: str) -> Path:
    """Build the usual bundle, or take the one that is there: all of boto3, Powertools' parser and tracer, no bytecode.

    Args:
        python: The interpreter that will run it.
    """
    wanted = [_locked("boto3"), _locked("botocore"), _locked("aws-lambda-powertools", extras="[parser,tracer]")]
    bundle = _installed(folder / "bundle-usual", wanted, python, "--no-compile-bytecode")
    for bytecode in list(bundle.rglob("__pycache__")):  # left by a manual run: this bundle has none
        shutil.rmtree(bytecode)
    shutil.copyfile(Path(__file__).with_name(f"{USUAL_HANDLER}.py"), bundle / f"{USUAL_HANDLER}.py")
    return bundle


def runtime(folder: Path) -> tuple[str, Path]:
    """Return the interpreter of the runtime, and the folder of Lambda's own runtime client, or those of this process.

    Returns:
        Lambda's version of Python where it can be found and the client be installed for it, else this one.
    """
    wanted = [f"awslambdaric=={importlib.metadata.version('awslambdaric')}"]
    python = find_interpreter(RUNTIME_VERSION)
    if python is not None:
        try:
            return python, _installed(folder / "runtime-client", wanted, python, "--compile-bytecode")
        except RuntimeError as error:
            print(f"awslambdaric cannot be had for Python {RUNTIME_VERSION}, so this Python is used: {error}")
    return sys.executable, Path(str(importlib.metadata.distribution("awslambdaric").locate_file(".")))


def packages(bundle: Path) -> list[str]:
    return sorted(path.name.removesuffix(".dist-info").replace("-", " ") for path in bundle.glob("*.dist-info"))


def _locked(package: str, extras: str = "") -> str:
    text = (ROOT / "lambda" / "requirements.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(package)}(==\S+)", text, re.MULTILINE)
    if found is None:
        raise LookupError(f"lambda/requirements.txt does not lock {package}.")
    return f"{package}{extras}{found[1]}"


def _installed(folder: Path, wanted: Sequence[str], python: str, *options: str) -> Path:
    note = folder.with_suffix(".json")
    made_of = [*wanted, *options, python]
    if not (folder.exists() and note.exists() and json.loads(note.read_text()) == made_of):
        note.unlink(missing_ok=True)
        command = ["pip", "install", "--quiet", "--only-binary", ":all:", "--link-mode", "copy", *options]
        output_of([uv.find_uv_bin(), *command, "--python", python, "--target", str(_empty(folder)), *wanted])
        note.write_text(json.dumps(made_of))
    return folder


def _empty(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def output_of(command: Sequence[str]) -> str:
    """Run a command, and return what it printed.

    Raises:
        RuntimeError: It failed; the message holds what it said.
    """
    finished = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if finished.returncode != 0:
        raise RuntimeError(f"{Path(command[0]).name} ended with {finished.returncode}: {finished.stderr.strip()}")
    return finished.stdout
