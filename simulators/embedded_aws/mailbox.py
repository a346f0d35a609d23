"""The folder in which e-mails end, one file each."""

import json
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mail:
    """One e-mail to a person; AWS adds a footer with a link to unsubscribe."""

    to: str
    subject: str
    text: str


class Mailbox:
    """A folder of mails: the emulator writes it, others read it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def put(self, mail: Mail) -> None:
        """Add a mail, whole or not at all."""
        descriptor, path = tempfile.mkstemp(dir=self._folder, prefix=".")
        with open(descriptor, "w", encoding="utf-8") as file:  # noqa: PTH123  a descriptor is no path
            json.dump(asdict(mail), file)
        number = len(list(self._folder.glob("*.json"))) + 1
        Path(path).replace(self._folder / f"{number:06}.json")

    def mails(self) -> list[Mail]:
        """Return all mails, oldest first."""
        return [Mail(**json.loads(path.read_text(encoding="utf-8"))) for path in sorted(self._folder.glob("*.json"))]

    def clear(self) -> None:
        """Begin with an empty folder."""
        shutil.rmtree(self._folder, ignore_errors=True)
        self._folder.mkdir(parents=True)
