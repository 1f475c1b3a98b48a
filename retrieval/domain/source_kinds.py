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
SQL = Kind(
    "sql",
    "Rows of a database: one document for each row of a table or a query.",
    (
        Option(
            "database",
            "Where the database's URL is kept, password included; the account should be one that can only read.",
            required=True,
            is_reference=True,
            example="env:ARCHIVIST_SOURCE_HANDBOOK_DB",
        ),
        Option("table", "A table or view, with its schema if it has one. Either this or 'query'.", example="kb.articles"),
        Option("query", "One SELECT without ';'. Either this or 'table'.", example="SELECT id, body FROM kb.articles"),
        Option("id_columns", "Columns that tell the rows apart and never change.", required=True, takes_many=True, example="id"),
        Option(
            "text_columns",
            "Columns that hold the text, in reading order.",
            required=True,
            takes_many=True,
            example="body",
        ),
        Option("title_column", "Column that holds the title.", example="headline"),
        Option(
            "updated_column",
            "Column that changes whenever the row does, such as a time or a version; without one, every text is read at each run.",
            example="changed",
        ),
        Option("format", "What the text is written in.", default="plain", choices=("plain", "markdown", "html"), example="markdown"),
        Option(
            "allowed_column",
            "Column that says who may read the row: names with commas between them, or a JSON list. Where it is empty, nobody does; "
            "without such a column the permission rules say who reads.",
            example="readers",
        ),
        Option("denied_column", "Column that says who may not, in the same way; empty: nobody is denied.", example="blocked"),
        Option(
            "named_as",
            "What the names in those columns are: ids of groups, ids of users, or whole subjects such as 'group:finance'.",
            default="subject",
            choices=("subject", "group", "user"),
            example="group",
        ),
        Option("link_column", "Column that holds the address where people see the row.", example="url"),
        Option(
            "include",
            "Patterns of keys to take. A key is the row's ids with '/' between them and the ending of the format, e.g. '4711.md'.",
            default="**",
            takes_many=True,
            example="de/**",
        ),
        Option("exclude", "Patterns of keys to leave out.", takes_many=True, example="drafts/**"),
    ),
)
KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in (FILES, WEB, SQL)})
