"""An index asked of a moment finds what was current then, of what its reader may read now; asked of now, nothing of the past."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from retrieval.domain.passages import IndexedDocument, PastVersion
from retrieval.domain.permissions import AccessScope
from retrieval.domain.runs import Run
from retrieval.ports.reading import LegRuns, LegSearch
from retrieval.ports.writing import Reclassification
from tests.retrieval.indexing.adapters import ADAPTERS, WORDS, Index, found, ids, opened, query
from tests.retrieval.indexing.world import contents_of, document, scope_of, vector_of

pytestmark = [
    pytest.mark.contract,
    pytest.mark.filterwarnings("ignore:Local mode performs exact:UserWarning"),
    pytest.mark.filterwarnings("ignore:Payload indexes have no effect:UserWarning"),
]


@pytest.fixture(params=ADAPTERS)
def adapter(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def index(adapter: str, tmp_path: Path) -> Iterator[Index]:
    with opened(adapter, tmp_path / "index") as made:
        yield made


def once(of: IndexedDocument, *, before: int, gaps: tuple[tuple[int, int], ...] = ()) -> PastVersion:
    """The document's version as one that was current until `before`."""
    return PastVersion(of.version, of.valid_from, before, of.passages, gaps)


def then(revision: int, *classes: int) -> AccessScope:
    return replace(scope_of(*classes), as_of=revision)


OLD = document("rules", "The lantern hangs over the harbour.", number=3)
NEW = document("rules", "The lantern is gone.", number=7)
RULES = replace(NEW, past=(once(OLD, before=7),))
GONE = replace(document("gone", number=0), version="", past=(once(document("gone", "A lantern of brass.", number=4), before=6),))


@pytest.mark.parametrize(
    ("revision", "expected"),
    [(2, []), (3, [OLD]), (4, [OLD, GONE]), (5, [OLD, GONE]), (6, [OLD]), (7, [NEW]), (9, [NEW])],
)
def test_a_moment_finds_the_versions_that_were_current_then(index: Index, revision: int, expected: list[IndexedDocument]) -> None:
    index.replace([RULES, GONE])

    runs = index.search(then(revision, 1), query("lantern"))

    wanted = {passage.id for each in expected for passage in (each.passages or each.past[0].passages)}
    assert found(runs) == wanted == {hit.passage for hit in runs.lexical.hits}
    everything = sorted(contents_of(index))
    assert set(index.texts(then(revision, 1), everything)) == set(index.vectors(then(revision, 1), everything)) == wanted


@pytest.mark.permissions
def test_now_finds_nothing_of_the_past(index: Index) -> None:
    index.replace([RULES, GONE])

    assert found(index.search(scope_of(1), query("lantern"))) == ids(NEW)
    assert set(index.texts(scope_of(1), sorted(contents_of(index)))) == ids(NEW)
    assert set(index.vectors(scope_of(1), sorted(contents_of(index)))) == ids(NEW)


def test_a_version_that_was_current_twice_is_not_found_between(index: Index) -> None:
    back = replace(document("back", "lantern one", number=2), gaps=((4, 6), (8, 9)))
    past = replace(NEW, past=(once(document("rules", "lantern two", number=1), before=7, gaps=((3, 5),)),))
    index.replace([back, past])

    seen = {revision: found(index.search(then(revision, 1), query("lantern"))) for revision in range(1, 11)}

    mine, other = ids(back), {past.past[0].passages[0].id}
    assert {revision for revision, hits in seen.items() if mine <= hits} == {2, 3, 6, 7, 9, 10}
    assert {revision for revision, hits in seen.items() if other <= hits} == {1, 2, 5, 6}
    assert contents_of(index)[next(iter(mine))].gaps == ((4, 6), (8, 9))


@pytest.mark.permissions
def test_the_past_has_the_readers_that_its_document_has_now(index: Index) -> None:
    index.replace([RULES])

    index.reclassify([Reclassification("doc_rules", 2)])

    assert found(index.search(then(4, 1), query("lantern"))) == found(index.search(scope_of(1), query("lantern"))) == set()
    assert found(index.search(then(4, 2), query("lantern"))) == ids(OLD)
    assert found(index.search(scope_of(2), query("lantern"))) == ids(NEW)
    assert {point.access_class for point in contents_of(index).values()} == {2}


