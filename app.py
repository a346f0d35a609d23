"""The CDK app: reads the settings, builds the stack. It asks AWS nothing."""

import sys

from aws_cdk import App

from infra.python_bundle import BundlingError
from infra.settings import Settings, SettingsError
from infra.stack import SearchCoverageStack


def main() -> None:
    """Synthesise the stack `SearchCoverage`, or stop with one sentence that says what is wrong."""
    app = App()
    try:
        settings = Settings.from_context(app.node.get_all_context())
    except SettingsError as error:
        sys.exit(str(error))
    try:
        SearchCoverageStack(app, settings=settings)
    except RuntimeError as error:
        if sentence := BundlingError.sentence_in(error):
            sys.exit(sentence)
        raise
    app.synth()


if __name__ == "__main__":
    main()
