"""The connectors there are. A new one is one more line here, and its kind in `retrieval/domain/source_kinds.py`."""

from collections.abc import Mapping
from types import MappingProxyType

from pipelines.connectors import files, git, ingest, mailbox, push, sql, web
from pipelines.connectors.plugin import Plugin
from pipelines.connectors.port import Connector
from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.sources import SourceSpec
from retrieval.settings import Settings

PLUGINS: Mapping[str, Plugin] = MappingProxyType(
    {plugin.kind.name: plugin for plugin in (files.PLUGIN, web.PLUGIN, sql.PLUGIN, git.PLUGIN, mailbox.PLUGIN, push.PLUGIN, ingest.PLUGIN)}
)


def location_problems(spec: SourceSpec, settings: Settings) -> list[FieldProblem]:
    """Everything that is wrong with a source's kind, options and rule patterns."""
    plugin = PLUGINS.get(spec.kind)
    if plugin is None:
        return [FieldProblem("kind", "not a kind of source", "one of " + ", ".join(PLUGINS))]
    return plugin.all_problems(spec, settings)


def check_location(spec: SourceSpec, settings: Settings) -> None:
    """Check everything that can be checked without reaching the source.

    Raises:
        InvalidInput: names the kind, or every option and rule pattern that is unknown, missing or wrong.
    """
    problems = location_problems(spec, settings)
    if problems:
        raise InvalidInput(problems)


def connect(spec: SourceSpec, settings: Settings) -> Connector:
    """The connector of a source. The source itself is not reached before the connector is used.

    Raises:
        InvalidInput: as `check_location` does.
    """
    check_location(spec, settings)
    return PLUGINS[spec.kind].connect(spec, settings)
