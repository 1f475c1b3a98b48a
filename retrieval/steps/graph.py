"""The graph leg: a walk from what the query names over what its passages mention, personalised PageRank, and how its scores join the fused.

It starts at the passages whose titles the query names, and weakly at the head of the fused hits. From a passage it goes to the entities
that the passage mentions, the rarer and the nearer to the query's other words the likelier, and on to the passages that they name. All
is computed from a view of what one scope may read and from texts that it may read; called again with less, it shows nothing of the rest.

Haveliwala, "Topic-Sensitive PageRank" (WWW 2002); for passages and entities after Gutierrez et al., "HippoRAG" (NeurIPS 2024).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from retrieval.domain.bearing import bearings, relation_words
from retrieval.domain.documents import Span
from retrieval.domain.graph import EntityKind, entity_id
from retrieval.domain.query_names import QueryName, candidates, chosen
from retrieval.domain.runs import SCORE_DECIMALS, FusedHit, Hit, Leg, Run
from retrieval.ports.graph_search import GraphView, SeenMention, entity_number

Texts = Callable[[Sequence[str]], Mapping[str, str]]

DAMPING = 0.5
"""Share that walks on from a passage; the rest starts again. HippoRAG's."""
TOLERANCE = 1e-8
MOST_ITERATIONS = 100
CHECKED_EVERY = 2
"""Iterations between two looks at whether anything still changes."""
HEAD_PASSAGES = 5
HEAD_SHARE = 0.5
"""What the fused head's best is worth as a start beside a passage that the query names."""
MOST_STARTS = 16
LINK_GAIN = 2.6
"""What the walk brings counts so many times: words cannot find the passage, the walk alone does."""
NAME_WORTH = 0.5
"""What it is worth to be named by the query: half, because a question may name what does not answer it."""
ANY_MENTION = 0.05
EARLY_MENTION = 0.05
EARLY_CHARACTERS = 200
FULL_BEARING = 0.5
"""How much must bear on the query for all of a passage's weight to go on, where the query does not name the passage."""
NAMED_BEARING = 0.1
"""The same where it does: among few mentions one that bears on nothing is not followed just because there is no other."""
LEAST_SCORE = 0.05
"""Below it a hit is noise."""
OTHER_DOCUMENT = 0.6
"""What the second best document of one name is worth beside the best."""


@dataclass(frozen=True)
class GraphStep:
    """From a passage over an entity that it mentions to one that the entity names. `share`: how much of the passage's weight goes there."""

    passage: str
    entity: int
    span: Span | None
    to: str
    share: float


@dataclass(frozen=True)
class GraphRun:
    """What the graph leg found. `starts`: passage to what it is worth, 0 to 1; `steps`: all that the walk could go."""

    run: Run
    starts: Mapping[str, float] = field(default_factory=dict)
    steps: tuple[GraphStep, ...] = ()


EMPTY = GraphRun(Run(Leg.GRAPH, ()))


def graph_hits(query: str, fused: Sequence[FusedHit], view: GraphView, texts: Texts, *, depth: int) -> GraphRun:
    """What the graph finds for a query, best first; nothing where the query names nothing and no word of it bears on a mention.

    Args:
        query: its text.
        fused: hits after fusion, best first.
        view: the graph of the scope that asks.
        texts: passage id to text, for those that the scope may read; asked once.
        depth: hits at most.
    """
    scores = {hit.passage: hit.score for hit in fused}
    names, named = _named(query, view, scores)
    by_name = _by_name(names, named, scores)
    starts = _starts(by_name, fused)
    if not starts:
        return EMPTY
    steps = _steps(relation_words(query, names), starts, by_name, scores, view, texts)
    return GraphRun(Run.ranked(Leg.GRAPH, _walked(starts, by_name, steps), depth=depth), starts, tuple(steps))


def with_graph(fused: Sequence[FusedHit], run: Run, *, weight: float) -> tuple[FusedHit, ...]:
    """The fused hits with the graph's: `weight` times its score is added, and what only the graph found comes in. Best first.

    A weight of 0 changes nothing but the ranks and scores that are shown of the graph.
    """
    found = {hit.passage: (rank, hit.score) for rank, hit in enumerate(run.hits, 1)}
    joined = [_with(hit, *found[hit.passage], weight) if hit.passage in found else hit for hit in fused]
    known = {hit.passage for hit in fused}
    joined += [
        _with(FusedHit(passage, 0.0, None, None, None, None), rank, score, weight)
        for passage, (rank, score) in found.items()
        if passage not in known and weight > 0
    ]
    return tuple(sorted(joined, key=lambda hit: (-hit.score, hit.passage)))


