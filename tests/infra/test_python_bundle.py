"""What holds for the code that is uploaded: the same from the same inputs, complete, lean, and built without Docker."""

import ast
import gzip
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import boto3
import botocore
import pytest
from botocore.model import ServiceModel

from infra import python_bundle
from infra.bundle_bytecode import find_interpreter
from infra.python_bundle import PYTHON_VERSION, BundlingError, PythonBundle, asset_hash, build
from search_coverage.aws import services
from search_coverage.aws.services import ONLY_OPERATIONS, SERVICES
from tests.infra.conftest import ROOT

LARGEST_ZIP_BYTES = 4_000_000
INTERPRETER = find_interpreter(PYTHON_VERSION) or sys.executable  # bytecode of another version proves the same
SCOPES = {
    "backup": "backup",
    "backupsearch": "backup-search",
    "dynamodb": "dynamodb",
    "ec2": "ec2",
    "events": "events",
    "s3": "s3",
    "sns": "sns",
}
REGIONS = ("eu-central-1", "us-east-1", "us-gov-west-1", "cn-north-1")  # three partitions

ONE_REQUEST_OF_EACH_KIND = """
import boto3, botocore.exceptions, pathlib, sys
from search_coverage.aws import clients
from search_coverage.aws.services import SERVICES

pathlib.Path("large").write_bytes(bytes(9_000_000))
client = {name: getattr(clients, {"backupsearch": "backup_search"}.get(name, name))() for name in SERVICES}
for call in (
    lambda: client["backup"].list_backup_vaults(),
    lambda: client["backup"].list_tags(ResourceArn="arn:aws:backup:us-east-1:111122223333:recovery-point:x"),
    lambda: client["backupsearch"].list_search_jobs(),
    lambda: list(client["backupsearch"].get_paginator("list_search_job_backups").paginate(SearchJobIdentifier="x")),
    lambda: client["dynamodb"].get_item(TableName="table", Key={"id": {"S": "x"}}),
    lambda: client["ec2"].describe_snapshots(Filters=[{"Name": "snapshot-id", "Values": ["snap-1"]}]),
    lambda: client["events"].put_events(Entries=[{"Source": "s", "DetailType": "d", "Detail": "{}"}]),
    lambda: client["s3"].put_object(Bucket="bucket", Key="key", Body=b"body"),
    lambda: client["s3"].create_multipart_upload(Bucket="bucket", Key="key"),
    lambda: client["s3"].list_objects_v2(Bucket="bucket"),
    lambda: client["sns"].publish(TopicArn="arn:aws:sns:eu-central-1:123456789012:topic", Message="m"),
):
    try:
        call()
    except (botocore.exceptions.ClientError, boto3.exceptions.S3UploadFailedError):
        pass
    else:
        sys.exit("the server said no, and nobody heard it")
"""
ENDPOINTS = """
import boto3, json, sys
regions, services = json.loads(sys.argv[1])
print(json.dumps([boto3.client(name, region).meta.endpoint_url for region in regions for name in services]))
"""

ONE_PAGE = """
from datetime import UTC, datetime
from search_coverage.coverage.arn import Arn
from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import Inventory, InventoryStatus, judge
from search_coverage.report.page.html import page
from search_coverage.report.findings import Findings
from search_coverage.report.tally import Tally

job = SearchJob("id", Arn.parse("arn:aws:backup-search:eu-central-1:123456789012:search-job/id"), "COMPLETED")
tally, inventory = Tally(listed=1, searched=1), Inventory(InventoryStatus.OFF)
findings = Findings(job, tally, inventory, judge(job, tally.backups, inventory), datetime(2026, 11, 20, tzinfo=UTC))
print(page(findings, "key/of.csv"))
"""


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
    """The bundle, to be looked at."""
    return bundles[0]


