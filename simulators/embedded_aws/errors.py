"""Errors of the embedded AWS, in sentences that a person can act on."""


class EmulatorError(Exception):
    """The embedded AWS, or a deployment to it, did not work; the message says why and what to do."""
