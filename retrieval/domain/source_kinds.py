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
GIT = Kind(
    "git",
    "The files of a git repository as one branch or tag has them. Symbolic links, submodules and Git LFS pointers are no documents.",
    (
        Option(
            "repository",
            "Absolute path of a repository on this machine, or its https:// address.",
            required=True,
            example="https://git.example.com/handbook.git",
        ),
        Option("ref", "Branch, tag or commit that is read.", default="HEAD", example="main"),
        Option(
            "token",
            "Where the token or password for an https:// repository is kept; none: it is public.",
            is_reference=True,
            example="env:ARCHIVIST_SOURCE_HANDBOOK_TOKEN",
        ),
        Option("login", "Name that goes with the token; most hosts take any.", default="git", example="archivist"),
        Option(
            "history",
            "How many of the newest commits are documents as well, each with its message and neither names nor contents of files, "
            "under '.git/commits/'. The top folder's permissions hold for them.",
            default="0",
            example="200",
        ),
        Option(
            "link",
            "Address below which people see the files.",
            example="https://git.example.com/handbook/blob/main",
        ),
        Option(
            "include",
            "Patterns of paths to take; '**' crosses folders, '*' does not.",
            default="**",
            takes_many=True,
            example="docs/**",
        ),
        Option("exclude", "Patterns of paths to leave out.", takes_many=True, example="docs/archive/**"),
    ),
)
MAILBOX = Kind(
    "mailbox",
    "E-mails: one document for each message, and one for each attachment.",
    (
        Option(
            "mailbox",
            "Absolute path of an mbox file or a Maildir on this machine, or the imaps:// address of a mail server.",
            required=True,
            example="imaps://mail.example.com",
        ),
        Option("format", "What a path is.", default="mbox", choices=("mbox", "maildir"), example="maildir"),
        Option("login", "Name of the account on the mail server.", example="support@example.com"),
        Option("password", "Where the account's password is kept.", is_reference=True, example="env:ARCHIVIST_SOURCE_SUPPORT_PASSWORD"),
        Option("folders", "Folders that are read on the mail server.", default="INBOX", takes_many=True, example="Archive/2026"),
        Option(
            "participants",
            "Domains whose addresses are people here: who wrote or received a message reads it, 'ann@example.com' as 'user:ann', whatever "
            "the rules allow. None: the permission rules say who reads.",
            takes_many=True,
            example="example.com",
        ),
        Option(
            "include",
            "Patterns of keys to take. A key is the folder and the Message-ID, e.g. 'INBOX/42@example.com.eml'.",
            default="**",
            takes_many=True,
            example="Archive/**",
        ),
        Option("exclude", "Patterns of keys to leave out.", takes_many=True, example="Archive/Private/**"),
    ),
)
INGEST = Kind(
    "ingest",
    "Whatever a source connector of unstructured-ingest reads: SharePoint, Confluence, Google Drive, Slack, Jira and others.",
    (
        Option("connector", "Name of the connector, one that the operator lets sources use.", required=True, example="sharepoint"),
        Option(
            "connection", "Its connection, as fields in YAML or JSON.", example="{site: https://example.sharepoint.com, tenant: example}"
        ),
        Option(
            "access",
            "Its secrets, as fields in YAML or JSON whose values are references to credentials.",
            example="{client_cred: 'vault:sharepoint#secret'}",
        ),
        Option("indexer", "What of the system is listed, as fields in YAML or JSON.", example="{path: Shared Documents, recursive: true}"),
        Option("downloader", "How it is downloaded, as fields in YAML or JSON.", example="{extract_files: true}"),
        Option(
            "permissions",
            "'source': who may read is what the system tells, less those whom the permission rules deny; where it tells nothing that is "
            "understood, nobody. 'rules': only the permission rules say it.",
            default="source",
            choices=("source", "rules"),
            example="source",
        ),
        Option(
            "issuer",
            "Issuer of the ids that the system gives people and groups, as their tokens name it; empty: they are ids of our directory.",
            example="https://login.example.com/v2.0",
        ),
        Option(
            "include", "Patterns of paths to take; '**' crosses folders, '*' does not.", default="**", takes_many=True, example="**/*.docx"
        ),
        Option("exclude", "Patterns of paths to leave out.", takes_many=True, example="archive/**"),
    ),
)
KINDS: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in (FILES, WEB, SQL, GIT, MAILBOX, PUSH, INGEST)})
