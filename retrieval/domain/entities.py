"""What one passage says for the knowledge graph: the entities it mentions and the relations it supports.

Rules over letters and punctuation, no model: the same passage gives the same facts wherever it is read. Names are not resolved here:
a passage that names another document's title mentions the same entity as that document, because both have the same id.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import pairwise
from urllib.parse import urldefrag, urljoin

from retrieval.domain.acronyms import expansions
from retrieval.domain.documents import Span
from retrieval.domain.graph import EntityKind, GlossaryTerm, Mention, PassageFacts, Relation, RelationKind, entity_id
from retrieval.domain.names import CAPITAL, names

EXTRACTOR_VERSION = 1
"""Facts of another version are extracted again."""
LONGEST_NAME = 200
"""Characters; what is longer is prose."""

_IDENTIFIER = re.compile(
    r"(?<![\w./\-])(?:[A-Z][A-Z0-9]+(?:[-_][A-Z0-9]+)*[-_]\d[\w\-]*|[a-z]+[a-z0-9]*[A-Z]\w*|(?:[A-Z][a-z0-9]+){2,}|_*[A-Za-z]\w*_\w+)(?![\w\-])"
)
_NOT_HUMPS = re.compile(r"(?:Mc|Mac|De|Di|Du|La|Le|Van|Fitz|O)[A-Z][a-z]+\Z")
_CAPITALS = re.compile(r"(?<![\w.\-/&])[A-Z][A-Z0-9&]{1,8}[A-Z0-9](?![\w\-/&])|(?<![\w.\-/&])[A-Z]{2}(?![\w\-/&])")
_ROMAN = re.compile(r"[IVXLCDM]+\Z")
_MARKDOWN_LINK = re.compile(r"\[([^\[\]\n]{1,200})\]\(\s*<?([^\s()<>]{1,500})>?(?:\s+\"[^\"\n]*\")?\s*\)")
_URL = re.compile(r"\bhttps?://[^\s<>\"'`\])}]{3,500}")
_DISAMBIGUATION = re.compile(r"\s*[(\[（][^()\[\]（）]{1,60}[)\]）]\s*\Z")  # noqa: RUF001 - full-width brackets
_PERSONAL = re.compile(rf"(?:{CAPITAL}[\w.'’\-]*\s)*{CAPITAL}[\w.'’\-]*, (?:{CAPITAL}[\w.'’\-]*|(?:\s|of|the|de|and|von|di|du|la)+)+")  # noqa: RUF001
"""`Lambert, Margrave of Tuscany`: nothing but names on both sides of a comma."""
_MOST_CAPITALS = 0.5
"""Of a text's words: above it, capitals do not tell an acronym."""


class Glossary:
    """Terms and aliases, ready to be found in many texts. Case does not matter, except for names of capitals alone (`IT` is not `it`)."""

    def __init__(self, terms: Iterable[GlossaryTerm] = ()) -> None:
        ordered = tuple(terms)
        self._entity = {" ".join(name.split()): term.name for term in ordered for name in (*term.aliases, term.name) if name.strip()}
        self._folded = {name.casefold(): term for name, term in self._entity.items() if not name.isupper()}
        alternatives = sorted(self._entity, key=lambda name: (-len(name), name))
        self._pattern = re.compile("|".join(map(_spelt, alternatives))) if alternatives else None

    def found(self, text: str) -> list[tuple[Span, str]]:
        """Where `text` writes a term or alias, and the term; the longest at each place."""
        if self._pattern is None:
            return []
        spans = [Span(match.start(), match.end()) for match in self._pattern.finditer(text)]
        return [(span, self._term(" ".join(span.of(text).split()))) for span in spans]

    def _term(self, written: str) -> str:
        return self._entity.get(written) or self._folded[written.casefold()]


NO_GLOSSARY = Glossary()


def facts_of(
    passage: str,
    *,
    title: str,
    heading_path: Sequence[str],
    text: str,
    glossary: Glossary = NO_GLOSSARY,
    uri: str = "",
) -> PassageFacts:
    """What the passage says. One mention for each entity, of the surest kind, at its first place in the text; a glossary's beside it.

    Args:
        passage: its id.
        title: of its document.
        heading_path: the headings it stands under, outermost first.
        text: its own text; spans refer to it.
        glossary: its source's.
        uri: where its document is; links to it and links that are relative to it meet there. Empty: unknown.
    """
    found = _Found()
    for span, term in glossary.found(text):
        found.add(EntityKind.TERM, term, span.of(text), span)
    for line in (title, *heading_path):
        for span, term in glossary.found(line):
            found.add(EntityKind.TERM, term, span.of(line), None)
    _add_titles(found, title, heading_path)
    short_of = _add_expansions(found, text)
    for line in (title, *heading_path, text):
        _add_symbols(found, line, inside=line is text)
    linked = _add_links(found, text, uri)
    _add_names(found, text, title)
    return PassageFacts(passage, found.mentions(), _relations(found, title, heading_path, short_of, linked))


class _Found:
    """Mentions by entity, the surest kind first, a glossary's beside what else names it; the first place in the text is kept."""

    def __init__(self) -> None:
        self._by_entity: dict[tuple[str, bool], Mention] = {}

    def add(self, kind: EntityKind, name: str, written: str, span: Span | None) -> str | None:
        """The entity's id; None for what cannot be a name."""
        if not written or len(name) > LONGEST_NAME:
            return None
        entity = _id(name)
        place = entity, kind is EntityKind.TERM
        earlier = self._by_entity.get(place)
        if earlier is None:
            self._by_entity[place] = Mention(entity, kind, written, span)
        elif earlier.span is None and span is not None:
            self._by_entity[place] = Mention(entity, earlier.kind, earlier.name, span)
        return entity

    def mentions(self) -> tuple[Mention, ...]:
        return tuple(self._by_entity.values())


