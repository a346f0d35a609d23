"""The files of a report: CSV, JSON Lines and summary, and where they lie in the bucket."""
