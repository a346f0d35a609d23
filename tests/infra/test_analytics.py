"""What holds for asking all reports at once: the tables, the workgroup, the results, the saved queries."""

import re
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify

from infra.athena_queries import QUERIES, SavedQuery, saved_queries
from infra.settings import Settings
from search_coverage.report.files.row import COLUMNS
from tests.infra.conftest import Json, Synthesise, SynthesisedStack

RESULTS = "AnalyticsResults"
ALL_QUERIES = saved_queries()


def table(stack: SynthesisedStack, name: str) -> Json:
    """Give what a table was made from."""
    return next(
        properties["TableInput"]
        for properties in stack.resources("AWS::Glue::Table").values()
        if properties["TableInput"]["Name"] == name
    )


def columns(table: Json) -> dict[str, str]:
    """Give a table's columns and their types, those of its partitions last."""
    return {each["Name"]: each["Type"] for each in (*table["StorageDescriptor"]["Columns"], *table["PartitionKeys"])}


def test_the_table_of_excluded_backups_has_the_columns_of_the_files_in_their_order(stack: SynthesisedStack) -> None:
    described = columns(table(stack, "excluded_backups"))

    assert tuple(described) == (*COLUMNS, "account", "region", "date")
    assert set(described.values()) == {"string"}


@pytest.mark.parametrize(("name", "folder"), [("excluded_backups", "excluded_backups"), ("search_jobs", "summaries")])
def test_a_table_finds_its_files_by_computing_their_folders(stack: SynthesisedStack, name: str, folder: str) -> None:
    described = table(stack, name)

    location = f"s3://<ReportStoreBucket>/{folder}/"
    assert described["StorageDescriptor"]["Location"] == location
    assert described["TableType"] == "EXTERNAL_TABLE"
    assert {key: value for key, value in described["Parameters"].items() if "." in key} == {
        "projection.enabled": "true",
        "projection.account.type": "enum",
        "projection.account.values": "<AWS::AccountId>",
        "projection.region.type": "enum",
        "projection.region.values": "<AWS::Region>",
        "projection.date.type": "date",
        "projection.date.format": "yyyy-MM-dd",
        "projection.date.range": "2025-01-01,NOW",
        "storage.location.template": f"{location}account=${{account}}/region=${{region}}/date=${{date}}/",
    }


def test_a_line_that_cannot_be_read_fails_a_query_and_is_not_skipped(stack: SynthesisedStack) -> None:
    for name in ("excluded_backups", "search_jobs"):
        reader = table(stack, name)["StorageDescriptor"]["SerdeInfo"]
        assert reader == {"SerializationLibrary": "org.apache.hive.hcatalog.data.JsonSerDe"}


def test_the_workgroup_decides_where_results_go_how_they_are_encrypted_and_how_much_is_read(
    stack: SynthesisedStack,
) -> None:
    workgroup = stack.resource("AnalyticsWorkGroup")

    assert workgroup["WorkGroupConfiguration"] == {
        "EnforceWorkGroupConfiguration": True,
        "PublishCloudWatchMetricsEnabled": True,
        "BytesScannedCutoffPerQuery": 10 * 1024**3,
        "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"},
        "ResultConfiguration": {
            "OutputLocation": f"s3://<{RESULTS}>/",
            "ExpectedBucketOwner": "<AWS::AccountId>",
            "EncryptionConfiguration": {"EncryptionOption": "SSE_KMS", "KmsKey": "<ReportStoreKey.Arn>"},
        },
    }


def test_a_workgroup_with_a_history_does_not_keep_the_stack_from_being_removed(stack: SynthesisedStack) -> None:
    assert stack.resource("AnalyticsWorkGroup")["RecursiveDeleteOption"] is True


