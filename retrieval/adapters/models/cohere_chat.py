"""Answers worded by Cohere, through its own client, with its own citations.

What leaves this machine are the instructions, the question and the passages. No tools are offered. Its API has no option that keeps a
request from being stored: that is a matter of the contract.
"""

from collections.abc import AsyncGenerator, Generator
from contextlib import aclosing
from typing import Any, Literal

from cohere import CitationOptions, Document, SystemChatMessageV2, UserChatMessageV2, V2ChatStreamResponse
from cohere.core.pydantic_utilities import parse_obj_as

from retrieval.adapters.models.chat_stream import ChatCalls, ChatLimits, text_piece, token_count, told
from retrieval.adapters.models.cohere_access import FAILURES, CohereAccess, failure
from retrieval.adapters.models.texts import encodable
from retrieval.adapters.resilience.failures import CallFailed
from retrieval.domain.answers import TokenUsage
from retrieval.ports.generation import CitedPiece, Finished, GenerationTask, GroundingPassage, Piece, TextPiece

_EVENT: Any = V2ChatStreamResponse
_EVENTS = frozenset({"content-start", "content-delta", "citation-start", "message-end"})
_COMPLETE = frozenset({"COMPLETE", "STOP_SEQUENCE"})
_BROKEN = frozenset({"ERROR", "TIMEOUT"})


class CohereGenerator:
    """`Generator` by one chat model of Cohere's. Keeps its connections; safe to use from several threads. Does not retry.

    Args:
        citations: `FAST` ones come with the text, `ACCURATE` ones at its end.
    """

    def __init__(self, access: CohereAccess, limits: ChatLimits, *, citations: Literal["FAST", "ACCURATE"] = "FAST") -> None:
        self.most_sensitive = access.most_sensitive
        self._model = access.model
        self._temperature = limits.temperature
        self._citations = citations
        http = access.http(response_bytes=limits.response_bytes, reads=_reads)
        self._client = access.client(http)
        self._calls = ChatCalls("cohere chat", http, limits, failures=FAILURES, failure=failure)

    @property
    def name(self) -> str:
        return f"cohere/{self._model}"

    def generate(self, task: GenerationTask, *, timeout_seconds: float) -> Generator[Piece, None, None]:
        return self._calls.pieces(lambda seconds: self._pieces(task, seconds), timeout_seconds=timeout_seconds)

    def close(self) -> None:
        self._calls.close()

    async def _pieces(self, task: GenerationTask, seconds: float) -> AsyncGenerator[Piece, None]:
        answer = _Answer(frozenset(passage.label for passage in task.passages))
        events: Any = self._client.chat_stream(
            model=self._model,
            messages=[
                SystemChatMessageV2(content=encodable(task.instructions)),
                UserChatMessageV2(content=encodable(f"{task.question}\n\n{task.restated}")),
            ],
            documents=[_document(passage) for passage in task.passages],
            citation_options=CitationOptions(mode=self._citations),
            max_tokens=task.max_output_tokens,
            temperature=self._temperature,
            request_options={"timeout": seconds},
        )
        async with aclosing(events):
            async for event in events:
                piece = answer.read(event)
                if piece is not None:
                    yield piece
                if isinstance(piece, Finished):
                    return
        raise CallFailed("an answer that breaks off", again=True)


def _reads(event: Any) -> bool:  # noqa: ANN401 - whatever JSON holds
    if event.get("type") not in _EVENTS:
        return False
    parse_obj_as(_EVENT, event)  # as the client does, which goes on without what this raises for
    return True


def _document(passage: GroundingPassage) -> Document:
    return Document(id=passage.label, data={"title": encodable(passage.title), "text": encodable(passage.text)})


class _Answer:
    """One answer as far as it has come. The client checks nothing of its events."""

    def __init__(self, labels: frozenset[str]) -> None:
        self._labels = labels
        self._characters = 0
        self._begun: dict[int, int] = {}
        """By a content block's index: how many characters were said before it."""

    def read(self, event: Any) -> Piece | None:  # noqa: ANN401 - of any kind, see above
        kind = told(event, "type")
        if kind == "content-start":
            self._begin(told(event, "index"))
        elif kind == "content-delta":
            return self._said(told(event, "delta", "message", "content", "text"))
        elif kind == "citation-start":
            return self._cited(told(event, "delta", "message", "citations"))
        elif kind == "message-end":
            return _finished(told(event, "delta"))
        return None

    def _begin(self, index: Any) -> None:  # noqa: ANN401 - the same
        if isinstance(index, int):
            self._begun[index] = self._characters

    def _said(self, text: Any) -> TextPiece | None:  # noqa: ANN401 - the same
        piece = text_piece(text)
        self._characters += len(piece.text) if piece else 0
        return piece

    def _cited(self, citation: Any) -> CitedPiece | None:  # noqa: ANN401 - the same
        """None for what cites something that was not said, or by something that was not given: it supports nothing."""
        start, end, sources = told(citation, "start"), told(citation, "end"), told(citation, "sources")
        if not isinstance(start, int) or not isinstance(end, int) or not isinstance(sources, list):
            return None
        offset = self._begun.get(told(citation, "content_index") or 0, 0)
        ids = [told(source, "id") for source in sources]
        labels = tuple(dict.fromkeys(label for label in ids if isinstance(label, str) and label in self._labels))
        of_text = told(citation, "type") in (None, "TEXT_CONTENT")
        if not labels or not of_text or not 0 <= start < end <= self._characters - offset:
            return None
        return CitedPiece(offset + start, offset + end, labels)


def _finished(delta: Any) -> Finished:  # noqa: ANN401 - the same
    reason = told(delta, "finish_reason")
    if not isinstance(reason, str) or reason in _BROKEN:
        raise CallFailed("an answer that the model broke off", again=True)
    usage = told(delta, "usage")
    counts = told(usage, "billed_units") or told(usage, "tokens")
    return Finished(
        TokenUsage(token_count(told(counts, "input_tokens")), token_count(told(counts, "output_tokens"))), complete=reason in _COMPLETE
    )
