"""Cohere's reranking on loopback: its wire format over real HTTP, and the answers of its that are no ranking.

After https://docs.cohere.com/v2/reference/rerank: `POST /v2/rerank` with a bearer token; results sorted by score; errors as `id` and
`message`.
"""

import gzip
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.provider_server import Fault, Handler, Provider, dripping, huge, serving, slow, status

KEY = "co-K3y-that-nobody-may-see"
PATH = "/v2/rerank"
FIELDS = {"model", "query", "documents", "top_n", "max_tokens_per_doc", "priority", "relevant_spans"}


def relevance(query: str, document: str) -> float:
    """The share of the query's words that the document has: a reranker worked by hand."""
    words = set(query.lower().split())
    return len(words & set(document.lower().split())) / len(words)


def ranking(query: str, documents: Sequence[str]) -> list[dict[str, Any]]:
    scored = [{"index": place, "relevance_score": relevance(query, text)} for place, text in enumerate(documents)]
    return sorted(scored, key=lambda result: -result["relevance_score"])


def answer(results: object) -> bytes:
    meta = {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}
    return json.dumps({"id": "07734bd2-2473-4f07-94e1-0d9f0e6843cf", "results": results, "meta": meta}).encode()


def complaint(message: str) -> bytes:
    return json.dumps({"id": "07734bd2-2473-4f07-94e1-0d9f0e6843cf", "message": message}).encode()


def right(handler: Handler, body: Any) -> None:
    if handler.path != PATH:
        handler.reply(404, complaint("not found"))
    elif handler.headers["Authorization"] != f"Bearer {KEY}":
        handler.reply(401, complaint("invalid api token"))
    elif unknown := set(body) - FIELDS:
        handler.reply(422, complaint(f"unknown field: parameter '{unknown.pop()}' is not a valid field"))
    else:
        handler.reply(200, answer(ranking(body["query"], body["documents"])))


def changed(change: Callable[[list[dict[str, Any]]], object]) -> Fault:
    """The right ranking, except that."""
    return lambda handler, body: handler.reply(200, answer(change(ranking(body["query"], body["documents"]))))


def truncated(handler: Handler, body: Any) -> None:
    content = answer(ranking(body["query"], body["documents"]))
    handler.reply(200, content[: len(content) // 2], Content_Length=str(len(content)))
    handler.close_connection = True


def scored(score: str) -> Fault:
    """The right ranking, except that the last score is this piece of JSON."""

    def fault(handler: Handler, body: Any) -> None:
        results = ranking(body["query"], body["documents"])
        content = answer([*results[:-1], {"index": results[-1]["index"], "relevance_score": "SCORE"}])
        handler.reply(200, content.replace(b'"SCORE"', score.encode()))

    return fault


FAULTS: Mapping[str, Fault] = {
    "right": right,
    "slow": slow(right),
    "dripping": dripping,
    "reset": lambda handler, _body: handler.reset(),
    "truncated": truncated,
    "huge": huge("application/json"),
    "429": status(429, complaint),
    "429 with Retry-After": status(429, complaint, Retry_After="7"),
    "500": status(500, complaint),
    "503": status(503, complaint),
    "400": status(400, complaint),
    "401": status(401, complaint),
    "404": status(404, complaint),
    "498": status(498, complaint),
    "418": status(418, complaint),
    "redirect": status(307, complaint, Location="/elsewhere"),
    "garbage": lambda handler, _body: handler.reply(200, b"<html>\xff\xfe"),
    "empty": lambda handler, _body: handler.reply(200, b""),
    "deep": lambda handler, _body: handler.reply(200, b"[" * 100_000),
    "a list": lambda handler, _body: handler.reply(200, b"[1, 2]"),
    "null": lambda handler, _body: handler.reply(200, b"null"),
    "no results": lambda handler, _body: handler.reply(200, b'{"id": "x"}'),
    "results of another kind": lambda handler, _body: handler.reply(200, answer([1, None, "x"])),
    "wrong content type": lambda handler, body: handler.reply(
        200, answer(ranking(body["query"], body["documents"])), Content_Type="text/html"
    ),
    "compressed": lambda handler, body: handler.reply(
        200, gzip.compress(answer(ranking(body["query"], body["documents"]))), Content_Encoding="gzip"
    ),
    "missing index": changed(lambda results: results[:-1]),
    "duplicate index": changed(lambda results: [*results[:-1], results[0]]),
    "one too many": changed(lambda results: [*results, results[0]]),
    "out of range": changed(lambda results: [*results[:-1], {**results[-1], "index": len(results)}]),
    "below range": changed(lambda results: [*results[:-1], {**results[-1], "index": -1}]),
    "no score": changed(lambda results: [*results[:-1], {"index": results[-1]["index"]}]),
    "NaN": scored("NaN"),
    "Infinity": scored("Infinity"),
    "beyond any number": scored("1" + "0" * 400),
    "a word for a score": scored('"high"'),
    "true for a score": scored("true"),
    "null for a score": scored("null"),
    "as given": lambda handler, _body: handler.reply(200, handler.server.provider.given),
}
RIGHT, SLOW, GIVEN = "right", frozenset({"slow", "dripping"}), "as given"
WRONG = tuple(sorted(FAULTS.keys() - SLOW - {RIGHT, GIVEN}))
"""What is answered at once and is no ranking."""


@dataclass
class Cohere(Provider):
    faults = FAULTS
    given: bytes = b""


@contextmanager
def serving_cohere() -> Iterator[Cohere]:
    with serving(Cohere()) as cohere:
        yield cohere
