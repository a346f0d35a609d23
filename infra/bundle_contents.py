"""The parts of the installed packages that stay in the bundle: what runs, the licenses, and what names the packages.

Lambda loads and unpacks the bundle at every cold start, and botocore searches its data folders for every new client:
models of services that the functions do not call cost time for both. tests/infra/test_bundle_alone.py shows that enough
is left.
"""

import gzip
import json
import shutil
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from infra.bundle_error import BundlingError

POWERTOOLS: Final = frozenset(
    {
        "exceptions",
        "logging",
        "metrics",
        "middleware_factory",
        "shared",
        "tracing",
        "utilities",
        "utilities/jmespath_utils",
        "utilities/typing",
        "warnings",
    }
)
"""The packages of Powertools that the functions load, directly or indirectly: a fifth of its code."""

_NEVER_READ: Final = (
    "bin",  # commands
    ".lock",  # the installer's
    "boto3/data",  # of boto3's resources; we use clients
    "boto3/examples",  # of its documentation
    "dateutil/zoneinfo/dateutil-zoneinfo.tar.gz",  # for systems without time zones; ours are all UTC
)
_NEVER_RUN: Final = (".pyi", ".c", ".so")  # of MarkupSafe, which does in Python what its machine code does faster
_LEGAL: Final = ("AUTHORS", "COPYING", "LICENCE", "LICENSE", "NOTICE")


def keep_what_runs(bundle: Path, services: Collection[str], only: Mapping[str, Collection[str]]) -> None:
    """Remove from installed packages what the functions never read.

    Args:
        bundle: The folder with the packages.
        services: The services that the functions call, by botocore's names.
        only: The operations that they call, for services with a large model.

    Raises:
        BundlingError: botocore does not know one of the services.
    """
    for name in _NEVER_READ:
        _remove(bundle / name)
    _keep_models(bundle / "botocore" / "data", services, only)
    _keep_powertools(bundle / "aws_lambda_powertools")
    for path in sorted(bundle.rglob("*")):
        if path.name == "__pycache__" or (path.is_file() and not _is_needed(path.relative_to(bundle))):
            _remove(path)


def _is_needed(path: Path) -> bool:
    """Whether a file may run, is a license, or holds the name and version of its package, which scanners read."""
    package = path.parts[0]
    if package.endswith(".dist-info"):
        return path.name == "METADATA" or path.parts[1] == "licenses" or path.name.upper().startswith(_LEGAL)
    return path.suffix not in _NEVER_RUN and path.name != "py.typed"


def _keep_powertools(package: Path) -> None:
    for folder in (package, package / "utilities"):
        _remove_others(folder, (package / name for name in POWERTOOLS))


def _keep_models(data: Path, services: Collection[str], only: Mapping[str, Collection[str]]) -> None:
    """Keep the newest model of each service, the one that a client gets, and the endpoints of these services."""
    folders = {name: data / name for name in services}
    _remove_others(data, folders.values())
    prefixes = set()
    for name, folder in folders.items():
        if not folder.is_dir():
            raise BundlingError(f"botocore knows no service {name!r}; see search_coverage/aws/services.py.")
        newest = max(version for version in folder.iterdir() if version.is_dir())
        _remove_others(folder, [newest])
        (newest / "examples-1.json").unlink(missing_ok=True)
        model = _unpack(newest / "service-2.json.gz", only.get(name))
        prefixes.add(model["metadata"]["endpointPrefix"])
    _keep_endpoints(data / "endpoints.json", prefixes)


def _unpack(path: Path, operations: Collection[str] | None) -> dict[str, Any]:
    """Replace a packed model of botocore with a plain one without documentation, which parses four times as fast.

    Args:
        path: The model.
        operations: Keep only these, with their shapes; None for all. Everything else in the model stays.
    """
    model: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    if operations is not None:
        model["operations"] = {name: model["operations"][name] for name in operations}
        model["shapes"] = _shapes_of(model["operations"], model["shapes"])
    for part in ("operations", "shapes"):
        model[part] = _without_documentation(model[part])
    path.with_suffix("").write_text(json.dumps(model, separators=(",", ":")), encoding="utf-8")
    path.unlink()
    return model


def _shapes_of(content: Any, shapes: Mapping[str, Any]) -> dict[str, Any]:
    """Select the shapes that operations need, directly or indirectly."""
    needed: dict[str, Any] = {}
    open_ends = [content]
    while open_ends:
        match open_ends.pop():
            case dict() as part:
                name = part.get("shape")
                if isinstance(name, str) and name not in needed:
                    needed[name] = shapes[name]
                    open_ends.append(shapes[name])
                open_ends.extend(part.values())
            case list() as parts:
                open_ends.extend(parts)
    return needed


def _without_documentation(content: Any) -> Any:
    """Remove the texts; a member with the name "documentation" is no text."""
    if isinstance(content, dict):
        return {
            name: _without_documentation(value)
            for name, value in content.items()
            if not (name == "documentation" and isinstance(value, str))
        }
    return [_without_documentation(value) for value in content] if isinstance(content, list) else content


def _keep_endpoints(path: Path, prefixes: Collection[str]) -> None:
    """Keep Regions, partitions, and the endpoints of our services: 29 kB of 1.2 MB to parse."""
    endpoints = json.loads(path.read_text(encoding="utf-8"))
    for partition in endpoints["partitions"]:
        partition["services"] = {name: one for name, one in partition["services"].items() if name in prefixes}
    path.write_text(json.dumps(endpoints, separators=(",", ":")), encoding="utf-8")


def _remove_others(folder: Path, kept: Iterable[Path]) -> None:
    """Remove the folders in a folder except some; its files stay."""
    names = set(kept)
    for path in folder.iterdir():
        if path.is_dir() and path not in names:
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
