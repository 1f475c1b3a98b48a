"""What is counted, as queries over the listed documents of one run; each binds `source`, `run` where it needs them, and no other values."""

from sqlalchemy import and_, bindparam, func, or_, select

from retrieval.adapters.catalog.tables import (
    document_versions,
    documents,
    embeddings,
    grants,
    inspected_texts,
    parsed,
    passages,
    quarantine,
    source_measures,
    texts,
)
from retrieval.domain.contracts import Rule
from retrieval.domain.documents import VersionState

ASKING = frozenset(Rule) - {Rule.QUARANTINED_SHARE, Rule.SIZE_DRIFT, Rule.CENTROID_DRIFT, Rule.DOCUMENT_COUNT, Rule.LOST_DOCUMENTS}
ASKING -= {Rule.UNREADABLE_SHARE, Rule.FRESHNESS}
"""Rules for which every document has to be read."""
_STAGED, _CURRENT = VersionState.STAGED.value, VersionState.CURRENT.value
_LISTED = and_(documents.c.source == bindparam("source"), documents.c.listed_run == bindparam("run"))
_other = document_versions.alias("other")
_HAS_STAGED = select(_other.c.id).where(_other.c.document == documents.c.id, _other.c.state == _STAGED).exists()
_NEXT = or_(document_versions.c.state == _STAGED, and_(document_versions.c.state == _CURRENT, ~_HAS_STAGED))
"""The version of a document that would be current after publication."""
_denied_all = grants.alias("denied_all")
_denied = grants.alias("denied")
HAS_READER = and_(
    select(grants.c.subject)
    .where(grants.c.access_class == documents.c.access_class, grants.c.effect == "allow")
    .where(
        ~select(_denied.c.subject)
        .where(_denied.c.access_class == grants.c.access_class, _denied.c.effect == "deny", _denied.c.subject == grants.c.subject)
        .exists()
    )
    .exists(),
    ~select(_denied_all.c.subject)
    .where(_denied_all.c.access_class == documents.c.access_class, _denied_all.c.effect == "deny", _denied_all.c.subject == "everyone")
    .exists(),
)
QUARANTINED = select(func.count()).select_from(documents).join(quarantine, quarantine.c.document == documents.c.id).where(_LISTED)
_NEXT_VERSIONS = (
    select(func.count())
    .select_from(documents)
    .join(document_versions, document_versions.c.document == documents.c.id)
    .where(_LISTED, _NEXT)
)
TAKEN = _NEXT_VERSIONS.where(~select(quarantine.c.document).where(quarantine.c.document == documents.c.id).exists())
DOCUMENTS = (
    select(documents.c.key, document_versions.c.media_type, parsed.c.metadata, inspected_texts.c.language, inspected_texts.c.findings)
    .join(document_versions, document_versions.c.document == documents.c.id)
    .join(parsed, parsed.c.key == document_versions.c.parsed)
    .join(
        inspected_texts,
        and_(inspected_texts.c.text == document_versions.c.text, inspected_texts.c.inspection == bindparam("inspection")),
        isouter=True,
    )
    .where(_LISTED, _NEXT)
)
MEAN = (
    select(func.avg(func.length(texts.c.text)))
    .select_from(documents)
    .join(document_versions, document_versions.c.document == documents.c.id)
    .join(texts, texts.c.hash == document_versions.c.text)
    .where(_LISTED, _NEXT)
)
CURRENT_SIZE = (
    select(func.count(), func.avg(func.length(texts.c.text)))
    .select_from(document_versions)
    .join(texts, texts.c.hash == document_versions.c.text)
    .where(document_versions.c.source == bindparam("source"), document_versions.c.state == _CURRENT)
)
BEFORE = select(source_measures.c.mean_characters).where(source_measures.c.source == bindparam("source"))
CENTROID_BEFORE = select(source_measures.c.centroid).where(
    source_measures.c.source == bindparam("source"), source_measures.c.model == bindparam("model")
)
_VECTORS = (
    select(embeddings.c.vector)
    .join(passages, passages.c.embedded_hash == embeddings.c.text_hash)
    .join(document_versions, document_versions.c.id == passages.c.version)
    .where(embeddings.c.model == bindparam("model"), document_versions.c.source == bindparam("source"))
)
CURRENT_PASSAGES = _VECTORS.where(document_versions.c.state == _CURRENT)
NEXT_PASSAGES = _VECTORS.join(documents, documents.c.id == document_versions.c.document).where(_LISTED, _NEXT)