@dataclass(frozen=True)
class Transitions:
    """Where a walk goes from each node, ready for many steps.

    Attributes:
        arriving: shape (nodes, nodes), float64; row `j` holds the shares with which other nodes go to node j.
        dangling: the nodes that lead nowhere.
    """

    arriving: csr_array
    dangling: NDArray[np.intp]

    @classmethod
    def of(cls, weights: csr_array) -> "Transitions":
        """From shape (nodes, nodes): row `i` holds node i's weights to others, 0 or more, of any sum."""
        sums = np.asarray(weights.sum(axis=1)).ravel()
        shares = csr_array((weights.data / np.repeat(sums, np.diff(weights.indptr)), weights.indices, weights.indptr), shape=weights.shape)
        return cls(csr_array(shares.T), np.flatnonzero(sums == 0))


def pagerank(
    transitions: Transitions,
    restart: NDArray[np.float64],
    *,
    damping: float = DAMPING,
    tolerance: float = TOLERANCE,
    most_iterations: int = MOST_ITERATIONS,
) -> NDArray[np.float64]:
    """Personalised PageRank by power iteration, shape (nodes,), sums to 1. What leads nowhere starts again.

    Args:
        transitions: of the nodes.
        restart: shape (nodes,), 0 or more, of any sum above 0.
        damping: share that walks on.
        tolerance: of the sum of absolute differences between two iterations.
        most_iterations: it ends then in any case.
    """
    start: NDArray[np.float64] = restart / restart.sum()
    again, rank = (1 - damping) * start, start.copy()
    for iteration in range(1, most_iterations + 1):
        following = transitions.arriving @ rank
        following *= damping
        following += again
        if len(transitions.dangling):
            following += damping * rank[transitions.dangling].sum() * start
        previous, rank = rank, following
        if iteration % CHECKED_EVERY == 0 and np.abs(rank - previous).sum() < tolerance:
            break
    return rank


def _with(hit: FusedHit, rank: int, score: float, weight: float) -> FusedHit:
    return replace(hit, score=round(hit.score + weight * score, SCORE_DECIMALS), graph_rank=rank, graph_score=score)


def _named(query: str, view: GraphView, scores: Mapping[str, float]) -> tuple[tuple[QueryName, ...], dict[str, Sequence[str]]]:
    """The names in the query, and for each the passages that it is the name of."""
    possible = [(candidate, entity_number(entity_id(candidate.text))) for candidate in candidates(query)]
    known = view.named(list(dict.fromkeys(entity for _, entity in possible)), among=scores.keys())
    named = {candidate.text: known[entity] for candidate, entity in possible if entity in known}
    names = chosen(query, [candidate for candidate, entity in possible if entity in known])
    return names, {name.text: named[name.text] for name in names}


def _by_name(names: Sequence[QueryName], named: Mapping[str, Sequence[str]], scores: Mapping[str, float]) -> dict[str, float]:
    """The passages that the query names, and how surely."""
    worth: dict[str, float] = {}
    for name in names:
        for passage, share in _shares(named[name.text], scores).items():
            worth[passage] = max(worth.get(passage, 0.0), share * name.strength)
    return worth


def _starts(by_name: Mapping[str, float], fused: Sequence[FusedHit]) -> dict[str, float]:
    starts = dict(by_name)
    for hit in fused[:HEAD_PASSAGES]:
        starts[hit.passage] = max(starts.get(hit.passage, 0.0), HEAD_SHARE * min(1.0, max(0.0, hit.score)) ** 2)
    best = sorted(starts.items(), key=lambda item: (-item[1], item[0]))[:MOST_STARTS]
    return {passage: worth for passage, worth in best if worth > 0}


def _shares(passages: Sequence[str], scores: Mapping[str, float]) -> dict[str, float]:
    """1 for the one that the fused hits like best, less for the others of the same name."""
    best = max(passages, key=lambda passage: (scores.get(passage, 0.0), passage))
    return {passage: 1.0 if passage == best else OTHER_DOCUMENT for passage in passages}


