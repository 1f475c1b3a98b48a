"""What a GraphQL document would change, and who may change that."""

from collections.abc import Iterator, Mapping
from enum import StrEnum
from functools import cache
from importlib.resources import files

import yaml
from graphql import GraphQLError, parse
from graphql.language import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)

from retrieval.domain.errors import InvalidInput

MAX_TOKENS = 20_000
"""Of one document: Dagster's own pages send fewer than 3,000."""


class DecidedBy(StrEnum):
    """Who decides on a mutation: the names of the sections of `mutations.yaml`."""

    COORDINATOR = "runs"
    ADMINS = "admins"
    NOBODY = "harmless"


@cache
def known_mutations() -> Mapping[str, DecidedBy]:
    """Every mutation that is listed, with who decides on it."""
    listed = yaml.safe_load(files("pipelines").joinpath("mutations.yaml").read_text())
    return {name: DecidedBy(section) for section, names in listed.items() for name in names}


def for_admins(document: str) -> tuple[str, ...]:
    """The mutations in the document that only administrators may ask for, those that are not listed among them.

    Every operation of the document counts, whichever of them would be run.

    Raises:
        InvalidInput: it is not GraphQL, or is longer than anything that the UI sends.
    """
    try:
        parsed = parse(document, max_tokens=MAX_TOKENS, no_location=True)
    except (GraphQLError, RecursionError) as error:
        raise InvalidInput.of("query", "is no GraphQL document", limit=f"{MAX_TOKENS} tokens") from error
    known = known_mutations()
    return tuple(sorted({name for name in _asked_for(parsed) if known.get(name, DecidedBy.ADMINS) is DecidedBy.ADMINS}))


def _asked_for(document: DocumentNode) -> Iterator[str]:
    fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
    for node in document.definitions:
        if isinstance(node, OperationDefinitionNode) and node.operation is OperationType.MUTATION:
            yield from _fields(node.selection_set, fragments, frozenset())


def _fields(selected: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], within: frozenset[str]) -> Iterator[str]:
    """Names of the fields, whatever alias they come under and through whatever fragments. `within` ends fragments that go in circles."""
    for node in selected.selections:
        if isinstance(node, FieldNode):
            yield node.name.value
        elif isinstance(node, InlineFragmentNode):
            yield from _fields(node.selection_set, fragments, within)
        elif isinstance(node, FragmentSpreadNode) and node.name.value in fragments and node.name.value not in within:
            yield from _fields(fragments[node.name.value].selection_set, fragments, within | {node.name.value})