def run(bundle: Path, folder: Path, program: str, *arguments: str, **variables: str) -> str:
    """Run a program with a Python that can import the bundle and nothing else, at some other place."""
    finished = subprocess.run(
        [sys.executable, "-S", "-s", "-B", "-c", program, *arguments],
        env={"PYTHONPATH": str(bundle), "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@contextmanager
def refusing_server() -> Iterator[tuple[str, list[str]]]:
    """Give the address of a server that refuses everything, and the signatures that it was sent."""
    signatures: list[str] = []

    class Refusal(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def refuse(self) -> None:
            signatures.append(self.headers["Authorization"])
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(403)
            self.send_header("Content-Length", str(len(b"<Error/>")))
            self.end_headers()
            self.wfile.write(b"<Error/>")

        do_GET = do_PUT = do_POST = refuse  # noqa: N815  # the names that the library looks for

        def log_message(self, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", signatures
    finally:
        server.shutdown()
        server.server_close()


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


def test_a_bundle_without_bytecode_has_another_hash_and_says_what_it_lacks(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Given hashes of a machine with, and of one without an interpreter of the runtime's version
    monkeypatch.setattr(python_bundle, "find_interpreter", lambda _version: sys.executable)
    with_bytecode = asset_hash(inputs)
    monkeypatch.setattr(python_bundle, "find_interpreter", lambda _version: None)

    # When the latter builds
    build(inputs, tmp_path)

    # Then it has no bytecode, says so in one line, and cannot be taken for the other
    assert not list(tmp_path.rglob("*.pyc"))
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("The bundle has no bytecode")
    assert "uv python install 3.13" in line
    assert asset_hash(inputs) != with_bytecode


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


def test_the_bundle_alone_is_all_that_the_functions_need(bundle: Path, tmp_path: Path) -> None:
    program = (
        "import search_coverage, boto3, aws_lambda_powertools\n"
        "print(*search_coverage.__path__, boto3.__file__, aws_lambda_powertools.__file__, sep='\\n')"
    )

    assert all(line.startswith(str(bundle)) for line in run(bundle, tmp_path, program).splitlines())


def test_the_bundle_makes_every_client_and_signs_a_request_of_each_kind(bundle: Path, tmp_path: Path) -> None:
    with refusing_server() as (address, signatures):
        run(bundle, tmp_path, ONE_REQUEST_OF_EACH_KIND, AWS_ENDPOINT_URL=address, AWS_DEFAULT_REGION="eu-central-1")

    signed_for = {signature.split("/")[3] for signature in signatures}
    assert signed_for == {SCOPES[name] for name in SERVICES}


def test_the_bundle_has_what_the_page_is_made_of(bundle: Path, tmp_path: Path) -> None:
    page = run(bundle, tmp_path, ONE_PAGE)

    assert "This search looked at all 1 backup that AWS lists for it" in page
    assert "<style>" in page
    assert "<script>" in page


def test_the_bundle_finds_the_same_endpoints_as_all_of_botocore(bundle: Path, tmp_path: Path) -> None:
    found = json.loads(run(bundle, tmp_path, ENDPOINTS, json.dumps([REGIONS, SERVICES])))

    session = boto3.Session(aws_access_key_id="key", aws_secret_access_key="secret")  # noqa: S106  # not one
    assert found == [session.client(name, region).meta.endpoint_url for region in REGIONS for name in SERVICES]


def test_the_bundle_holds_the_models_of_the_services_that_are_called_and_no_others(bundle: Path) -> None:
    models = [path.parent.parent.name for path in (bundle / "botocore" / "data").rglob("service-2.json*")]

    assert sorted(models) == sorted(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_a_model_of_the_bundle_is_botocores_without_its_documentation(bundle: Path, service: str) -> None:
    (kept,) = (bundle / "botocore" / "data" / service).rglob("service-2.json")
    original = Path(botocore.__file__).parent / "data" / kept.relative_to(bundle / "botocore" / "data")
    packed = original.with_suffix(".json.gz").read_bytes()
    ours, whole = (ServiceModel(json.loads(text)) for text in (kept.read_bytes(), gzip.decompress(packed)))

    assert not any(ours.operation_model(name).documentation for name in ours.operation_names)
    assert ours.client_context_parameters == whole.client_context_parameters
    assert ours.metadata == whole.metadata
    assert ours.operation_names == list(ONLY_OPERATIONS.get(service, whole.operation_names))
    if service not in ONLY_OPERATIONS:
        assert ours.shape_names == whole.shape_names
    for name in ours.operation_names:
        assert ours.operation_model(name).http == whole.operation_model(name).http
    for name in ours.shape_names:
        found, expected = ours.shape_for(name), whole.shape_for(name)
        assert (found.type_name, found.serialization, found.metadata) == (
            expected.type_name,
            expected.serialization,
            expected.metadata,
        )
        assert list(getattr(found, "members", ())) == list(getattr(expected, "members", ()))


def test_of_a_large_model_the_bundle_holds_what_the_operations_need_and_no_more(bundle: Path) -> None:
    (kept,) = (bundle / "botocore" / "data" / "ec2").rglob("service-2.json")

    assert kept.stat().st_size < 10_000
    described: Any = ServiceModel(json.loads(kept.read_bytes())).operation_model("DescribeSnapshots")
    assert "Filters" in described.input_shape.members
    assert "Tags" in described.output_shape.members["Snapshots"].member.members


def test_a_service_that_botocore_does_not_know_stops_the_bundling(
    inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "SERVICES", ("s3", "backup-search"))

    with pytest.raises(BundlingError, match="botocore knows no service 'backup-search'"):
        build(inputs, tmp_path)


def test_what_is_left_of_powertools_imports_nothing_that_was_taken_away(bundle: Path) -> None:
    missing = {
        name
        for path in (bundle / "aws_lambda_powertools").rglob("*.py")
        for name in imports(ast.parse(path.read_text()))
        if name.startswith("aws_lambda_powertools.")
        and not (bundle / name.replace(".", "/")).is_dir()
        and not (bundle / name.replace(".", "/")).with_suffix(".py").is_file()
    }

    # What it imports for pydantic's models, once it has met one, we never give it.
    assert missing == {"aws_lambda_powertools.event_handler.openapi.compat"}


def imports(node: ast.AST) -> Iterator[str]:
    """Give the modules that are imported anywhere below a node, but those that only type checkers import."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.If(test=ast.Name("TYPE_CHECKING")):
                continue
            case ast.Import():
                yield from (alias.name for alias in child.names)
            case ast.ImportFrom(module=str(name), level=0):
                yield name
        yield from imports(child)


def test_the_bundle_holds_our_package_as_it_is(bundle: Path) -> None:
    ours = {path: digest for path, (_, _, digest) in contents(bundle / "search_coverage").items() if digest}
    source = {path: digest for path, (_, _, digest) in contents(ROOT / "lambda" / "search_coverage").items() if digest}

    assert {path: digest for path, digest in ours.items() if not path.endswith(".pyc")} == {
        path: digest for path, digest in source.items() if not path.endswith(".pyc")
    }


def test_the_bundle_names_its_packages_and_holds_their_licences(bundle: Path) -> None:
    packages = list(bundle.glob("*.dist-info"))

    assert len(packages) == (ROOT / "lambda" / "requirements.txt").read_text().count("==")
    for package in packages:
        assert (package / "METADATA").is_file()
        assert list(package.rglob("LICEN[SC]E*")), package.name


def test_the_bundle_holds_nothing_that_nobody_reads(bundle: Path) -> None:
    names = [path for path, (_, _, digest) in contents(bundle).items() if digest]

    assert not [name for name in names if name.startswith("bin/") or name == ".lock"]
    assert not [name for name in names if name.endswith((".pyi", ".rst", "py.typed", "/RECORD", "/INSTALLER"))]
    assert not [name for name in names if {"test", "tests", "examples"} & set(name.split("/"))]


def test_the_bundle_holds_no_machine_code_so_that_it_also_runs_where_it_was_built(bundle: Path) -> None:
    assert not [name for name in contents(bundle) if name.endswith((".so", ".dylib", ".pyd"))]


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
