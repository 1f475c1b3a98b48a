"""YAML read strictly: strings, lists and mappings only. No tags, numbers, dates or aliases (so no bombs), no doubled keys, little depth."""

import yaml

from retrieval.domain.errors import InvalidInput


class StrictLoader(yaml.BaseLoader):
    """Every scalar is a string, so that a word such as `no` or `1.0` keeps its spelling. Subclasses say how deep values may nest."""

    max_depth: int
    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
        if self.check_event(yaml.AliasEvent) or self.depth >= self.max_depth:
            raise yaml.composer.ComposerError(None, None, "aliases and deep nesting are not taken", mark)
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        if isinstance(node, yaml.MappingNode):
            self.check_keys(node)
        return node

    def check_keys(self, node: yaml.MappingNode) -> None:
        """Each key is a word that is there once. Raises InvalidInput or YAMLError."""
        seen: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(None, None, "a key is a word", key.start_mark)
            if key.value in seen:
                self.refuse_doubled(key)
            seen.add(key.value)

    def refuse_doubled(self, key: yaml.ScalarNode) -> None:
        raise InvalidInput.of(f"'{key.value}' (line {key.start_mark.line + 1})", "is there twice")


def load(content: bytes, loader_class: type[StrictLoader]) -> object:
    """What the one document in `content` holds. Raises InvalidInput or YAMLError."""
    loader = loader_class(content)
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def place(error: yaml.YAMLError) -> str:
    """Where in the file, to be put behind what is wrong; empty where the error does not say."""
    mark = getattr(error, "problem_mark", None)
    return f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
