"""The Markdown sources of the binary sample documents, as flat blocks. `build_samples.py` writes them in their formats."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token

HERE = Path(__file__).parent
SOURCES = HERE / "samples_text"
TARGETS = HERE / "samples"


@dataclass(frozen=True)
class Run:
    """Words in one style."""

    text: str
    bold: bool = False
    italic: bool = False


@dataclass(frozen=True)
class Block:
    """One block of a source: `kind` is h1, h2, h3, text, bullet, step, note, table or break; `rows` are a table's cells, header first."""

    kind: str
    runs: tuple[Run, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True)
class Source:
    """A Markdown source: where it goes, its front matter and its blocks."""

    path: Path
    meta: Mapping[str, object]
    body: str

    @property
    def target(self) -> Path:
        return TARGETS / self.path.relative_to(SOURCES).with_suffix("")

    @property
    def made_at(self) -> datetime:
        made = self.meta["date"]
        if isinstance(made, datetime):
            return made
        assert isinstance(made, date)
        return datetime(made.year, made.month, made.day, 9, tzinfo=UTC)

    @property
    def title(self) -> str:
        return next(block.text for block in self.blocks if block.kind == "h1")

    @property
    def blocks(self) -> list[Block]:
        return list(_blocks(self.body))


def read_source(path: Path) -> Source:
    """The source at `path`; its front matter must be there."""
    _, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    return Source(path, yaml.safe_load(front), body)


def _blocks(body: str) -> Iterator[Block]:
    """The blocks of a Markdown text, flat: the sources nest nothing."""
    tokens = MarkdownIt().enable("table").parse(body)
    around: list[str] = []
    step = 0
    rows: list[list[str]] = []
    for token in tokens:
        if token.type == "html_block" and "pagebreak" in token.content:
            yield Block("break")
        elif token.type == "inline" and "table" in around:
            rows[-1].append(token.content)
        elif token.type == "inline":
            runs = tuple(_runs(token.children or []))
            if "ordered_list" in around:
                step += 1
                yield Block("step", (Run(f"{step}. "), *runs))
            else:
                yield Block(_kind(around), runs)
        elif token.nesting == 1:
            around.append(token.tag if token.type == "heading_open" else token.type.removesuffix("_open"))
            step = 0 if token.type == "ordered_list_open" else step
            if token.type == "tr_open":
                rows.append([])
        elif token.nesting == -1:
            around.pop()
            if token.type == "table_close":
                yield Block("table", rows=tuple(map(tuple, rows)))
                rows = []


def _kind(around: list[str]) -> str:
    if around[-1] in ("h1", "h2", "h3"):
        return around[-1]
    if "blockquote" in around:
        return "note"
    return "bullet" if "bullet_list" in around else "text"


def _runs(children: list[Token]) -> Iterator[Run]:
    bold = italic = False
    for child in children:
        if child.type in ("strong_open", "strong_close"):
            bold = child.type == "strong_open"
        elif child.type in ("em_open", "em_close"):
            italic = child.type == "em_open"
        else:
            yield Run(" " if child.type == "softbreak" else child.content, bold, italic)
