"""What somebody may see of the graph, as networkx has it and as networkx and an XML parser read it back."""

import json
import stat
from pathlib import Path
from xml.etree import ElementTree

import networkx as nx
import pytest

from retrieval.adapters.graph_files import network_of, write_graph
from retrieval.domain.errors import InvalidInput
from retrieval.domain.graph import EntityKind, RelationKind
from retrieval.ports.graph import Definition, Entity, Subgraph, Support

STRANGE = "bell \x07, null \x00, half \udc80, last \uffff, snowman ☃, <tag> & 'quotes' 𝄞"


def place(passage: str) -> Support:
    return Support(passage, "doc_a", "ver_a", "handbook", "Title", "file:///a", 3, ("One", "Two"), "hash", 7)


GRAPH = Subgraph(
    entities=(
        Entity("ent_a", STRANGE, (EntityKind.TERM, EntityKind.NAME), 2, 1),
        Entity("ent_b", "B", (EntityKind.NAME,), 2, 1),
    ),
    definitions=(("ent_a", Definition("handbook", "A", "thing", "What A is.")), ("ent_a", Definition("wiki", "A", "", "Also A."))),
    passages=(place("p1"), place("p2")),
    mentions=tuple((passage, entity, EntityKind.NAME) for passage in ("p1", "p2") for entity in ("ent_a", "ent_b")),
    relations=((RelationKind.DEFINES, "ent_a", "ent_b", "p2"), (RelationKind.DEFINES, "ent_a", "ent_b", "p1")),
    revision=4,
)


def test_entities_and_passages_are_told_apart_and_relations_carry_their_support():
    network = network_of(GRAPH)

    assert {node for node, type_ in network.nodes(data="type") if type_ == "entity"} == {"ent_a", "ent_b"}
    assert network.nodes["ent_a"]["definition"] == "handbook: What A is.\nwiki: Also A."
    assert network.edges["ent_a", "ent_b", "defines"] == {"type": "defines", "weight": 2, "passages": "p1 p2"}
    assert nx.shortest_path(network.to_undirected(), "p1", "p2") in (["p1", "ent_a", "p2"], ["p1", "ent_b", "p2"])
    assert "access_class" not in network.nodes["p1"]


@pytest.mark.parametrize("format_", ["graphml", "json"])
def test_a_written_graph_is_read_back_the_same(tmp_path: Path, format_: str):
    path = tmp_path / "graph"
    write_graph(GRAPH, path, format_=format_)

    if format_ == "graphml":
        ElementTree.parse(path)
        again = nx.read_graphml(path, force_multigraph=True)
    else:
        again = nx.node_link_graph(json.loads(path.read_text()))

    assert dict(again.nodes(data=True)) == dict(network_of(GRAPH).nodes(data=True))
    edges = sorted((a, b, sorted(said.items(), key=str)) for a, b, said in again.edges(data=True))
    assert edges == sorted((a, b, sorted(said.items(), key=str)) for a, b, said in network_of(GRAPH).edges(data=True))
    assert again.nodes["ent_a"]["name"] == "bell , null , half , last , snowman ☃, <tag> & 'quotes' 𝄞"


def test_a_file_is_whole_and_for_its_writer_only(tmp_path: Path):
    path = tmp_path / "graph.json"
    path.write_text("before")

    write_graph(GRAPH, path, format_="json")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["graph.json"]


def test_a_graph_without_anything_is_a_file_too(tmp_path: Path):
    write_graph(Subgraph((), (), (), (), (), 0), tmp_path / "graph.graphml", format_="graphml")

    assert len(nx.read_graphml(tmp_path / "graph.graphml")) == 0


def test_what_cannot_be_written_says_so_and_leaves_nothing(tmp_path: Path):
    with pytest.raises(InvalidInput, match="output"):
        write_graph(GRAPH, tmp_path / "nowhere" / "graph", format_="json")
    with pytest.raises(InvalidInput, match="graphml, json"):
        write_graph(GRAPH, tmp_path / "graph", format_="dot")

    assert list(tmp_path.iterdir()) == []
