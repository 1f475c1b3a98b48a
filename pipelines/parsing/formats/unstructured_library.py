"""The library `unstructured`, made to work without a network, and its elements as our blocks.

It asks a spaCy model three things: words, sentences and whether there is a verb. The model would be fetched from github.com on first use,
so a pipeline without weights stands in. Only the library's guess of what a text is depends on it, never the text; see `blocks_of`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import lxml.html
import spacy
from unstructured.documents.elements import Element as Partitioned
from unstructured.nlp import tokenize
from unstructured.partition.html import partition_html

from pipelines.parsing.canonical import Block, table_text
from retrieval.domain.documents import ElementKind

_PINNED = "0.27.32"
"""The stand-in replaces private functions: look at `unstructured/nlp/tokenize.py` before raising this."""

NO_LANGUAGE_DETECTION = [""]
"""Nothing here uses the languages, and detecting them takes longer than parsing."""

_COMMON_VERBS = """
    am is are was were be been being have has had do does did can could may might must shall should will would say says said go
    goes make makes made know take takes see come use uses used find give gives tell work works need needs become leave put mean
    means keep let begin help show shows run move provide provides include includes continue set learn change lead follow create
    allow allows add open offer consider appear send build stay require requires report decide explain develop receive support
    hold describe contain contains apply represent depend increase reduce improve ensure define determine occur result indicate
    perform demonstrate please click contact enter select choose check join start download update enable look turn cover cause
    """.split()  # noqa: SIM905  so many words read best as text


def _stand_in() -> spacy.language.Language:
    pipeline = spacy.blank("en")
    pipeline.add_pipe("sentencizer")
    ruler: Any = pipeline.add_pipe("attribute_ruler", name="verb_rules")
    ruler.add([[{"LOWER": {"IN": _COMMON_VERBS}}]], {"TAG": "VB"})
    ruler.add([[{"LOWER": {"REGEX": r"^[a-z]{3,}(?:ed|ing)$"}}]], {"TAG": "VBD"})
    return pipeline


def _no_download() -> None:
    raise RuntimeError("no model is ever downloaded")


def _install_stand_in() -> None:
    names = ("_load_spacy_model", "_install_spacy_model", "_get_nlp")
    if version("unstructured") != _PINNED or not all(callable(getattr(tokenize, name, None)) for name in names):
        raise RuntimeError(f"the stand-in for the spaCy model fits unstructured {_PINNED}, not {version('unstructured')}")
    tokenize._load_spacy_model = _stand_in  # noqa: SLF001  there is no public way, see above
    tokenize._install_spacy_model = _no_download  # noqa: SLF001
    tokenize._get_nlp.cache_clear()  # noqa: SLF001


_install_stand_in()


def warm_up() -> None:
    """Load everything that the first document would load."""
    partition_html(text="<h1>Warm up</h1><p>This sentence warms the tokenizer.</p><ul><li>one</li></ul>", languages=NO_LANGUAGE_DETECTION)


def partition(function: Callable[..., Sequence[Partitioned]], path: Path | None = None, **arguments: Any) -> Sequence[Partitioned]:  # noqa: ANN401  theirs
    """Call one of the library's `partition_*` functions as all of them must be called here."""
    if path is not None:
        arguments["filename"] = str(path)
    return function(languages=NO_LANGUAGE_DETECTION, **arguments)


_KINDS = {
    "ListItem": ElementKind.LIST_ITEM,
    "Table": ElementKind.TABLE,
    "CodeSnippet": ElementKind.CODE,
    "FigureCaption": ElementKind.CAPTION,
}
_LEFT_OUT = {"PageBreak", "Image", "PageNumber"}


def blocks_of(elements: Iterable[Partitioned], *, is_heading: Callable[[Partitioned], bool]) -> Iterator[Block]:
    """The library's elements as blocks.

    Args:
        elements: of one document, in order.
        is_heading: whether an element that the library calls a title is one. It also guesses titles from short texts; the guess makes
            headings of addresses and labels, so each format says what it takes as proof.
    """
    for element in elements:
        if element.category in _LEFT_OUT:
            continue
        page = element.metadata.page_number
        if element.category == "Title" and is_heading(element):
            yield Block(ElementKind.HEADING, element.text, page, level=1 + (element.metadata.category_depth or 0))
            continue
        kind = _KINDS.get(element.category, ElementKind.TEXT)
        text = rows_text(element.metadata.text_as_html) if kind is ElementKind.TABLE and element.metadata.text_as_html else element.text
        yield Block(kind, text or element.text, page)


def rows_text(html: str) -> str:
    """A table in HTML as rows of text; a table within a cell is part of the cell."""
    table = lxml.html.fragment_fromstring(html, create_parent="div")
    rows = table.xpath(".//tr[not(ancestor::td) and not(ancestor::th)]")
    return table_text([" ".join(cell.itertext()) for cell in row.xpath("./td|./th")] for row in rows)
