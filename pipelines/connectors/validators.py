"""What a web answer says of its content: its type, its time, and what to send next time to learn whether it changed."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from pipelines.connectors.outbound import Headers, Reply

_MAX_HEADER_LENGTH = 1000


@dataclass(frozen=True)
class Validator:
    """An answer's ETag and Last-Modified. They count for the URL that gave them, not for another to which it redirects later."""

    url: str = ""
    etag: str = ""
    last_modified: str = ""

    @classmethod
    def of(cls, reply: Reply) -> "Validator":
        return cls(reply.url, _header(reply, "etag"), _header(reply, "last-modified"))

    @classmethod
    def read(cls, written: str | None) -> "Validator":
        """What `written` wrote; one that asks unconditionally for anything else."""
        try:
            return cls(**{name: str(value) for name, value in json.loads(written or "{}").items()})
        except (ValueError, TypeError, AttributeError):
            return cls()

    def written(self) -> str | None:
        """As a string to keep; None when the site gave neither."""
        return json.dumps(asdict(self), separators=(",", ":")) if self.etag or self.last_modified else None

    def conditions(self, url: str) -> Headers:
        """Request headers for one URL; none when this is not its validator."""
        if url != self.url:
            return {}
        offered = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in offered.items() if value}


def media_type(reply: Reply) -> str | None:
    """Lower-case `type/subtype` without parameters; None when the site does not say."""
    return _header(reply, "content-type").partition(";")[0].strip().lower() or None


def modified_at(reply: Reply) -> datetime | None:
    try:
        moment = parsedate_to_datetime(_header(reply, "last-modified"))
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _header(reply: Reply, name: str) -> str:
    """Printable ASCII of bearable length, or nothing: it is kept, and sent back."""
    value = reply.headers.get(name, "").strip()
    return value if value.isascii() and value.isprintable() and len(value) <= _MAX_HEADER_LENGTH else ""
