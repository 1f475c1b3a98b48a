"""HTML, XML, EPUB and RTF through `unstructured`."""

import re
from pathlib import Path

import lxml.etree
from unstructured.documents.elements import Element as Partitioned
from unstructured.partition.epub import partition_epub
from unstructured.partition.html import partition_html
from unstructured.partition.rtf import partition_rtf
from unstructured.partition.xml import partition_xml

from pipelines.parsing import detect, rejections
from pipelines.parsing.canonical import Block, Reading
from pipelines.parsing.detect import MEDIA_TYPES, FileType
from pipelines.parsing.formats.decode import decode_markup
from pipelines.parsing.formats.markdown import without_tags
from pipelines.parsing.formats.paragraphs import paragraphs
from pipelines.parsing.formats.unstructured_library import blocks_of, partition
from pipelines.parsing.rejections import Rejected
from pipelines.parsing.source import Source

_TITLE = re.compile(r"<title[^>]*>(.{0,1000}?)</title>", re.IGNORECASE | re.DOTALL)
_HEADING = re.compile(r"<h[1-6][\s>]", re.IGNORECASE)
_LEAST_SHARE = 0.5
"""Where the library finds less than this share of a page's words, it gave up silently: deep nesting does that to it."""


def read_html(source: Source) -> Reading:
    html = decode_markup(source.content)
    title = _TITLE.search(html)
    blocks, method = html_blocks(html)
    return Reading(MEDIA_TYPES[FileType.HTML], method, blocks, title=without_tags(title.group(1)) if title else "")


def html_blocks(html: str) -> tuple[list[Block], str]:
    """A page's blocks and how they were obtained."""
    every_word = without_tags(_TITLE.sub("", html))
    blocks = list(blocks_of(partition(partition_html, text=html), is_heading=_is_marked_heading)) if every_word else []
    if sum(len(block.text.split()) for block in blocks) < _LEAST_SHARE * len(every_word.split()):
        return list(paragraphs(every_word.replace("\n", "\n\n"))), "html.parser"
    return blocks, "unstructured:html"


def _is_marked_heading(element: Partitioned) -> bool:
    """HTML's own headings have a depth; guessed ones have none."""
    return element.metadata.category_depth is not None


def read_xml(source: Source) -> Reading:
    """The words of an XML file, element by element. External entities are never read."""
    text = decode_markup(source.content)
    without_declaration = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)
    if re.search(r"<(?:html|[\w]+:html)[\s>]", without_declaration[:2000], re.IGNORECASE):
        blocks, method = html_blocks(text)
        return Reading(MEDIA_TYPES[FileType.XML], method, blocks)
    parser = lxml.etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        lxml.etree.fromstring(without_declaration.encode(), parser)
    except lxml.etree.XMLSyntaxError as error:
        raise Rejected(rejections.damaged(detect.NAMES[FileType.XML])) from error
    copy = source.directory / "document.xml"
    copy.write_text(without_declaration, encoding="utf-8")
    elements = partition(partition_xml, copy, xml_keep_tags=False)
    return Reading(MEDIA_TYPES[FileType.XML], "unstructured:xml", list(blocks_of(elements, is_heading=lambda _: False)))


def read_epub(source: Source) -> Reading:
    elements = partition(partition_epub, _named(source, "epub"))
    return Reading(MEDIA_TYPES[FileType.EPUB], "unstructured:epub", list(blocks_of(elements, is_heading=_is_marked_heading)))


def read_rtf(source: Source) -> Reading:
    elements = partition(partition_rtf, _named(source, "rtf"))
    return Reading(MEDIA_TYPES[FileType.RTF], "unstructured:rtf", list(blocks_of(elements, is_heading=_is_marked_heading)))


def _named(source: Source, suffix: str) -> Path:
    """The document under a name that the library knows the type of."""
    path = source.directory / f"document.{suffix}"
    path.symlink_to(source.path)
    return path
