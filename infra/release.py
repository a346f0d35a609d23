"""Writes the files of a release to out/release: `python -m infra.release [TAG]`.

They are the template, the bundle of the functions, the notes, and the bill of materials from `make sbom`.
"""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from search_coverage import __version__
from search_coverage.names import STACK

ROOT: Final = Path(__file__).parents[1]
CHANGELOG: Final = ROOT / "CHANGELOG.md"

FILES: Final = """\
---
`SearchCoverage.template.json` is the stack with the default settings of `cdk.json`, which send no mail. Read, compare
or scan it and `lambda-bundle.zip`, the code that runs in Lambda; `sbom.json` lists the packages in the bundle. To
deploy, check out this tag and follow README.md.
"""
"""The part of the notes about the files."""


class NotReleasableError(ValueError):
    """The tag, the version and the changelog do not agree; the message is one sentence."""


def released_versions(changelog: str) -> list[str]:
    """Return the versions with a date in a changelog, the newest first."""
    return re.findall(r"^## \[([^\]]+)\] - \d{4}-\d{2}-\d{2}$", changelog, re.MULTILINE)


def notes(changelog: str, version: str) -> str:
    """Return the section of a version, without its heading and the links at the end of the document.

    Raises:
        NotReleasableError: The changelog has no release of this version.
    """
    if version not in released_versions(changelog):
        raise NotReleasableError(f"CHANGELOG.md has no release {version} with a date: rename the heading [Unreleased].")
    section = re.split(rf"^## \[{re.escape(version)}\].*\n", changelog, maxsplit=1, flags=re.MULTILINE)[1]
    return re.split(r"^(?:## |\[[^\]]+\]: )", section, maxsplit=1, flags=re.MULTILINE)[0].strip() + "\n"


def require_tag(tag: str) -> None:
    """Reject a tag that is not the version of the code.

    Raises:
        NotReleasableError: The tag names another version.
    """
    if tag != f"v{__version__}":
        raise NotReleasableError(
            f"The tag is {tag}, and the version in lambda/search_coverage/__init__.py is {__version__}: "
            f"it must be v{__version__}."
        )


def write(folder: Path, text: str) -> None:
    """Synthesize the stack, and write its template, its bundle and the notes into a new folder."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    assembly = folder.parent / "release-cdk.out"
    shutil.rmtree(assembly, ignore_errors=True)
    cdk = ROOT / "node_modules" / ".bin" / "cdk"
    subprocess.run([cdk, "synth", "--quiet", "--no-notices", "--output", assembly], cwd=ROOT, check=True)
    shutil.copy(assembly / f"{STACK}.template.json", folder)
    shutil.copy(folder.parent / "sbom.json", folder)
    (bundle,) = (path for path in assembly.glob("asset.*") if path.is_dir())
    shutil.make_archive(str(folder / "lambda-bundle"), "zip", bundle)
    (folder / "notes.md").write_text(f"{text}\n{FILES}", encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Write the files for a tag, or without one for the version of the code."""
    try:
        require_tag(arguments[0] if arguments else f"v{__version__}")
        text = notes(CHANGELOG.read_text(encoding="utf-8"), __version__)
    except NotReleasableError as error:
        sys.exit(str(error))
    folder = ROOT / "out" / "release"
    write(folder, text)
    print(f"{folder.relative_to(ROOT)}: {', '.join(sorted(path.name for path in folder.iterdir()))}")


if __name__ == "__main__":
    main(sys.argv[1:])
