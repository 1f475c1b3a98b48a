"""The OpenAPI document: what leaves is listed field by field, so that a new field is a decision and not an accident."""

from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

CITATION = {
    *("id", "document", "version", "version_number", "source", "title", "uri", "page", "heading_path", "passage", "span", "quote"),
}
SHOWING = {"seq", "at", "action", "outcome", "person", "application", "request_id", "document", "version", "quoted"}
RECALL = {"request_id", "id", "kind", "about", "made_at", "made_by", "counts"}
FIELDS = {
    "AuditRecordOut": {
        *("seq", "at", "revision", "request_id", "actor", "act_for", "action", "decision", "outcome", "documents", "index_revision"),
        *("model", "query_hmac", "asked_hmac", "details", "hash"),
    },
    "AuditResponse": {"request_id", "records", "next_cursor"},
    "AuditedDocumentOut": {"document", "version", "access_class", "content_hash", "passages"},
    "AuditedPassageOut": {"id", "text_hash"},
    "AnswerLineageResponse": {
        *("request_id", "answer", "action", "at", "person", "application", "outcome", "catalog_revision", "index_revision", "model"),
        *("generator", "prompt", "calibration", "curated", "escalation", "versions", "seq"),
    },
    "CitationOut": CITATION,
    "DocumentLineageResponse": {"request_id", "id", "source", "versions", "showings", "has_more_versions", "has_more_showings"},
    "RecallCountsOut": {"documents", "versions", "answers", "people", "shown", "curated", "reviews", "applications"},
    "RecallReportResponse": RECALL | {"reason", "showings", "next_cursor"},
    "RecallResponse": RECALL,
    "RunLineageResponse": {
        *("request_id", "id", "source", "spec_version", "started_at", "finished_at", "outcome", "versions", "showings"),
        *("has_more_versions", "has_more_showings"),
    },
    "ShowingOut": SHOWING,
    "TracedVersionOut": {
        *("id", "document", "source", "number", "state", "content_hash", "recipe", "published_run", "published_at", "passages", "quoted"),
    },
    "DocumentListResponse": {"request_id", "documents", "next_cursor", "consistency_token"},
    "DocumentResponse": {
        *("request_id", "id", "source", "title", "uri", "media_type", "metadata", "version", "versions", "pages", "extract"),
    },
    "CreatedKeyResponse": {"request_id", "key", "created"},
    "DefinitionOut": {"source", "name", "kind", "text"},
    "EntityListResponse": {"request_id", "entities", "next_cursor", "consistency_token"},
    "EntityMentionOut": {"citation", "written"},
    "EntityOut": {"id", "name", "kinds", "passages", "documents"},
    "EntityResponse": {"request_id", "entity", "names", "definitions", "mentions", "next_cursor", "consistency_token"},
    "ExplanationOut": {"terms", "phrases", "weights", "hits"},
    "HitExplanationOut": {"passage", "legs", "fused_score", "rerank", "graph_path", "readable_by"},
    "JoinedOut": {"text", "span"},
    "LegPlaceOut": {"rank", "score", "share", "contribution"},
    "RerankedOut": {"by", "score", "contributions"},
    "ExtractOut": {"text", "start", "end", "highlight"},
    "FieldProblemOut": {"field", "problem", "limit"},
    "HealthResponse": {"status"},
    "HitOut": {"rank", "score", "found_by", "passage", "citation", "duplicates", "extract"},
    "ListedDocumentOut": {"id", "source", "title", "uri", "media_type", "version", "version_number", "modified_at"},
    "NameOut": {"name", "passages"},
    "NeighbourOut": {"id", "name", "kinds", "passages", "documents", "distance"},
    "NeighbourhoodResponse": {"request_id", "entities", "relations", "passages", "consistency_token"},
    "KeyListResponse": {"request_id", "keys", "next_cursor"},
    "KeyOut": {"id", "principal", "roles", "sources", "label", "created_at", "expires_at", "state"},
    "PageOut": {"page", "span"},
    "PartOut": {"name", "ready", "detail"},
    "FreshnessOut": {"source", "last_success_at", "objective_hours", "state"},
    "PassageOut": {"id", "text", "page", "heading_path", "span", "media_type", "modified_at"},
    "ProblemResponse": {"type", "title", "status", "detail", "errors", "request_id"},
    "ModelOut": {"id", "state", "ready"},
    "ReadinessResponse": {"ready", "parts", "models"},
    "RelationOut": {"kind", "subject", "object", "weight", "passages"},
    "AsOfOut": {"time", "consistency_token"},
    "RetrieveResponse": {"request_id", "hits", "as_of", "consistency_token", "model", "degraded", "freshness", "curated", "explanation"},
    "PushedResponse": {
        *("request_id", "source", "key", "state", "sequence", "changed", "reason", "pushed_at", "published_at"),
    },
    "SourceListResponse": {"request_id", "sources", "next_cursor"},
    "SourceOut": {
        *("id", "title", "kind", "owner", "state", "classification", "region", "documents", "readable", "nobody_reads", "quarantined"),
        *("last_success_at", "permissions_read_at", "permissions_stale"),
    },
    "SpanOut": {"start", "end"},
    "CuratedChangedResponse": {"request_id", "id", "number", "state", "expires_at"},
    "CuratedListResponse": {"request_id", "curated", "next_cursor"},
    "CuratedOut": {
        *("id", "number", "state", "expires_at", "escalation", "question", "paraphrases", "sentences", "citations", "reviewer", "at"),
        *("said_right", "said_wrong"),
    },
    "FeedbackOut": {"kind", "citation", "at"},
    "FeedbackResponse": {"request_id", "answer", "feedback"},
    "GapListResponse": {"request_id", "gaps", "next_cursor"},
    "GapOut": {"source", "month", "kind", "occasions", "question", "topics", "document", "notes", "last_at"},
    "SupportOut": {"id", "document", "version", "source", "title", "uri", "page", "heading_path"},
    "DiffResponse": {"request_id", "document", "compared", "changes", "is_whole"},
    "DocumentHistoryResponse": {"request_id", "document", "source", "versions"},
    "HunkOut": {"before", "after", "removed", "added"},
    "TimeOut": {"since", "until"},
    "VersionInTimeOut": {"id", "number", "state", "content_hash", "title", "published_at", "characters", "current"},
    "VersionOut": {"id", "number", "state", "content_hash", "published_at", "characters"},
    "WrittenOut": {"name", "kind", "span"},
    "AccessRequestListResponse": {"request_id", "access_requests", "next_cursor"},
    "AccessRequestOut": {"id", "source", "asker", "document", "query", "created_at"},
    "AnswerResponse": {
        *("request_id", "outcome", "answer", "reason", "reason_code", "sentences", "citations", "confidence", "conflicts"),
        *("generated", "curated", "escalation", "passages", "as_of", "consistency_token", "model", "degraded", "freshness"),
    },
    "BudgetOut": {"holder", "period", "tokens", "dollars", "spent_tokens", "spent_dollars", "starts_anew", "set_by", "set_at"},
    "CitationCheckResponse": {"request_id", "id", "state", "version_is_current", "stands", "quoted"},
    "CitationReceiptResponse": {
        *("request_id", "id", "document", "version", "passage", "span", "quote_hash", "given_at", "given_in", "readable"),
        *("current", "quoted"),
    },
    "CitedVersionOut": {"id", "number", "content_hash"},
    "ConfidenceOut": {"probability", "threshold", "model"},
    "ConflictOut": {"about", "sides"},
    "ConflictSideOut": {"citation", "modified_at", "authority"},
    "CurrentVersionOut": {"id", "number", "content_hash", "title", "uri"},
    "DayOut": {"day", "by_state"},
    "DurationsOut": {"count", "median_seconds", "p90_seconds"},
    "EscalationListResponse": {"request_id", "escalations", "next_cursor"},
    "EscalationOut": {"id", "query", "state", "reason_codes", "opened_at", "due_at", "expires_at", "closed_at"},
    "EscalationResponse": {"request_id", "escalation", "answer", "sentences", "citations"},
    "EventOut": {"at", "by", "what", "note"},
    "EvidenceOut": {"rank", "passage", "citation", "scores", "cited"},
    "GeneratedOut": {"by", "prompt", "input_tokens", "output_tokens", "cost_usd"},
    "HistoryResponse": {"request_id", "events"},
    "JudgedDraftOut": {"confidence", "is_right"},
    "QuotedNowOut": {"span", "quote", "page", "heading_path"},
    "ResolutionOut": {"kind", "sentences", "by", "at", "reason", "knowledge_gap", "is_curated", "is_withheld"},
    "ReviewListResponse": {"request_id", "reviews", "next_cursor"},
    "ReviewOut": {
        *("id", "version", "query", "state", "priority", "reason_codes", "asker", "source", "skill", "reviewers", "opened_at"),
        *("due_at", "expires_at", "is_overdue", "claimed_by", "lease_until", "closed_at", "delivery"),
    },
    "ReviewResponse": {
        *("request_id", "review", "sources", "evidence", "draft", "citations", "is_withheld", "confidence", "signals", "generated"),
        *("may_decide", "resolution"),
    },
    "ReviewedResponse": {"request_id", "review"},
    "SaidOut": {"id", "sentences", "citations"},
    "SentenceOut": {"text", "citation", "citations", "support", "verdict"},
    "StatisticsResponse": {
        *("request_id", "since", "volume", "to_claim", "to_decide", "overdue_share", "outcomes", "by_reason", "by_source"),
        *("drafts",),
    },
    "UsageLineOut": {"key", "answers", "input_tokens", "output_tokens", "dollars"},
    "UsageResponse": {"request_id", "by", "since", "until", "lines", "budgets"},
}
REQUESTS = {
    "CuratedChangeRequest": {"expected"},
    "FeedbackRequest": {"answer", "kind", "citation", "note"},
    "ParaphrasesRequest": {"paraphrases", "expected"},
    "RenewRequest": {"days", "expected"},
    "RetrieveRequest": {"query", "top_k", "sources", "at_least", "as_of", "curated", "explain"},
    "CreateKeyRequest": {"principal", "roles", "sources", "label", "expires_days"},
    "AnswerRequest": {"query", "sources", "at_least", "as_of", "include_passages", "escalate"},
    "DecisionRequest": {"expected", "judgement", "sentences", "own_knowledge", "reason", "knowledge_gap", "is_curated"},
    "ExpectedRequest": {"expected"},
    "PushRequest": {"text", "content", "media_type", "title", "uri", "modified_at", "allow", "deny", "sequence"},
    "ReassignRequest": {"expected", "to", "note"},
    "RecallRequestIn": {"document", "version", "source", "reason"},
}
WITHIN_REQUESTS = {"CitationIn": {"passage", "start", "end", "quote"}, "SentenceIn": {"text", "citations"}}
FOR_AUDITORS = {"AuditRecordOut", "AuditedDocumentOut", "AnswerLineageResponse"}
"""They say at which revision and under which permissions something was shown; no reader is given them."""
FROM_PUBLISHERS = {"PushRequest"}
"""They say who may read what they push; nobody is told it."""
OPEN = {"/healthz", "/readyz"}
NEVER = ("vector", "embedding", "access_class", "revision", "policy", "allow", "deny", "groups")


