"""The names that the functions share with the stack, the doctor, the demo and the tests, each written once.

It imports nothing, so that everything can import it. People, Athena and subscribers rely on these names: none of them
ever changes.
"""

SERVICE = "search-coverage"
"""The product in logs, as a dimension of its metrics, as the source of its events, and as a tag of its resources."""

STACK = "SearchCoverage"
"""The CloudFormation stack."""

METRICS_NAMESPACE = "SearchCoverage"
"""The CloudWatch namespace."""

STATE_CHANGE = "Search Job State Change"
REPORT_CREATED = "Search Coverage Report Created"
POSTURE_CREATED = "Searchability Report Created"
"""The detail types of the events."""

AWS_BACKUP = "aws.backup"
INDEX_STATE_CHANGE = "Recovery Point Index State Change"
"""The source and the detail type of AWS Backup's own event about an index."""

REPORTS = "reports/"
EXCLUDED_BACKUPS = "excluded_backups/"
SUMMARIES = "summaries/"
QUESTIONS = "questions/"
"""What the keys in the bucket begin with: the reports for people, the files of the two Athena tables, and what leads
from a search to the previous one with the same question."""

POSTURE = "posture/"
POSTURES = "postures/"
POSTURE_SOURCES = "posture_sources/"
INDEX_FAILURES = "index_failures/"
"""What the keys of the posture begin with: the files for people, those of the two Athena tables, and what AWS said of
indexes that failed."""

RESULTS = "results/"
SEARCH_RESULTS = "search_results/"
"""What the keys in the bucket of the results begin with: the files for people, and those of the Athena table."""

SUMMARY_JSON = "summary.json"
NOTIFICATION_PENDING_JSON = "notification-pending.json"
EXCLUDED_BACKUPS_CSV = "excluded-backups.csv"
REPORT_HTML = "report.html"
"""The files of a report. The first is the mark that all of them are there."""

POSTURE_HTML = "posture.html"
SOURCES_CSV = "sources.csv"
LAST_MAIL_JSON = "last-mail.json"
"""The files of a posture, beside its `summary.json`, and the record of the last mail about one."""

RESULTS_PENDING_JSON = "results-pending.json"
RESULTS_CSV = "results.csv"
RESULTS_JSONL = "results.jsonl.gz"
"""The mark of a report that waits for the results of its search, and the files of the results."""

LEASE = "lease#"
SENT_DIGEST = "told#"
ANNOUNCEMENT = "announcement#"
"""What the keys in the DynamoDB table begin with."""

REPORT_DONE = "report done"
SWEEP_DONE = "sweep done"
POSTURE_DONE = "posture done"
SEARCH_JOB_ANNOUNCED = "search job announced"
"""The log messages that people and the doctor look for."""


class Variable:
    """The environment variables of the functions."""

    REPORT_BUCKET = "REPORT_BUCKET"
    ALERTS_TOPIC_ARN = "ALERTS_TOPIC_ARN"
    EVENT_BUS_NAME = "EVENT_BUS_NAME"
    IDEMPOTENCY_TABLE = "IDEMPOTENCY_TABLE"
    NOTIFY_ON = "NOTIFY_ON"
    INVENTORY = "INVENTORY"
    KEEP_ITEM_FILTERS = "KEEP_ITEM_FILTERS"
    RESULTS_BUCKET = "RESULTS_BUCKET"
    MAX_RESULTS = "MAX_RESULTS"
    SEARCH_JOB_STATUSES = "SEARCH_JOB_STATUSES"
    POSTURE_MAIL = "POSTURE_MAIL"
    SEARCHABLE_TARGET = "SEARCHABLE_TARGET"


class Metric:
    """The CloudWatch metrics."""

    BACKUPS_LISTED = "BackupsListed"
    BACKUPS_SEARCHED = "BackupsSearched"
    BACKUPS_EXCLUDED = "BackupsExcluded"
    BACKUPS_FAILED = "BackupsFailed"
    REPORTS = "Reports"
    REPORTS_INCOMPLETE = "ReportsIncomplete"
    REPORT_DURATION = "ReportDuration"
    SWEEPS = "Sweeps"
    SEARCH_JOBS_UNREPORTED = "SearchJobsUnreported"
    SEARCH_JOBS_ANNOUNCED = "SearchJobsAnnounced"
    SEARCH_JOBS_OVERDUE = "SearchJobsOverdue"
    POSTURES = "Postures"
    BACKUPS_SEARCHABLE = "BackupsSearchable"
    BACKUPS_NOT_SEARCHABLE = "BackupsNotSearchable"
    SEARCHABLE_SHARE = "SearchableShare"
    NEWEST_SEARCHABLE_SHARE = "NewestSearchableShare"
    INDEXES_FAILED = "IndexesFailed"