def _steps(  # noqa: PLR0917 - what every part of a query found
    asked: frozenset[str],
    starts: Mapping[str, float],
    by_name: Mapping[str, float],
    scores: Mapping[str, float],
    view: GraphView,
    texts: Texts,
) -> list[GraphStep]:
    """Every step from a start, its shares summing to 1 over each start that has any."""
    mentioned = {passage: _others(view.mentions(passage)) for passage in starts}
    entities = sorted({mention.entity for mentions in mentioned.values() for mention in mentions})
    leads_to = view.named(entities, among=scores.keys())
    counts = view.counts(list(leads_to))
    read = texts([passage for passage, mentions in mentioned.items() if any(mention.entity in leads_to for mention in mentions)])
    steps: list[GraphStep] = []
    for passage, mentions in mentioned.items():
        if passage not in read:
            continue
        leading = [mention for mention in mentions if set(leads_to.get(mention.entity, ())) - {passage}]
        found = bearings(asked, read[passage], [mention.span for mention in leading])
        weights = [
            _rarity(counts[mention.entity], view.passages) * _pull(mention, bearing, by_name=passage in by_name)
            for mention, bearing in zip(leading, found, strict=True)
        ]
        total = max(math.fsum(weights), NAMED_BEARING if passage in by_name else FULL_BEARING)
        steps += _from(passage, leading, [weight / total for weight in weights if total > 0], leads_to, scores)
    return steps


def _others(mentions: Sequence[SeenMention]) -> list[SeenMention]:
    """Without the names of the passage's own document."""
    own = {mention.entity for mention in mentions if mention.kind is EntityKind.TITLE}
    return [mention for mention in mentions if mention.entity not in own]


def _rarity(count: int, passages: int) -> float:
    return math.log(1 + passages / count) / math.log(1 + passages)


def _pull(mention: SeenMention, bearing: float, *, by_name: bool) -> float:
    """From a passage that the query does not name only what bears on the query leads on."""
    if not by_name:
        return bearing
    early = EARLY_MENTION / (1 + (mention.span.start if mention.span else 0) / EARLY_CHARACTERS)
    return ANY_MENTION + early + bearing


def _from(
    passage: str,
    mentions: Sequence[SeenMention],
    weights: Sequence[float],
    leads_to: Mapping[int, Sequence[str]],
    scores: Mapping[str, float],
) -> list[GraphStep]:
    steps = []
    for mention, weight in zip(mentions, weights, strict=False):
        if weight > 0:
            shares = _shares([to for to in leads_to[mention.entity] if to != passage], scores)
            whole = math.fsum(shares.values())
            steps += [GraphStep(passage, mention.entity, mention.span, to, weight * share / whole) for to, share in shares.items()]
    return steps


def _walked(starts: Mapping[str, float], by_name: Mapping[str, float], steps: Sequence[GraphStep]) -> list[Hit]:
    """Each passage's PageRank beyond what it has for being a start, in units of a start that is worth 1, and its name's worth."""
    passages = sorted({*starts, *(step.to for step in steps)})
    number = {passage: at for at, passage in enumerate(passages)}
    restart = np.array([*(starts.get(passage, 0.0) for passage in passages), 0.0])
    transitions = _transitions(steps, number)
    rank = pagerank(transitions, restart)
    worth = rank * restart.sum() / (1 - DAMPING + DAMPING * rank[transitions.dangling].sum())
    walked = np.maximum(worth - restart, 0.0)
    scores = {passage: LINK_GAIN * float(walked[at]) + NAME_WORTH * by_name.get(passage, 0.0) for passage, at in number.items()}
    return [Hit(passage, score) for passage, score in scores.items() if score >= LEAST_SCORE]


def _transitions(steps: Sequence[GraphStep], number: Mapping[str, int]) -> Transitions:
    """Shape (passages + 1, passages + 1): what of a start's weight no step takes goes to the last node, which leads nowhere."""
    nowhere = len(number)
    taken: dict[str, float] = {}
    for step in steps:
        taken[step.passage] = taken.get(step.passage, 0.0) + step.share
    left = [(number[passage], 1.0 - share) for passage, share in taken.items() if share < 1.0]
    weights = [*(step.share for step in steps), *(share for _, share in left)]
    origins = [*(number[step.passage] for step in steps), *(at for at, _ in left)]
    ends = [*(number[step.to] for step in steps), *(nowhere for _ in left)]
    return Transitions.of(csr_array((weights, (origins, ends)), shape=(nowhere + 1, nowhere + 1), dtype=np.float64))
