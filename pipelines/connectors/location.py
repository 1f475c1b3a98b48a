"""What may stand in a source's `location`. Nothing is reached here, so a person learns of a mistake while registering."""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from urllib.parse import unquote, urlsplit

from pipelines.connectors.globs import glob_problem
from pipelines.connectors.kinds import FILES, KINDS, Option
from pipelines.connectors.port import FileRefused
from pipelines.connectors.urls import check_url
from retrieval.domain.errors import FieldProblem
from retrieval.domain.sources import SourceSpec
from retrieval.settings import Settings

_STORES = {
    "s3": ("s3fs", "s3"),
    "gs": ("gcsfs", "gs"),
    "gcs": ("gcsfs", "gs"),
    "az": ("adlfs", "az"),
    "abfs": ("adlfs", "az"),
    "memory": ("fsspec", ""),
}
"""Scheme to the library that reads it and the extra that installs that. Others, such as http or sftp, would get around our guards."""


def location_problems(spec: SourceSpec, settings: Settings) -> list[FieldProblem]:
    """Everything that is wrong with a source's kind, options and rule patterns."""
    kind = KINDS.get(spec.kind)
    if kind is None:
        return [FieldProblem("kind", "not a kind of source", "one of " + ", ".join(KINDS))]
    known = {option.name: option for option in kind.options}
    problems = [
        FieldProblem(f"location.{name}", "unknown option", "one of " + ", ".join(known)) for name in sorted(set(spec.location) - set(known))
    ]
    for option in kind.options:
        problems.extend(_option_problems(spec, option))
    problems.extend(_files_problems(spec) if kind is FILES else _web_problems(spec, settings))
    for number, rule in enumerate(spec.rules, 1):
        if problem := glob_problem(rule.glob):
            problems.append(FieldProblem(f"rules[{number}].glob", problem))
    return problems


def values(spec: SourceSpec, name: str) -> Sequence[str]:
    """An option's values; its default when it is not given or empty."""
    given = spec.location.get(name, ())
    stripped = [value.strip() for value in ([given] if isinstance(given, str) else given)]
    default = next((option.default for option in KINDS[spec.kind].options if option.name == name), "")
    return [value for value in stripped if value] or ([default] if default else [])


def local_root(root: str) -> str | None:
    """The path of a root on this machine; None for a root in a store."""
    if "://" not in root:
        return root
    url = urlsplit(root)
    return unquote(url.path, errors="surrogateescape") if url.scheme == "file" and url.netloc in {"", "localhost"} else None


def _option_problems(spec: SourceSpec, option: Option) -> Iterator[FieldProblem]:
    given = values(spec, option.name)
    if option.required and not given:
        yield FieldProblem(f"location.{option.name}", "is required")
    if not option.takes_many and len(given) > 1:
        yield FieldProblem(f"location.{option.name}", "one value, not a list")
    if option.name in {"include", "exclude"}:
        for number, glob in enumerate(given, 1):
            if problem := glob_problem(glob):
                yield FieldProblem(f"location.{option.name}[{number}]", problem)


def _files_problems(spec: SourceSpec) -> Iterator[FieldProblem]:
    for root in values(spec, "root"):
        problem = _root_problem(root)
        if problem:
            yield FieldProblem("location.root", problem)


def _root_problem(root: str) -> str | None:
    path = local_root(root)
    if path is None:
        return _store_problem(root)
    if "\0" in path:
        return "a path has no NUL character"
    if not path.startswith("/"):
        return "an absolute path, such as /srv/documents, or a URL"
    if ".." in path.split("/"):
        return "a path without '..'"
    if not path.strip("/"):
        return "a folder of documents, not the whole machine"
    return None


def _store_problem(root: str) -> str | None:
    scheme, _, rest = root.partition("://")
    if scheme not in _STORES or "::" in root:
        return "a local path, or a URL with one of " + ", ".join(f"{name}://" for name in ("file", "s3", "gs", "az"))
    if "@" in rest.split("/", 1)[0] or any(mark in rest for mark in "?#"):
        return "a URL without credentials, '?' and '#'; the store's own settings hold its credentials"
    if not rest.strip("/") or any(name in {"", ".", ".."} for name in rest.strip("/").split("/")):
        return f"a bucket and a folder in it, such as {scheme}://bucket/folder"
    library, extra = _STORES[scheme]
    if find_spec(library) is None:
        return f"{scheme}:// needs the extra '{extra}': pip install 'archivist[{extra}]'"
    return None


def _web_problems(spec: SourceSpec, settings: Settings) -> Iterator[FieldProblem]:
    urls, sitemaps = values(spec, "urls"), values(spec, "sitemap")
    if bool(urls) == bool(sitemaps):
        yield FieldProblem("location.urls", "give either 'urls' or 'sitemap'")
    if len(urls) > settings.web_max_urls:
        yield FieldProblem("location.urls", "too many pages", f"{settings.web_max_urls} URLs")
    named = [(f"location.urls[{number}]", url) for number, url in enumerate(urls, 1)] + [("location.sitemap", url) for url in sitemaps]
    for field, url in named:
        try:
            check_url(url, any_port=settings.web_allow_private_addresses)
        except FileRefused as refused:
            yield FieldProblem(field, refused.reason)
