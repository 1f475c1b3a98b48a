"""The index on a Qdrant server: an alias that readers search, and the collection that it stands for.

The alias names the contract, the collection's metadata the models. A reader by another contract looks for another alias and is told that
its index is not built; one with another embedder finds no vectors of its name. Neither can search vectors that mean something else.
A collection cannot be given further vectors on every server there is, so one that holds another model's beside is filled anew.
"""

import hashlib
import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence

from qdrant_client import QdrantClient, models

from retrieval.adapters.qdrant.collection import IndexIdentity
from retrieval.adapters.qdrant.legs import search_legs
from retrieval.adapters.qdrant.payload import HeldPassage
from retrieval.adapters.qdrant.planner import DenseLimits
from retrieval.adapters.qdrant.server_collection import ServerCollection, translated
from retrieval.domain.errors import IndexUnavailable, RevisionNotReached
from retrieval.domain.passages import IndexedDocument
from retrieval.domain.permissions import AccessScope
from retrieval.ports.models import Vectors
from retrieval.ports.reading import LegRuns, LegSearch
from retrieval.ports.writing import IndexWriter, Reclassification


class QdrantServerIndex:
    """PassageSearch and IndexWriter over a Qdrant server. Thread-safe; any number of processes read, one at a time should write.

    Attributes:
        alias: what readers search.
    """

    def __init__(self, client: QdrantClient, collection: str, identity: IndexIdentity, *, limits: DenseLimits | None = None) -> None:
        self._client = client
        self._identity = identity
        self._limits = limits or DenseLimits()
        self._known: dict[str, IndexIdentity] = {}
        self.alias = f"{collection}-{_digest(identity.contract)}"
        self._ours = re.compile(re.escape(collection) + r"-[0-9a-f]{8}-[0-9a-f]{8}")
        self._read = ServerCollection(client, self.alias, identity)

    @property
    def needs_build(self) -> bool:
        """Whether no collection serves that holds the model and those beside it."""
        serving = self._serving()
        return serving is None or self._identity.lacks(self._held(serving))

    @property
    def is_built(self) -> bool:
        """Whether a collection serves at all."""
        return self._serving() is not None

    def holds(self, model: str) -> bool:
        """Whether vectors of this model can be searched."""
        serving = self._serving()
        return serving is not None and model in self._held(serving).models

    def search(self, scope: AccessScope, search: LegSearch) -> LegRuns:
        if search.at_least and self.revision() < search.at_least:
            raise RevisionNotReached("the index has not reached the asked-for state yet")
        return search_legs(self._read, scope, search, limits=self._limits)

    def texts(self, scope: AccessScope, passages: Sequence[str]) -> Mapping[str, str]:
        return self._read.texts(scope, passages)

    def vectors(self, scope: AccessScope, passages: Sequence[str], *, model: str = "") -> Mapping[str, Vectors]:
        return self._read.vectors(scope, passages, model=model)

    def revision(self) -> int:
        return self._write().applied_revision()

    def contents(self) -> Iterator[HeldPassage]:
        """Every point. For comparing with the catalog; knows no reader."""
        return self._write().contents()

    def passages(self) -> int:
        return self._read.passages()

    def replace(self, documents: Sequence[IndexedDocument]) -> None:
        self._write().replace(documents)

    def reclassify(self, changes: Sequence[Reclassification]) -> None:
        self._write().reclassify(changes)

    def applied(self, revision: int) -> None:
        self._write().applied(revision)

    def applied_revision(self) -> int:
        return self.revision()

    def rebuild(self, fill: Callable[[IndexWriter], object]) -> None:
        """Fill a new collection, let it serve in one step, then drop what served before, whatever its identity.

        What served is searched until then. A rebuild that dies leaves a collection that the next one drops.
        """
        replacement = ServerCollection(self._client, f"{self.alias}-{uuid.uuid4().hex[:8]}", self._identity)
        replacement.create()
        fill(replacement)
        operations: list[models.AliasOperations] = []
        if self._serving() is not None:
            operations.append(models.DeleteAliasOperation(delete_alias=models.DeleteAlias(alias_name=self.alias)))
        appointed = models.CreateAlias(collection_name=replacement.name, alias_name=self.alias)
        operations.append(models.CreateAliasOperation(create_alias=appointed))
        with translated("exchanging the collection"):
            self._client.update_collection_aliases(operations)
        self._drop_all_but(replacement.name)

    def _write(self) -> ServerCollection:
        """The collection itself: its settings cannot be changed through an alias."""
        serving = self._serving()
        if serving is None:
            raise IndexUnavailable(f"the index {self.alias} has not been built on the Qdrant server yet", retry_after_seconds=5)
        return ServerCollection(self._client, serving, self._held(serving))

    def _held(self, collection: str) -> IndexIdentity:
        """What a collection says it holds. A collection's models never change, so they are asked for once."""
        if collection not in self._known:
            with translated("reading what the index holds"):
                self._known[collection] = IndexIdentity.of_json(self._client.get_collection(collection).config.metadata or {})
        return self._known[collection]

    def _serving(self) -> str | None:
        with translated("looking for the index"):
            aliases = self._client.get_aliases().aliases
        return next((alias.collection_name for alias in aliases if alias.alias_name == self.alias), None)

    def _drop_all_but(self, serving: str) -> None:
        with translated("looking for outdated collections"):
            names = [found.name for found in self._client.get_collections().collections]
        for name in names:
            if self._ours.fullmatch(name) and name != serving:
                ServerCollection(self._client, name, self._identity).drop()


def _digest(contract: int) -> str:
    return hashlib.blake2b(f"contract {contract}".encode(), digest_size=4).hexdigest()
