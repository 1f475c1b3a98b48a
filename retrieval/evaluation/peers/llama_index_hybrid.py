"""LlamaIndex's hybrid retrieval in memory: its vector index and a BM25 retriever over bm25s, fused by its QueryFusionRetriever.

LlamaIndex keeps its BM25 retriever in a package of its own, which wraps bm25s in the way done here.
"""

from collections.abc import Sequence

from llama_index.core import MockEmbedding, QueryBundle, VectorStoreIndex
from llama_index.core.llms import MockLLM
from llama_index.core.retrievers import BaseRetriever, QueryFusionRetriever
from llama_index.core.retrievers.fusion_retriever import FUSION_MODES
from llama_index.core.schema import NodeWithScore, TextNode

from retrieval.evaluation.peers.shelf import Ask, Shelf
from retrieval.evaluation.peers.sparse import bm25s_index, found
from retrieval.ports.models import Vectors


class BM25Retriever(BaseRetriever):
    """Nodes by bm25s."""

    def __init__(self, nodes: Sequence[TextNode], *, depth: int) -> None:
        super().__init__()
        self._nodes = nodes
        self._depth = depth
        self._index = bm25s_index([node.text for node in nodes])

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        hits = found(self._index, query_bundle.query_str, depth=self._depth)
        return [NodeWithScore(node=self._nodes[at], score=score) for at, score in hits]


def llama_index_hybrid(shelf: Shelf) -> Ask:
    rows = zip(shelf.ids, shelf.texts, shelf.vectors, strict=True)
    nodes = [TextNode(id_=id_, text=text, embedding=vector.tolist()) for id_, text, vector in rows]
    index = VectorStoreIndex(nodes, embed_model=MockEmbedding(embed_dim=shelf.vectors.shape[1]))
    fusion = QueryFusionRetriever(
        [index.as_retriever(similarity_top_k=shelf.depth), BM25Retriever(nodes, depth=shelf.depth)],
        llm=MockLLM(),
        mode=FUSION_MODES.RECIPROCAL_RANK,
        similarity_top_k=shelf.depth,
        num_queries=1,  # the query alone, no variants of it by a language model
        use_async=False,
    )

    def ask(text: str, vector: Vectors) -> Sequence[str]:
        return [hit.node.node_id for hit in fusion.retrieve(QueryBundle(text, embedding=vector.tolist()))]

    return ask
