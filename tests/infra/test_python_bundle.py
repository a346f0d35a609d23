"""The code that is uploaded: the same from the same inputs, complete, small, and built without Docker."""

import gzip
import hashlib
import io
import json
import os
import shutil
import sys
import zipfile
from pathlib import Path
from typing import Any

import botocore
import pytest
from botocore.model import ServiceModel

from infra import python_bundle
from infra.bundle_bytecode import find_interpreter
from infra.bundle_contents import keep_what_runs
from infra.python_bundle import PYTHON_VERSION, BundlingError, PythonBundle, asset_hash, build
from search_coverage.aws.services import ONLY_OPERATIONS, SERVICES
from tests.infra.conftest import ROOT

LARGEST_ZIP_BYTES = 4_000_000
INTERPRETER = find_interpreter(PYTHON_VERSION) or sys.executable  # bytecode of another version proves the same


@pytest.fixture
def inputs(tmp_path: Path) -> Path:
    """A copy of the inputs of the bundle, to be changed."""
    return shutil.copytree(ROOT / "lambda", tmp_path / "lambda")


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The bundle, built twice from the same inputs, the second time with other time stamps, modes and leftovers."""
    folder = shutil.copytree(ROOT / "lambda", tmp_path_factory.mktemp("inputs") / "lambda")
    first, second = (tmp_path_factory.mktemp(name) for name in ("first", "second-at-a-longer-path"))
    build(folder, first, interpreter=INTERPRETER)
    for path in folder.rglob("*.py"):
        path.chmod(0o600)
        os.utime(path, (1_700_000_000, 1_700_000_000))
    leftovers = folder / "search_coverage" / "__pycache__"
    leftovers.mkdir(exist_ok=True)
    (leftovers / "left.cpython-311.pyc").write_bytes(b"bytecode")
    build(folder, second, interpreter=INTERPRETER)
    return first, second


@pytest.fixture(scope="module")
def bundle(bundles: tuple[Path, Path]) -> Path:
    return bundles[0]


def contents(folder: Path) -> dict[str, tuple[int, float, str]]:
    """Return mode, time of change and hash of everything below a folder; a folder has no hash."""
    return {
        path.relative_to(folder).as_posix(): (
            path.stat().st_mode,
            path.stat().st_mtime,
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
        )
        for path in folder.rglob("*")
    }


def model(path: Path) -> ServiceModel:
    packed = path.read_bytes()
    return ServiceModel(json.loads(gzip.decompress(packed) if path.suffix == ".gz" else packed))


# The hash


def test_the_same_inputs_give_the_same_hash_wherever_and_whenever(inputs: Path) -> None:
    # Given inputs at another place, touched, with bytecode and an editor's leftovers
    before = asset_hash(inputs)
    (inputs / "search_coverage" / "__pycache__").mkdir(exist_ok=True)
    (inputs / "search_coverage" / "__pycache__" / "a.pyc").write_bytes(b"bytecode")
    (inputs / "search_coverage" / ".a.py.swp").write_text("leftover")
    (inputs / "requirements.in").write_text("# only the lock counts")
    os.utime(inputs / "requirements.txt", (0, 0))

    # Then the hash is the same
    assert asset_hash(inputs) == before == asset_hash(ROOT / "lambda")


def test_whatever_is_in_the_bundle_changes_the_hash(inputs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashes = [asset_hash(inputs)]

    # A new, a renamed and a changed file, a changed requirement, and another target
    new = inputs / "search_coverage" / "new.py"
    new.write_text("A = 1\n")
    hashes.append(asset_hash(inputs))
    newer = new.rename(new.with_name("newer.py"))
    hashes.append(asset_hash(inputs))
    newer.write_text("A = 2\n")
    hashes.append(asset_hash(inputs))
    with (inputs / "requirements.txt").open("a") as requirements:
        requirements.write("# a new lock\n")
    hashes.append(asset_hash(inputs))
    for name, value in (("PLATFORM", "x86_64-manylinux_2_28"), ("PYTHON_VERSION", "3.14")):
        monkeypatch.setattr(python_bundle, name, value)
        hashes.append(asset_hash(inputs))

    assert len(set(hashes)) == 7


def test_a_bundle_without_bytecode_has_another_hash_and_says_what_it_lacks(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given hashes of a machine with, and of one without an interpreter of the runtime's version
    monkeypatch.setattr(python_bundle, "find_interpreter", lambda _version: sys.executable)
    with_bytecode = asset_hash(inputs)
    monkeypatch.setattr(python_bundle, "find_interpreter", lambda _version: None)

    # When the latter builds (our package alone, which is enough for this)
    monkeypatch.setattr(python_bundle, "_install", lambda *_: None)
    monkeypatch.setattr(python_bundle, "keep_what_runs", lambda *_: None)
    build(inputs, tmp_path / "bundle")

    # Then it has no bytecode, says so in one line, and cannot be taken for the other
    assert list((tmp_path / "bundle").rglob("*.py"))
    assert not list((tmp_path / "bundle").rglob("*.pyc"))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("The bundle has no bytecode")
    assert "uv python install 3.13" in line
    assert asset_hash(inputs) != with_bytecode


# The bundle


def test_the_same_inputs_give_the_same_bundle_to_the_byte(bundles: tuple[Path, Path]) -> None:
    first, second = bundles

    assert contents(first) == contents(second)


def test_every_module_is_compiled_for_where_it_will_lie_and_never_checked_again(bundle: Path) -> None:
    sources = sorted(path.relative_to(bundle) for path in bundle.rglob("*.py"))
    compiled = {path.parent.parent / f"{path.name.split('.')[0]}.py": path for path in bundle.rglob("*.pyc")}

    assert sorted(path.relative_to(bundle) for path in compiled) == sources
    for source, path in compiled.items():
        code = path.read_bytes()
        assert code[4:8] == b"\x01\0\0\0", "unchecked-hash (PEP 552)"
        assert f"/var/task/{source.relative_to(bundle).as_posix()}".encode() in code
        assert str(bundle).encode() not in code


def test_the_zip_is_small(bundle: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(bundle.rglob("*")):
            archive.write(path, path.relative_to(bundle))

    assert len(file.getvalue()) <= LARGEST_ZIP_BYTES


def test_the_bundle_holds_the_models_of_the_services_that_are_called_and_no_others(bundle: Path) -> None:
    models = [path.parent.parent.name for path in (bundle / "botocore" / "data").rglob("service-2.json*")]

    assert sorted(models) == sorted(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_a_model_of_the_bundle_is_botocores_without_its_documentation(bundle: Path, service: str) -> None:
    data = bundle / "botocore" / "data"
    (kept,) = (data / service).rglob("service-2.json")
    original = Path(botocore.__file__).parent / "data" / kept.relative_to(data)
    ours, whole = model(kept), model(original.with_suffix(".json.gz"))

    assert not any(ours.operation_model(name).documentation for name in ours.operation_names)
    assert ours.client_context_parameters == whole.client_context_parameters
    assert ours.metadata == whole.metadata
    assert ours.operation_names == list(ONLY_OPERATIONS.get(service, whole.operation_names))
    if service not in ONLY_OPERATIONS:
        assert ours.shape_names == whole.shape_names
    for name in ours.operation_names:
        assert ours.operation_model(name).http == whole.operation_model(name).http
    for name in ours.shape_names:
        assert _parts(ours.shape_for(name)) == _parts(whole.shape_for(name))


def _parts(shape: Any) -> tuple[object, ...]:
    return shape.type_name, shape.serialization, shape.metadata, list(getattr(shape, "members", ()))


def test_the_bundle_holds_what_the_operations_need_of_a_large_model_and_no_more(bundle: Path) -> None:
    (kept,) = (bundle / "botocore" / "data" / "ec2").rglob("service-2.json")

    assert kept.stat().st_size < 10_000
    described: Any = model(kept).operation_model("DescribeSnapshots")
    assert "Filters" in described.input_shape.members
    assert "Tags" in described.output_shape.members["Snapshots"].member.members


def test_the_bundle_holds_our_package_as_it_is(bundle: Path) -> None:
    ours, source = (
        {path: digest for path, (_, _, digest) in contents(folder).items() if digest and not path.endswith(".pyc")}
        for folder in (bundle / "search_coverage", ROOT / "lambda" / "search_coverage")
    )

    assert ours == source


def test_the_bundle_names_its_packages_and_holds_their_licenses(bundle: Path) -> None:
    packages = list(bundle.glob("*.dist-info"))

    assert len(packages) == (ROOT / "lambda" / "requirements.txt").read_text().count("==")
    for package in packages:
        assert (package / "METADATA").is_file()
        assert list(package.rglob("LICEN[SC]E*")), package.name


def test_the_bundle_holds_nothing_that_is_not_read_and_no_machine_code(bundle: Path) -> None:
    # Without machine code, it also runs where it was built
    names = [path for path, (_, _, digest) in contents(bundle).items() if digest]

    assert not [name for name in names if name.startswith("bin/") or name == ".lock"]
    assert not [name for name in names if name.endswith((".pyi", ".rst", "py.typed", "/RECORD", "/INSTALLER"))]
    assert not [name for name in names if {"test", "tests", "examples"} & set(name.split("/"))]
    assert not [name for name in names if name.endswith((".so", ".dylib", ".pyd"))]


# What stops the bundling


def test_a_service_that_botocore_does_not_know_stops_the_bundling(tmp_path: Path) -> None:
    (tmp_path / "botocore" / "data" / "backupsearch").mkdir(parents=True)

    with pytest.raises(BundlingError, match="botocore knows no service 'backup-search'"):
        keep_what_runs(tmp_path, ("backup-search",), {})


def test_a_package_that_cannot_be_installed_stops_the_bundling_and_never_asks_docker(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Given a requirement without a hash
    (inputs / "requirements.txt").write_text("boto3==1.43.106\n")
    monkeypatch.setenv("UV_OFFLINE", "1")

    # When the CDK asks for the bundle, then it gets an error that says what uv said, not "try Docker"
    with pytest.raises(BundlingError, match=r"(?s)could not be bundled: uv could not install .*hash") as caught:
        PythonBundle(inputs).try_bundle(str(tmp_path), image=None)  # type: ignore[arg-type]  # never looked at

    assert BundlingError.sentence_in(RuntimeError(f"Failed to bundle asset: {caught.value}")) == str(caught.value)
    assert BundlingError.sentence_in(RuntimeError("something else")) is None
