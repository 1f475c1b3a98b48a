"""Embedding models: which one is live, which is prepared beside it, and whether one may take another's place.

    candidate -> backfilling -> ready <-> live
                                ready -> retired

Exactly one is live. Its predecessor is ready as long as its vectors are kept, so going back needs no embedding.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from retrieval.domain.errors import InvalidInput


class ModelState(StrEnum):
    """How far a model is.

    Attributes:
        CANDIDATE: registered; nothing is embedded by it.
        BACKFILLING: what is there is being embedded by it; what comes new is, too.
        READY: every passage has its vector; indexes hold them beside those of the live model.
        LIVE: queries are embedded by it.
        RETIRED: its vectors are deleted, or are being deleted.
    """

    CANDIDATE = "candidate"
    BACKFILLING = "backfilling"
    READY = "ready"
    LIVE = "live"
    RETIRED = "retired"


EMBEDDING = frozenset({ModelState.BACKFILLING, ModelState.READY, ModelState.LIVE})
"""States of models by which new texts are embedded."""
SEARCHED = frozenset({ModelState.READY, ModelState.LIVE})
"""States of models whose vectors indexes hold."""


@dataclass(frozen=True)
class Measured:
    """One model's figures over the golden questions.

    Attributes:
        ndcg_at_10: mean over the questions, 0 to 1.
        milliseconds: median time of embedding a query and searching with it.
        seconds_per_1000_passages: of embedding passages.
        dimensions: floats of one vector.
    """

    ndcg_at_10: float
    milliseconds: float
    seconds_per_1000_passages: float
    dimensions: int

    @property
    def bytes_per_vector(self) -> int:
        return 4 * self.dimensions


@dataclass(frozen=True)
class ModelLimits:
    """How much worse than the live model another may be.

    Attributes:
        ndcg_loss: most that nDCG@10 may fall.
        latency_ratio: most that a query's time may be multiplied by.
        cost_ratio: most that the time of embedding passages may be multiplied by.
    """

    ndcg_loss: float
    latency_ratio: float
    cost_ratio: float


@dataclass(frozen=True)
class Judgement:
    """How a model compares with the live one.

    Attributes:
        against: id of the model that was live.
        at: ISO 8601.
        questions: how many both were asked.
        problems: the limits that the candidate breaks, in words; none: it may be promoted.
    """

    against: str
    at: str
    questions: int
    live: Measured
    candidate: Measured
    problems: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return not self.problems


@dataclass(frozen=True)
class EmbeddingModel:
    """A model that is registered.

    Attributes:
        id: name and beginning of the hash, as embeddings are keyed.
        reference: where its files are: a path or a name in the local cache; empty: the bundled one.
        sha256: of its weights.
        dimensions: floats of one vector.
        registered_at: ISO 8601.
        live_from, live_to: revisions at which it last became live and last stopped being.
        judgement: the latest comparison; None: never compared since its vectors were complete.
    """

    id: str
    reference: str
    sha256: str
    dimensions: int
    state: ModelState
    registered_at: str
    registered_by: str
    live_from: int | None = None
    live_to: int | None = None
    judgement: Judgement | None = None


@dataclass(frozen=True)
class ModelReader:
    """A process that answers queries, as it last reported.

    Attributes:
        serving: the model by which it embeds queries.
        prepared: models it has in memory and in its index.
    """

    name: str
    serving: str
    prepared: tuple[str, ...]
    heartbeat_at: str
    is_alive: bool


@dataclass(frozen=True)
class BackfillProgress:
    """Texts that have a vector under a model, and all that should; of one source."""

    source: str
    embedded: int
    texts: int

    @property
    def missing(self) -> int:
        return self.texts - self.embedded


def broken_limits(live: Measured, candidate: Measured, limits: ModelLimits) -> tuple[str, ...]:
    """What speaks against the candidate, a sentence for each limit; a broken one names both figures."""
    problems = []
    if live.ndcg_at_10 - candidate.ndcg_at_10 > limits.ndcg_loss + _FLOAT_NOISE:
        problems.append(
            f"nDCG@10 is {candidate.ndcg_at_10:.4f}, the live model's {live.ndcg_at_10:.4f}: more than {limits.ndcg_loss:g} less"
        )
    if candidate.milliseconds > live.milliseconds * limits.latency_ratio:
        problems.append(
            f"a query takes {candidate.milliseconds:.1f} ms, with the live model {live.milliseconds:.1f}: "
            f"more than {limits.latency_ratio:g} times as long"
        )
    if candidate.seconds_per_1000_passages > live.seconds_per_1000_passages * limits.cost_ratio:
        problems.append(
            f"1,000 passages take {candidate.seconds_per_1000_passages:.1f} s, with the live model {live.seconds_per_1000_passages:.1f}: "
            f"more than {limits.cost_ratio:g} times as long"
        )
    return tuple(problems)


def checked_force(reason: str) -> str:
    """A reason for promoting against the comparison: none, or something a person can read later. Raises InvalidInput."""
    if reason and not MIN_REASON <= len(reason.strip()) <= MAX_REASON:
        raise InvalidInput.of("force", "say why in a few words: it is recorded", limit=f"{MIN_REASON} to {MAX_REASON} characters")
    return reason.strip()


def judgement_as_json(judgement: Judgement) -> Mapping[str, object]:
    return {
        "against": judgement.against,
        "at": judgement.at,
        "questions": judgement.questions,
        "live": vars(judgement.live),
        "candidate": vars(judgement.candidate),
        "problems": list(judgement.problems),
    }


MIN_REASON, MAX_REASON = 5, 500
_FLOAT_NOISE = 1e-9
