"""Every number of the product that was chosen by measuring, and the queries that it was chosen on. None of them is reported on.

Whoever tunes a number adds it here. `python -m retrieval.evaluation.tune` prints the list with the values that are in force.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

from rich.table import Table

from retrieval.settings import Settings

SETTINGS = "settings"
SWEEP = "python -m retrieval.evaluation.tune"
LEARNT = "python -m retrieval.evaluation.learn_weights --leave-out"
LEARNED = "python -m retrieval.evaluation.learn --leave-out"
CONFIDENCE = "python -m retrieval.evaluation.answers.learn --leave-out"
TRIED = "tried by hand, one after the other"


@dataclass(frozen=True)
class Tuned:
    """One number.

    Attributes:
        place: `settings`, or the module that holds it.
        name: of the setting or of the module's constant.
        data: `<collection>.<split>`, each a tuning split; or `ANSWERS`.
        how: the command that shows the choice, or how it was made.
    """

    place: str
    name: str
    data: tuple[str, ...]
    how: str

    @property
    def value(self) -> object:
        """The one in force. Raises AttributeError when there is no such number any more."""
        return getattr(Settings() if self.place == SETTINGS else import_module(self.place), self.name)


_RANKING = ("scifact.train", "nfcorpus.dev", "nfcorpus.train")
_EVERY = (*_RANKING, "2wikimultihopqa.dev", "clapnq_dev.dev", "xquad_en.dev")
_TERMS = ("scifact.train", "nfcorpus.dev")
_HALVES = ("2wikimultihopqa.dev", "clapnq_dev.dev", "xquad_en.dev")
_GRAPH_NAMES = ("HEAD_PASSAGES", "HEAD_SHARE", "LINK_GAIN", "NAME_WORTH", "ANY_MENTION", "EARLY_MENTION", "FULL_BEARING", "LEAST_SCORE")
ANSWERS = ("half of xquad_en", "half of clapnq_dev")
"""For the answerer, which chooses sentences and ranks no passage. Other halves than the splits': by a hash of the question."""
_EMBEDDING_NAMES = ("LEXICAL_WEIGHT", "SENTENCE_WEIGHT", "PASSAGE_WEIGHT", "PASSAGE_PRIOR", "PRIOR_CUT")
EVIDENCE = ("scifact.train", "clapnq_dev.dev", "xquad_en.dev")
_EVIDENCE_FOLDS = "python -m retrieval.evaluation.answers.learn_evidence --folds"

TUNED: tuple[Tuned, ...] = (
    Tuned(SETTINGS, "fusion_lexical_weight", _RANKING, SWEEP),
    Tuned("retrieval.steps.fuse", "DENSE_FLOOR", _RANKING, TRIED),
    *(Tuned("retrieval.steps.weights", name, _EVERY, LEARNT) for name in ("MOST_SHIFT", "STEEP_RANK")),
    *(Tuned("retrieval.steps.fuse", name, (*_TERMS, *_HALVES), TRIED) for name in ("FEEDBACK_SHARE", "LEXICAL_BESIDE_FEEDBACK")),
    *(Tuned(SETTINGS, name, (*_TERMS, *_HALVES), TRIED) for name in ("feedback_passages", "feedback_weight")),
    Tuned("retrieval.adapters.models.token_head", "WIDTH", (*_TERMS, "2wikimultihopqa.dev", "clapnq_dev.dev"), TRIED),
    *(Tuned("retrieval.evaluation.learn", name, _EVERY, LEARNED) for name in ("NETWORKS", "UNITS", "EPOCHS", "WEIGHT_DECAY", "DROPPED")),
    *(Tuned("retrieval.steps.graph", name, (*_TERMS, "2wikimultihopqa.dev", "clapnq_dev.dev"), TRIED) for name in _GRAPH_NAMES),
    Tuned(SETTINGS, "graph_weight", _HALVES, TRIED),
    *(Tuned("retrieval.adapters.qdrant.bm25", name, _TERMS, TRIED) for name in ("CODE_PART_WEIGHT", "WHOLE_WEIGHT", "HUMP_WEIGHT")),
    Tuned(SETTINGS, "answer_min_support", ANSWERS, TRIED),
    Tuned("retrieval.steps.answer", "RELATIVE_CUT", ANSWERS, TRIED),
    *(Tuned("retrieval.steps.quotable", name, ANSWERS, TRIED) for name in ("TERM_SATURATION", "LENGTH_NORMALISATION")),
    *(Tuned("retrieval.steps.evidence_by_embedding", name, ANSWERS, TRIED) for name in _EMBEDDING_NAMES),
    *(Tuned("retrieval.evaluation.answers.learn_evidence", name, EVIDENCE, _EVIDENCE_FOLDS) for name in ("EPOCHS", "WEIGHT_DECAY")),
    Tuned("retrieval.steps.evidence_model", "SCORE_SPREAD", ("clapnq_dev.dev", "xquad_en.dev"), TRIED),
    Tuned("retrieval.evaluation.answers.learn_evidence", "ANSWERED_BY_CHANCE", ("clapnq_dev.dev", "xquad_en.dev"), TRIED),
    Tuned("retrieval.evaluation.answers.learn", "PENALTY", EVIDENCE, CONFIDENCE),
    Tuned(SETTINGS, "answer_accepted_error", EVIDENCE, "the shipped model's curve"),
    Tuned("retrieval.steps.support", "LEAST_COVERAGE", ("clapnq_dev.dev",), "python -m retrieval.evaluation.answers.support"),
)


def tuned_table(rows: Sequence[Tuned] = TUNED) -> Table:
    """One row for each number."""
    shown = Table("number", "value", "tuned on", "how", title="What was tuned on what")
    for row in rows:
        name = f"ARCHIVIST_{row.name.upper()}" if row.place == SETTINGS else f"{row.place.removeprefix('retrieval.')}.{row.name}"
        shown.add_row(name, str(row.value), ", ".join(row.data), row.how)
    return shown
