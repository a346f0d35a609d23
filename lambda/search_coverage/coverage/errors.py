"""The family of errors that this product raises on purpose: each carries a sentence for a person."""


class SearchCoverageError(Exception):
    """An error that an operator has to know: what failed, on which job or key, and what comes next."""


class AwsCallFailed(SearchCoverageError):
    """AWS did not do what it was asked, after the SDK's own retries."""
