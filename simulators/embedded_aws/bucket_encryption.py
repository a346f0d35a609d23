"""The encryption of a bucket in a stack: ministack knows PutBucketEncryption, and not what a template says.

Only with a key that the template names: ministack takes no object for AWS's own key, which the bucket that the CDK
uploads to has.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from xml.sax.saxutils import escape

RESOURCE_TYPE: Final = "AWS::S3::Bucket"
_NAMESPACE: Final = "http://s3.amazonaws.com/doc/2006-03-01/"

_Made = tuple[str, dict[str, str]]


def provision_bucket_encryption(handlers: dict[str, dict[str, Callable[..., Any]]], s3: Any) -> None:
    """Teaches CloudFormation the property `BucketEncryption`.

    Args:
        handlers: ministack's handlers by resource type, of which this one is extended.
        s3: ministack's S3 module.
    """
    create, update = handlers[RESOURCE_TYPE]["create"], handlers[RESOURCE_TYPE]["update"]

    def create_encrypted(logical_id: str, properties: Mapping[str, Any], stack_name: str) -> _Made:
        made: _Made = create(logical_id, properties, stack_name)
        _encrypt(s3, made[0], properties)
        return made

    def update_encrypted(bucket: str, old: Mapping[str, Any], new: Mapping[str, Any], stack_name: str) -> _Made:
        made: _Made = update(bucket, old, new, stack_name)
        _encrypt(s3, made[0], new)
        return made

    handlers[RESOURCE_TYPE] |= {"create": create_encrypted, "update": update_encrypted}


def _encrypt(s3: Any, bucket: str, properties: Mapping[str, Any]) -> None:
    rules = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
    if any("KMSMasterKeyID" in rule["ServerSideEncryptionByDefault"] for rule in rules):
        name = "ServerSideEncryptionConfiguration"
        body = f'<{name} xmlns="{_NAMESPACE}">{"".join(map(_rule, rules))}</{name}>'
        s3._put_bucket_encryption(bucket, body.encode())  # noqa: SLF001


def _rule(rule: Mapping[str, Any]) -> str:
    members = "".join(
        f"<{name}>{escape(value)}</{name}>" for name, value in rule["ServerSideEncryptionByDefault"].items()
    )
    bucket_key = "true" if rule.get("BucketKeyEnabled") else "false"
    return (
        f"<Rule><ApplyServerSideEncryptionByDefault>{members}</ApplyServerSideEncryptionByDefault>"
        f"<BucketKeyEnabled>{bucket_key}</BucketKeyEnabled></Rule>"
    )
