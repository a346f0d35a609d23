"""What goes wrong with the embedded AWS, said in sentences a person can act on."""


class EmulatorError(Exception):
    """The embedded AWS, or a deployment to it, did not work; the message says why and what to do."""
