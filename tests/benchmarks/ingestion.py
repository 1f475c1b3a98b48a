"""Whether ingestion keeps the embedder busy: passages per second from end to end, against the bare `encode` of the same texts."""

import json
import shutil
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from tests.benchmarks import corpus
from tests.benchmarks.product import Product
from tests.benchmarks.report import Figure, Goal, Measured
from tests.benchmarks.world import World

SOURCE = "mixed"
ROUNDS = 2
ENCODE_SECONDS = 3600
SHARES = ((corpus.ABSTRACTS, 220, 20), (corpus.NUTRITION, 220, 15), (corpus.HANDBOOK, 60, 5))
"""Of each collection: documents, and for trying."""


def measure(world: World) -> Measured:
    """Turn and turn about, because other work on the machine slows both: ingest, encode, ingest, encode."""
    rounds = [_round(world, number) for number in range(world.count(ROUNDS, 1))]
    ingested = _rate(rounds, "ingestion")
    encoders = [name for name in rounds[0]["encode"] if name.startswith("batch ")]
    rates = {name: _mean([each["encode"][name] for each in rounds]) for name in rounds[0]["encode"]}
    best = max(encoders, key=lambda name: rates[name])
    figures = [
        Figure("ingestion / bare encode", ingested / rates[best], "ratio", Goal("at least", 0.7)),
        Figure("ingestion, end to end", ingested, "passages/s"),
        *(Figure(f"bare encode, {name}", rates[name], "passages/s") for name in encoders),
        Figure("the product's embedder alone", rates["product"], "passages/s"),
        Figure("ingestion / the product's embedder alone", ingested / rates["product"], "ratio"),
    ]
    return Measured(figures, {"best bare encode": best, "rounds": rounds})


def _round(world: World, number: int) -> dict[str, Any]:
    """Both halves on a data directory of its own, which is removed."""
    directory = world.emptied(f"ingestion-{number}")
    documents = corpus.write_source(directory / "documents", _mixed(world))
    registration = directory / "sources.yaml"
    corpus.write_registration(registration, {SOURCE: directory / "documents"})
    product = Product(directory)
    product.register(registration)
    runs, whole = product.sync(SOURCE)
    run, stages = runs[0], product.stage_seconds()
    encoded = json.loads(product.run("-m", "tests.benchmarks.bare_encode", seconds=ENCODE_SECONDS).output)
    if encoded["texts"] != run.counts["embedded"]:
        raise AssertionError(f"the run embedded {run.counts['embedded']} texts, the catalog holds {encoded['texts']}")
    _remove(directory)
    return {
        "documents": documents,
        "texts": encoded["texts"],
        "ingestion": {"seconds": round(run.seconds, 2), "rate": encoded["texts"] / run.seconds},
        "whole command in seconds": round(whole.seconds, 2),
        "encode": encoded["rates"],
        "dtype": encoded["dtype"],
        "threads": encoded["threads"],
        "stages in seconds": stages,
        "counts": run.counts,
    }


def _mixed(world: World) -> Iterator[tuple[corpus.Document, str]]:
    for collection, many, few in SHARES:
        taken = islice(corpus.documents(world.evaluation_data, collection), world.count(many, few))
        yield from ((document, collection.extension) for document in taken)


def _rate(rounds: list[dict[str, Any]], name: str) -> float:
    return _mean([float(each[name]["rate"]) for each in rounds])


def _mean(rates: list[float]) -> float:
    """Of rates over the same work: the work by the mean time."""
    return len(rates) / sum(1 / rate for rate in rates)


def _remove(directory: Path) -> None:
    """All but the logs."""
    for path in directory.iterdir():
        if path.name != "logs":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