def test_results_are_encrypted_private_and_gone_after_a_week(stack: SynthesisedStack) -> None:
    bucket = stack.resource(RESULTS)

    (rule,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {
        "SSEAlgorithm": "aws:kms",
        "KMSMasterKeyID": "<ReportStoreKey.Arn>",
    }
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert [each["ExpirationInDays"] for each in bucket["LifecycleConfiguration"]["Rules"]] == [7]
    assert "VersioningConfiguration" not in bucket
    assert "ObjectLockEnabled" not in bucket


def test_results_are_handed_out_over_tls_only(stack: SynthesisedStack) -> None:
    (statement,) = stack.resource(f"{RESULTS}Policy")["PolicyDocument"]["Statement"]

    assert (statement["Effect"], statement["Action"]) == ("Deny", "s3:*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_results_of_queries_are_not_locked_even_if_the_reports_are(synthesise: Synthesise) -> None:
    assert "ObjectLockEnabled" not in synthesise(Settings(object_lock_days=30)).resource(RESULTS)


def test_the_bucket_of_the_results_stays_with_its_policy(stack: SynthesisedStack) -> None:
    for name in (RESULTS, f"{RESULTS}Policy"):
        assert stack.deletion_policy(name) == ("RetainExceptOnCreate", "Retain")


def test_database_and_workgroup_have_the_names_that_the_documentation_uses(stack: SynthesisedStack) -> None:
    assert stack.resource("AnalyticsTablesDatabase")["DatabaseInput"]["Name"] == "search_coverage"
    assert stack.resource("AnalyticsWorkGroup")["Name"] == "SearchCoverage"


def test_each_query_is_saved_in_the_workgroup_with_its_name_and_what_it_means(stack: SynthesisedStack) -> None:
    saved = stack.resources("AWS::Athena::NamedQuery").values()

    assert {each["Name"] for each in saved} == {
        "Excluded again and again: sources",
        "Excluded again and again: backups",
        "Sources that were never searched whole",
        "Trend of coverage by week",
        "Everything about one bucket or volume",
        "Excluded on a given day, and since when",
    }
    for each in saved:
        assert (each["WorkGroup"], each["Database"]) == ("<AnalyticsWorkGroup>", "<AnalyticsTablesDatabase>")
        assert 80 < len(each["Description"]) <= 1024  # Athena's limit
        assert each["QueryString"] in {path.read_text() for path in QUERIES.glob("*.sql")}


@pytest.mark.parametrize("query", ALL_QUERIES, ids=lambda query: query.file)
def test_a_query_is_one_select_of_athena_over_columns_that_exist(stack: SynthesisedStack, query: SavedQuery) -> None:
    schema = {name: columns(table(stack, name)) for name in ("excluded_backups", "search_jobs")}

    (statement,) = sqlglot.parse(query.sql, dialect="athena")

    assert isinstance(statement, exp.Select)
    checked = qualify(statement, schema=_in_athenas_words(schema), dialect="athena", validate_qualify_columns=True)
    known = {*schema, *(each.alias for each in checked.find_all(exp.CTE))}
    assert {each.name for each in checked.find_all(exp.Table)} <= known
    for member, members in _members(schema["search_jobs"], checked):
        assert member in members


@pytest.mark.parametrize("query", ALL_QUERIES, ids=lambda query: query.file)
def test_a_query_asks_for_its_parameter_where_athena_takes_one(query: SavedQuery) -> None:
    # Athena: question marks only in a WHERE clause; in a comment it might count one as well.
    (statement,) = sqlglot.parse(query.sql, dialect="athena")
    assert statement is not None
    asked = list(statement.find_all(exp.Placeholder))

    assert len(asked) == (1 if "one parameter" in query.description else 0) == query.sql.count("?")
    assert all(isinstance(each.find_ancestor(exp.Where, exp.Select), exp.Where) for each in asked)


@pytest.mark.parametrize("text", ["SELECT 1", "-- A name\nSELECT 1", "-- A name\n-- and more\n--\n-- Text\nSELECT 1"])
def test_a_query_without_name_and_description_stops_the_synthesis(tmp_path: Path, text: str) -> None:
    file = tmp_path / "a-query.sql"
    file.write_text(text)

    with pytest.raises(ValueError, match=r"a-query\.sql must begin with its name"):
        SavedQuery.of(file)


def _in_athenas_words(schema: dict[str, dict[str, str]]) -> dict[str, object]:
    """Write Glue's types, which are Hive's, as Athena's queries know them."""
    return {
        name: {column: exp.DataType.build(type_, dialect="hive").sql("athena") for column, type_ in described.items()}
        for name, described in schema.items()
    }


def _members(described: dict[str, str], query: exp.Expression) -> list[tuple[str, set[str]]]:
    """Give each member of a structure that a query asks for, with those that there are."""
    return [
        (dot.expression.name.lower(), set(re.findall(r"[<,](\w+):", described[dot.this.name])))
        for dot in query.find_all(exp.Dot)
        if isinstance(dot.this, exp.Column)
    ]
