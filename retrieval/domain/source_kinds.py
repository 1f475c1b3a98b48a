"""The kinds of sources and the options of each, for people: the Dagster launchpad, the console, the command line's help, error messages.

How each is read is the business of the connector of that name (`pipelines/connectors`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Option:
    """One option of a source's location.

    Attributes:
        default: used when it is not given; `""` for none.
        takes_many: a list is taken as well as one value.
        example: a value that a person could start from.
        choices: the only values that are taken; none: any.
        is_reference: the value names where a credential is kept, such as `env:NAME`; it is never the credential itself.
    """

    name: str
    description: str
    required: bool = False
    default: str = ""
    takes_many: bool = False
    example: str = ""
    choices: tuple[str, ...] = ()
    is_reference: bool = False


@dataclass(frozen=True)
class Kind:
    """One kind of source."""

    name: str
    description: str
    options: tuple[Option, ...]


FILES = Kind(
    "files",
    "A folder of documents: on this machine, or in an object store.",
    (
        Option(
            "root",
            "Absolute path of the folder, or a URL: s3://, gs:// or az:// with the extra of that name installed.",
            required=True,
            example="/srv/documents/finance",
        ),
        Option(
            "include",
            "Patterns of paths below the root to take; '**' crosses folders, '*' does not.",
            default="**",
            takes_many=True,
            example="**/*.pdf",
        ),
        Option("exclude", "Patterns of paths below the root to leave out.", takes_many=True, example="archive/**"),
    ),
)
WEB = Kind(
    "web",
    "Web pages: a list of URLs, or those of a sitemap.",
    (
        Option("urls", "The pages. Either this or 'sitemap'.", takes_many=True, example="https://www.example.com/handbook"),
        Option("sitemap", "URL of a sitemap or sitemap index. Either this or 'urls'.", example="https://www.example.com/sitemap.xml"),
        Option(
            "include",
            "Patterns of whole URLs to take; '**' crosses slashes, '*' does not.",
            default="**",
            takes_many=True,
            example="https://www.example.com/handbook/**",
        ),
        Option("exclude", "Patterns of whole URLs to leave out.", takes_many=True, example="https://www.example.com/tags/**"),
    ),
)
PUSH = Kind(
    "push",
    "Documents that an application sends, with their readers, whenever one of them changes. It has to hold a key with the role "
    "'publisher' that names this source.",
    (),
)
KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in (FILES, WEB, PUSH)})
