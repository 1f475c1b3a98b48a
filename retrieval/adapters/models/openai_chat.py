"""Answers worded by any server of OpenAI's kind, through OpenAI's own client: a gateway, vLLM, Ollama.

What leaves this machine are the instructions, the question and the passages. No tools are offered. Citations are marks in the text, e.g.
`[1]`, which is handed on as it is.
"""

from collections.abc import AsyncGenerator, Generator
from dataclasses import dataclass, field
from typing import Any

from openai import APIConnectionError, APIStatusError, APITimeoutError, AsyncOpenAI, OpenAIError

from retrieval.adapters.models import provider_http
from retrieval.adapters.models.chat_stream import ChatCalls, ChatLimits, text_piece, token_count, told
from retrieval.adapters.models.provider_http import check_key, check_url, provider_client, refusal
from retrieval.adapters.models.texts import encodable
from retrieval.adapters.resilience.failures import CallFailed
from retrieval.domain.answers import TokenUsage
from retrieval.domain.errors import InvalidInput
from retrieval.domain.sources import Classification
from retrieval.ports.generation import Finished, GenerationTask, Piece

_NO_KEY = "none"
"""The client wants some key; without one of ours no header is sent."""


@dataclass(frozen=True)
class OpenAIAccess:
    """Where, with which key and in which dialect.

    Attributes:
        key: empty where the server wants none.
        base_url: without `/chat/completions`, e.g. `http://127.0.0.1:11434/v1`.
        most_sensitive: most that a source's classification may be for its passages to be sent there.
        in_the_clear: another host than this one may be spoken to without encryption.
        sends_store: `store: false` is sent, which some servers refuse as unknown.
        reasoning: the model wants `max_completion_tokens` and no temperature.
    """

    model: str
    key: str = field(repr=False)
    base_url: str
    most_sensitive: Classification
    in_the_clear: bool = False
    sends_store: bool = True
    reasoning: bool = False

    def __post_init__(self) -> None:
        """Raises InvalidInput for what could not be sent, or only in the clear."""
        if not self.model:
            raise InvalidInput.of("ARCHIVIST_OPENAI_MODEL", "is needed")
        if self.key:
            check_key(self.key, setting="ARCHIVIST_OPENAI_API_KEY")
        check_url(self.base_url, setting="ARCHIVIST_OPENAI_BASE_URL", in_the_clear=self.in_the_clear)


class OpenAIGenerator:
    """`Generator` by one model of such a server. Keeps its connections; safe to use from several threads. Does not retry."""

    def __init__(self, access: OpenAIAccess, limits: ChatLimits) -> None:
        self.most_sensitive = access.most_sensitive
        self._access = access
        self._temperature = limits.temperature
        http = provider_client(access.base_url, key=access.key, response_bytes=limits.response_bytes, reads=lambda _event: True)
        either: Any = http  # the client takes httpx and httpx2, its types know the newer one
        self._client = AsyncOpenAI(api_key=access.key or _NO_KEY, base_url=access.base_url, max_retries=0, http_client=either)
        self._calls = ChatCalls("openai chat", http, limits, failures=(OpenAIError, *provider_http.FAILURES), failure=_failure)

    @property
    def name(self) -> str:
        return f"openai/{self._access.model}"

    def generate(self, task: GenerationTask, *, timeout_seconds: float) -> Generator[Piece, None, None]:
        return self._calls.pieces(lambda seconds: self._pieces(task, seconds), timeout_seconds=timeout_seconds)

    def close(self) -> None:
        self._calls.close()

    async def _pieces(self, task: GenerationTask, seconds: float) -> AsyncGenerator[Piece, None]:
        usage, ended = TokenUsage(), None
        create: Any = self._client.chat.completions.create  # its overloads do not know options that come as a mapping
        async with await create(timeout=seconds, **self._request(task)) as chunks:
            async for chunk in chunks:
                choices = told(chunk, "choices")
                choice = choices[0] if isinstance(choices, list) and choices else None
                piece = text_piece(told(choice, "delta", "content"))
                if piece is not None:
                    yield piece
                ended = told(choice, "finish_reason") or ended
                usage = _usage(told(chunk, "usage")) or usage
        if ended is None:
            raise CallFailed("an answer that breaks off", again=True)
        yield Finished(usage, complete=ended == "stop")

    def _request(self, task: GenerationTask) -> dict[str, Any]:
        limit = "max_completion_tokens" if self._access.reasoning else "max_tokens"
        return {
            "model": self._access.model,
            "messages": [
                {"role": "system", "content": encodable(task.instructions)},
                {"role": "user", "content": encodable(_laid_out(task))},
            ],
            "stream": True,
            "stream_options": {"include_usage": True},
            limit: task.max_output_tokens,
            **({} if self._access.reasoning else {"temperature": self._temperature}),
            **({"store": False} if self._access.sends_store else {}),
        }


def _laid_out(task: GenerationTask) -> str:
    """Question, passages each under its label and title, and the instructions in short."""
    passages = [f"[{passage.label}] {passage.title}\n{passage.text}" for passage in task.passages]
    return "\n\n".join([task.question, *passages, task.restated])


def _usage(told_usage: Any) -> TokenUsage | None:  # noqa: ANN401 - the client checks nothing of it
    if told_usage is None:
        return None
    return TokenUsage(token_count(told(told_usage, "prompt_tokens")), token_count(told(told_usage, "completion_tokens")))


def _failure(error: Exception) -> CallFailed:
    if isinstance(error, APIStatusError):
        return refusal(error.status_code, error.response.headers)
    if isinstance(error, APITimeoutError):
        return provider_http.failure(TimeoutError())
    if isinstance(error, APIConnectionError):
        return CallFailed(type(error.__cause__).__name__, again=True)
    if isinstance(error, OpenAIError):
        return CallFailed("an error told in an answer")
    return provider_http.failure(error)
