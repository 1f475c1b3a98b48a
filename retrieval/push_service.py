"""What applications push: checked, kept for good, and answered only then."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from retrieval.domain.audit import actors
from retrieval.domain.errors import FieldProblem, InvalidInput, NotReadable
from retrieval.domain.permissions import AccessPolicy, Principal
from retrieval.domain.pushing import MAX_SEQUENCE, PushedDocument, PushStatus, check_key, check_media_type, check_uri
from retrieval.ports.ingestion import Blobs
from retrieval.ports.pushing import Change, PushedDocuments
from retrieval.settings import Settings


@dataclass(frozen=True)
class Push:
    """A document as an application sends it. What it does not say is empty or None.

    Attributes:
        sequence: the application's own count of this document's changes; None: changes count as they arrive.
    """

    content: bytes
    allow: Collection[str] = ()
    deny: Collection[str] = ()
    media_type: str = ""
    title: str = ""
    uri: str = ""
    modified_at: datetime | None = None
    sequence: int | None = None


@dataclass(frozen=True)
class PushService:
    """Puts and deletes documents of sources that applications fill.

    A credential is good for this only where it names the source: reach to every source means reading, not writing.
    """

    settings: Settings
    pushed: PushedDocuments
    blobs: Blobs

    def put(self, principal: Principal, source: str, key: str, push: Push, *, request_id: str | None = None) -> PushStatus:
        """Keep the document and its readers; both are durable when this returns.

        Raises:
            NotReadable: the credential does not name the source, there is none, or it takes nothing pushed.
            InvalidInput: names every field that is wrong.
            Conflict: the source is retired, or a newer change of the document is known.
        """
        _check_reach(principal, source)
        self._check(key, push)
        document = PushedDocument(
            key=key,
            content_hash=self.blobs.put(push.content, durable=True),
            size_bytes=len(push.content),
            uri=push.uri or f"push://{source}/{quote(key)}",
            policy=AccessPolicy.of(push.allow, push.deny),
            media_type=push.media_type,
            title=push.title.strip(),
            modified_at=push.modified_at,
        )
        change = _change(principal, push.sequence, request_id)
        return self.pushed.put(source, document, change, max_documents=self.settings.push_max_documents)

    def delete(
        self, principal: Principal, source: str, key: str, *, sequence: int | None = None, request_id: str | None = None
    ) -> PushStatus:
        """Withdraw the document: nobody reads it any more when this returns. Raises as `put` does."""
        _check_reach(principal, source)
        problems = [*_problems(lambda: check_key(key)), *_sequence_problems(sequence)]
        if problems:
            raise InvalidInput(problems)
        return self.pushed.delete(source, key, _change(principal, sequence, request_id))

    def status(self, principal: Principal, source: str, key: str) -> PushStatus:
        """Raises NotReadable as `put` does, and for what was never pushed."""
        _check_reach(principal, source)
        return self.pushed.status(source, key)

    def _check(self, key: str, push: Push) -> None:
        limits = self.settings
        problems = [*_problems(lambda: check_key(key)), *_problems(lambda: check_media_type(push.media_type))]
        problems += _problems(lambda: AccessPolicy.of(push.allow, push.deny))
        problems += _sequence_problems(push.sequence)
        if push.uri:
            problems += _problems(lambda: check_uri(push.uri))
        if not push.content:
            problems.append(FieldProblem("content", "is empty"))
        sizes = (
            ("content", len(push.content), limits.push_max_document_bytes, "bytes"),
            ("allow", len(push.allow) + len(push.deny), limits.push_max_subjects, "subjects, with those denied"),
            ("title", len(push.title), limits.push_max_title_characters, "characters"),
            ("uri", len(push.uri), limits.push_max_uri_characters, "characters"),
        )
        problems += [FieldProblem(name, "is too large", f"{most} {unit}") for name, size, most, unit in sizes if size > most]
        if problems:
            raise InvalidInput(problems)


def _check_reach(principal: Principal, source: str) -> None:
    if principal.reach is None or source not in principal.reach:
        raise NotReadable("the credential does not name this source")


def _change(principal: Principal, sequence: int | None, request_id: str | None) -> Change:
    actor, act_for = actors(principal)
    return Change(actor, act_for, sequence, request_id)


def _sequence_problems(sequence: int | None) -> list[FieldProblem]:
    if sequence is None or 0 <= sequence <= MAX_SEQUENCE:
        return []
    return [FieldProblem("sequence", "a whole number", f"0 to {MAX_SEQUENCE}")]


def _problems(check: Callable[[], object]) -> list[FieldProblem]:
    try:
        check()
    except InvalidInput as error:
        return list(error.problems)
    return []
