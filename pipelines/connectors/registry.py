"""From a source's registration to its connector. The only file that picks one."""

from pathlib import Path

from pipelines.connectors import kinds
from pipelines.connectors.files import FilesConnector
from pipelines.connectors.globs import Glob
from pipelines.connectors.local_tree import LocalTree
from pipelines.connectors.location import local_root, location_problems, values
from pipelines.connectors.object_tree import ObjectTree
from pipelines.connectors.outbound import Outbound
from pipelines.connectors.permissions import Rules
from pipelines.connectors.port import Connector
from pipelines.connectors.selection import Selection
from pipelines.connectors.tree import Tree
from pipelines.connectors.urls import key_of_url
from pipelines.connectors.web import WebConnector
from retrieval.domain.errors import InvalidInput
from retrieval.domain.sources import SourceSpec
from retrieval.settings import Settings

KINDS = kinds.KINDS
"""Name to kind: what a launchpad, a command's help and an error message tell people."""


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
    return _web(spec, settings) if spec.kind == kinds.WEB.name else _files(spec, settings)


def _files(spec: SourceSpec, settings: Settings) -> FilesConnector:
    return FilesConnector(
        _tree(values(spec, "root")[0]),
        selection=_selection(spec),
        rules=Rules(spec.rules),
        max_files=settings.source_max_files,
        max_file_bytes=settings.source_max_file_bytes,
    )


def _tree(root: str) -> Tree:
    path = local_root(root)
    return LocalTree(Path(path)) if path is not None else ObjectTree(root)


def _web(spec: SourceSpec, settings: Settings) -> WebConnector:
    return WebConnector(
        Outbound(settings),
        urls=values(spec, "urls"),
        sitemap=next(map(key_of_url, values(spec, "sitemap")), ""),
        selection=_selection(spec),
        rules=Rules(spec.rules),
        max_urls=settings.web_max_urls,
        max_page_bytes=settings.source_max_file_bytes,
    )


def _selection(spec: SourceSpec) -> Selection:
    return Selection(tuple(map(Glob, values(spec, "include"))), tuple(map(Glob, values(spec, "exclude"))))
