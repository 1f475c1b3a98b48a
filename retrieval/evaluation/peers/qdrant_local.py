"""qdrant-client in its local mode: dense and BM25 vectors prefetched, fused by the engine's reciprocal rank fusion.

The sparse vectors are those of the engine's own BM25 with its defaults; the client weighs terms by their rarity itself.
"""

from collections.abc import Sequence

import qdrant_edge
from qdrant_client import QdrantClient, models

from retrieval.evaluation.peers.shelf import Ask, Shelf
from retrieval.ports.models import Vectors

_COLLECTION = "peer"
_BM25 = qdrant_edge.Bm25(qdrant_edge.Bm25Config())


def qdrant_local(shelf: Shelf) -> Ask:
    client = QdrantClient(":memory:")
    client.create_collection(
        _COLLECTION,
        vectors_config={"dense": models.VectorParams(size=shelf.vectors.shape[1], distance=models.Distance.COSINE)},
        sparse_vectors_config={"lexical": models.SparseVectorParams(modifier=models.Modifier.IDF)},
    )
    rows = zip(shelf.texts, shelf.vectors, strict=True)
    points = [
        models.PointStruct(id=at, vector={"dense": vector.tolist(), "lexical": _sparse(_BM25.embed_document(text))})
        for at, (text, vector) in enumerate(rows)
    ]
    client.upload_points(_COLLECTION, points)

    def ask(text: str, vector: Vectors) -> Sequence[str]:
        prefetch = [models.Prefetch(query=vector.tolist(), using="dense", limit=shelf.depth)]
        terms = _BM25.embed_query(text)
        if terms.indices:
            prefetch.append(models.Prefetch(query=_sparse(terms), using="lexical", limit=shelf.depth))
        found = client.query_points(
            _COLLECTION, prefetch=prefetch, query=models.FusionQuery(fusion=models.Fusion.RRF), limit=shelf.depth, with_payload=False
        )
        return [shelf.ids[int(point.id)] for point in found.points]

    return ask


def _sparse(terms: qdrant_edge.SparseVector) -> models.SparseVector:
    return models.SparseVector(indices=list(terms.indices), values=list(terms.values))
