"""The base of all errors of this product."""


class SearchCoverageError(Exception):
    """An error with a sentence for a person: what failed, on which job or key, and what to do next."""
