"""Reads a page: its elements, what its policy allows, and what people read."""

import hashlib
import re
from base64 import b64encode
from html import unescape
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


def assert_texts_alone_are_from_aws(elements: Elements) -> None:
    """Check that what AWS sent became no element, no attribute and no second script."""
    assert set(elements.tags) <= TAGS
    assert elements.tags.count("script") == 1
    for tag, attributes in elements.found:
        assert not any(name == "style" or name.startswith("on") for name in attributes), (tag, attributes)
        assert not any("alert" in (value or "") for value in attributes.values()), (tag, attributes)


def policy_for(elements: Elements) -> dict[str, str]:
    """Return the directives that allow the one style and the one script of a page and nothing else."""
    hashes = {tag: b64encode(hashlib.sha256(text.encode()).digest()).decode() for tag, text in elements.raw.items()}
    return {
        "default-src": "'none'",
        "style-src": f"'sha256-{hashes['style']}'",
        "script-src": f"'sha256-{hashes['script']}'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


def block(page: str, name: str) -> str:
    """Return what a reader copies."""
    found = re.search(rf'<pre id="{name}"[^>]*><code>(.*?)</code>', page, re.DOTALL)
    assert found, name
    return unescape(found[1])
