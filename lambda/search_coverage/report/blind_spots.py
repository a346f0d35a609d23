"""What even a complete search does not see: the limits of the indexes, per resource type of the search.

Source: AWS Backup's guide (backup-search.html), as collected in aws-facts.md §7.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from search_coverage.coverage.search_job import SearchJob
from search_coverage.coverage.verdict import Inventory, NotSearchable
from search_coverage.report.plain_text import one_line
from search_coverage.report.wording import METADATA_ONLY

_VAULTS_NAMED = 10
_VAULTS_NAMED_IN_SHORT = 3
_VAULT_CHARACTERS = 60


@dataclass(frozen=True, slots=True)
class BlindSpot:
    """One thing that a search does not see.

    Attributes:
        text: Whole sentences, for the page.
        in_short: For the mail; None if it does not matter to this search.
        concerns_this_search: Whether this search probably missed something because of it.
    """

    title: str
    text: str
    in_short: str | None
    concerns_this_search: bool = False


_CONTENTS = BlindSpot(
    "Contents",
    f"{METADATA_ONLY} No search finds a word, a name or a number that is only inside a file.",
    "what is inside a file or an object",
)
_LINKS = BlindSpot(
    "Links on EBS volumes",
    "AWS Backup does not index symbolic links and hard links.",
    "symbolic and hard links",
)
_DELETE_MARKERS = BlindSpot(
    "Delete markers in S3",
    "A search never returns delete markers, so it does not show that an object was deleted, or when.",
    "delete markers",
)
_CONTINUOUS_BACKUPS = BlindSpot(
    "The latest changes in continuous S3 backups",
    "A continuous backup gets one index per day. What was written after its latest index is not in it.",
    "in continuous backups, what is newer than the index of the day",
)


def blind_spots(job: SearchJob, inventory: Inventory) -> list[BlindSpot]:
    """Name what a search of this resource type does not see; of every type, if AWS did not name the type."""
    types = set(job.scope.resource_types)
    of_ebs = [_LINKS, _creation_times(job), _volumes_of_instances(job, inventory)]
    of_s3 = [_DELETE_MARKERS, _CONTINUOUS_BACKUPS]
    return [_CONTENTS, *(of_ebs if types != {"S3"} else ()), *(of_s3 if types != {"EBS"} else ())]


def _creation_times(job: SearchJob) -> BlindSpot:
    text = "On vfat, ext2, ext3 and XFS before version 5, files may have no creation time in the index. "
    if "CreationTimes" in job.item_filters.names:
        return BlindSpot(
            "Files without a creation time",
            f"{text}This search filters by creation time, so it may have passed over such files, whatever their "
            "names. To be sure, search again without that filter.",
            "files without a creation time (vfat, ext2, ext3, XFS before version 5): THIS SEARCH FILTERS BY CREATION "
            "TIME and may have passed over them",
            concerns_this_search=True,
        )
    return BlindSpot(
        "Files without a creation time",
        f"{text}A search that filters by creation time may pass over them; this search has no such filter.",
        None,
    )


def _volumes_of_instances(job: SearchJob, inventory: Inventory) -> BlindSpot:
    held = sorted(inventory.not_searchable, key=lambda one: (-one.backups, one.vault))
    is_whole = inventory.not_searchable_is_all
    if held:
        count = sum(one.backups for one in held)
        number = f"{'' if is_whole else 'at least '}{count:,}"
        noun = "backup of an EC2 instance" if count == 1 else "backups of EC2 instances"
        counted = f"From the time that the search covers, the vaults hold {number} {noun}: "
        counted += f"{_vaults(held, _VAULTS_NAMED)}."
        in_short = f"{number}: {_vaults(held, _VAULTS_NAMED_IN_SHORT)}"
    elif inventory.is_off:
        counted, in_short = "They were not counted, since the comparison with the vaults is off.", "not counted"
    elif "EBS" not in job.scope.resource_types:
        counted, in_short = "They were not counted, since AWS did not say that the search is for EBS.", "not counted"
    elif is_whole:
        counted, in_short = "From the time that the search covers, the vaults hold none.", "none in the vaults"
    else:
        counted = "None were found, but perhaps not all vaults could be read for it: see the note on the comparison."
        in_short = "none found, but perhaps not all vaults were read"
    return BlindSpot(
        "EBS volumes inside backups of EC2 instances",
        "AWS documents search for backups of S3 and EBS alone. A volume that was backed up as part of an EC2 instance "
        f"is in no such search. {counted}",
        f"EBS volumes inside backups of EC2 instances ({in_short})",
        concerns_this_search=bool(held),
    )


def _vaults(held: Sequence[NotSearchable], named: int) -> str:
    parts = [f"{one.backups:,} in {one_line(one.vault, _VAULT_CHARACTERS)}" for one in held[:named]]
    if others := held[named:]:
        parts.append(f"{sum(one.backups for one in others):,} in {len(others):,} more vaults")
    return ", ".join(parts)
