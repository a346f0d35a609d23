"""The demo's second act: the backups that a search left out get an index, for a second search to look into."""

import csv
import time
from typing import Any

from rich.console import Console

from demo.shell import Shell
from search_coverage.coverage.exclusion import Reason
from simulators.embedded_aws.errors import EmulatorError

_INDEX_SECONDS = 30.0


def create_indexes(excluded_backups: str, shell: Shell, client: Any, console: Console) -> None:
    """Run the command that a report has for each backup without an index; as on AWS, one after the other.

    Args:
        excluded_backups: The content of its excluded-backups.csv.
        client: A boto3 client of AWS Backup.

    Raises:
        EmulatorError: A command failed, or an index is not made in time.
    """
    rows = [row for row in csv.DictReader(excluded_backups.splitlines()) if row["reason"] == Reason.INDEX_MISSING]
    for number, row in enumerate(rows, start=1):
        _, _, command = row["remedy"].partition(" Command: ")
        if number == 1:
            shell.show_command(command)
        shell.run(command)
        _wait_for_index(client, row)
        console.print(f"   The index of backup {number} of {len(rows)} is ACTIVE.")


def _wait_for_index(client: Any, row: dict[str, str]) -> None:
    deadline = time.monotonic() + _INDEX_SECONDS
    point = {"BackupVaultName": row["backup_vault"], "RecoveryPointArn": row["backup_arn"]}
    while client.get_recovery_point_index_details(**point).get("IndexStatus") != "ACTIVE":
        if time.monotonic() > deadline:
            raise EmulatorError(f"{row['backup_arn']} has no index after {_INDEX_SECONDS:.0f} s: see out/emulator.")
        time.sleep(0.2)
