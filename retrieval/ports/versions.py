"""What data owners ask of the catalog when something was published that should not have been."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from retrieval.domain.erasure import ErasurePlan, ErasureReport, ErasureRequest
from retrieval.domain.permissions import Principal
from retrieval.domain.retention import RetentionCounts, RetentionTerms
from retrieval.domain.versions import DocumentHistory, HeldDocument, RollbackPlan, RollbackRequest, RolledBack, VersionTexts


class Rollback(Protocol):
    """Going back to earlier versions. Nothing is parsed or embedded again."""

    def plan(self, request: RollbackRequest, *, model: str) -> RollbackPlan:
        """What it would change. `model`: the embedder's that readers search with.

        Raises:
            InvalidInput: there is no such source, document, version, run or revision, or too many documents would change.
        """

    def roll_back(self, request: RollbackRequest, *, model: str, by: str, without_refused: bool = False) -> RolledBack:
        """Do it: one transaction, one revision. Runs at work on the source are fenced out; the next one leaves what was rolled back.

        Raises:
            InvalidInput: as for `plan`.
            Conflict: the source is retired, or documents are refused and `without_refused` is not asked for.
        """

    def held(self, source: str) -> Sequence[HeldDocument]:
        """Documents that the next run leaves as they were rolled back."""

    def release(self, source: str, *, document: str | None = None, by: str) -> int:
        """Follow the source again from the next run on. Returns how many documents were held. Raises InvalidInput: no such source."""


class Retention(Protocol):
    """Removing versions that nobody sees any more and no term keeps."""

    def beyond(self, source: str, terms: RetentionTerms) -> RetentionCounts:
        """What would be removed. Raises InvalidInput: there is no such source."""

    def remove(self, source: str, terms: RetentionTerms, *, by: str, remove_content: Callable[[str], bool]) -> RetentionCounts:
        """Remove it, in bounded transactions. Run again, it goes on.

        `remove_content` deletes the original bytes of a hash and says whether they were there. It is called before the transaction
        ends, so that a crash leaves none behind that nothing names any more.
        """


class Erasure(Protocol):
    """Removing documents, sources and what is said of a person, for good."""

    def plan(self, request: ErasureRequest) -> ErasurePlan:
        """What it would remove. Raises InvalidInput: there is no such source or document, or too many documents."""

    def erase(
        self,
        request: ErasureRequest,
        *,
        by: str,
        id_: str,
        also: Mapping[str, int],
        sign: Callable[[ErasureReport], ErasureReport],
        remove_content: Callable[[str], bool],
    ) -> ErasureReport:
        """Do it, in one transaction that keeps the signed report. Runs at work on the sources concerned are fenced out.

        `id_` names the report, `also` is what was removed before and belongs into it, `sign` completes it,
        `remove_content` deletes the original bytes of a hash. Raises InvalidInput.
        """

    def reports(self) -> Sequence[ErasureReport]:
        """The oldest first."""

    def overwrite(self) -> None:
        """Have the database's files hold nothing any more of what was removed. Raises CatalogUnavailable: do it again."""


class VersionReader(Protocol):
    """Earlier versions as one principal may see them: of documents that it may read now, by the permissions of now."""

    def history(self, principal: Principal, document: str, *, most: int) -> DocumentHistory:
        """The newest `most` versions. One snapshot. Raises NotReadable for absent and hidden alike."""

    def texts(self, principal: Principal, document: str, before: int, after: int, *, most_characters: int) -> VersionTexts:
        """Two versions by their numbers. One snapshot.

        Raises:
            NotReadable: the document or a version is absent or hidden.
            InvalidInput: a text is longer than `most_characters`.
        """
