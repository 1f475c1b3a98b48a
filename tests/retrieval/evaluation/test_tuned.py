import pytest

from retrieval.evaluation.judged import Split
from retrieval.evaluation.tune import METRIC, TUNING, best_without
from retrieval.evaluation.tuned import ANSWERS, TUNED, Tuned, tuned_table

TUNING_SPLITS = {f"{name}.{split}" for name, splits in TUNING.items() for split in splits}


@pytest.mark.parametrize("number", TUNED, ids=lambda number: f"{number.place}.{number.name}")
def test_every_tuned_number_is_in_force_and_was_chosen_on_tuning_queries(number: Tuned):
    assert isinstance(number.value, float | int)
    assert set(number.data) <= TUNING_SPLITS or number.data == ANSWERS


def test_no_number_is_listed_twice():
    assert len({(number.place, number.name) for number in TUNED}) == len(TUNED)


def test_nothing_is_tuned_on_what_is_reported():
    assert not {Split.TEST, Split.ALL} & {split for splits in TUNING.values() for split in splits}


def test_the_table_has_a_row_for_each_number():
    assert tuned_table().row_count == len(TUNED)


def test_the_weight_for_a_collection_is_chosen_without_it():
    found = {
        0.3: {"a": {METRIC: 0.9}, "b": {METRIC: 0.1}, "c": {METRIC: 0.2}},
        0.7: {"a": {METRIC: 0.1}, "b": {METRIC: 0.4}, "c": {METRIC: 0.3}},
    }

    assert best_without(found, "a") == 0.7
    assert best_without(found, "b") == 0.3
