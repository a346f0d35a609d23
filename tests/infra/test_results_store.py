"""The bucket of what searches found: only where somebody asked for it, with its own key, retention and readers."""

from infra.settings import Settings
from tests.infra.conftest import ABSENT, CHANGED, Json, Promise, SynthesizedStack, promises, synthesized
from tests.infra.test_report_store import EVERYBODY, expires

BUCKET, KEY, REPORTER = "ResultsStoreBucket", "ResultsStoreKey", "<ReporterReportRole.Arn>"
OBJECTS = [f"<{BUCKET}.Arn>/{folder}/*" for folder in ("results", "search_results")]
ANSWERS_EXPIRE = {
    "Id": "AnswersExpire",
    "Status": "Enabled",
    "Prefix": "athena/",
    "ExpirationInDays": 7,
    "NoncurrentVersionExpiration": {"NoncurrentDays": 1},
}
KEEPS = Settings(keep_results=True)


@promises(
    Promise(
        "is encrypted with a key of its own",
        BUCKET,
        {
            "BucketEncryption": {
                "ServerSideEncryptionConfiguration": [
                    {
                        "BucketKeyEnabled": True,
                        "ServerSideEncryptionByDefault": {
                            "SSEAlgorithm": "aws:kms",
                            "KMSMasterKeyID": f"<{KEY}.Arn>",
                        },
                    }
                ]
            },
            "VersioningConfiguration": {"Status": "Enabled"},
        },
        KEEPS,
    ),
    Promise(
        "a result expires after its own retention",
        BUCKET,
        {"LifecycleConfiguration": {"Rules": [*expires("ResultRetention", 10, 10)["Rules"], ANSWERS_EXPIRE]}},
        CHANGED,
    ),
    Promise("a result can be erased, even if reports are locked", BUCKET, {"ObjectLockEnabled": ABSENT}, CHANGED),
    Promise("the key rotates", KEY, {"EnableKeyRotation": True}, KEEPS),
)
def test_the_bucket_of_the_results(promise: Promise) -> None:
    promise.check()


def denials(settings: Settings) -> dict[str, Json]:
    policy = synthesized(settings).resource(f"{BUCKET}Policy")["PolicyDocument"]["Statement"]
    return {each["Sid"]: each for each in policy if "Sid" in each}


def test_only_the_report_function_writes_results_and_nothing_is_replicated_there() -> None:
    found = denials(KEEPS)

    assert found == {
        "NothingIsReplicatedIntoTheResults": {
            **EVERYBODY,
            "Sid": "NothingIsReplicatedIntoTheResults",
            "Action": ["s3:ReplicateDelete", "s3:ReplicateObject", "s3:ReplicateTags"],
            "Resource": OBJECTS,
        },
        "OnlyTheReportFunctionWritesResults": {
            **EVERYBODY,
            "Sid": "OnlyTheReportFunctionWritesResults",
            "Action": "s3:PutObject",
            "Resource": OBJECTS,
            "Condition": {"ArnNotEquals": {"aws:PrincipalArn": REPORTER}},
        },
    }


def test_chosen_readers_are_the_only_ones_beside_the_report_function() -> None:
    statement = denials(CHANGED)["OnlyTheChosenReadersReadResults"]

    assert statement["Action"] == ["s3:GetObject", "s3:GetObjectVersion"]
    assert statement["Resource"] == [f"<{BUCKET}.Arn>/athena/*", *OBJECTS]  # answers name files, too
    assert statement["Condition"] == {"ArnNotEquals": {"aws:PrincipalArn": [REPORTER, *CHANGED.result_reader_arns]}}


def test_without_the_setting_there_is_nothing_of_it(stack: SynthesizedStack) -> None:
    assert "ResultsStore" not in stack.text
    assert "ResultsBucketName" not in stack.template["Outputs"]


def test_bucket_policy_and_key_outlive_the_stack() -> None:
    kept = synthesized(KEEPS)

    for name in (BUCKET, f"{BUCKET}Policy", KEY):
        assert kept.deletion_policy(name) == ("RetainExceptOnCreate", "Retain")


def test_answers_about_results_stay_with_the_results_under_their_key() -> None:
    stack = synthesized(KEEPS)

    result = stack.resource("AnalyticsResultsWorkGroup")["WorkGroupConfiguration"]["ResultConfiguration"]
    assert result["OutputLocation"] == f"s3://<{BUCKET}>/athena/"
    assert result["EncryptionConfiguration"] == {"EncryptionOption": "SSE_KMS", "KmsKey": f"<{KEY}.Arn>"}
    saved = stack.resource("AnalyticsFindInKeptResults")
    assert (saved["Name"], saved["WorkGroup"]) == ("Find in kept results", "<AnalyticsResultsWorkGroup>")
    table = stack.resource("AnalyticsTablesSearchResults")["TableInput"]
    assert table["StorageDescriptor"]["Location"] == f"s3://<{BUCKET}>/search_results/"
    assert {column["Name"]: column["Type"] for column in table["StorageDescriptor"]["Columns"]}["size"] == "bigint"
