"""The API's description as a page for people: plain HTML of the same document that programs read at /openapi.json.

No script, no style and nothing from elsewhere, so the page works offline and under the same headers as every other response.
"""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_PAGE = '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title></head><body>{body}</body></html>'


def page(document: Mapping[str, Any]) -> str:
    title = f"{document['info']['title']} {document['info']['version']}"
    return _PAGE.format(title=escape(title), body="".join(_body(title, document)))


def _body(title: str, document: Mapping[str, Any]) -> Iterator[str]:
    yield f'<h1>{escape(title)}</h1><p>{escape(document["info"].get("summary", ""))} <a href="openapi.json">openapi.json</a></p>'
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield from _operation(f"{method.upper()} {path}", operation)
    yield "<h2>Bodies</h2>"
    for name, schema in sorted(document["components"]["schemas"].items()):
        yield from _schema(name, schema)


def _operation(heading: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h2><code>{escape(heading)}</code></h2>"
    yield from (f"<p>{escape(operation[part])}</p>" for part in ("summary", "description") if part in operation)
    parameters = [
        (f"{each['name']} ({each['in']})", each["schema"], each.get("description", "")) for each in operation.get("parameters", ())
    ]
    if parameters:
        yield _table(parameters)
    if "requestBody" in operation:
        yield f"<p>Body: {_kind(_only(operation['requestBody']['content']))}</p>"
    yield "<ul>"
    for status, response in sorted(operation["responses"].items()):
        body = _kind(_only(response["content"])) if "content" in response else "no body"
        yield f"<li>{status}: {escape(response['description'])} ({body})</li>"
    yield "</ul>"


def _schema(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield f'<h3 id="{escape(name)}">{escape(name)}</h3><p>{escape(schema.get("description", ""))}</p>'
    yield _table([(field, each, each.get("description", "")) for field, each in schema.get("properties", {}).items()])
    for example in schema.get("examples", ()):
        yield f"<pre>{escape(json.dumps(example, indent=2, ensure_ascii=False))}</pre>"


def _table(rows: list[tuple[str, Mapping[str, Any], str]]) -> str:
    cells = (f"<tr><td><code>{escape(name)}</code></td><td>{_kind(schema)}</td><td>{escape(said)}</td></tr>" for name, schema, said in rows)
    return f'<table border="1">{"".join(cells)}</table>'


def _only(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of the one media type."""
    schema: Mapping[str, Any] = next(iter(content.values())).get("schema", {})
    return schema


def _kind(schema: Mapping[str, Any]) -> str:
    """A schema in a few words, with links to the bodies that it names."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if "enum" in schema:
        return escape(", ".join(map(str, schema["enum"])))
    kind = escape(str(schema.get("const", schema.get("type", "anything"))))
    return f"{kind} of {_kind(schema['items'])}" if "items" in schema else kind
