"""The peers by name: what a user would pick instead. Each is imported when it is measured: the libraries are an optional extra."""

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from typing import cast

from retrieval.domain.errors import InvalidInput
from retrieval.evaluation.peers.shelf import Peer

EXTRA = "peers"


def _imported(module: str, name: str) -> Callable[[], Peer]:
    def load() -> Peer:
        try:
            return cast(Peer, getattr(import_module(f"retrieval.evaluation.peers.{module}"), name))
        except ModuleNotFoundError as error:
            raise InvalidInput.of(
                "peers", f"{error.name} is not installed: pip install 'archivist[{EXTRA}]', or leave the peers out"
            ) from error

    return load


DISTRIBUTIONS: Mapping[str, str] = {
    "rank_bm25": "rank-bm25",
    "bm25s": "bm25s",
    "haystack": "haystack-ai",
    "llama-index": "llama-index-core",
    "qdrant-client": "qdrant-client",
}
"""What is installed for each peer."""


def peer_versions(names: Sequence[str]) -> Mapping[str, str]:
    """Installed distribution to its version, of the peers by these names."""
    return {DISTRIBUTIONS[name]: version(DISTRIBUTIONS[name]) for name in names}


PEERS: Mapping[str, Callable[[], Peer]] = {
    "rank_bm25": _imported("okapi", "rank_bm25"),
    "bm25s": _imported("sparse", "bm25s_alone"),
    "haystack": _imported("haystack_hybrid", "haystack_hybrid"),
    "llama-index": _imported("llama_index_hybrid", "llama_index_hybrid"),
    "qdrant-client": _imported("qdrant_local", "qdrant_local"),
}
"""Name in the reports to what loads it. Loading raises InvalidInput naming the extra when a library is missing."""
