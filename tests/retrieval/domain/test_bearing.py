import pytest

from retrieval.domain.bearing import BEHIND, HALVED_AFTER, bearings, relation_words
from retrieval.domain.documents import Span
from retrieval.domain.query_names import candidates, chosen

TEXT = "It was directed by Ann Lee. Bo Ray and Cy Orr play. The director had met Di Poe."


def span(name: str) -> Span:
    return Span(TEXT.index(name), TEXT.index(name) + len(name))


def test_the_nearer_a_word_of_the_query_the_more_it_bears_and_only_in_the_same_sentence():
    ann, bo, di = bearings(frozenset({"director"}), TEXT, [span("Ann Lee"), span("Bo Ray"), span("Di Poe")])

    assert ann == pytest.approx(1 / (1 + len(" by ") / HALVED_AFTER))
    assert bo == 0
    assert di == pytest.approx(1 / (1 + len(" had met ") / HALVED_AFTER))


def test_a_word_behind_counts_less():
    assert bearings(frozenset({"play"}), TEXT, [span("Cy Orr")]) == [pytest.approx(BEHIND / (1 + 1 / HALVED_AFTER))]


def test_it_is_a_share_of_all_words_asked():
    assert bearings(frozenset({"director", "mother"}), TEXT, [span("Ann Lee")])[0] < 0.5


@pytest.mark.parametrize(
    ("asked", "spans"), [(frozenset(), [Span(0, 2)]), (frozenset({"director"}), [None]), (frozenset({"zzz"}), [Span(0, 2)])]
)
def test_without_words_or_place_nothing_bears(asked, spans):
    assert bearings(asked, TEXT, spans) == [0.0]


def names(query: str, *known: str) -> list[str]:
    found = chosen(query, [candidate for candidate in candidates(query) if candidate.text in known])
    return [name.text for name in found]


def test_the_longest_known_names_are_chosen_none_inside_another():
    query = "Which is older, Palo Alto (2013 Film) or Billy Elliot?"

    assert names(query, "Palo Alto", "Palo Alto (2013 Film)", "Billy Elliot", "2013 Film") == ["Palo Alto (2013 Film)", "Billy Elliot"]


def test_a_single_word_is_a_name_only_with_a_capital_inside_the_query():
    assert names("who is Mugain?", "Mugain", "who") == ["Mugain"]
    assert names("what is diet", "diet") == []
    assert names("Diet and health", "Diet") == []


def test_a_name_is_the_stronger_the_more_of_the_query_it_is():
    long = "how does it matter whether embryonic stem cells differentiate in culture under light"
    strength = {
        query: chosen(query, [one for one in candidates(query) if one.text == "stem cells"])[0].strength for query in ("stem cells", long)
    }

    assert strength["stem cells"] == 1.0
    assert strength[long] == pytest.approx(2 * 2 / 8)


def test_the_words_of_names_and_stop_words_are_no_relation():
    query = "Where was the composer of film Billy Elliot born?"
    found = chosen(query, [candidate for candidate in candidates(query) if candidate.text == "Billy Elliot"])

    assert relation_words(query, found) == {"composer", "film", "born"}
