"""The knowledge graph's words: entities, where passages mention them, and typed relations with the passages that support them.

The graph is bipartite: passages and entities. Every path from one passage to another runs through an entity that both mention, and every
path from one entity to another through a passage that mentions both, so taking a passage away takes its paths away.
"""

import hashlib
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

from retrieval.domain.documents import Span


class EntityKind(StrEnum):
    """Where a name comes from, the surest first."""

    TERM = "term"
    """From a glossary that a source's owner supplies."""
    TITLE = "title"
    """A document's title."""
    HEADING = "heading"
    ACRONYM = "acronym"
    """With its expansion where a text gives one."""
    IDENTIFIER = "identifier"
    """`ERR-1042`, `max_retries`, `RetryPolicy`."""
    LINK = "link"
    """What a link points to."""
    NAME = "name"
    """Capitalised words."""


class RelationKind(StrEnum):
    """What one entity is to another, as far as text says so without a language model."""

    MENTIONED_WITH = "mentioned_with"
    EXPANDS = "expands"
    """From an acronym to what it stands for."""
    DEFINES = "defines"
    """From a document's title or heading to what its text is about."""
    LINKS_TO = "links_to"
    PART_OF = "part_of"
    """From a heading to the title it stands under."""


@dataclass(frozen=True)
class Mention:
    """An entity in a passage.

    Attributes:
        name: as this passage writes it.
        span: where, in the passage's own text; None when the title or a heading says it and not the text.
    """

    entity: str
    kind: EntityKind
    name: str
    span: Span | None


@dataclass(frozen=True)
class Relation:
    """A typed, directed relation between two entities, by id, that one passage supports."""

    kind: RelationKind
    subject: str
    object: str


@dataclass(frozen=True)
class GlossaryTerm:
    """One entry of a source's glossary, as its owner writes it.

    Attributes:
        name: what the entity is called; its id is that of this name, whichever alias a passage writes.
        kind: the owner's own word for what sort of thing it is, e.g. `product`; empty for none.
        definition: shown to those who may read a passage of the source that mentions the term.
    """

    name: str
    kind: str = ""
    aliases: tuple[str, ...] = ()
    definition: str = ""

    @property
    def entity(self) -> str:
        return entity_id(self.name)


@dataclass(frozen=True)
class PassageFacts:
    """All that the graph holds of one passage."""

    passage: str
    mentions: tuple[Mention, ...]
    relations: tuple[Relation, ...] = ()


_ARTICLES = ("the ", "a ", "an ")


def entity_key(name: str) -> str:
    """What two spellings of one entity have in common.

    Compatibility characters, case, space, the curl of an apostrophe and an English article in front do not tell entities apart.
    """
    folded = " ".join(unicodedata.normalize("NFKC", name).casefold().replace("\u2019", "'").split())
    return folded.split(" ", 1)[1] if folded.startswith(_ARTICLES) else folded


def entity_id(name: str) -> str:
    """Equal for every spelling of one name; says nothing of who mentions it."""
    return "ent_" + hashlib.blake2b(entity_key(name).encode(), digest_size=12).hexdigest()
