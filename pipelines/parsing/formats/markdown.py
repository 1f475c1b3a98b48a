"""Markdown by its syntax tree: headings, paragraphs, list items, tables and code, without markup.

markdown-it-py rather than `unstructured`, which goes through HTML, knows the media type only by name and hangs on hostile brackets.
"""

import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

from pipelines.parsing.canonical import Block, Reading, table_text
from pipelines.parsing.detect import MEDIA_TYPES, FileType
from pipelines.parsing.formats.decode import decode
from pipelines.parsing.source import Source
from retrieval.domain.documents import ElementKind

_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n(.{0,20000}?)\r?\n(?:---|\.\.\.)[ \t]*(?:\r?\n|\Z)", re.DOTALL)
_MARKDOWN = MarkdownIt("commonmark").enable("table").enable("strikethrough")


def read_markdown(source: Source) -> Reading:
    text, front_matter = _split_front_matter(decode(source.content))
    blocks = list(_blocks(_MARKDOWN.parse(text)))
    return Reading(MEDIA_TYPES[FileType.MARKDOWN], "markdown", blocks, title=front_matter.pop("title", ""), metadata=front_matter)


def _split_front_matter(text: str) -> tuple[str, dict[str, str]]:
    """The text after a leading block of YAML, and the block's simple values. A block that is no YAML mapping is text."""
    found = _FRONT_MATTER.match(text)
    if found is None:
        return text, {}
    try:
        values = yaml.safe_load(found.group(1))
    except (yaml.YAMLError, ValueError, RecursionError):
        return text, {}
    if not isinstance(values, dict):
        return text, {}
    simple = {
        str(key).lower(): str(value)
        for key, value in list(values.items())[:40]
        if isinstance(value, str | int | float) or hasattr(value, "isoformat")
    }
    return text[found.end() :], simple


def _blocks(tokens: Sequence[Token]) -> Iterator[Block]:
    position, in_item = 0, 0
    while position < len(tokens):
        token = tokens[position]
        match token.type:
            case "list_item_open":
                in_item += 1
            case "list_item_close":
                in_item -= 1
            case "heading_open":
                yield Block(ElementKind.HEADING, _inline(tokens[position + 1]), level=int(token.tag[1]))
                position += 1
            case "inline":
                yield Block(ElementKind.LIST_ITEM if in_item else ElementKind.TEXT, _inline(token))
            case "fence" | "code_block":
                yield Block(ElementKind.CODE, token.content)
            case "html_block":
                yield Block(ElementKind.TEXT, without_tags(token.content))
            case "table_open":
                end = next(at for at in range(position, len(tokens)) if tokens[at].type == "table_close")
                yield Block(ElementKind.TABLE, table_text(_rows(tokens[position:end])))
                position = end
        position += 1


def _rows(tokens: Sequence[Token]) -> Iterator[list[str]]:
    row: list[str] = []
    for token in tokens:
        if token.type == "tr_open":
            row = []
        elif token.type == "inline":
            row.append(_inline(token))
        elif token.type == "tr_close":
            yield row


def _inline(token: Token) -> str:
    """The words of a run of inline markup. An image gives its description; a line break inside a paragraph is a blank."""
    parts = []
    for child in token.children or ():
        match child.type:
            case "text" | "code_inline":
                parts.append(child.content)
            case "softbreak":
                parts.append(" ")
            case "hardbreak":
                parts.append("\n")
            case "image":
                parts.append(_inline(child))
            case "html_inline" if child.content.lower().startswith("<br"):
                parts.append("\n")
    return "".join(parts)


class _Text(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._skipping = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del attrs
        self._skipping += tag in ("script", "style")
        self.parts.append("\n" if tag in ("br", "p", "div", "li", "tr", "h1", "h2", "h3", "h4", "h5", "h6") else " ")

    def handle_endtag(self, tag: str) -> None:
        self._skipping -= tag in ("script", "style") and self._skipping > 0

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self.parts.append(data)


def without_tags(html: str) -> str:
    """The words of a piece of HTML, block by block on lines of their own."""
    reader = _Text()
    reader.feed(html)
    reader.close()
    return "\n".join(line for line in (" ".join(line.split()) for line in "".join(reader.parts).splitlines()) if line)
