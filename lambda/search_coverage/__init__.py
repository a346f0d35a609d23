"""Search Coverage: what an AWS Backup search job did not look at, why, and what to do about it."""

__version__ = "1.0.0"
