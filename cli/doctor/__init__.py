"""The doctor: checks, read-only, that a deployed stack is in order (docs/command-line.md)."""
