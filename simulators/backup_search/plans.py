"""The backup plans of the account, with their versions."""

import uuid
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """A version of a plan, as GetBackupPlan returns it: its rules have ids."""

    version_id: str
    content: Mapping[str, Any]
    created_at: datetime


@dataclass(slots=True)
class StoredPlan:
    """A plan, its oldest version first."""

    plan_id: str
    arn: str
    versions: list[PlanVersion] = field(default_factory=list)
    deleted_at: datetime | None = None

    @property
    def latest(self) -> PlanVersion:
        """The version that holds."""
        return self.versions[-1]

    def update(self, content: Mapping[str, Any], at: datetime) -> PlanVersion:
        """Replace the plan as a whole.

        AWS does not document whether a rule keeps its id. Here it does not: a client must not rely on it.
        """
        replaced = deepcopy(dict(content))
        for rule in replaced["Rules"]:
            rule["RuleId"] = str(uuid.uuid4())
        version = PlanVersion(str(uuid.uuid4()), replaced, at)
        self.versions.append(version)
        return version
