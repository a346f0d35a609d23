"""The reports as Athena sees them: a database with two tables, over the files that are in the bucket already."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from aws_cdk import Aws, Fn
from aws_cdk import aws_glue as glue
from constructs import Construct

from infra.report_store import ReportStore
from infra.results_store import ResultsStore
from infra.settings import Settings
from search_coverage.names import EXCLUDED_BACKUPS, POSTURE_SOURCES, POSTURES, SEARCH_RESULTS, SUMMARIES
from search_coverage.report.files.result_row import RESULT_COLUMNS
from search_coverage.report.files.row import COLUMNS
from search_coverage.report.posture.rows import COUNTS, SOURCE_COLUMNS

DATABASE: Final = "search_coverage"
"""Athena requires lower case without hyphens. An account and Region have one stack, and so one database."""

FIRST_DAY: Final = "2025-01-01"
"""The first of the projected days. AWS Backup has search jobs since December 2024 and keeps them for a week, so no
report is older. Each day that a query does not exclude costs one listing, even without files: ten years of days cost
about two cents."""

EXCLUDED_BACKUPS_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(dict.fromkeys(COLUMNS, "string"))
"""The columns of the JSON Lines (docs/report-format.md). Times are text as in the files, ISO 8601 in UTC;
`from_iso8601_timestamp` converts them in a query."""

_FILE: Final = "struct<key:string,sha256:string,bytes:bigint,rows:bigint,versionid:string>"

SEARCH_JOBS_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "version": "bigint",
        "searchjob": (
            "struct<identifier:string,arn:string,name:string,status:string,statusmessage:string,creationtime:string,"
            "completiontime:string,resourcetypes:array<string>,encryptionkeyarn:string,"
            "scope:struct<resourcetypes:array<string>,createdafter:string,createdbefore:string,"
            "sourcearns:array<string>,backuparns:array<string>,tags:map<string,string>>,"
            "tags:map<string,string>,itemfilternames:array<string>,itemfilterssha256:string,fingerprint:string>"
        ),
        "verdict": "string",
        "verdictreasons": "array<string>",
        "backups": "struct<listed:bigint,searched:bigint,excluded:bigint,failed:bigint>",
        "excludedbyreason": "map<string,bigint>",
        "excludedbyresourcetype": "map<string,bigint>",
        "progress": (
            "struct<recoverypointstoscan:bigint,recoverypointsscanned:bigint,"
            "itemstoscan:bigint,itemsscanned:bigint,itemsmatched:bigint>"
        ),
        "files": f"struct<csv:{_FILE},jsonl:{_FILE},html:{_FILE}>",
        "inventory": (
            "struct<status:string,message:string,takenat:string,vaults:bigint,inscope:bigint,notlisted:bigint,"
            "thinindexes:array<struct<backuparn:string,sourceresourcearn:string,vault:string,items:bigint,"
            "previousbackuparn:string,previousitems:bigint>>,"
            "notsearchable:array<struct<vault:string,backups:bigint,examples:array<string>>>>"
        ),
        "results": (
            f"struct<status:string,message:string,rows:bigint,bucket:string,files:struct<csv:{_FILE},jsonl:{_FILE}>>"
        ),
        "previous": (
            "struct<status:string,message:string,searchjobidentifier:string,endedat:string,summarykey:string,"
            "verdict:string,newlyexcluded:bigint,stillexcluded:bigint,stillexcludedsince:string,"
            "nolongerexcluded:bigint,nowsearched:bigint,notinthissearch:bigint,withoutarn:bigint,closed:boolean>"
        ),
        "notification": "struct<failedbackups:bigint,messageids:array<string>,pending:string>",
        "generatedat": "string",
        "generatorversion": "string",
        "contentsha256": "string",
    }
)
"""The members of a summary, but for the item filters, which can be personal data. The Glue Data Catalog has lower case
only; a query may still write `searchJob.completionTime`, because SQL ignores case."""

SEARCH_RESULTS_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {column: "bigint" if column == "size" else "string" for column in RESULT_COLUMNS}
)
"""The columns of the results of searches."""

POSTURE_SOURCES_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {column: "bigint" if column in COUNTS else "string" for column in SOURCE_COLUMNS}
)
"""The columns of the sources of postures."""

_SHARE: Final = "total:bigint,searchable:bigint,notsearchable:bigint,share:double"

POSTURES_COLUMNS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "version": "bigint",
        "takenat": "string",
        "status": "string",
        "problems": "array<string>",
        "notes": "array<string>",
        "backups": f"struct<{_SHARE}>",
        "bysearchability": "map<string,bigint>",
        "byresourcetype": f"map<string,struct<{_SHARE},sources:bigint,newestsearchable:bigint,newestshare:double>>",
        "sources": "struct<total:bigint,newestsearchable:bigint,newestshare:double>",
        "target": "struct<percent:bigint,missed:boolean>",
        "since": (
            "struct<takenat:string,summarykey:string,newestshare:double,better:bigint,worse:bigint,"
            "newnotsearchable:bigint,gone:bigint>"
        ),
        "vaultsread": "bigint",
        "leftout": "bigint",
        "vaults": (
            "array<struct<name:string,type:string,total:bigint,searchable:bigint,bysearchability:map<string,bigint>>>"
        ),
        "rules": (
            "array<struct<planid:string,planname:string,rule:string,indexes:array<string>,sources:bigint,"
            "sourcesnotsearchable:bigint,byresourcetype:map<string,struct<total:bigint,searchable:bigint>>>>"
        ),
        "ages": "array<struct<days:bigint,total:bigint,searchable:bigint>>",
        "unreachable": "array<struct<vault:string,backups:bigint,examples:array<string>>>",
        "indexfailures": (
            "struct<count:bigint,since:string,examples:array<struct<recoverypointarn:string,message:string,at:string>>>"
        ),
        "files": f"struct<csv:{_FILE},jsonl:{_FILE},html:{_FILE}>",
        "mail": "struct<status:string,messageid:string,why:string>",
        "generatedat": "string",
        "generatorversion": "string",
    }
)
"""The members of the summary of a posture, but for account and Region, which are partitions."""

PARTITIONS: Final = ("account", "region", "date")
"""The folders of the files, `account=…/region=…/date=…`."""

JSON_LINES: Final = "org.apache.hive.hcatalog.data.JsonSerDe"
"""Of Athena's two JSON readers, the one that AWS recommends: with the other, OpenX, a result can have fewer rows than
the files, and nulls where the files have values (https://docs.aws.amazon.com/athena/latest/ug/openx-json-serde.html).
This one finds members at any depth whatever their case, keeps the keys of maps, and fails a query over a line that it
cannot read, instead of skipping the line."""


class ReportTables(Construct):
    """The Glue database and its tables.

    They are `excluded_backups` and `search_jobs`; `postures` and `posture_sources` where postures are taken; and
    `search_results` where results are kept.

    Athena computes the folders, so that nothing must crawl them or add partitions (partition projection,
    https://docs.aws.amazon.com/athena/latest/ug/partition-projection.html). Account and Region are enumerations of one
    value, not `injected`, so that a query does not have to name them.

    Attributes:
        database: The database.
        tables: The tables.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: Settings,
        store: ReportStore,
        results: ResultsStore | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Aws.ACCOUNT_ID,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=DATABASE,
                description="Search Coverage: all reports, as tables",
            ),
        )
        reports = store.bucket.bucket_name
        self.tables = [
            self._table(
                reports,
                "excluded_backups",
                EXCLUDED_BACKUPS_COLUMNS,
                folder=EXCLUDED_BACKUPS,
                description="One row per backup that a search job did not search.",
            ),
            self._table(
                reports,
                "search_jobs",
                SEARCH_JOBS_COLUMNS,
                folder=SUMMARIES,
                description="One row per search job that has a report, even if nothing was excluded.",
            ),
        ]
        if settings.posture_schedule:
            self.tables += [
                self._table(
                    reports,
                    "postures",
                    POSTURES_COLUMNS,
                    folder=POSTURES,
                    description="One row per day: how many backups a search could look into.",
                ),
                self._table(
                    reports,
                    "posture_sources",
                    POSTURE_SOURCES_COLUMNS,
                    folder=POSTURE_SOURCES,
                    description="One row per source and day: whether a search could look into its newest backup.",
                ),
            ]
        if results:
            of_results = self._table(
                results.bucket.bucket_name,
                "search_results",
                SEARCH_RESULTS_COLUMNS,
                folder=SEARCH_RESULTS,
                description="One row per item that a search found, where its results are kept.",
            )
            self.tables.append(of_results)

    def _table(
        self, bucket: str, name: str, columns: Mapping[str, str], *, folder: str, description: str
    ) -> glue.CfnTable:
        """Make a table of the files below a folder, with one JSON object per line."""
        location = f"s3://${{Bucket}}/{folder}"
        # "${!name}" is how Fn::Sub writes a "${name}" that is not its own.
        partitions = "/".join(f"{partition}=${{!{partition}}}" for partition in PARTITIONS)
        return glue.CfnTable(
            self,
            "".join(word.capitalize() for word in name.split("_")),
            catalog_id=Aws.ACCOUNT_ID,
            database_name=self.database.ref,
            table_input=glue.CfnTable.TableInputProperty(
                name=name,
                description=description,
                table_type="EXTERNAL_TABLE",
                partition_keys=[glue.CfnTable.ColumnProperty(name=name, type="string") for name in PARTITIONS],
                parameters={
                    "EXTERNAL": "TRUE",
                    "classification": "json",
                    "projection.enabled": "true",
                    "projection.account.type": "enum",
                    "projection.account.values": Aws.ACCOUNT_ID,
                    "projection.region.type": "enum",
                    "projection.region.values": Aws.REGION,
                    "projection.date.type": "date",
                    "projection.date.format": "yyyy-MM-dd",
                    "projection.date.range": f"{FIRST_DAY},NOW",
                    "storage.location.template": Fn.sub(f"{location}{partitions}/", {"Bucket": bucket}),
                },
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    location=Fn.sub(location, {"Bucket": bucket}),
                    columns=[glue.CfnTable.ColumnProperty(name=name, type=type_) for name, type_ in columns.items()],
                    input_format="org.apache.hadoop.mapred.TextInputFormat",
                    output_format="org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
                    serde_info=glue.CfnTable.SerdeInfoProperty(serialization_library=JSON_LINES),
                ),
            ),
        )
