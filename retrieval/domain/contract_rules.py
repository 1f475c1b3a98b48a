"""Whether a source's documents are what its contract promises. Pure functions over what was measured."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from retrieval.domain.contracts import ContractTerms, PersonalData, Rule, Suspicion

NOTHING_PROMISED = "nothing is promised"


@dataclass(frozen=True)
class Verdict:
    """What became of one rule.

    Attributes:
        blocks: whether new content is kept from being published while it is broken.
        found: for the owner: counts and names, never a word of a document.
    """

    rule: Rule
    passed: bool
    blocks: bool
    found: str
    counts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class LossGuard:
    """How many of a source's readable documents one listing may lack where its contract does not say.

    Attributes:
        share: above 0, at most 1.
        least_documents: a smaller source may lose any number.
        is_accepted: a person has said that this loss is meant.
    """

    share: float
    least_documents: int
    is_accepted: bool = False


@dataclass(frozen=True)
class ListingMeasures:
    """Counts of documents of one listing. `readable`: those that had a current version; `missing`: those of them that it lacks."""

    listed: int
    nobody_reads: int
    readable: int
    missing: int


@dataclass(frozen=True)
class DocumentMeasures:
    """Counts of a source's listed documents as they would be after publication.

    Attributes:
        taken: those with a text; `quarantined` have none that is new.
        formats: of each extension or media type, those that have it; a document counts under both.
        without: of each required name, documents without it.
        languages: of each language, documents in it; `unknown` for too little text.
        mean_characters: of the texts; `before` after the last successful run, None for the first.
    """

    taken: int
    quarantined: int
    foreign_formats: Mapping[str, int]
    without: Mapping[str, int]
    languages: Mapping[str, int]
    mean_characters: float
    before: float | None
    personal: Mapping[str, int]
    secrets: Mapping[str, int]
    hidden: int
    instructions: int


@dataclass(frozen=True)
class CentroidMeasures:
    """Cosine distance of the mean embedding from that of the last successful run; None where there is nothing to compare."""

    drift: float | None


def judge_listing(terms: ContractTerms, found: ListingMeasures, guard: LossGuard) -> Iterator[Verdict]:
    """The rules that a listing alone decides: before anything is fetched."""
    yield _verdict(terms, Rule.DOCUMENT_COUNT, *_count(terms, found.listed), documents=found.listed)
    share = _share(found.missing, found.readable)
    yield _verdict(terms, Rule.LOST_DOCUMENTS, *_lost(terms, found, guard), missing=found.missing, readable=found.readable, share=share)
    unreadable = _share(found.nobody_reads, found.listed)
    said = _at_most(terms.max_unreadable_share, unreadable, f"{found.nobody_reads} of {found.listed} documents have no readable permission")
    yield _verdict(terms, Rule.UNREADABLE_SHARE, *said, nobody_reads=found.nobody_reads, documents=found.listed, share=unreadable)


def judge_documents(terms: ContractTerms, found: DocumentMeasures) -> Iterator[Verdict]:
    """The rules that texts decide: before anything is cut, embedded or published."""
    total = found.taken + found.quarantined
    held = _share(found.quarantined, total)
    said = _at_most(terms.max_quarantined_share, held, f"{found.quarantined} of {total} documents could not be taken in")
    yield _verdict(terms, Rule.QUARANTINED_SHARE, *said, quarantined=found.quarantined, documents=total, share=held)
    yield _verdict(terms, Rule.REQUIRED_METADATA, *_metadata(terms, found), **found.without)
    yield _verdict(terms, Rule.FORMATS, *_none_of(bool(terms.formats), found.foreign_formats, "of a format that is not allowed"))
    foreign = {language: count for language, count in found.languages.items() if language not in terms.languages and language != "unknown"}
    yield _verdict(terms, Rule.LANGUAGES, *_none_of(bool(terms.languages), foreign, "in a language that is not allowed"))
    yield _verdict(terms, Rule.SIZE_DRIFT, *_size(terms, found), mean_characters=round(found.mean_characters, 1))
    yield _verdict(terms, Rule.PERSONAL_DATA, *_personal(terms, found), **found.personal)
    yield _verdict(terms, Rule.SECRETS, *_suspicious(terms.secrets, sum(found.secrets.values()), "secrets"), **found.secrets)
    said = _suspicious(terms.instructions, found.instructions + found.hidden, "orders to a model or hidden text")
    yield _verdict(terms, Rule.INSTRUCTIONS, *said, instructions=found.instructions, hidden=found.hidden)


def judge_centroid(terms: ContractTerms, found: CentroidMeasures) -> Verdict:
    """The rule that embeddings decide."""
    return _verdict(terms, Rule.CENTROID_DRIFT, *_moved(terms, found), **({} if found.drift is None else {"drift": round(found.drift, 4)}))


def judge_freshness(terms: ContractTerms, age_hours: float | None) -> Verdict:
    """`age_hours` since the last success; None: it never succeeded. Keeps nothing from being published: publishing is what cures it."""
    if not terms.freshness_hours:
        return Verdict(Rule.FRESHNESS, passed=True, blocks=False, found=NOTHING_PROMISED)
    if age_hours is None:
        return Verdict(Rule.FRESHNESS, passed=False, blocks=False, found="the source was never read successfully")
    said = f"last read successfully {age_hours:.1f} hours ago; {terms.freshness_hours} are promised"
    return Verdict(
        Rule.FRESHNESS, passed=age_hours <= terms.freshness_hours, blocks=False, found=said, counts={"hours": round(age_hours, 2)}
    )


def _verdict(terms: ContractTerms, rule: Rule, passed: bool, found: str, /, **counts: float) -> Verdict:  # noqa: FBT001 - what `_Said` holds
    return Verdict(rule, passed, rule not in terms.warn_only, found, counts)


def _count(terms: ContractTerms, listed: int) -> tuple[bool, str]:
    if not terms.min_documents and not terms.max_documents:
        return True, NOTHING_PROMISED
    most = f" and at most {terms.max_documents}" if terms.max_documents else ""
    passed = terms.min_documents <= listed and (not terms.max_documents or listed <= terms.max_documents)
    return passed, f"{listed} documents listed; at least {terms.min_documents}{most} are promised"


def _lost(terms: ContractTerms, found: ListingMeasures, guard: LossGuard) -> tuple[bool, str]:
    said = f"the listing lacks {found.missing} of {found.readable} readable documents"
    if guard.is_accepted:
        return True, f"{said}; a person accepted that for this run"
    if terms.max_lost_share is not None:
        return _at_most(terms.max_lost_share, _share(found.missing, found.readable), said)
    passed = found.readable < guard.least_documents or _share(found.missing, found.readable) <= guard.share
    return passed, said if passed else f"{said}: accept that, or promise another max_lost_share, if it is meant"


def _moved(terms: ContractTerms, found: CentroidMeasures) -> tuple[bool, str]:
    if terms.max_centroid_drift is None:
        return True, NOTHING_PROMISED
    if found.drift is None:
        return True, "nothing to compare with yet"
    said = f"the mean embedding is {found.drift:.3f} away from the last run's"
    return found.drift <= terms.max_centroid_drift, f"{said}; at most {terms.max_centroid_drift:g} is promised"


def _metadata(terms: ContractTerms, found: DocumentMeasures) -> tuple[bool, str]:
    if not terms.required_metadata:
        return True, NOTHING_PROMISED
    over = [name for name, budget in terms.required_metadata.items() if _share(found.without.get(name, 0), found.taken) > budget]
    lines = [f"{found.without.get(name, 0)} of {found.taken} documents have no {name}" for name in terms.required_metadata]
    return not over, "; ".join(lines)


def _size(terms: ContractTerms, found: DocumentMeasures) -> tuple[bool, str]:
    if terms.max_size_drift is None:
        return True, NOTHING_PROMISED
    if not found.before or not found.taken:
        return True, "nothing to compare with yet"
    drift = abs(found.mean_characters - found.before) / found.before
    said = f"documents are {found.mean_characters:.0f} characters long on average, {found.before:.0f} after the last run"
    return _at_most(terms.max_size_drift, drift, said)


def _personal(terms: ContractTerms, found: DocumentMeasures) -> tuple[bool, str]:
    if terms.personal_data is PersonalData.ALLOW:
        return True, NOTHING_PROMISED
    kinds = ", ".join(f"{kind} in {count}" for kind, count in sorted(found.personal.items()))
    passed = terms.personal_data is not PersonalData.BLOCK or not found.personal
    return passed, f"policy {terms.personal_data}: " + (f"documents with personal data: {kinds}" if kinds else "no personal data found")


def _suspicious(policy: Suspicion, documents: int, what: str) -> tuple[bool, str]:
    if policy is Suspicion.ALLOW:
        return True, NOTHING_PROMISED
    return policy is not Suspicion.BLOCK or documents == 0, f"policy {policy}: {documents} documents with {what}"


def _none_of(is_promised: bool, foreign: Mapping[str, int], what: str) -> tuple[bool, str]:  # noqa: FBT001 - reads as a sentence
    if not is_promised:
        return True, NOTHING_PROMISED
    named = ", ".join(f"{name}: {count}" for name, count in sorted(foreign.items())[:10])
    return not foreign, f"{sum(foreign.values())} documents {what}" + (f" ({named})" if named else "")


def _at_most(limit: float | None, share: float, said: str) -> tuple[bool, str]:
    return (True, NOTHING_PROMISED) if limit is None else (share <= limit, f"{said}; at most a share of {limit:g} is promised")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0
