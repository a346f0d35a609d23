"""Exclusions in, files and texts out."""
