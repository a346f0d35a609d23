"""The saved queries of Athena, read from `infra/queries/*.sql`, whose first lines give name and description."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

QUERIES: Final = Path(__file__).with_name("queries")

_COMMENT: Final = "--"
_PARAGRAPH: Final = "\n\n"


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """A query as the console of Athena lists it.

    A file begins with comment lines: the first is the name, those after an empty one the description. They stay in
    the text of the query, where its readers see them as well.

    Attributes:
        file: The name of its file, without `.sql`.
        name: What it answers, in a few words.
        description: What a row is, and what an answer does not say.
        sql: The whole text of the file.
    """

    file: str
    name: str
    description: str
    sql: str

    @classmethod
    def of(cls, path: Path) -> Self:
        """Read a file.

        Raises:
            ValueError: It does not begin with a name and a description.
        """
        sql = path.read_text(encoding="utf-8")
        comments: list[str] = []
        for line in sql.splitlines():
            if not line.startswith(_COMMENT):
                break
            comments.append(line.removeprefix(_COMMENT).strip())
        name, _, description = "\n".join(comments).partition(_PARAGRAPH)
        if not name or "\n" in name or not description:
            raise ValueError(
                f"{path} must begin with its name as a comment of one line, an empty comment, and a description."
            )
        paragraphs = (" ".join(paragraph.split()) for paragraph in description.split(_PARAGRAPH))
        return cls(path.stem, name, " ".join(paragraphs), sql)


def saved_queries(folder: Path = QUERIES) -> list[SavedQuery]:
    """Read the saved queries of a folder, in the order of their files."""
    return [SavedQuery.of(path) for path in sorted(folder.glob("*.sql"))]
