import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import pytrec_eval
from rich.console import Console

from retrieval.domain.errors import InvalidInput
from retrieval.evaluation.judged import Split, read_corpus, read_queries
from retrieval.evaluation.metrics import METRICS
from retrieval.evaluation.ranking import configurations, open_collection
from retrieval.evaluation.results import Measured
from retrieval.evaluation.run import evaluate, main
from retrieval.evaluation.vectors import VectorCache
from retrieval.ports.models import Vectors
from retrieval.settings import Settings
from tests.retrieval.evaluation.test_metrics import TREC_EVAL

DOCUMENTS = {
    "d1": ("Travel", "Trains are booked by the office."),
    "d2": ("Leave", "Parents take six months of leave."),
    "d3": ("Kitchen", "The kitchen is cleaned on Fridays."),
}
QUERIES = {"q1": "who books trains", "q2": "parents leave", "q3": "nobody judged this"}


@dataclass
class FakeEmbedder:
    """The number of each of three letters as a direction. Remembers what it was asked to embed."""

    embedded: list[str] = field(default_factory=list)
    model: str = "letters@0"
    dimensions: int = 3
    max_tokens: int = 256

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        return [len(text.split()) for text in texts]

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.embedded.extend(texts)
        return np.array([self.embed_query(text) for text in texts], dtype=np.float32)

    def embed_query(self, text: str) -> Vectors:
        vector = np.array([1 + text.count(letter) for letter in "tlk"], dtype=np.float32)
        return vector / np.linalg.norm(vector)


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    directory = tmp_path / "tiny"
    directory.mkdir()
    documents = [{"_id": name, "title": title, "text": text} for name, (title, text) in DOCUMENTS.items()]
    queries = [{"_id": name, "text": text} for name, text in QUERIES.items()]
    for name, rows in {"corpus": documents, "queries": queries, "queries.train": queries[:1]}.items():
        (directory / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    header = "query-id\tcorpus-id\tscore\n"
    (directory / "qrels.tsv").write_text(header + "q1\td1\t1\nq2\td2\t2\nq2\td3\t0\nq3\td1\t0\n", encoding="utf-8")
    (directory / "qrels.train.tsv").write_text(header + "q1\td1\t1\n", encoding="utf-8")
    return directory


def test_a_collection_is_read_with_its_split_and_without_queries_that_nothing_answers(collection):
    corpus, queries = read_corpus(collection), read_queries(collection, Split.TEST)

    assert [document.id for document in corpus.documents] == ["d1", "d2", "d3"]
    assert queries.texts == {"q1": "who books trains", "q2": "parents leave"}
    assert queries.qrels == {"q1": {"d1": 1}, "q2": {"d2": 2, "d3": 0}}
    assert read_queries(collection, Split.TRAIN).texts == {"q1": "who books trains"}
    assert read_queries(collection, Split.ALL).texts == queries.texts


def test_a_collection_without_tuning_queries_is_halved(collection):
    for path in collection.glob("*.train.*"):
        path.unlink()
    rows = [{"_id": f"q{number}", "text": f"question {number}"} for number in range(5)]
    (collection / "queries.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    judged = "".join(f"q{number}\td1\t{int(number != 1)}\n" for number in range(5))  # q1 has no relevant document and counts for no half
    (collection / "qrels.tsv").write_text("query-id\tcorpus-id\tscore\n" + judged, encoding="utf-8")

    assert list(read_queries(collection, Split.DEV).texts) == ["q0", "q3"]
    assert list(read_queries(collection, Split.TEST).texts) == ["q2", "q4"]
    assert list(read_queries(collection, Split.ALL).texts) == ["q0", "q2", "q3", "q4"]
    with pytest.raises(FileNotFoundError):
        read_queries(collection, Split.TRAIN)


@pytest.mark.parametrize(
    ("name", "content", "place"),
    [
        pytest.param("corpus.jsonl", '{"_id": "d1", "text": "a"}\nnot json\n', "corpus.jsonl line 2", id="no JSON"),
        pytest.param("corpus.jsonl", '{"_id": "d1"}\n', "corpus.jsonl line 1", id="no text"),
        pytest.param("corpus.jsonl", "[]\n", "corpus.jsonl line 1", id="no object"),
        pytest.param("corpus.jsonl", '{"_id": "d1", "text": "a"}\n' * 2, "corpus.jsonl line 2: _id", id="an id twice"),
        pytest.param("corpus.jsonl", "", "corpus.jsonl", id="no document"),
        pytest.param("qrels.tsv", "query-id\tcorpus-id\tscore\nq1\td1\tx\n", "qrels.tsv line 2", id="no number"),
        pytest.param("qrels.tsv", "query\tdocument\nq1\td1\n", "qrels.tsv line 2", id="other columns"),
        pytest.param("qrels.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t0\n", "split", id="nothing relevant"),
    ],
)
def test_a_malformed_collection_is_refused_with_file_and_line(collection, name, content, place):
    (collection / name).write_text(content, encoding="utf-8")

    with pytest.raises(InvalidInput) as refused:
        _ = read_corpus(collection), read_queries(collection, Split.TEST)

    assert refused.value.problems[0].field == place


def test_every_configuration_is_measured_over_the_products_own_index(collection, tmp_path):
    embedder = FakeEmbedder()
    cache = VectorCache(tmp_path / "cache", embedder)

    with open_collection(collection, embedder, cache, depth=3, progress=lambda *_: None) as search:
        judged = search(Split.TEST)
        found = {name: judged.figures(rank) for name, rank in configurations(Settings()).items()}

    assert set(found) == {"lexical", "dense", "fused", "default", "without_graph", "without_reranking"}
    assert found["lexical"] == dict.fromkeys(METRICS, 1.0)
    assert found["dense"]["recall@100"] == 1.0
    assert found["fused"] == found["default"]


def test_nothing_is_embedded_twice(tmp_path):
    embedder = FakeEmbedder()
    VectorCache(tmp_path, embedder).vectors("set", ["t", "l", "t"])

    again = VectorCache(tmp_path, embedder).vectors("set", ["l", "k", "t"])

    assert sorted(embedder.embedded) == ["k", "l", "t"]
    assert again == pytest.approx(FakeEmbedder().embed(["l", "k", "t"]))


def test_another_models_vectors_are_kept_apart(tmp_path):
    VectorCache(tmp_path, FakeEmbedder()).vectors("set", ["t"])
    other = FakeEmbedder(model="letters@1")

    VectorCache(tmp_path, other).vectors("set", ["t"])

    assert other.embedded == ["t"]


def test_an_absent_collection_is_named_with_the_setting_that_finds_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ARCHIVIST_EVALUATION_DIRECTORY", str(tmp_path))
    monkeypatch.setattr("retrieval.evaluation.run.open_embedder", lambda _settings: FakeEmbedder())

    status = main(["absent", "--reports", str(tmp_path / "reports"), "--peers"])

    assert status == 2
    assert "ARCHIVIST_EVALUATION_DIRECTORY" in capsys.readouterr().out
    assert not (tmp_path / "reports").exists()


def test_the_report_is_collection_to_configuration_to_metric(collection, tmp_path, monkeypatch):
    monkeypatch.setenv("ARCHIVIST_EVALUATION_DIRECTORY", str(collection.parent))
    monkeypatch.setenv("ARCHIVIST_EVALUATION_CACHE_DIRECTORY", str(tmp_path / "cache"))
    monkeypatch.setattr("retrieval.evaluation.run.open_embedder", lambda _settings: FakeEmbedder())

    status = main(["tiny", "--reports", str(tmp_path / "reports"), "--peers", "rank_bm25"])

    report = json.loads((tmp_path / "reports" / "eval.json").read_text(encoding="utf-8"))
    assert status == 0
    assert report["tiny"]["lexical"]["ndcg@10"] == 1.0
    assert set(report["tiny"]) == {"lexical", "dense", "fused", "default", "without_graph", "without_reranking", "rank_bm25"}
    significance = json.loads((tmp_path / "reports" / "eval-significance.json").read_text(encoding="utf-8"))
    assert set(significance["tiny"]) == {"lexical", "dense", "fused", "without_graph", "without_reranking", "rank_bm25"}
    assert {"difference", "low", "high", "p", "wins", "ties", "losses"} == set(significance["tiny"]["dense"]["ndcg@10"])
    assert (tmp_path / "reports" / "eval.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert {"commit", "processor", "rank-bm25"} <= set(
        json.loads((tmp_path / "reports" / "eval-environment.json").read_text(encoding="utf-8"))
    )


@pytest.fixture(scope="module")
def measured(evaluation_data) -> Callable[[str], Measured]:
    """Measures a collection once, with nothing to embed."""

    @cache
    def measure(name: str) -> Measured:
        settings = Settings(evaluation_directory=evaluation_data)
        if not sorted(settings.evaluation_cache_directory.glob(f"*/{name}.corpus.npz")):
            pytest.skip("the collection is not embedded: run `make eval` once, it takes minutes")
        (found,) = evaluate(settings, [name], Split.TEST, peers=[], console=Console(quiet=True))
        return found

    return measure


@pytest.mark.quality
@pytest.mark.models
@pytest.mark.parametrize(
    ("name", "least"),
    [
        pytest.param("scifact", {"lexical": 0.68, "dense": 0.64, "fused": 0.72}, id="scifact"),
        pytest.param("nfcorpus", {"lexical": 0.32, "dense": 0.31, "fused": 0.35}, id="nfcorpus"),
    ],
)
def test_ranking_keeps_its_promised_quality(name, least, measured):
    figures = measured(name).figures()

    assert all(figures[configuration]["ndcg@10"] >= value for configuration, value in least.items())


@pytest.mark.quality
@pytest.mark.models
def test_the_figures_of_a_real_run_are_those_of_trec_eval(measured, evaluation_data):
    found = measured("nfcorpus")
    qrels = read_queries(evaluation_data / "nfcorpus", Split.TEST).qrels

    judge = pytrec_eval.RelevanceEvaluator({query: dict(grades) for query, grades in qrels.items()}, set(TREC_EVAL.values()))

    for configuration, rankings in found.rankings.items():
        runs = {query: {document: float(-rank) for rank, document in enumerate(ranking)} for query, ranking in rankings.items()}
        expected = judge.evaluate(runs)
        for name, theirs in TREC_EVAL.items():
            of_theirs = [expected[query][theirs.replace(".", "_")] if query in expected else 0.0 for query in qrels]
            assert found.figures()[configuration][name] == pytest.approx(np.mean(of_theirs), abs=1e-9), (configuration, name)
