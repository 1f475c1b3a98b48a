"""Finding documents in whatever a response holds: by their words and by the ids that the product gives them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from retrieval.domain.ids import document_id, passage_id, version_id
from tests.permissions.oracle import Asking, Paper, State, may_read
from tests.permissions.plant import key_of
from tests.permissions.worlds import own_word

_RECOGNISABLE = re.compile(r"z[tpab][0-9a-f]{12}|(?:doc|ver)_[a-z2-7]{24}|[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")
MAX_VERSIONS = 40
MAX_PASSAGES = 4


@dataclass(frozen=True)
class Trace:
    """A document's word or id. `body` is the content that holds it; None for what stays the same across contents."""

    paper: str
    body: str | None = None


class Recogniser:
    """Knows every document that ever was in a world."""

    def __init__(self, papers: Iterable[Paper]) -> None:
        self._traces: dict[str, Trace] = {}
        for paper in papers:
            self.learn(paper)

    def learn(self, paper: Paper) -> None:
        """Before the document, or its new content, is published."""
        document = document_id(paper.folder, key_of(paper))
        if document not in self._traces:
            for word in (paper.title, paper.path, paper.author, document):
                self._traces[word] = Trace(paper.name)
            for number in range(1, MAX_VERSIONS):
                version = version_id(document, number)
                self._traces[version] = Trace(paper.name)
                self._traces.update({passage_id(version, ordinal): Trace(paper.name) for ordinal in range(MAX_PASSAGES)})
        self._traces[own_word(paper)] = Trace(paper.name, paper.body)

    def traces(self, text: str) -> set[Trace]:
        """Of every known document in the text. A word that looks like one and belongs to none is a defect of the campaign."""
        return {self._traces[word] for word in set(_RECOGNISABLE.findall(text))}


def is_shown_rightly(trace: Trace, states: Iterable[State], asking: Asking) -> bool:
    """Whether in one of the states the asking may read the document, and the document is what the trace says."""
    return any(
        may_read(state, asking, trace.paper) and trace.body in (None, state.papers[trace.paper].body)
        for state in states
        if trace.paper in state.papers
    )
