"""The posture as files, a page and a mail."""
