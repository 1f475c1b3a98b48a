import math

import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from retrieval.evaluation.metrics import METRICS, average_precision, mean, ndcg, per_query, recall, reciprocal_rank, success

GRADES = {"a": 2, "b": 1, "c": 0, "d": 1}
RANKING = ["c", "a", "x", "b"]


def test_ndcg_discounts_linear_gains_by_the_logarithm_of_the_rank():
    value = ndcg(10)(RANKING, GRADES)

    found = 2 / math.log2(3) + 1 / math.log2(5)
    ideal = 2 / math.log2(2) + 1 / math.log2(3) + 1 / math.log2(4)
    assert value == pytest.approx(found / ideal)


def test_ndcg_looks_no_further_than_its_cut():
    assert ndcg(1)(RANKING, GRADES) == 0
    assert ndcg(2)(RANKING, GRADES) == pytest.approx((2 / math.log2(3)) / (2 + 1 / math.log2(3)))


def test_recall_counts_relevant_documents_only():
    assert recall(2)(RANKING, GRADES) == 1 / 3
    assert recall(4)(RANKING, GRADES) == 2 / 3


def test_the_reciprocal_rank_is_that_of_the_first_relevant_document():
    assert reciprocal_rank(10)(RANKING, GRADES) == 1 / 2
    assert reciprocal_rank(1)(RANKING, GRADES) == 0


def test_success_asks_for_one_relevant_document():
    assert success(1)(RANKING, GRADES) == 0
    assert success(2)(RANKING, GRADES) == 1


def test_average_precision_counts_what_was_not_found_as_0():
    assert average_precision(RANKING, GRADES) == pytest.approx((1 / 2 + 2 / 4 + 0) / 3)


def test_a_query_without_a_ranking_counts_as_having_found_nothing():
    found = per_query(recall(10), {"q1": ["a"]}, {"q1": {"a": 1}, "q2": {"b": 1}})

    assert found == {"q1": 1.0, "q2": 0.0}
    assert mean(found) == 0.5


TREC_EVAL = {
    **{f"ndcg@{at}": f"ndcg_cut.{at}" for at in (1, 5, 10)},
    **{f"recall@{at}": f"recall.{at}" for at in (1, 2, 5, 10, 20, 100)},
    **{f"success@{at}": f"success.{at}" for at in (1, 5, 10)},
    "map": "map",
}
documents = st.sampled_from([f"d{number}" for number in range(20)])


@given(
    st.dictionaries(documents, st.integers(0, 3), min_size=1).filter(lambda grades: max(grades.values()) > 0),
    st.lists(documents, unique=True, min_size=1, max_size=20),
)
def test_the_metrics_agree_with_trec_eval(grades, ranking):
    judge = pytrec_eval.RelevanceEvaluator({"q": grades}, {*TREC_EVAL.values(), "recip_rank"})
    expected = judge.evaluate({"q": {document: float(-rank) for rank, document in enumerate(ranking)}})["q"]

    found = {name: METRICS[name](ranking, grades) for name in TREC_EVAL}

    assert found == pytest.approx({name: expected[theirs.replace(".", "_")] for name, theirs in TREC_EVAL.items()})
    assert reciprocal_rank(20)(ranking, grades) == pytest.approx(expected["recip_rank"])


def test_every_reported_metric_is_compared_with_trec_eval():
    assert set(METRICS) - set(TREC_EVAL) == {"mrr@10"}
