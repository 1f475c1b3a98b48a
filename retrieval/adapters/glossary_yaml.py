"""A glossary in a YAML file, read strictly: strings, lists and mappings only, no aliases, no doubled keys."""

import yaml

from retrieval.adapters.strict_yaml import StrictLoader, load, place
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
        raw = load(content, _GlossaryLoader)
    except yaml.YAMLError as error:
        raise InvalidInput.of("glossary", f"not understood as YAML{place(error)}") from error
    return glossary_of(raw, limits_of(settings))


def limits_of(settings: Settings) -> GlossaryLimits:
    return GlossaryLimits(
        terms=settings.glossary_max_terms,
        aliases=settings.glossary_max_aliases,
        name_characters=settings.graph_name_max_characters,
        definition_characters=settings.glossary_max_definition_characters,
    )


class _GlossaryLoader(StrictLoader):
    max_depth = _MAX_DEPTH

    def refuse_doubled(self, key: yaml.ScalarNode) -> None:
        """With the place alone: a term may be a word of a document."""
        raise yaml.composer.ComposerError(None, None, "a key is a word that is there once", key.start_mark)
