"""The CDK app: reads the settings and builds the stack, without a call to AWS."""

import sys

from aws_cdk import App

from infra.python_bundle import BundlingError
from infra.settings import Settings, SettingsError
from infra.stack import SearchCoverageStack


def main() -> None:
    """Synthesize the stack, or stop with one sentence that says what is wrong."""
    app = App()
    try:
        SearchCoverageStack(app, settings=Settings.from_context(app.node.get_all_context()))
    except SettingsError as error:
        sys.exit(str(error))
    except RuntimeError as error:
        if sentence := BundlingError.sentence_in(error):
            sys.exit(sentence)
        raise
    app.synth()


if __name__ == "__main__":
    main()
