"""What holds for the code that is uploaded: the same from the same inputs, complete, and built without Docker."""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infra import python_bundle
from infra.python_bundle import BundlingError, PythonBundle, asset_hash, build
from tests.infra.conftest import ROOT


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """A copy of what the bundle is made of, to be changed."""
    folder = tmp_path / "lambda"
    shutil.copytree(ROOT / "lambda", folder)
    return folder


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The bundle, built twice from the same inputs, the second time over other time stamps, modes and leftovers."""
    folder = tmp_path_factory.mktemp("inputs") / "lambda"
    shutil.copytree(ROOT / "lambda", folder)
    first, second = (tmp_path_factory.mktemp(name) for name in ("first", "second"))
    build(folder, first)
    for path in folder.rglob("*.py"):
        path.chmod(0o600)
        os.utime(path, (1_700_000_000, 1_700_000_000))
    leftovers = folder / "search_coverage" / "__pycache__"
    leftovers.mkdir(exist_ok=True)
    (leftovers / "left.cpython-311.pyc").write_bytes(b"bytecode")
    build(folder, second)
    return first, second


def contents(folder: Path) -> dict[str, tuple[int, float, str]]:
    """Give mode, time of change and hash of everything below a folder."""
    return {
        path.relative_to(folder).as_posix(): (
            path.stat().st_mode,
            path.stat().st_mtime,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in folder.rglob("*")
    }


def test_the_same_inputs_give_the_same_hash_wherever_and_whenever(inputs: Path) -> None:
    # Given inputs at another place, touched, with bytecode and an editor's leftovers
    before = asset_hash(inputs)
    (inputs / "search_coverage" / "__pycache__").mkdir(exist_ok=True)
    (inputs / "search_coverage" / "__pycache__" / "a.pyc").write_bytes(b"bytecode")
    (inputs / "search_coverage" / ".a.py.swp").write_text("leftover")
    (inputs / "requirements.in").write_text("# only the lock counts")
    os.utime(inputs / "requirements.txt", (0, 0))

    # Then the hash is the same
    assert asset_hash(inputs) == before


def test_a_changed_requirement_changes_the_hash(inputs: Path) -> None:
    before = asset_hash(inputs)
    with (inputs / "requirements.txt").open("a") as requirements:
        requirements.write("# a new lock\n")

    assert asset_hash(inputs) != before


def test_a_new_a_renamed_and_a_changed_file_change_the_hash(inputs: Path) -> None:
    hashes = [asset_hash(inputs)]

    (inputs / "search_coverage" / "new.py").write_text("A = 1\n")
    hashes.append(asset_hash(inputs))
    (inputs / "search_coverage" / "new.py").rename(inputs / "search_coverage" / "newer.py")
    hashes.append(asset_hash(inputs))
    (inputs / "search_coverage" / "newer.py").write_text("A = 2\n")
    hashes.append(asset_hash(inputs))

    assert len(set(hashes)) == 4


@pytest.mark.parametrize(("what", "value"), [("PLATFORM", "x86_64-manylinux_2_28"), ("PYTHON_VERSION", "3.14")])
def test_another_target_changes_the_hash(inputs: Path, monkeypatch: pytest.MonkeyPatch, what: str, value: str) -> None:
    before = asset_hash(inputs)
    monkeypatch.setattr(python_bundle, what, value)

    assert asset_hash(inputs) != before


def test_the_same_inputs_give_the_same_bundle_to_the_byte(bundles: tuple[Path, Path]) -> None:
    first, second = bundles

    assert contents(first) == contents(second)


def test_the_bundle_alone_is_all_that_the_functions_need(bundles: tuple[Path, Path], tmp_path: Path) -> None:
    # Given a Python without site-packages, at some other place
    program = (
        "import search_coverage, boto3, aws_lambda_powertools, aws_lambda_powertools.utilities.idempotency\n"
        "print(*search_coverage.__path__, boto3.__file__, aws_lambda_powertools.__file__, sep='\\n')"
    )
    finished = subprocess.run(
        [sys.executable, "-S", "-B", "-c", program],
        env={"PYTHONPATH": str(bundles[0])},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    # Then everything comes from the bundle
    assert finished.returncode == 0, finished.stderr
    assert all(line.startswith(str(bundles[0])) for line in finished.stdout.splitlines())


def test_the_bundle_holds_our_package_as_it_is(bundles: tuple[Path, Path]) -> None:
    package = bundles[0] / "search_coverage"

    assert any(package.rglob("*.py"))
    assert not [path for path in package.rglob("*") if path.name == "__pycache__" or path.name.startswith(".")]


def test_the_bundle_holds_nothing_that_only_this_machine_needs(bundles: tuple[Path, Path]) -> None:
    names = contents(bundles[0])

    assert not [name for name in names if name.startswith("bin/") or name == ".lock"]
    assert not [name for name in names if name.endswith((".pyc", ".pyi", "__pycache__", "/RECORD"))]


def test_the_bundle_holds_no_machine_code_so_that_it_also_runs_where_it_was_built(bundles: tuple[Path, Path]) -> None:
    assert not [name for name in contents(bundles[0]) if name.endswith((".so", ".dylib", ".pyd"))]


def test_a_package_that_cannot_be_installed_stops_the_bundling_and_never_asks_docker(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a requirement without a hash
    (inputs / "requirements.txt").write_text("boto3==1.43.106\n")
    monkeypatch.setenv("UV_OFFLINE", "1")

    # When the CDK asks for the bundle, then it gets an error that says what uv said, not "try Docker"
    with pytest.raises(BundlingError, match=r"(?s)could not be bundled: uv could not install .*hash") as caught:
        PythonBundle(inputs).try_bundle(str(tmp_path), image=None)  # type: ignore[arg-type]  # never looked at

    assert BundlingError.told_by(RuntimeError(f"Failed to bundle asset: {caught.value}")) == str(caught.value)
    assert BundlingError.told_by(RuntimeError("something else")) is None
