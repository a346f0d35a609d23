"""Resource types that ministack's CloudFormation lacks: saved queries, and the encryption of a bucket."""

# ruff: noqa: SLF001 - ministack has no public way in

import json
import uuid
from collections.abc import Callable, Mapping
from typing import Any
from xml.sax.saxutils import escape

_Properties = Mapping[str, Any]
_Created = tuple[str, dict[str, str]]  # the physical identifier, and the attributes
_Handlers = dict[str, dict[str, Callable[..., Any]]]


def add_query_definitions(handlers: _Handlers) -> None:
    """Add the saved queries of CloudWatch Logs Insights to CloudFormation, as far as a deployment needs them.

    Nothing lists these queries: ministack has no operation for it. Tests of the template show that they are right.
    """

    def create(_logical_id: str, _properties: _Properties, _stack_name: str) -> _Created:
        identifier = str(uuid.uuid4())
        return identifier, {"QueryDefinitionId": identifier}

    def update(identifier: str, _old: _Properties, _new: _Properties, _stack_name: str) -> _Created:
        return identifier, {"QueryDefinitionId": identifier}

    handlers["AWS::Logs::QueryDefinition"] = {"create": create, "update": update, "delete": lambda *_: None}


def add_named_queries(handlers: _Handlers, athena: Any) -> None:
    """Add the saved queries of Athena to CloudFormation; ``athena get-named-query`` returns them, as on AWS."""

    def create(_logical_id: str, properties: _Properties, _stack_name: str) -> _Created:
        _status, _headers, body = athena._create_named_query(dict(properties))
        identifier: str = json.loads(body)["NamedQueryId"]
        return identifier, {"NamedQueryId": identifier}

    def update(identifier: str, old: _Properties, new: _Properties, stack_name: str) -> _Created:
        # On AWS a changed query is another query: each property requires replacement.
        delete(identifier, old)
        return create("", new, stack_name)

    def delete(identifier: str, _properties: _Properties) -> None:
        athena._delete_named_query({"NamedQueryId": identifier})

    handlers["AWS::Athena::NamedQuery"] = {"create": create, "update": update, "delete": delete}


def add_bucket_encryption(handlers: _Handlers, s3: Any) -> None:
    """Add the encryption of a bucket with a key that the template names to CloudFormation.

    ministack accepts no object for AWS's own key, which encrypts the bucket that the CDK uploads to.
    """
    bucket_handlers = handlers["AWS::S3::Bucket"]
    create, update = bucket_handlers["create"], bucket_handlers["update"]

    def create_encrypted(logical_id: str, properties: _Properties, stack_name: str) -> _Created:
        created: _Created = create(logical_id, properties, stack_name)
        _encrypt(s3, created[0], properties)
        return created

    def update_encrypted(bucket: str, old: _Properties, new: _Properties, stack_name: str) -> _Created:
        updated: _Created = update(bucket, old, new, stack_name)
        _encrypt(s3, updated[0], new)
        return updated

    bucket_handlers |= {"create": create_encrypted, "update": update_encrypted}


def _encrypt(s3: Any, bucket: str, properties: _Properties) -> None:
    rules = properties.get("BucketEncryption", {}).get("ServerSideEncryptionConfiguration", [])
    if any("KMSMasterKeyID" in rule["ServerSideEncryptionByDefault"] for rule in rules):
        name, namespace = "ServerSideEncryptionConfiguration", "http://s3.amazonaws.com/doc/2006-03-01/"
        body = f'<{name} xmlns="{namespace}">{"".join(map(_rule, rules))}</{name}>'
        s3._put_bucket_encryption(bucket, body.encode())


def _rule(rule: _Properties) -> str:
    default = rule["ServerSideEncryptionByDefault"]
    members = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in default.items())
    bucket_key = "true" if rule.get("BucketKeyEnabled") else "false"
    return (
        f"<Rule><ApplyServerSideEncryptionByDefault>{members}</ApplyServerSideEncryptionByDefault>"
        f"<BucketKeyEnabled>{bucket_key}</BucketKeyEnabled></Rule>"
    )
