"""What is wrong with what somebody wants simulated."""


class ScenarioError(ValueError):
    """A scenario or a vault that cannot be; the text names it or its file, the key, and what is allowed."""