@lru_cache(maxsize=65_536)
def _id(name: str) -> str:
    return entity_id(name)


def title_names(title: str) -> tuple[str, ...]:
    """A title and the shorter forms by which texts mean it: without what tells it from its namesakes."""
    whole = " ".join(title.split()).rstrip(".")
    without = _DISAMBIGUATION.sub("", whole)
    short = without.split(", ", 1)[0] if _PERSONAL.fullmatch(without) else without
    return tuple(dict.fromkeys(name for name in (whole, without, short) if name))


def _add_titles(found: _Found, title: str, heading_path: Sequence[str]) -> None:
    for name in title_names(title):
        found.add(EntityKind.TITLE, name, name, None)
    for heading in heading_path:
        whole = " ".join(heading.split()).rstrip(".")
        found.add(EntityKind.HEADING, whole, whole, None)


def _add_expansions(found: _Found, text: str) -> list[tuple[str, str]]:
    """(acronym, what it stands for), by entity."""
    pairs = []
    for expansion in expansions(text):
        short = found.add(EntityKind.ACRONYM, expansion.short.of(text), expansion.short.of(text), expansion.short)
        long = found.add(EntityKind.ACRONYM, expansion.long.of(text), expansion.long.of(text), expansion.long)
        if short is not None and long is not None:
            pairs.append((short, long))
    return pairs


def _add_symbols(found: _Found, line: str, *, inside: bool) -> None:
    """Identifiers, and acronyms without an expansion."""
    for match in _IDENTIFIER.finditer(line):
        if not _NOT_HUMPS.match(match.group()):
            found.add(EntityKind.IDENTIFIER, match.group(), match.group(), Span(*match.span()) if inside else None)
    capitals = list(_CAPITALS.finditer(line))
    if len(capitals) > _MOST_CAPITALS * (line.count(" ") + 1) > _MOST_CAPITALS:
        return
    for match in capitals:
        if not _ROMAN.match(match.group()):
            found.add(EntityKind.ACRONYM, match.group(), match.group(), Span(*match.span()) if inside else None)


def _add_links(found: _Found, text: str, uri: str) -> list[str]:
    """The entities that the text links to."""
    if uri:
        found.add(EntityKind.LINK, urldefrag(uri).url, uri, None)
    linked = []
    for match in _MARKDOWN_LINK.finditer(text):
        target = urldefrag(_resolved(uri, match.group(2))).url
        linked.append(found.add(EntityKind.LINK, target, match.group(2), Span(*match.span(2))) if target else None)
        found.add(EntityKind.NAME, match.group(1).strip(), match.group(1).strip(), Span(*match.span(1)))
    for match in _URL.finditer(text):
        target = urldefrag(match.group().rstrip(".,;:!?")).url
        linked.append(found.add(EntityKind.LINK, target, target, Span(match.start(), match.start() + len(target))))
    return [entity for entity in linked if entity is not None]


def _resolved(uri: str, target: str) -> str:
    try:
        return urljoin(uri, target)
    except ValueError:
        return target


def _add_names(found: _Found, text: str, title: str) -> None:
    """A single word that is part of the title or of a longer name in the text is short for that, and no entity of its own."""
    spans = names(text)
    longer = {word for span in spans if " " in (name := span.of(text)) and _is_one_name(name) for word in name.split()}
    longer.update(title_names(title)[-1].split() if title.strip() else ())
    for span in spans:
        name = " ".join(span.of(text).split())
        if name not in longer:
            found.add(EntityKind.NAME, name, name, span)


def _is_one_name(name: str) -> bool:
    return "," not in name and all(not word[0].islower() for word in name.split())


def _relations(
    found: _Found, title: str, heading_path: Sequence[str], short_of: list[tuple[str, str]], linked: list[str]
) -> tuple[Relation, ...]:
    """One of each kind between the same two; the document's title is what the rest is said of."""
    about = [_id(" ".join(name.split()).rstrip(".")) for name in (title, *heading_path) if name.strip() and len(name) <= LONGEST_NAME]
    relations = [Relation(RelationKind.EXPANDS, short, long) for short, long in short_of]
    relations += [Relation(RelationKind.PART_OF, inner, outer) for outer, inner in pairwise(about)]
    if about:
        relations += [Relation(RelationKind.LINKS_TO, about[0], target) for target in linked]
        relations += [Relation(RelationKind.DEFINES, about[-1], mention.entity) for mention in found.mentions() if _is_defined(mention)]
        relations += [Relation(RelationKind.MENTIONED_WITH, about[0], mention.entity) for mention in found.mentions() if mention.span]
    return tuple(dict.fromkeys(relation for relation in relations if relation.subject != relation.object))


def _is_defined(mention: Mention) -> bool:
    """Whether the passage's text opens with it."""
    return mention.span is not None and mention.span.start == 0


def _spelt(name: str) -> str:
    spaced = r"\s+".join(map(re.escape, name.split()))
    plain = spaced if name.isupper() else f"(?i:{spaced})"
    return rf"(?<!\w){plain}(?!\w)"
