"""Documents that an application pushes: what it says of one, and what has become of it."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from retrieval.domain.documents import SourceFile
from retrieval.domain.errors import InvalidInput
from retrieval.domain.permissions import AccessPolicy

MAX_KEY_CHARACTERS = 1_000
MAX_SEQUENCE = 2**53 - 1
"""The largest whole number that every JSON parser keeps."""
NO_READERS = "the application that pushed it allows nobody to read it"
_KEY = re.compile(r"[^\x00-\x1f\x7f-\x9f#/]+(/[^\x00-\x1f\x7f-\x9f#/]+)*")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9!$&^_.+-]*/[a-z0-9][a-z0-9!$&^_.+-]*", re.ASCII)
_URI = re.compile(r"https?://[^\s\x00-\x1f\x7f]+")


class PushState(StrEnum):
    """What has become of a pushed document.

    Attributes:
        ACCEPTED: it is kept for good, and the next run of its source publishes it.
        PUBLISHED: readers see this content.
        QUARANTINED: it could not be parsed; what was published before, if anything, stays.
        DELETED: nobody reads it any more.
    """

    ACCEPTED = "accepted"
    PUBLISHED = "published"
    QUARANTINED = "quarantined"
    DELETED = "deleted"


@dataclass(frozen=True)
class PushedDocument:
    """What an application says of one of its documents; the bytes are in the blob store under `content_hash`.

    Attributes:
        key: stable within the source; names joined by slashes.
        media_type: lower-case `type/subtype`; empty: the key's extension tells.
        title: empty: the content's own.
        uri: where a reader finds the original, with http or https.
        modified_at: as the application says; None when it does not say.
        policy: who may read it. A policy that allows nobody is taken: then nobody reads it.
    """

    key: str
    content_hash: str
    size_bytes: int
    uri: str
    policy: AccessPolicy
    media_type: str = ""
    title: str = ""
    modified_at: datetime | None = None

    @property
    def fingerprint(self) -> str:
        """Another one when the document has to be taken in anew: other bytes, another type or another title."""
        said = "\x00".join((self.content_hash, self.media_type, self.title))
        return hashlib.blake2b(said.encode(), digest_size=32).hexdigest()

    @property
    def source_file(self) -> SourceFile:
        """The document as a run lists it."""
        return SourceFile(
            self.key,
            self.uri,
            fingerprint=self.fingerprint,
            size_bytes=self.size_bytes,
            modified_at=self.modified_at,
            policy=self.policy,
            policy_problem=None if self.policy.names_a_reader else NO_READERS,
        )


@dataclass(frozen=True)
class PushStatus:
    """How a pushed document stands.

    Attributes:
        sequence: of the newest change; what has a lower one comes too late.
        is_changed: whether the call that returns this changed anything.
        reason: why it is quarantined, or why nobody reads it; None when there is nothing to say.
        published_at: when readers first saw this content.
    """

    key: str
    state: PushState
    sequence: int
    pushed_at: str
    is_changed: bool = False
    reason: str | None = None
    published_at: str | None = None


def check_key(key: str) -> str:
    """The key itself. Raises InvalidInput naming `key`.

    A `#` stands between a document and what is attached to it, so no key of an application holds one.
    """
    if not _KEY.fullmatch(key) or {".", ".."} & set(key.split("/")):
        raise InvalidInput.of("key", "names joined by single slashes, without '#', control characters, '.' and '..'")
    if len(key) > MAX_KEY_CHARACTERS:
        raise InvalidInput.of("key", "is too long", limit=f"{MAX_KEY_CHARACTERS} characters")
    return key


def check_media_type(media_type: str) -> str:
    """The type itself; empty when there is none. Raises InvalidInput naming `media_type`."""
    if media_type and not _MEDIA_TYPE.fullmatch(media_type):
        raise InvalidInput.of("media_type", "a lower-case type and subtype such as 'text/markdown', without parameters")
    return media_type


def check_uri(uri: str) -> str:
    """The URL itself. Raises InvalidInput naming `uri`: readers are shown it, so it must not be able to run anything."""
    if not _URI.fullmatch(uri):
        raise InvalidInput.of("uri", "a URL with http or https and no spaces")
    return uri
