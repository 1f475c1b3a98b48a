"""Encode the texts of a catalog with nothing around the model: `python -m tests.benchmarks.bare_encode`, ARCHIVIST_… says which.

Prints JSON: texts, and texts per second of `SentenceTransformer.encode` for each batch size and of the product's own embedder.
"""

import json
import sys
import time
from collections.abc import Callable

import torch
from sqlalchemy import select

from retrieval.adapters.catalog.tables import document_versions, passages, texts
from retrieval.adapters.models.library import open_library
from retrieval.adapters.models.sentence_transformer import SentenceTransformerEmbedder, torch_dtype
from retrieval.adapters.models.weights import find_weights
from retrieval.bootstrap import open_catalog
from retrieval.domain.passages import embedded_text
from retrieval.settings import Settings

LIBRARY_BATCH = 32
"""sentence-transformers' own default."""
WARM_UP_TEXTS = 64


def main() -> int:
    settings = Settings()
    embedded = embedded_texts(settings)
    embedder = SentenceTransformerEmbedder.from_settings(settings)
    model = open_library(find_weights(settings.embedder_model), torch_dtype(settings.embedder_dtype))  # the product's own model and dtype

    def encode(batch: int) -> Callable[[list[str]], object]:
        return lambda given: model.encode(given, batch_size=batch, normalize_embeddings=True, show_progress_bar=False)

    ways = {f"batch {batch}": encode(batch) for batch in sorted({LIBRARY_BATCH, settings.embedder_batch_passages})}
    rates = {name: _rate(way, embedded) for name, way in (ways | {"product": embedder.embed}).items()}
    found = {"texts": len(embedded), "rates": rates, "dtype": str(next(model.parameters()).dtype), "threads": torch.get_num_threads()}
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


def embedded_texts(settings: Settings) -> list[str]:
    """Exactly what ingestion embedded: each different text once."""
    query = (
        select(passages, texts.c.text)
        .join(document_versions, document_versions.c.id == passages.c.version)
        .join(texts, texts.c.hash == document_versions.c.text)
        .order_by(passages.c.version, passages.c.ordinal)
    )
    catalog = open_catalog(settings)
    try:
        with catalog.database.read() as connection:
            rows = connection.execute(query)
            return list({row.embedded_hash: embedded_text(row.prefix, row.text[row.span_start : row.span_end]) for row in rows}.values())
    finally:
        catalog.close()


def _rate(encode: Callable[[list[str]], object], given: list[str]) -> float:
    """Texts per second."""
    encode(given[:WARM_UP_TEXTS])
    started = time.perf_counter()
    encode(given)
    return len(given) / (time.perf_counter() - started)


if __name__ == "__main__":
    sys.exit(main())
