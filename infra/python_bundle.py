"""The code of the functions, bundled on this machine by uv, without Docker.

Both functions run the same package with the same dependencies, so they share one asset.

*The same inputs give the same asset hash.* The hash covers everything that determines the bundle: the names and
contents of the files of `lambda/`, the target platform, the Python version, whether there is bytecode, and the modules
that bundle. So a deployment uploads nothing if nothing changed, and never misses a changed dependency. Because
`requirements.txt` pins every package by hash, the bundle itself is the same to the byte as well.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import jsii
import uv
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from infra.bundle_bytecode import compile_all, find_interpreter
from infra.bundle_contents import keep_what_runs
from infra.bundle_error import BundlingError
from search_coverage.aws import services

__all__ = ["ARCHITECTURE", "RUNTIME", "BundlingError", "PythonBundle", "asset_hash", "build", "function_code"]

LAMBDA_FOLDER: Final = Path(__file__).parent.parent / "lambda"

RUNTIME: Final = lambda_.Runtime.PYTHON_3_13
"""Supported by Lambda until 2029-06 (docs/aws-facts.md §5)."""
ARCHITECTURE: Final = lambda_.Architecture.ARM_64
"""Costs a fifth less than x86_64 for the same time (https://aws.amazon.com/lambda/pricing/)."""

PYTHON_VERSION: Final = "3.13"
PLATFORM: Final = "aarch64-manylinux_2_28"
"""uv's name for 64-bit ARM Linux with glibc 2.28 or newer; Lambda's Python 3.13 runs on Amazon Linux 2023, which has
2.34 (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html)."""

_PACKAGE: Final = "search_coverage"
_REQUIREMENTS: Final = "requirements.txt"
_MODIFIED: Final = 315_532_800
"""1980-01-01 UTC in epoch seconds: the earliest time stamp of a zip file."""


def function_code(folder: Path = LAMBDA_FOLDER) -> lambda_.AssetCode:
    """Return the code asset of the functions, whose bundle is built unless `cdk.out` has it already.

    Args:
        folder: The folder that holds `requirements.txt` and the package `search_coverage`.
    """
    return lambda_.Code.from_asset(
        str(folder),
        asset_hash_type=AssetHashType.CUSTOM,
        asset_hash=asset_hash(folder),
        bundling=BundlingOptions(
            # The API requires an image. It is only a name here: the local bundling makes a bundle or fails.
            image=DockerImage.from_registry("never-pulled"),
            local=PythonBundle(folder),
        ),
    )


def asset_hash(folder: Path = LAMBDA_FOLDER) -> str:
    """Compute the hash that names the asset, a SHA-256 in hexadecimal, over what the first lines here say."""
    digest = hashlib.sha256()
    bytecode = b"bytecode" if find_interpreter(PYTHON_VERSION) else b"no bytecode"
    parts = [PLATFORM.encode(), PYTHON_VERSION.encode(), bytecode]
    parts += [module.read_bytes() for module in sorted(Path(__file__).parent.glob("*bundle*.py"))]
    for path in [folder / _REQUIREMENTS, *_package_files(folder)]:
        parts += [path.relative_to(folder).as_posix().encode(), path.read_bytes()]
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))  # so that no two lists of parts read the same
        digest.update(part)
    return digest.hexdigest()


@jsii.implements(ILocalBundling)
class PythonBundle:
    """Builds the bundle for the CDK, and never leaves the work to Docker."""

    def __init__(self, folder: Path = LAMBDA_FOLDER) -> None:
        self._folder = folder

    def try_bundle(self, output_dir: str, *, image: DockerImage, **_options: object) -> bool:
        """Build the bundle.

        Args:
            output_dir: An empty folder that the CDK made.
            image: Unused; without this name, jsii does not pass the options as keywords.
            **_options: The other options of the CDK, for Docker as well.

        Returns:
            True: with False, the CDK would use Docker.
        """
        del image
        build(self._folder, Path(output_dir))
        return True


def build(folder: Path, output: Path, *, interpreter: str | None = None) -> None:
    """Install the locked packages for Lambda, remove what does not run, add our package, and compile everything.

    Args:
        folder: As for `function_code`.
        output: An existing folder, empty.
        interpreter: The Python that compiles; by default one of the version that Lambda runs, if there is one.

    Raises:
        BundlingError: The packages could not be installed or compiled.
    """
    _install(folder / _REQUIREMENTS, output)
    keep_what_runs(output, services.SERVICES, services.ONLY_OPERATIONS)
    for path in _package_files(folder):
        target = output / path.relative_to(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    if interpreter := interpreter or find_interpreter(PYTHON_VERSION):
        compile_all(output, interpreter)
    else:
        sys.stderr.write(
            f"The bundle has no bytecode, so its functions start more slowly: this machine has no Python "
            f"{PYTHON_VERSION}. Install it with '.venv/bin/uv python install {PYTHON_VERSION}'.\n"
        )
    _normalize(output)


def _install(requirements: Path, output: Path) -> None:
    """Install the locked packages with uv, in the environment of this process (proxies, certificates, indexes)."""
    options = {
        "--target": output,
        "--requirements": requirements,
        "--python": sys.executable,
        "--python-version": PYTHON_VERSION,
        "--python-platform": PLATFORM,
        "--only-binary": ":all:",
        "--link-mode": "copy",  # with hard links, `_normalize` would change the cache of uv
    }
    flags = ["--quiet", "--require-hashes", "--no-deps", "--no-compile-bytecode"]
    command = [uv.find_uv_bin(), "pip", "install", *flags, *(str(word) for pair in options.items() for word in pair)]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)  # no input from outside
    if finished.returncode != 0:
        raise BundlingError(
            f"uv could not install {requirements} for Python {PYTHON_VERSION} on {PLATFORM}: {finished.stderr.strip()}"
        )


def _package_files(folder: Path) -> Iterator[Path]:
    """Yield the files of our package in a fixed order, without bytecode and hidden files."""
    for path in sorted((folder / _PACKAGE).rglob("*")):
        names = path.relative_to(folder).parts
        if path.is_file() and not any(name == "__pycache__" or name.startswith(".") for name in names):
            yield path


def _normalize(output: Path) -> None:
    """Set the same time and mode of all files and folders on every machine."""
    for path in [output, *output.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.utime(path, (_MODIFIED, _MODIFIED))
