"""The calls of the functions to AWS, recorded at the SDK, and which permission each call needs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest

from tests.invocation import ACCOUNT, REGION

REPORTS_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/of-the-reports"
RESULTS_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/of-the-results"
MESSAGES_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/of-the-messages"

ContextValue = str | tuple[str, ...]
"""The value of a condition key in a request: one text, or several where the key is multivalued (`ArrayOf…` in the
Service Authorization Reference)."""

Parameters = Mapping[str, Any]


@dataclass(frozen=True)
class Call:
    """A call as the code made it: the SDK's name of the service, the operation and its parameters."""

    service: str
    operation: str
    parameters: Parameters


@dataclass(frozen=True)
class Need:
    """What IAM is asked when a call comes in: the action, the resource, and the condition keys of the request."""

    action: str
    resource: str
    context: tuple[tuple[str, ContextValue], ...] = ()


_NeedsOf = Callable[[Parameters], Iterable[Need]]


@dataclass
class Recorder:
    """Makes the clients of the functions, as boto3 does, and records every call of theirs."""

    calls: list[Call] = field(default_factory=list)

    def client(self, service: str, **options: Any) -> Any:
        """Make a client whose calls are recorded."""
        make: Callable[..., Any] = boto3.client
        client = make(service, **options)
        client.meta.events.register("before-parameter-build", self._record)
        return client

    def needs(self) -> set[Need]:
        """Return everything that the calls so far need."""
        return {need for call in self.calls for need in needs_of(call)}

    def _record(self, params: Parameters, model: Any, **_: object) -> None:
        self.calls.append(Call(model.service_model.service_name, model.name, dict(params)))


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Record the calls of all clients that the functions make, and not those of the tests."""
    recorder = Recorder()
    monkeypatch.setattr("search_coverage.aws.clients.boto3", recorder)
    return recorder


def needs_of(call: Call) -> Iterable[Need]:
    """Return what a call needs (Service Authorization Reference; for encryption, docs/aws-facts.md §4).

    Raises:
        KeyError: The table below does not know the call.
    """
    return _NEEDS[call.service, call.operation](call.parameters)


def _on(action: str, resource: str) -> _NeedsOf:
    """Return the need of one action on a resource, into which the parameters of the call are written."""
    return lambda parameters: [Need(action, resource.format_map({"here": f"{REGION}:{ACCOUNT}", **parameters}))]


def _all(*needs: _NeedsOf) -> _NeedsOf:
    return lambda parameters: [need for each in needs for need in each(parameters)]


def _if_match(needs: _NeedsOf) -> _NeedsOf:
    """Return the need of If-Match (https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html)."""
    return lambda parameters: needs(parameters) if "IfMatch" in parameters else []


def _key_through(service: str, key: str) -> _NeedsOf:
    via = (("kms:ViaService", f"{service}.{REGION}.amazonaws.com"),)
    return lambda _: [Need("kms:Decrypt", key, via), Need("kms:GenerateDataKey", key, via)]


def _list_objects(parameters: Parameters) -> list[Need]:
    prefix = (("s3:prefix", parameters.get("Prefix", "")),)
    return [Need("s3:ListBucket", f"arn:aws:s3:::{parameters['Bucket']}", prefix)]


def _put_events(parameters: Parameters) -> list[Need]:
    # IAM is asked once per request, whatever number of entries it has: `events:source` holds the sources of all.
    sources = tuple(entry["Source"] for entry in parameters["Entries"])
    buses = sorted({entry["EventBusName"] for entry in parameters["Entries"]})
    bus_arn = f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/"
    return [Need("events:PutEvents", bus_arn + bus, (("events:source", sources),)) for bus in buses]


def _items(action: str, keys_by_table: Callable[[Parameters], Mapping[str, list[Any]]]) -> _NeedsOf:
    # `dynamodb:LeadingKeys` holds the partition keys of all items that a request is about
    # (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html).
    table_arn = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/"
    return lambda parameters: [
        Need(action, table_arn + table, (("dynamodb:LeadingKeys", tuple(key["id"]["S"] for key in keys)),))
        for table, keys in keys_by_table(parameters).items()
    ]


def _item(action: str, member: str) -> _NeedsOf:
    return _items(action, lambda parameters: {parameters["TableName"]: [parameters[member]]})


_OBJECT = "arn:aws:s3:::{Bucket}/{Key}"
_SEARCH_JOB = "arn:aws:backup-search:{here}:search-job/{SearchJobIdentifier}"
_VAULT = "arn:aws:backup:{here}:backup-vault:{BackupVaultName}"


def _encrypted(parameters: Parameters) -> list[Need]:
    key = RESULTS_KEY if parameters["Bucket"] == "results-bucket" else REPORTS_KEY
    return list(_key_through("s3", key)(parameters))


# Without s3:ListBucket, a missing object is a forbidden one.
_LOOK = _all(_on("s3:GetObject", _OBJECT), _on("s3:ListBucket", "arn:aws:s3:::{Bucket}"))
_READ_VERSION = _on("s3:GetObjectVersion", _OBJECT)


def _read(parameters: Parameters) -> list[Need]:
    look = _READ_VERSION if "VersionId" in parameters else _LOOK
    return [*look(parameters), *_encrypted(parameters)]


_WRITE = _all(_on("s3:PutObject", _OBJECT), _encrypted, _if_match(_LOOK))

_NEEDS: Mapping[tuple[str, str], _NeedsOf] = {
    ("backupsearch", "ListSearchJobs"): _on("backup-search:ListSearchJobs", "*"),
    ("backupsearch", "GetSearchJob"): _on("backup-search:GetSearchJob", _SEARCH_JOB),
    ("backupsearch", "ListSearchJobBackups"): _on("backup-search:ListSearchJobBackups", _SEARCH_JOB),
    ("backupsearch", "ListSearchJobResults"): _on("backup-search:ListSearchJobResults", _SEARCH_JOB),
    ("backupsearch", "ListTagsForResource"): _on("backup-search:ListTagsForResource", "{ResourceArn}"),
    ("backup", "ListBackupVaults"): _on("backup:ListBackupVaults", "*"),
    ("backup", "ListRecoveryPointsByBackupVault"): _on("backup:ListRecoveryPointsByBackupVault", _VAULT),
    ("backup", "DescribeRecoveryPoint"): _on("backup:DescribeRecoveryPoint", "{RecoveryPointArn}"),
    ("backup", "GetRecoveryPointIndexDetails"): _on("backup:GetRecoveryPointIndexDetails", "{RecoveryPointArn}"),
    ("backup", "ListTags"): _on("backup:ListTags", "{ResourceArn}"),
    ("backup", "GetBackupPlan"): _on("backup:GetBackupPlan", "arn:aws:backup:{here}:backup-plan:{BackupPlanId}"),
    ("ec2", "DescribeSnapshots"): _on("ec2:DescribeSnapshots", "*"),
    ("s3", "PutObject"): _WRITE,
    ("s3", "CreateMultipartUpload"): _WRITE,
    ("s3", "UploadPart"): _WRITE,
    ("s3", "CompleteMultipartUpload"): _WRITE,
    ("s3", "AbortMultipartUpload"): _on("s3:AbortMultipartUpload", _OBJECT),
    ("s3", "GetObject"): _read,
    ("s3", "HeadObject"): _read,
    ("s3", "DeleteObject"): _all(_on("s3:DeleteObject", _OBJECT), _if_match(_LOOK)),
    ("s3", "ListObjectsV2"): _list_objects,
    ("sns", "Publish"): _all(_on("sns:Publish", "{TopicArn}"), _key_through("sns", MESSAGES_KEY)),
    ("events", "PutEvents"): _put_events,
    ("dynamodb", "GetItem"): _item("dynamodb:GetItem", "Key"),
    ("dynamodb", "PutItem"): _item("dynamodb:PutItem", "Item"),
    ("dynamodb", "UpdateItem"): _item("dynamodb:UpdateItem", "Key"),
    ("dynamodb", "DeleteItem"): _item("dynamodb:DeleteItem", "Key"),
    ("dynamodb", "BatchGetItem"): _items(
        "dynamodb:BatchGetItem",
        lambda parameters: {table: asked["Keys"] for table, asked in parameters["RequestItems"].items()},
    ),
}
