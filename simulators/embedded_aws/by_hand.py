"""How to use the embedded AWS by hand: an environment for a shell, and lines to copy into it."""

import os
import shlex
from pathlib import Path

from search_coverage.names import REPORT_HTML
from simulators.embedded_aws.embedded_aws import EmbeddedAws
from simulators.embedded_aws.environments import loopback_only

_ENVIRONMENT = """\
# Source this in bash or zsh: the shell then uses the embedded AWS, and reaches nothing but this computer.
for name in $(env | sed -n 's/^\\(AWS_[A-Z0-9_]*\\)=.*/\\1/p'); do unset "$name"; done
{exports}
# Print the address of each report's page.
report_pages() {{
  .venv/bin/aws s3api list-objects-v2 --bucket "$BUCKET" --query 'Contents[].[Key]' --output text |
    sed -n "s#.*/{report_html}#$AWS_ENDPOINT_URL/$BUCKET/&#p"
}}
"""

_INSTRUCTIONS = """
In another shell (bash or zsh), in the folder of this project, first

  . {environment}

It makes that shell use this AWS, and reach nothing but this computer. Then:

- Is everything in order?

  .venv/bin/search-coverage doctor

- Start a search job. It ends after some seconds, and up to a minute later the
  schedule has noticed it and the report is there. Its mail: {mails}

  .venv/bin/aws backupsearch start-search-job --name quarterly-audit \\
    --search-scope \\
    BackupResourceTypes=S3,SourceResourceArns=arn:aws:s3:::quarterly-invoices

- What is in the bucket, and the pages to open in a browser:

  .venv/bin/aws s3 ls --recursive "s3://$BUCKET"
  report_pages

All that is in this AWS is gone when it stops.
"""


def write_environment(file: Path, aws: EmbeddedAws, *, bucket: str) -> None:
    """Write the file for a shell to source, with the bucket of the reports as `$BUCKET`."""
    variables = aws.settings() | loopback_only() | {"AWS_PAGER": "", "BUCKET": bucket}
    exports = "\n".join(f"export {name}={shlex.quote(text)}" for name, text in variables.items())
    file.write_text(_ENVIRONMENT.format(exports=exports, report_html=REPORT_HTML), encoding="utf-8")


def instructions(environment: Path, *, mails: Path) -> str:
    """Return the lines to copy, which source the file of `write_environment`, and name the folder of the mails."""
    # A dot alone looks for a file without a slash on the PATH.
    sourced = environment if environment.is_absolute() else os.path.join(".", environment)  # noqa: PTH118  pathlib drops the dot
    return _INSTRUCTIONS.format(environment=shlex.quote(str(sourced)), mails=mails)
