"""Reads a page: its elements, what its policy allows, and what people read."""

import re
from html.parser import HTMLParser

TAGS = set(
    re.findall(
        r"\w+",
        "a article b bdi body br button code col colgroup dd details div dl dt figcaption figure footer form h1 h2 h3 "
        "h4 head header html input label li main meta ol p pre script section select span style summary table tbody td "
        "th thead title tr ul wbr circle defs desc path pattern rect svg text",
    )
)
"""All that the pages are made of; what AWS sends adds none."""


class Elements(HTMLParser):
    """All elements of a page with their attributes, and the text of style and script."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.raw = {"style": "", "script": ""}
        self._open = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._open = tag
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:  # the parser's signature
        self._open = ""

    def handle_data(self, data: str) -> None:
        if self._open in self.raw:
            self.raw[self._open] += data

    @property
    def tags(self) -> list[str]:
        return [tag for tag, _ in self.found]


def read(page: str) -> str:
    """Return what people read, on one line."""
    return " ".join(re.sub(r"<[^>]*>", " ", page.partition("</script>")[2]).split())


def policy_of(elements: Elements) -> dict[str, str]:
    """Return the directives of the Content-Security-Policy."""
    (policy,) = (
        attributes["content"] or ""
        for _, attributes in elements.found
        if attributes.get("http-equiv") == "Content-Security-Policy"
    )
    return dict(directive.split(" ", 1) for directive in policy.split("; "))
