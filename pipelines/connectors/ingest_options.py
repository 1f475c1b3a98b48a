"""From a source's options to a connector of unstructured-ingest: what may be written, and the library's own objects made of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import yaml

from pipelines.connectors.credentials import credential, reference_problem
from pipelines.connectors.location import value
from retrieval.adapters.strict_yaml import StrictLoader, load
from retrieval.domain.errors import FieldProblem, InvalidInput, SourceUnavailable
from retrieval.domain.source_kinds import INGEST
from retrieval.domain.sources import SourceSpec
from retrieval.settings import Settings

PARTS = {"connection": "connection_config", "indexer": "indexer_config", "downloader": "downloader_config"}
"""Option to the library's name of what it configures."""
OURS = {"connection": frozenset({"access_config"}), "indexer": frozenset(), "downloader": frozenset({"download_dir"})}
"""Fields that no option sets: secrets have their own option, and files are downloaded where we say."""
EXTRA = "needs the extra 'ingest': pip install 'archivist[ingest]'"


class _Options(StrictLoader):
    max_depth = 4


@dataclass(frozen=True)
class Made:
    """One indexer and one downloader of the library, typed as loosely as it types them."""

    indexer: Any
    downloader: Any


def option_problems(spec: SourceSpec, settings: Settings) -> Iterator[FieldProblem]:
    """What is wrong with the connector's name, its fields and the references of its secrets. Reaches nothing."""
    name = value(spec, INGEST, "connector")
    allowed = settings.ingest_connector_names
    if not name:
        return
    if name not in allowed:
        yield FieldProblem("location.connector", "not a connector that the operator lets sources use", ", ".join(allowed) or "none so far")
        return
    if find_spec("unstructured_ingest") is None:
        yield FieldProblem("location.connector", EXTRA)
        return
    entry = _entry(name)
    if entry is None:
        yield FieldProblem("location.connector", "unstructured-ingest has no source of this name")
        return
    for option, part in PARTS.items():
        yield from _field_problems(spec, option, getattr(entry, part))
    yield from _access_problems(spec, entry, settings)


def make(spec: SourceSpec, settings: Settings, *, downloads: Path) -> Made:
    """The library's objects, with credentials read now and files downloaded below `downloads`.

    Raises:
        InvalidInput, SourceUnavailable: from the credentials.
        SourceUnavailable: the library does not take the options, or needs a package that is not installed.
    """
    entry = _entry(value(spec, INGEST, "connector"))
    if entry is None:
        raise SourceUnavailable("unstructured-ingest has no source of this name")
    try:
        access = {name: credential(reference, settings) for name, reference in _mapping(spec, "access").items()}
        connection = entry.connection_config(**_mapping(spec, "connection"), access_config=access)
        indexer = entry.indexer(connection_config=connection, index_config=entry.indexer_config(**_mapping(spec, "indexer")))
        download = entry.downloader_config(**_mapping(spec, "downloader"), download_dir=downloads)
        return Made(indexer, entry.downloader(connection_config=connection, download_config=download))
    except (InvalidInput, SourceUnavailable):
        raise
    except Exception as error:  # noqa: BLE001 - the library's own and pydantic's, which repeat what was given
        raise SourceUnavailable(f"the connector does not take these options ({type(error).__name__})") from None


def _entry(name: str) -> Any:  # noqa: ANN401 - the library types its registry with unbound variables
    """The library's entry; None when there is none. Importing it takes a second, so it is done when a source needs it."""
    import unstructured_ingest.processes.connectors  # noqa: PLC0415
    from unstructured_ingest.processes.connector_registry import source_registry  # noqa: PLC0415

    assert unstructured_ingest.processes.connectors
    return source_registry.get(name)


def _mapping(spec: SourceSpec, option: str) -> Mapping[str, Any]:
    """Raises InvalidInput naming the option."""
    written = value(spec, INGEST, option)
    try:
        found = load(written.encode(), _Options) if written else {}
    except (yaml.YAMLError, InvalidInput) as error:
        raise InvalidInput.of(f"location.{option}", "cannot be read as YAML or JSON") from error
    if not isinstance(found, Mapping):
        raise InvalidInput.of(f"location.{option}", "fields and values such as '{url: https://wiki.example.com, cloud: true}'")
    return found


def _field_problems(spec: SourceSpec, option: str, config: Any) -> Iterator[FieldProblem]:  # noqa: ANN401 - a pydantic class of the library
    try:
        given = _mapping(spec, option)
    except InvalidInput as error:
        yield from error.problems
        return
    known = {name: field for name, field in config.model_fields.items() if name not in OURS[option]}
    yield from _unknown_or_missing(option, given, known)


def _access_problems(spec: SourceSpec, entry: Any, settings: Settings) -> Iterator[FieldProblem]:  # noqa: ANN401 - the library's
    try:
        given = _mapping(spec, "access")
    except InvalidInput as error:
        yield from error.problems
        return
    yield from _unknown_or_missing("access", given, _secrets_of(entry.connection_config))
    for name, reference in given.items():
        problem = reference_problem(reference, settings) if isinstance(reference, str) else "one reference"
        if problem:
            yield FieldProblem(f"location.access.{name}", problem)


def _unknown_or_missing(option: str, given: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[FieldProblem]:
    for name in sorted(set(given) - set(known)):
        yield FieldProblem(f"location.{option}.{name[:50]}", "unknown field", "one of " + ", ".join(known))
    for name, field in known.items():
        if field.is_required() and name not in given:
            yield FieldProblem(f"location.{option}.{name}", "is required")


def _secrets_of(connection: Any) -> Mapping[str, Any]:  # noqa: ANN401 - a pydantic class of the library
    """Fields of the class within `Secret[...]`, which may be optional."""
    annotation = connection.model_fields["access_config"].annotation
    for inner in (annotation, *getattr(annotation, "__args__", ())):
        generic = getattr(inner, "__pydantic_generic_metadata__", None) or {}
        for argument in (*generic.get("args", ()), *getattr(inner, "__args__", ())):
            if hasattr(argument, "model_fields"):
                return dict(argument.model_fields)
    return {}
