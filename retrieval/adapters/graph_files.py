"""The knowledge graph as networkx sees it, and as files that other programs read."""

import json
import os
import re
import tempfile
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO

import networkx as nx

from retrieval.domain.errors import InvalidInput
from retrieval.ports.graph import Subgraph

_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What no XML 1.0 document may hold, however it is written (W3C, Extensible Markup Language 1.0, section 2.2)."""


def network_of(graph: Subgraph) -> "nx.MultiDiGraph[str]":
    """Entities and passages, told apart by `type`: passages mention entities, and entities are related to one another.

    A relation's `weight` is the number of passages that support it and `passages` are their ids, joined by spaces.
    """
    network: nx.MultiDiGraph[str] = nx.MultiDiGraph()
    defined: dict[str, list[str]] = defaultdict(list)
    for entity, definition in graph.definitions:
        defined[entity].append(f"{definition.source}: {definition.text}")
    for each in graph.entities:
        said = {"name": each.name, "kinds": " ".join(each.kinds), "definition": "\n".join(defined[each.id])}
        network.add_node(each.id, type="entity", **_clean(said), passages=each.passages, documents=each.documents)
    for place in graph.passages:
        stands = {"document": place.document, "version": place.version, "source": place.source, "title": place.title, "uri": place.uri}
        page = {} if place.page is None else {"page": place.page}
        network.add_node(place.passage, type="passage", **_clean(stands | {"headings": " / ".join(place.heading_path)}), **page)
    for passage, entity, kind in graph.mentions:
        network.add_edge(passage, entity, key=f"mentions {kind}", type="mentions", kind=kind.value)
    supported: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for relation, subject, object_, passage in graph.relations:
        supported[relation.value, subject, object_].append(passage)
    for (relation_, subject, object_), passages in supported.items():
        network.add_edge(subject, object_, key=relation_, type=relation_, weight=len(passages), passages=" ".join(sorted(passages)))
    return network


def write_graph(graph: Subgraph, path: Path, *, format_: str) -> None:
    """Write the graph as `graphml` or `json`, whole or not at all, readable to the one who writes it only.

    Raises:
        InvalidInput: names `format` or `output`.
    """
    write = _WRITERS.get(format_)
    if write is None:
        raise InvalidInput.of("format", "is not a format of graphs", limit=", ".join(_WRITERS))
    try:
        _replace(path, lambda file: write(network_of(graph), file))
    except OSError as error:
        raise InvalidInput.of("output", f"cannot be written: {os.strerror(error.errno or 0)}") from error


def _write_graphml(network: "nx.MultiDiGraph[str]", file: BinaryIO) -> None:
    nx.write_graphml(network, file)


def _write_json(network: "nx.MultiDiGraph[str]", file: BinaryIO) -> None:
    file.write(json.dumps(nx.node_link_data(network), ensure_ascii=False, indent=1).encode())


_WRITERS: Mapping[str, Callable[["nx.MultiDiGraph[str]", BinaryIO], None]] = {"graphml": _write_graphml, "json": _write_json}


def _replace(path: Path, write: Callable[[BinaryIO], None]) -> None:
    with tempfile.NamedTemporaryFile(dir=path.absolute().parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            write(file)  # type: ignore[arg-type]  # a wrapper around a BinaryIO
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def _clean(said: Mapping[str, str]) -> dict[str, str]:
    return {name: _NOT_IN_XML.sub("", text) for name, text in said.items()}