def test_what_is_replaced_later_becomes_the_past(index: Index) -> None:
    index.replace([OLD])
    assert found(index.search(then(9, 1), query("lantern"))) == ids(OLD)

    index.replace([RULES])

    assert found(index.search(scope_of(1), query("lantern"))) == ids(NEW)
    assert found(index.search(then(6, 1), query("lantern"))) == ids(OLD)
    index.replace([NEW])
    assert found(index.search(then(6, 1), query("lantern"))) == set()
    assert index.passages() == 1


@dataclass(frozen=True)
class Life:
    """A document's versions with the revisions at which each was current; None: it still is."""

    name: str
    access_class: int
    source: str
    versions: tuple[tuple[IndexedDocument, int, int | None], ...]

    def whole(self) -> IndexedDocument:
        past = tuple(once(version, before=end) for version, _, end in self.versions if end is not None)
        last, _, end = self.versions[-1]
        return replace(last, past=past) if end is None else replace(last, version="", valid_from=0, passages=(), past=past)

    def at(self, revision: int) -> list[IndexedDocument]:
        return [version for version, start, end in self.versions if start <= revision and (end is None or revision < end)]


def lives(draw: random.Random, names: Sequence[str]) -> list[Life]:
    made = []
    for name in names:
        access_class, source = draw.randint(1, 4), draw.choice(["wiki", "mail"])
        access_class = access_class if source == "wiki" else access_class + 4
        edges = sorted(draw.sample(range(1, 30), draw.randint(2, 5)))
        versions = []
        for number, (start, end) in enumerate(zip(edges, [*edges[1:], None], strict=True)):
            if draw.random() < 0.2 and number:
                continue
            texts = [" ".join(draw.choices(WORDS, k=draw.randint(2, 9))) for _ in range(draw.randint(1, 3))]
            closed = end if end is not None or draw.random() < 0.7 else 29
            versions.append((document(name, *texts, access_class=access_class, number=start, source=source), start, closed))
        made.append(Life(name, access_class, source, tuple(versions)))
    return made


def as_told(runs: LegRuns) -> tuple[Run, Run]:
    return runs.lexical, runs.dense


@pytest.mark.permissions
@pytest.mark.parametrize("seed", range(4))
def test_a_moment_is_searched_as_a_fresh_index_of_that_moment_and_of_its_reader_alone(adapter: str, tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    told = lives(draw, [str(number) for number in range(24)])
    with opened(adapter, tmp_path / "all") as index:
        index.replace([life.whole() for life in told])
        for turn in range(4):
            revision, classes = draw.randint(1, 30), tuple(sorted(draw.sample(range(1, 9), draw.randint(1, 6))))
            with opened(adapter, tmp_path / f"fresh {turn}") as fresh:
                fresh.replace([version for life in told if life.access_class in classes for version in life.at(revision)])
                for _ in range(6):
                    text = " ".join(draw.choices(WORDS, k=3))
                    search = LegSearch(text, vector_of(text), draw.randint(1, 12), tuple(draw.choice([(), (), ("wiki",)])))
                    assert as_told(index.search(then(revision, *classes), search)) == as_told(fresh.search(scope_of(*classes), search))


@pytest.mark.permissions
@pytest.mark.parametrize("seed", range(2))
def test_searches_of_now_do_not_depend_on_the_past(adapter: str, tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    told = [life.whole() for life in lives(draw, [str(number) for number in range(24)])]
    with opened(adapter, tmp_path / "all") as index, opened(adapter, tmp_path / "bare") as bare:
        index.replace(told)
        bare.replace([replace(each, past=()) for each in told])
        for _ in range(20):
            text, scope = " ".join(draw.choices(WORDS, k=3)), scope_of(*draw.sample(range(1, 9), 4))
            search = LegSearch(text, vector_of(text), draw.randint(1, 12))
            assert as_told(index.search(scope, search)) == as_told(bare.search(scope, search))
