"""Models that word answers, on loopback: the wire formats of Cohere and of OpenAI's kind over real HTTP. A test scripts what they say.

    def obedient(asked: Asked) -> Said:
        return Said(f"As you wish: {asked.passages}", [(0, 11, ["1"])])

    with serving_openai_chat(obedient) as chat, open_service(Settings(**chat.settings)) as service: ...
    chat.requests, chat.fault = "500", chat.script = ["reset", "right"], chat.seconds  # as in provider_server

After https://docs.cohere.com/v2/reference/chat-stream and https://platform.openai.com/docs/api-reference/chat-streaming. The clients'
own types read every event that is written here: `tests/retrieval/models/test_chat_servers.py`.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.chat_faults import FAULTS
from tests.provider_server import Provider, serving

KEY = "ch-K3y-that-nobody-may-see"
COHERE_PATH, OPENAI_PATH = "/v2/chat", "/v1/chat/completions"
COHERE_FIELDS = {"model", "messages", "documents", "citation_options", "max_tokens", "temperature", "stream"}
OPENAI_FIELDS = {"model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "store"}


@dataclass(frozen=True)
class Asked:
    """What the model sees, whichever vendor's it is.

    Attributes:
        passages: all that it is shown of passages, as one text.
    """

    system: str
    user: str
    passages: str


@dataclass(frozen=True)
class Said:
    """What the model says.

    Attributes:
        citations: start, end and labels; only Cohere's way of speaking has words for them.
        ended: why it ended, in the vendor's word; empty: because it was done.
    """

    text: str
    citations: Sequence[tuple[int, int, Sequence[str]]] = ()
    ended: str = ""
    input_tokens: object = 120
    output_tokens: object = 7


def sensible(_asked: Asked) -> Said:
    text = "There are two hoists [1]. They are red [1][2]."
    return Said(text, [(10, 20, ["1"]), (35, 38, ["1", "2"])])


@dataclass
class Chat(Provider, ABC):
    """A model's server. `piece_characters`: how much of the text each event brings."""

    faults = FAULTS
    says: Callable[[Asked], Said] = sensible
    piece_characters: int = 5
    key: str = KEY
    settings: dict[str, Any] = field(default_factory=dict)
    """Keyword arguments of `Settings` by which this model is the only generator."""
    given: Sequence[bytes] = ()
    """The events of the fault `as given`."""

    @abstractmethod
    def asked(self, body: Any) -> Asked:
        """What the model sees of a request."""

    @abstractmethod
    def events(self, body: Any) -> Sequence[bytes]:
        """Of a right answer, each as it stands on the wire, the end's mark included."""

    def said(self, body: Any) -> Said:
        return self.says(self.asked(body))

    def pieces(self, text: str) -> Iterator[str]:
        return (text[start : start + self.piece_characters] for start in range(0, len(text), self.piece_characters))


class CohereChat(Chat):
    path, known = COHERE_PATH, COHERE_FIELDS

    def asked(self, body: Any) -> Asked:
        documents = "\n\n".join(
            f"[{document['id']}] {document['data']['title']}\n{document['data']['text']}" for document in body["documents"]
        )
        return Asked(_content(body, "system"), _content(body, "user"), documents)

    def events(self, body: Any) -> Sequence[bytes]:
        said = self.said(body)
        documents = {document["id"]: {"id": document["id"], **document["data"]} for document in body["documents"]}
        written = [_cohere("message-start", id="29f14a5a-11de-4cae-9800-25e4747408ea", delta={"message": {"role": "assistant"}})]
        written.append(_cohere("content-start", index=0, delta={"message": {"content": {"type": "text", "text": ""}}}))
        end, waiting = 0, sorted(enumerate(said.citations), key=lambda numbered: numbered[1][1])
        for piece in self.pieces(said.text):
            written.append(_cohere("content-delta", index=0, delta={"message": {"content": {"text": piece}}}))
            end += len(piece)
            while waiting and waiting[0][1][1] <= end:
                written += _citation(said.text, documents, *waiting.pop(0))
        for number, citation in waiting:
            written += _citation(said.text, documents, number, citation)
        counts = {"input_tokens": said.input_tokens, "output_tokens": said.output_tokens}
        delta = {"finish_reason": said.ended or "COMPLETE", "usage": {"billed_units": counts, "tokens": counts}}
        return [*written, _cohere("content-end", index=0), _cohere("message-end", delta=delta), b"data: [DONE]\n\n"]

    @staticmethod
    def complaint(message: str) -> bytes:
        return json.dumps({"id": "07734bd2-2473-4f07-94e1-0d9f0e6843cf", "message": message}).encode()


class OpenAIChat(Chat):
    path, known = OPENAI_PATH, OPENAI_FIELDS

    def asked(self, body: Any) -> Asked:
        user = _content(body, "user")
        return Asked(_content(body, "system"), user, user)

    def events(self, body: Any) -> Sequence[bytes]:
        said = self.said(body)
        written = [_openai({"role": "assistant", "content": "", "refusal": None})]
        written += [_openai({"content": piece}) for piece in self.pieces(said.text)]
        written.append(_openai({}, ended=said.ended or "stop"))
        counts = {"prompt_tokens": said.input_tokens, "completion_tokens": said.output_tokens, "total_tokens": 0}
        if body.get("stream_options", {}).get("include_usage"):
            written.append(_event({**_CHUNK, "choices": [], "usage": counts}))
        return [*written, b"data: [DONE]\n\n"]

    @staticmethod
    def complaint(message: str) -> bytes:
        return json.dumps({"error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}}).encode()


_CHUNK = {"id": "chatcmpl-A1", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": "m", "system_fingerprint": "fp_1"}


def _openai(delta: Mapping[str, Any], *, ended: str | None = None) -> bytes:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": ended}
    return _event({**_CHUNK, "choices": [choice], "usage": None})


def _cohere(kind: str, **fields: Any) -> bytes:
    return f"event: {kind}\n".encode() + _event({"type": kind, **fields})


def _citation(text: str, documents: Mapping[str, Any], number: int, citation: tuple[int, int, Sequence[str]]) -> list[bytes]:
    start, end, labels = citation
    sources = [{"type": "document", "id": label, "document": documents.get(label, {"id": label})} for label in labels]
    cited = {"start": start, "end": end, "text": text[start:end], "sources": sources, "type": "TEXT_CONTENT"}
    return [_cohere("citation-start", index=number, delta={"message": {"citations": cited}}), _cohere("citation-end", index=number)]


def _event(data: Mapping[str, Any]) -> bytes:
    """In UTF-8, but for lone surrogates, which JSON can escape and UTF-8 cannot hold."""
    return b"data: " + json.dumps(data, ensure_ascii=False).encode(errors="backslashreplace") + b"\n\n"


def _content(body: Any, role: str) -> str:
    return "\n".join(message["content"] for message in body["messages"] if message["role"] == role)


@contextmanager
def serving_cohere_chat(says: Callable[[Asked], Said] = sensible) -> Iterator[CohereChat]:
    with serving(CohereChat(says=says)) as chat:
        chat.settings = {"generators": "cohere", "cohere_api_key": KEY, "cohere_base_url": chat.url}
        yield chat


@contextmanager
def serving_openai_chat(says: Callable[[Asked], Said] = sensible) -> Iterator[OpenAIChat]:
    with serving(OpenAIChat(says=says)) as chat:
        chat.settings = {
            "generators": "openai",
            "openai_api_key": KEY,
            "openai_base_url": f"{chat.url}/v1",
            "openai_model": "any-model",
        }
        yield chat
