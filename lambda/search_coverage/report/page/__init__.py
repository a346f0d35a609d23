"""report.html: the report for people."""
