"""Passages, evidence and sentences for tests of what becomes of an answer."""

from retrieval.domain.answers import AnswerSentence, Citation, Verdict
from retrieval.domain.documents import Span
from retrieval.domain.evidence import Evidence
from retrieval.domain.passages import ReadablePassage


def passage(
    text: str,
    *,
    document: str = "doc_a",
    source: str = "handbook",
    title: str = "",
    heading: tuple[str, ...] = (),
    modified_at: str | None = None,
) -> ReadablePassage:
    """The only passage of a document's first version."""
    return ReadablePassage(
        id="psg_" + document,
        document=document,
        version="ver_" + document,
        version_number=1,
        source=source,
        ordinal=0,
        span=Span(0, len(text)),
        text=text,
        page=None,
        heading_path=heading,
        title=title,
        uri="",
        media_type="text/plain",
        modified_at=modified_at,
        revision=1,
    )


def evidence(found: ReadablePassage, *, within: Span | None = None, support: float = 0.8) -> Evidence:
    """The whole passage, or what stands `within` it."""
    return Evidence(found, within or Span(0, len(found.text)), support)


def quote(found: ReadablePassage) -> AnswerSentence:
    return AnswerSentence(found.text, Citation.of(found), 0.8)


def unsupported(text: str = "Nobody wrote this.") -> AnswerSentence:
    return AnswerSentence(text, None, 0.0, Verdict.UNSUPPORTED)
