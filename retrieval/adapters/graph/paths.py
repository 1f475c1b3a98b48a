"""Why the graph leg found a passage: the likeliest way to it from where the walk began, as names along the way."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

import networkx

from retrieval.domain.passages import ReadablePassage
from retrieval.steps.graph import GraphRun, GraphStep

_QUERY = ""
"""Where every way begins. No passage has this id."""


@dataclass(frozen=True)
class GraphPath:
    """From a passage that the query names, or that it finds, over entities to the passage that was asked for.

    Attributes:
        passages: ids, the start first; a start's own path is itself alone.
        steps: one fewer.
    """

    passages: tuple[str, ...]
    steps: tuple[GraphStep, ...]

    def names(self, readable: Mapping[str, ReadablePassage]) -> tuple[str, ...]:
        """Titles and entities along the way, as these passages write them; empty when one of them is not there to say it."""
        if not all(passage in readable for passage in self.passages):
            return ()
        named = [readable[self.passages[0]].title]
        for step in self.steps:
            told = readable[step.passage]
            named += [step.span.of(told.text) if step.span is not None else readable[step.to].title, readable[step.to].title]
        return tuple(named)


def path_to(passage: str, run: GraphRun) -> GraphPath | None:
    """The way with the greatest product of the start's worth and all shares; None for what the graph did not find. Deterministic."""
    ways = _ways(run)
    if passage not in ways or not networkx.has_path(ways, _QUERY, passage):
        return None
    passages = tuple(networkx.shortest_path(ways, _QUERY, passage, weight="length")[1:])
    steps = tuple(ways.edges[one, other]["step"] for one, other in pairwise(passages))
    return GraphPath(passages, steps)


def names_to(passage: str, run: GraphRun, readable: Mapping[str, ReadablePassage]) -> tuple[str, ...]:
    """The names along the way to a passage; empty where the graph did not find it, or a passage on the way may not be shown."""
    path = path_to(passage, run)
    return path.names(readable) if path is not None else ()


def _ways(run: GraphRun) -> "networkx.DiGraph[str]":
    ways = networkx.DiGraph()
    for passage, worth in sorted(run.starts.items()):
        ways.add_edge(_QUERY, passage, length=-math.log(worth / (1.0 + math.fsum(run.starts.values()))))
    for step in sorted(run.steps, key=lambda step: (step.passage, step.to, -step.share, step.entity)):
        if not ways.has_edge(step.passage, step.to):
            ways.add_edge(step.passage, step.to, length=max(0.0, -math.log(step.share)), step=step)
    return ways
