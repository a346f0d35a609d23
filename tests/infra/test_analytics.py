"""The queries over all reports: the tables, the workgroup and the saved queries."""

import re
from pathlib import Path

import pytest
import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify

from infra.athena_queries import QUERIES, SavedQuery, saved_queries
from search_coverage.report.files.row import COLUMNS
from tests.infra.conftest import Json, Promise, SynthesizedStack, promises

TABLES = {
    "excluded_backups": "excluded_backups",
    "search_jobs": "summaries",
    "postures": "postures",
    "posture_sources": "posture_sources",
}
ALL_QUERIES = [*saved_queries(), *saved_queries(QUERIES / "posture")]


def table(stack: SynthesizedStack, name: str) -> Json:
    """Return the properties of a table."""
    tables = [each["TableInput"] for each in stack.resources("AWS::Glue::Table").values()]
    return next(each for each in tables if each["Name"] == name)


def columns(table: Json) -> dict[str, str]:
    """Return the columns of a table and their types, those of its partitions last."""
    return {each["Name"]: each["Type"] for each in (*table["StorageDescriptor"]["Columns"], *table["PartitionKeys"])}


def test_the_table_of_excluded_backups_has_the_columns_of_the_files_in_their_order(stack: SynthesizedStack) -> None:
    described = columns(table(stack, "excluded_backups"))

    assert tuple(described) == (*COLUMNS, "account", "region", "date")
    assert set(described.values()) == {"string"}


@pytest.mark.parametrize(("name", "folder"), TABLES.items())
def test_a_table_computes_the_folders_of_its_files_and_fails_over_a_line_that_it_cannot_read(
    stack: SynthesizedStack, name: str, folder: str
) -> None:
    described = table(stack, name)

    location = f"s3://<ReportStoreBucket>/{folder}/"
    assert described["StorageDescriptor"]["Location"] == location
    assert described["StorageDescriptor"]["SerdeInfo"] == {
        "SerializationLibrary": "org.apache.hive.hcatalog.data.JsonSerDe"
    }
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


@promises(
    Promise(
        "the workgroup sets where results go, how they are encrypted, and how much a query reads",
        "AnalyticsWorkGroup",
        {
            "Name": "SearchCoverage",  # the documentation uses it
            "RecursiveDeleteOption": True,  # a history does not keep the stack from being deleted
            "WorkGroupConfiguration": {
                "EnforceWorkGroupConfiguration": True,
                "PublishCloudWatchMetricsEnabled": True,
                "BytesScannedCutoffPerQuery": 10 * 1024**3,
                "EngineVersion": {"SelectedEngineVersion": "Athena engine version 3"},
                "ResultConfiguration": {
                    "OutputLocation": "s3://<AnalyticsResults>/",
                    "ExpectedBucketOwner": "<AWS::AccountId>",
                    "EncryptionConfiguration": {"EncryptionOption": "SSE_KMS", "KmsKey": "<ReportStoreKey.Arn>"},
                },
            },
        },
    )
)
def test_the_workgroup(promise: Promise) -> None:
    promise.check()


def test_the_database_has_the_name_that_the_documentation_uses(stack: SynthesizedStack) -> None:
    assert stack.resource("AnalyticsTablesDatabase")["DatabaseInput"]["Name"] == "search_coverage"


def test_each_query_is_saved_in_the_workgroup_with_its_name_and_what_it_means(stack: SynthesizedStack) -> None:
    saved = stack.resources("AWS::Athena::NamedQuery").values()

    assert {each["Name"] for each in saved} == {
        "Excluded again and again: sources",
        "Excluded again and again: backups",
        "Sources that were never searched whole",
        "Trend of coverage by week",
        "Everything about one bucket or volume",
        "Excluded on a given day, and since when",
        "Searches of a case",
        "Excluded every time",
        "First time a source was searched whole",
        "Changed since the previous search",
        "Who should be told",
        "What a search could look into, by week",
        "Sources that could never be searched",
        "Sources that got worse since a day",
    }
    for each in saved:
        assert (each["WorkGroup"], each["Database"]) == ("<AnalyticsWorkGroup>", "<AnalyticsTablesDatabase>")
        assert 80 < len(each["Description"]) <= 1024  # the limit of Athena
        assert each["QueryString"] in {query.sql for query in ALL_QUERIES}


@pytest.mark.parametrize("query", ALL_QUERIES, ids=lambda query: query.file)
def test_a_query_is_one_select_of_athena_over_columns_that_exist(stack: SynthesizedStack, query: SavedQuery) -> None:
    described = {name: columns(table(stack, name)) for name in TABLES}
    schema: dict[str, object] = {
        name: {column: exp.DataType.build(hive, dialect="hive").sql("athena") for column, hive in types.items()}
        for name, types in described.items()
    }

    (statement,) = sqlglot.parse(query.sql, dialect="athena")

    assert isinstance(statement, exp.Select)
    checked = qualify(statement, schema=schema, dialect="athena", validate_qualify_columns=True)
    known = {*schema, *(each.alias for each in checked.find_all(exp.CTE))}
    assert {each.name for each in checked.find_all(exp.Table)} <= known
    for dot in checked.find_all(exp.Dot):
        if isinstance(dot.this, exp.Column):  # a member of a structure
            of_table = "postures" if query.file == "searchable-by-week" else "search_jobs"
            members = re.findall(r"[<,](\w+):", described[of_table][dot.this.name])
            assert dot.expression.name.lower() in members


@pytest.mark.parametrize("query", ALL_QUERIES, ids=lambda query: query.file)
def test_a_query_has_its_parameter_where_athena_accepts_one(query: SavedQuery) -> None:
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
