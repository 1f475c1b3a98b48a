"""A glossary in a YAML file, read strictly: strings, lists and mappings only, no aliases, no doubled keys."""

import yaml

from retrieval.domain.errors import InvalidInput
from retrieval.domain.glossary import GlossaryLimits, glossary_of
from retrieval.domain.graph import GlossaryTerm
from retrieval.settings import Settings

_MAX_DEPTH = 5
"""Nested YAML values; the format needs four."""


def read_glossary(content: bytes, settings: Settings) -> tuple[GlossaryTerm, ...]:
    """The terms of a glossary file.

    Raises:
        InvalidInput: it is too large, no YAML, or names an entry and field that breaks a rule or a limit.
    """
    if len(content) > settings.glossary_max_bytes:
        raise InvalidInput.of("glossary", "the file is too large", limit=f"{settings.glossary_max_bytes} bytes")
    try:
        loader = _PlainLoader(content)
        try:
            raw = loader.get_single_data()
        finally:
            loader.dispose()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InvalidInput.of("glossary", f"not understood as YAML{place}") from error
    return glossary_of(raw, limits_of(settings))


def limits_of(settings: Settings) -> GlossaryLimits:
    return GlossaryLimits(
        terms=settings.glossary_max_terms,
        aliases=settings.glossary_max_aliases,
        name_characters=settings.graph_name_max_characters,
        definition_characters=settings.glossary_max_definition_characters,
    )


class _PlainLoader(yaml.BaseLoader):
    """Every scalar is a string, so that a term called `no` or `1.0` keeps its name."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent) or self.depth >= _MAX_DEPTH:
            raise yaml.composer.ComposerError(None, None, "aliases and deep nesting are not taken", mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        if isinstance(node, yaml.MappingNode):
            _check_keys(node)
        return node


def _check_keys(node: yaml.MappingNode) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode) or key.value in seen:
            raise yaml.composer.ComposerError(None, None, "a key is a word that is there once", key.start_mark)
        seen.add(key.value)
