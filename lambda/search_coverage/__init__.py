"""Search Coverage: what an AWS Backup search job did not look at, why, and what to do about it."""

__version__ = "1.0.0"

SERVICE = "search-coverage"
"""The name of this product in logs, as a dimension of its metrics, and as the source of its events."""

METRICS_NAMESPACE = "SearchCoverage"
"""The CloudWatch namespace of its metrics."""
