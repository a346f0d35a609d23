"""Settings of all property tests, and the inventory over fakes."""

from functools import partial
from pathlib import Path

import pytest
from hypothesis import settings

from tests.fakes_inventory import Take, take_inventory

settings.register_profile("any computer", deadline=None)  # how long an example takes says nothing about what it shows
settings.load_profile("any computer")


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """Take an inventory in a folder of its own."""
    return partial(take_inventory, tmp_path)
