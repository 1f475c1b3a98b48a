"""What is asked of the application: every endpoint that shows something of documents, with readable, hidden and absent targets."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

from httpx import Response

from retrieval.domain.graph import entity_id
from tests.permissions.oracle import Asking, Paper
from tests.permissions.plant import Plant, title_of
from tests.permissions.worlds import CODES, Author

ABSENT = "doc_aaaaaaaaaaaaaaaaaaaaaaaa"


@dataclass(frozen=True)
class Request:
    """One HTTP request, without its credentials. `target` is the document it names, if it names one."""

    method: str
    path: str
    body: dict[str, Any] | None = None
    parameters: dict[str, Any] | None = None
    target: str | None = None

    def send(self, plant: Plant, asking: Asking) -> Response:
        headers = dict(plant.credentials.headers(asking))
        return plant.client.request(self.method, self.path, json=self.body, params=self.parameters, headers=headers)


class Requests:
    """Draws requests about a world's documents, those that are gone included."""

    def __init__(self, plant: Plant, author: Author, papers: Callable[[], Sequence[Paper]]) -> None:
        self._plant = plant
        self._author = author
        self._papers = papers

    def any(self) -> Request:
        drawn = self._author.random
        kinds = (self.retrieve, self.answer, self.document, self.documents, self.graph, self.sources, self.misused)
        return drawn.choices(kinds, (40, 18, 18, 7, 10, 3, 4))[0]()

    def retrieve(self) -> Request:
        drawn = self._author.random
        body = {"query": self._author.query(self._papers()), "top_k": drawn.choice((1, 3, 10, 50))}
        if drawn.random() < 0.3:
            body["sources"] = drawn.sample(self._author.folders, drawn.randint(1, 2))
        if drawn.random() < 0.4:
            body["explain"] = True
        if drawn.random() < 0.2:
            body["query"] = quoting(body["query"], drawn)
        return Request("POST", "/retrieve", body)

    def answer(self) -> Request:
        body = {"query": self._author.query(self._papers()), "include_passages": self._author.random.random() < 0.5}
        return Request("POST", "/answer", body)

    def document(self) -> Request:
        drawn = self._author.random
        if drawn.random() < 0.1:
            return Request("GET", f"/documents/{ABSENT}")
        return self.document_of(drawn.choice(self._papers()))

    def document_of(self, paper: Paper) -> Request:
        drawn = self._author.random
        parameters = {"start": 0, "end": 5, "context": 10} if drawn.random() < 0.3 else None
        return Request("GET", f"/documents/{self._plant.document_id(paper)}", parameters=parameters, target=paper.name)

    def documents(self) -> Request:
        drawn = self._author.random
        parameters: dict[str, Any] = {"limit": drawn.choice((1, 5, 50))}
        if drawn.random() < 0.4:
            parameters["source"] = drawn.choice(self._author.folders)
        return Request("GET", "/documents", parameters=parameters)

    def graph(self) -> Request:
        """An entity, a list of some, or a neighbourhood: of words that documents share and of what only one is called."""
        drawn = self._author.random
        paper = drawn.choice(self._papers())
        name = drawn.choice((*CODES, title_of(paper), paper.path))
        match drawn.randint(1, 4):
            case 1:
                return self.entity_of(paper)
            case 2:
                return Request("GET", f"/graph/entities/{entity_id(name)}", parameters={"limit": drawn.choice((1, 5, 50))})
            case 3:
                begins = name[: drawn.randint(2, len(name))]
                return Request("GET", "/graph/entities", parameters={"name": begins, "limit": drawn.choice((1, 5, 50))})
        around: dict[str, Any] = {"entity": entity_id(name), "depth": drawn.randint(1, 3), "limit": drawn.choice((2, 10, 200))}
        return Request("GET", "/graph/neighbourhood", parameters=around)

    def entity_of(self, paper: Paper) -> Request:
        """The entity that only this document's title names."""
        return Request("GET", f"/graph/entities/{entity_id(title_of(paper))}", target=paper.name)

    def sources(self) -> Request:
        return Request("GET", "/sources")

    def misused(self) -> Request:
        """Requests whose errors could say too much."""
        paper = self._author.random.choice(self._papers())
        return self._author.random.choice(
            (
                Request("GET", f"/documents/{self._plant.document_id(paper)}", parameters={"start": 5, "end": 1}, target=None),
                Request("GET", f"/documents/{self._plant.document_id(paper)}", parameters={"version": "ver_nothing"}, target=None),
                Request("GET", f"/documents/{paper.path}"),
                Request("DELETE", f"/documents/{self._plant.document_id(paper)}"),
                Request("POST", "/retrieve", {"query": "travel", "sources": ["no-such-source"]}),
                Request("POST", "/retrieve", {"query": "travel", "filter": {"access_class": 1}}),
                Request("POST", "/retrieve", {"query": "", "top_k": 0}),
                Request("GET", "/graph/neighbourhood", parameters={"entity": entity_id(title_of(paper)), "depth": 9}),
                Request("GET", f"/graph/entities/{title_of(paper)}"),
                Request("GET", "/audit"),
                Request("GET", "/keys"),
            )
        )


def quoting(query: str, drawn: Random) -> str:
    """The query with quotes around one or two of its words that follow one another."""
    words = query.split()
    at = drawn.randrange(len(words))
    end = at + drawn.randint(1, 2)
    return " ".join((*words[:at], f'"{" ".join(words[at:end])}"', *words[end:]))
