"""The bundle, run by a Python that has nothing else: what a function loads, calls and can import."""

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import boto3
import pytest

from infra.python_bundle import build
from search_coverage.aws.services import SERVICES
from search_coverage.names import Variable
from tests.infra.conftest import ROOT

ALLOWED = Path(__file__).with_name("imports_at_init.txt")
TOO_HEAVY = {
    name
    for names in (
        ("argparse", "asyncio", "concurrent.futures.process", "ctypes", "doctest", "ensurepip", "optparse", "pdb"),
        ("pydoc", "sqlite3", "unittest", "wsgiref", "xmlrpc"),
    )
    for name in names
}
"""Modules of the standard library that no function may load at init."""

VARIABLES = {
    "AWS_REGION": "eu-central-1",
    "AWS_DEFAULT_REGION": "eu-central-1",
    Variable.REPORT_BUCKET: "bucket",
    Variable.ALERTS_TOPIC_ARN: "arn:aws:sns:eu-central-1:123456789012:topic",
    Variable.EVENT_BUS_NAME: "default",
    Variable.IDEMPOTENCY_TABLE: "table",
    Variable.NOTIFY_ON: "EXCLUDED",
    Variable.SEARCH_JOB_STATUSES: "COMPLETED",
    Variable.INVENTORY: "ON",
    Variable.POSTURE_MAIL: "WEEKLY",
}
SCOPES = {name: name for name in SERVICES} | {"backupsearch": "backup-search"}
REGIONS = ("eu-central-1", "us-east-1", "us-gov-west-1", "cn-north-1")  # three partitions

ONE_REQUEST_OF_EACH_KIND = """
import boto3, botocore.exceptions, sys
from search_coverage.aws import clients
from search_coverage.aws.services import SERVICES

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
        sys.exit("the server refused, and no error was raised")
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
print(page(findings, "key/of.csv", "0" * 64))
"""
WHERE_FROM = """
import search_coverage, boto3, aws_lambda_powertools
print(*search_coverage.__path__, boto3.__file__, aws_lambda_powertools.__file__, sep="\\n")
"""


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle, as it is deployed."""
    folder = tmp_path_factory.mktemp("bundle")
    build(ROOT / "lambda", folder)
    return folder


@pytest.fixture(scope="module", params=["report", "watch"])
def function(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def run(bundle: Path, program: str, *arguments: str, **variables: str) -> str:
    """Run a program with a Python that can import the bundle and nothing else, in another folder."""
    finished = subprocess.run(
        [sys.executable, "-S", "-s", "-B", "-c", program, *arguments],
        env={"PYTHONPATH": str(bundle), "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret", **variables},
        cwd=bundle.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def loaded(bundle: Path, function: str) -> set[str]:
    """The modules that a function has loaded at the end of its init; those of no package stand without it."""
    return set(
        run(bundle, f"import sys, search_coverage.handlers.{function}\nprint(*sys.modules)", **VARIABLES).split()
    )


def test_a_function_loads_the_modules_at_init_that_are_allowed_and_no_others(loaded: set[str], function: str) -> None:
    lines = [line.split() for line in ALLOWED.read_text().splitlines() if line and not line.startswith("#")]
    allowed = {module for module, *functions in lines if function in functions}
    third_party = {name for name in loaded if name.split(".")[0] not in sys.stdlib_module_names | {"__main__"}}

    file = ALLOWED.relative_to(ROOT)
    assert not (new := sorted(third_party - allowed)), (
        f"The {function} function loads {', '.join(new)} at init. Import it where it is used, or a narrower module; "
        f"if init needs it, write its name and '{function}' on a line of {file}."
    )
    assert not (gone := sorted(allowed - third_party)), (
        f"The {function} function no longer loads {', '.join(gone)} at init: remove '{function}' from these lines of "
        f"{file}, so that they cannot come back unseen."
    )
    assert not loaded & TOO_HEAVY


def test_the_posture_function_loads_from_the_bundle(bundle: Path) -> None:
    program = "import search_coverage.handlers.posture as function\nprint(function.environment.posture_mail)"

    assert run(bundle, program, **VARIABLES).strip() == "WEEKLY"


def test_the_garbage_collector_that_pauses_during_init_works_after_it(bundle: Path, function: str) -> None:
    program = f"import gc, search_coverage.handlers.{function}\nprint(gc.isenabled(), gc.get_freeze_count() > 10_000)"

    assert run(bundle, program, **VARIABLES).split() == ["True", "True"]


def test_the_bundle_alone_is_all_that_the_functions_need(bundle: Path) -> None:
    assert all(line.startswith(str(bundle)) for line in run(bundle, WHERE_FROM).splitlines())


@contextmanager
def refusing_server() -> Iterator[tuple[str, list[str]]]:
    """Yield the address of a server that refuses everything, and the signatures that it was sent."""
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
            """Log nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusal) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", signatures
        server.shutdown()


def test_the_bundle_makes_every_client_and_signs_a_request_of_each_kind(bundle: Path) -> None:
    with refusing_server() as (address, signatures):
        run(bundle, ONE_REQUEST_OF_EACH_KIND, AWS_ENDPOINT_URL=address, AWS_DEFAULT_REGION="eu-central-1")

    assert {signature.split("/")[3] for signature in signatures} == set(SCOPES.values())


def test_the_bundle_has_what_the_page_is_made_of(bundle: Path) -> None:
    page = run(bundle, ONE_PAGE)

    assert "This search looked at all 1 backup that AWS lists for it" in page
    assert "<style>" in page
    assert "<script>" in page


def test_the_bundle_finds_the_same_endpoints_as_all_of_botocore(bundle: Path) -> None:
    found = json.loads(run(bundle, ENDPOINTS, json.dumps([REGIONS, SERVICES])))

    session = boto3.Session(aws_access_key_id="key", aws_secret_access_key="secret")  # noqa: S106  # not one
    assert found == [session.client(name, region).meta.endpoint_url for region in REGIONS for name in SERVICES]


def test_what_is_left_of_powertools_imports_nothing_that_was_removed(bundle: Path) -> None:
    missing = {
        name
        for path in (bundle / "aws_lambda_powertools").rglob("*.py")
        for name in imports(ast.parse(path.read_text()))
        if name.startswith("aws_lambda_powertools.")
        and not (bundle / name.replace(".", "/")).is_dir()
        and not (bundle / name.replace(".", "/")).with_suffix(".py").is_file()
    }

    # It imports this for the models of pydantic, which the functions do not use.
    assert missing == {"aws_lambda_powertools.event_handler.openapi.compat"}


def imports(node: ast.AST) -> Iterator[str]:
    """Yield the modules that are imported anywhere below a node, except those for type checkers only."""
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.If(test=ast.Name("TYPE_CHECKING")):
                continue
            case ast.Import():
                yield from (alias.name for alias in child.names)
            case ast.ImportFrom(module=str(name), level=0):
                yield name
        yield from imports(child)
