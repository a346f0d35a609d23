"""What the functions ask AWS for, recorded at the SDK, and which permission each call needs."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest

from tests.invocation import ACCOUNT, REGION

REPORTS_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/of-the-reports"
MESSAGES_KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/of-the-messages"


ContextValue = str | tuple[str, ...]
"""What a request says under a condition key: one text, or several where the key is multivalued (`ArrayOf…` in the
Service Authorization Reference)."""


@dataclass(frozen=True)
class Call:
    """A call as the code made it: the SDK's name of the service, the operation and its parameters."""

    service: str
    operation: str
    parameters: Mapping[str, Any]


@dataclass(frozen=True)
class Need:
    """What IAM is asked when a call comes in.

    Attributes:
        context: The condition keys that the request has.
    """

    action: str
    resource: str
    context: tuple[tuple[str, ContextValue], ...] = ()


_NeedsOf = Callable[[Mapping[str, Any]], list[Need]]


@dataclass
class Recorder:
    """Makes the functions' clients, as boto3 does, and notes every call that goes through them."""

    calls: list[Call] = field(default_factory=list)

    def client(self, service: str, **options: Any) -> Any:
        """Make a client that is listened to."""
        make: Callable[..., Any] = boto3.client
        client = make(service, **options)
        client.meta.events.register("before-parameter-build", self._note)
        return client

    def needs(self) -> set[Need]:
        """Give everything that the calls so far need."""
        return {need for call in self.calls for need in needs_of(call)}

    def _note(self, params: Mapping[str, Any], model: Any, **_: object) -> None:
        self.calls.append(Call(model.service_model.service_name, model.name, dict(params)))


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """Listen to all clients that the functions make; those of the tests go unheard."""
    recorder = Recorder()
    monkeypatch.setattr("search_coverage.aws.clients.boto3", recorder)
    return recorder


def needs_of(call: Call) -> Iterable[Need]:
    """Tell what a call needs (Service Authorization Reference; for encryption, docs/aws-facts.md §4).

    Raises:
        KeyError: Nobody has said yet what such a call needs.
    """
    return _NEEDS[call.service, call.operation](call.parameters)


def _s3_object(action: str, *, encrypted: bool = False) -> _NeedsOf:
    def needs(parameters: Mapping[str, Any]) -> list[Need]:
        bucket = f"arn:aws:s3:::{parameters['Bucket']}"
        needed = [Need(action, f"{bucket}/{parameters['Key']}")]
        if action == "s3:GetObject":
            needed.append(Need("s3:ListBucket", bucket))  # or a missing object is a forbidden one
        if encrypted:
            needed += _key_through("s3", REPORTS_KEY)
        return needed

    return needs


def _key_through(service: str, key: str) -> list[Need]:
    via = (("kms:ViaService", f"{service}.{REGION}.amazonaws.com"),)
    return [Need("kms:Decrypt", key, via), Need("kms:GenerateDataKey", key, via)]


def _list_objects(parameters: Mapping[str, Any]) -> list[Need]:
    return [
        Need("s3:ListBucket", f"arn:aws:s3:::{parameters['Bucket']}", (("s3:prefix", parameters.get("Prefix", "")),))
    ]


def _publish(parameters: Mapping[str, Any]) -> list[Need]:
    return [Need("sns:Publish", parameters["TopicArn"]), *_key_through("sns", MESSAGES_KEY)]


def _put_events(parameters: Mapping[str, Any]) -> list[Need]:
    # IAM is asked once a request, whatever number of entries it has: `events:source` holds the sources of all.
    sources = tuple(entry["Source"] for entry in parameters["Entries"])
    return [
        Need(
            "events:PutEvents",
            f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/{bus}",
            (("events:source", sources),),
        )
        for bus in sorted({entry["EventBusName"] for entry in parameters["Entries"]})
    ]


def _items(action: str, keys_of: Callable[[Mapping[str, Any]], Mapping[str, list[Any]]]) -> _NeedsOf:
    def needs(parameters: Mapping[str, Any]) -> list[Need]:
        # `dynamodb:LeadingKeys` holds the partition keys of all items that a request is about
        # (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html).
        return [
            Need(
                action,
                f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}",
                (("dynamodb:LeadingKeys", tuple(key["id"]["S"] for key in keys)),),
            )
            for table, keys in keys_of(parameters).items()
        ]

    return needs


def _item(action: str, member: str) -> _NeedsOf:
    return _items(action, lambda parameters: {parameters["TableName"]: [parameters[member]]})


def _search_job(action: str) -> _NeedsOf:
    def needs(parameters: Mapping[str, Any]) -> list[Need]:
        job = parameters["SearchJobIdentifier"]
        return [Need(action, f"arn:aws:backup-search:{REGION}:{ACCOUNT}:search-job/{job}")]

    return needs


def _no_resource(action: str) -> _NeedsOf:
    return lambda _parameters: [Need(action, "*")]


def _arn_in(name: str, action: str) -> _NeedsOf:
    return lambda parameters: [Need(action, parameters[name])]


def _vault(action: str) -> _NeedsOf:
    def needs(parameters: Mapping[str, Any]) -> list[Need]:
        vault = parameters["BackupVaultName"]
        return [Need(action, f"arn:aws:backup:{REGION}:{ACCOUNT}:backup-vault:{vault}")]

    return needs


def _under_condition(action: str, *, encrypted: bool = False) -> _NeedsOf:
    """Add what S3 asks for with If-Match: the right to read the object that is there.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    alone, read = _s3_object(action, encrypted=encrypted), _s3_object("s3:GetObject")

    def needs(parameters: Mapping[str, Any]) -> list[Need]:
        return [*alone(parameters), *(read(parameters) if "IfMatch" in parameters else [])]

    return needs


_WRITE = _under_condition("s3:PutObject", encrypted=True)
_removal = _under_condition("s3:DeleteObject")

_NEEDS: Mapping[tuple[str, str], _NeedsOf] = {
    ("backupsearch", "ListSearchJobs"): _no_resource("backup-search:ListSearchJobs"),
    ("backupsearch", "GetSearchJob"): _search_job("backup-search:GetSearchJob"),
    ("backupsearch", "ListSearchJobBackups"): _search_job("backup-search:ListSearchJobBackups"),
    ("backup", "ListBackupVaults"): _no_resource("backup:ListBackupVaults"),
    ("backup", "ListRecoveryPointsByBackupVault"): _vault("backup:ListRecoveryPointsByBackupVault"),
    ("backup", "DescribeRecoveryPoint"): _arn_in("RecoveryPointArn", "backup:DescribeRecoveryPoint"),
    ("backup", "GetRecoveryPointIndexDetails"): _arn_in("RecoveryPointArn", "backup:GetRecoveryPointIndexDetails"),
    ("backup", "ListTags"): _arn_in("ResourceArn", "backup:ListTags"),
    ("ec2", "DescribeSnapshots"): _no_resource("ec2:DescribeSnapshots"),
    ("s3", "PutObject"): _WRITE,
    ("s3", "CreateMultipartUpload"): _WRITE,
    ("s3", "UploadPart"): _WRITE,
    ("s3", "CompleteMultipartUpload"): _WRITE,
    ("s3", "AbortMultipartUpload"): _s3_object("s3:AbortMultipartUpload"),
    ("s3", "GetObject"): _s3_object("s3:GetObject", encrypted=True),
    ("s3", "HeadObject"): _s3_object("s3:GetObject", encrypted=True),
    ("s3", "DeleteObject"): _removal,
    ("s3", "ListObjectsV2"): _list_objects,
    ("sns", "Publish"): _publish,
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