@pytest.fixture
def description(api: TestClient) -> Any:
    return api.get("/openapi.json").json()


@pytest.mark.permissions
def test_responses_have_the_listed_fields_and_no_other(description: Any):
    schemas = {name: set(schema["properties"]) for name, schema in description["components"]["schemas"].items() if "properties" in schema}

    assert schemas == FIELDS | REQUESTS | WITHIN_REQUESTS


@pytest.mark.permissions
def test_no_field_is_a_vector_an_access_class_or_a_revision(description: Any):
    schemas = description["components"]["schemas"]

    known = FOR_AUDITORS | FROM_PUBLISHERS
    names = {field for name, schema in schemas.items() if name not in known for field in schema.get("properties", ())}

    assert not [name for name in names if any(word in name for word in NEVER)]


def test_requests_refuse_unknown_fields_and_show_examples(description: Any):
    for name in REQUESTS:
        schema = description["components"]["schemas"][name]

        assert schema["additionalProperties"] is False
        assert schema["examples"]


def test_every_error_is_described_as_a_problem(description: Any):
    errors = {
        (path, status): list(response["content"])
        for path, operation in operations(description)
        for status, response in operation["responses"].items()
        if status >= "400" and path != "/readyz"
    }

    assert {path for path, _ in errors} == {path for path, operation in operations(description) if path not in OPEN}
    assert all(media_types == ["application/problem+json"] for media_types in errors.values())
    assert ("/documents/{id}", "404") in errors


