"""The SNS messages: every failed backup for machines, one email for people."""
