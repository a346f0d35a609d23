"""What ships in Lambda: each package is pinned, known to a person, and under a license that asks for nothing more."""

import re
from importlib import metadata

import pytest

from tests.infra.conftest import ROOT

LOCK_FILES = ("lambda/requirements.txt", "requirements.txt", "requirements-dev.txt", "tests/e2e/requirements-rie.txt")

HARMLESS = {
    "Apache-2.0": ("apache",),
    "BSD-3-Clause": ("bsd",),
    "MIT": ("mit",),
    "MIT-0": ("mit-0",),
    "PSF-2.0": ("psf", "python software foundation"),
}
"""Licences that a person has read, which ask for their notice and for nothing else, and how the metadata of a package
may write them, in lower case."""


def locked(file: str) -> dict[str, str]:
    """Return the version of each package in a lock file."""
    return dict(re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / file).read_text(), re.MULTILINE))


def in_table() -> dict[str, tuple[str, str]]:
    """Return the version and the license of each package in docs/dependencies.md."""
    rows = re.findall(
        r"^\| `([^`]+)` \| ([^|]+) \| ([^|]+) \|", (ROOT / "docs/dependencies.md").read_text(), re.MULTILINE
    )
    return {name: (version, terms) for name, version, terms in rows}


def test_the_table_names_what_ships_and_nothing_else() -> None:
    assert {name: version for name, (version, _) in in_table().items()} == locked("lambda/requirements.txt")


def test_every_license_is_one_that_asks_for_nothing_but_its_notice() -> None:
    for name, (_, licenses) in in_table().items():
        assert set(re.split(r", | or ", licenses)) <= HARMLESS.keys(), name


@pytest.mark.parametrize("name", sorted(locked("lambda/requirements.txt")))
def test_a_package_says_the_same_of_its_license(name: str) -> None:
    package = metadata.metadata(name)
    says = " ".join(
        [
            *(package.get_all("License-Expression") or []),
            *(package.get_all("License") or []),
            *(each for each in package.get_all("Classifier") or [] if each.startswith("License")),
        ]
    ).lower()

    _, licenses = in_table()[name]
    for each in re.split(r", | or ", licenses):
        assert any(word in says for word in HARMLESS[each]), says


@pytest.mark.parametrize("file", LOCK_FILES)
def test_every_package_is_pinned_to_one_version_with_hashes(file: str) -> None:
    entries = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / file).read_text().strip())
    packages = [entry for entry in entries if not entry.startswith("#")]

    assert packages
    for package in packages:
        assert re.match(r"[\w.-]+==\S+", package), package
        assert "--hash=sha256:" in package, package