def test_routes_that_need_a_key_say_so(description: Any):
    secured = {path for path, operation in operations(description) if operation.get("security")}

    assert secured == {path for path, _ in operations(description)} - OPEN


def test_routes_say_which_role_opens_them_and_that_a_user_may_be_named_beside_the_application(description: Any):
    operation = description["paths"]["/keys"]["post"]

    assert operation["security"] == [{"bearer": []}, {"bearer": [], "onBehalfOf": []}]
    assert operation["responses"]["403"]["description"].endswith("needs: admin")
    assert set(description["components"]["securitySchemes"]) == {"bearer", "onBehalfOf"}


def test_people_are_shown_every_route_and_body_without_a_script(api: TestClient, description: Any):
    reference = api.get("/docs")

    assert reference.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in reference.headers["content-security-policy"]
    for path, _ in operations(description):
        assert path in reference.text
    for name in description["components"]["schemas"]:
        assert f'id="{name}"' in reference.text
    assert not any(tag in reference.text for tag in ("<script", "<style", "src=", 'href="http'))


def test_the_example_of_an_answer_is_an_answer(description: Any):
    example = description["components"]["schemas"]["AnswerResponse"]["examples"][0]

    assert set(example) == FIELDS["AnswerResponse"]
    assert set(example["citations"][0]) == CITATION


def operations(description: Any) -> Iterator[tuple[str, Any]]:
    for path, item in description["paths"].items():
        for operation in item.values():
            yield path, operation
