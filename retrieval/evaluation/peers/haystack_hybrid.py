"""Haystack's hybrid retrieval in memory: BM25 and embeddings, joined by reciprocal rank fusion, every part with its defaults."""

import os
from collections.abc import Sequence

os.environ.setdefault("HAYSTACK_TELEMETRY_ENABLED", "False")  # noqa: TID251 - read when Haystack is imported, which is next

from haystack import Document
from haystack.components.joiners import DocumentJoiner
from haystack.components.retrievers.in_memory import InMemoryBM25Retriever, InMemoryEmbeddingRetriever
from haystack.document_stores.in_memory import InMemoryDocumentStore

from retrieval.evaluation.peers.shelf import Ask, Shelf
from retrieval.ports.models import Vectors


def haystack_hybrid(shelf: Shelf) -> Ask:
    store = InMemoryDocumentStore(shared=False)
    rows = zip(shelf.ids, shelf.texts, shelf.vectors, strict=True)
    store.write_documents([Document(id=id_, content=text, embedding=vector.tolist()) for id_, text, vector in rows])
    lexical = InMemoryBM25Retriever(store, top_k=shelf.depth)
    dense = InMemoryEmbeddingRetriever(store, top_k=shelf.depth)
    joiner = DocumentJoiner(join_mode="reciprocal_rank_fusion", top_k=shelf.depth)

    def ask(text: str, vector: Vectors) -> Sequence[str]:
        legs = [lexical.run(query=text)["documents"], dense.run(query_embedding=vector.tolist())["documents"]]
        return [document.id for document in joiner.run(documents=legs)["documents"]]

    return ask
