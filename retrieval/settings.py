"""Every setting, with its unit and default. Nothing else reads the environment.

Each field is set by the environment variable ARCHIVIST_<NAME>, e.g. ARCHIVIST_DATA_DIRECTORY.
"""

import json
import os
from pathlib import Path
from typing import Literal

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt
from pydantic_settings import BaseSettings, SettingsConfigDict

ENV_PREFIX = "ARCHIVIST_"
KIB = 1024
MIB = 1024 * KIB


class Settings(BaseSettings):
    """Archivist's settings. Sizes are in bytes and times in seconds unless the name says otherwise."""

    model_config = SettingsConfigDict(env_prefix=ENV_PREFIX, extra="ignore", frozen=True)

    # Where things are
    data_directory: Path = Field(Path(".archivist"), description="Everything Archivist keeps: catalog, blobs, index, Dagster's home.")
    catalog_url: str = Field(
        "", description="SQLAlchemy URL of the catalog; empty: SQLite in the data directory. PostgreSQL: postgresql+psycopg://…"
    )
    blob_url: str = Field("", description="fsspec URL of the store of original bytes; empty: a folder in the data directory.")
    host: str = Field("127.0.0.1", description="Address the API listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port of the API.")
    dagster_host: str = Field("127.0.0.1", description="Address the Dagster UI listens on.")
    dagster_port: int = Field(3000, ge=1, le=65535, description="Port of the Dagster UI.")
    dagster_url: str = Field("", description="Address of the Dagster UI as people's browsers reach it; empty: where it listens.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="Least severe log line that is written.")

    # Index
    index_backend: Literal["edge", "server"] = Field(
        "edge", description="`edge`: Qdrant inside the API process. `server`: a Qdrant server by URL."
    )
    qdrant_url: str = Field("", description="URL of the Qdrant server; needed for `server`.")
    qdrant_api_key: str = Field("", description="API key of the Qdrant server.", repr=False)
    qdrant_collection: str = Field("archivist", description="Collection on the Qdrant server.")
    qdrant_timeout_seconds: PositiveInt = Field(10, description="Longest wait for the Qdrant server.")
    index_batch_documents: PositiveInt = Field(64, description="Documents applied to the index at once.")
    index_follow_seconds: float = Field(0.5, gt=0, description="Pause between two looks at the catalog's changes.")
    index_catch_up_seconds: float = Field(1.0, ge=0, description="Longest time a query waits for the index to apply pending changes.")
    index_optimise_after_passages: PositiveInt = Field(
        20_000, description="Passages written since the last generation before a new, optimised one is built."
    )
    index_exact_passages: NonNegativeInt = Field(
        0,
        description="Up to this many readable passages the dense leg compares every one; 0: as many as was measured at the index's build.",
    )
    index_exact_milliseconds: float = Field(
        3.0, gt=0, description="Longest time for comparing every readable passage, where how many that is gets measured."
    )
    index_flush_seconds: float = Field(30.0, ge=0, description="Pause between flushes of the embedded index; a crash repeats these.")
    index_wait_seconds: float = Field(60.0, ge=0, description="Longest time a pipeline run waits for the reader to show what it published.")

    # Knowledge graph
    graph_max_depth: PositiveInt = Field(3, description="Most relations between an entity and what is shown of its neighbourhood.")
    graph_default_entities: PositiveInt = Field(50, description="Entities of a neighbourhood shown when the caller does not say.")
    graph_max_entities: PositiveInt = Field(200, description="Most entities of a neighbourhood shown at once.")
    graph_max_passages: PositiveInt = Field(1_000, description="Most readable passages looked at for each step of a neighbourhood.")
    graph_max_relations: PositiveInt = Field(1_000, description="Most relations of a neighbourhood shown at once.")
    graph_name_min_characters: PositiveInt = Field(2, description="Shortest beginning of a name that entities are looked up by.")
    graph_name_max_characters: PositiveInt = Field(200, description="Longest name of an entity; a longer one is none.")
    graph_batch_documents: PositiveInt = Field(100, description="Documents whose facts are written in one transaction.")
    graph_export_max_passages: PositiveInt = Field(1_000_000, description="Most passages that one export of the graph stands on.")
    glossary_max_bytes: PositiveInt = Field(4 * MIB, description="Largest glossary file.")
    glossary_max_terms: PositiveInt = Field(10_000, description="Most terms of one source's glossary.")
    glossary_max_aliases: PositiveInt = Field(50, description="Most aliases of one term.")
    glossary_max_definition_characters: PositiveInt = Field(4_000, description="Longest definition of a term.")

    # Models
    embedder_model: str = Field("", description="Name or path of a sentence-transformers model; empty: the bundled all-MiniLM-L6-v2.")
    embedder_dtype: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="`auto`: bfloat16 where the processor computes in it."
    )
    embedder_batch_passages: PositiveInt = Field(32, description="Passages embedded at once.")
    embedder_concurrent_runs: PositiveInt = Field(
        1, description="Pipeline runs that embed passages at once; the others wait for their turn."
    )
    embedder_threads: int = Field(0, ge=0, description="Threads that embed passages; 0: one per core.")
    embedder_query_threads: int = Field(
        1, ge=0, description="Threads that embed one query; 0: one per core. More are little faster alone and slower on a busy machine."
    )
    embedder_kept_queries: int = Field(1024, ge=0, description="Vectors of recent queries that are remembered; 0: none.")
    models_directory: str = Field("", description="Folder of models that may be registered, a folder each; empty: in the data directory.")
    model_refresh_seconds: float = Field(1.0, gt=0, description="Pause between two looks of a reader at which models it should have ready.")
    model_golden: str = Field("", description="File of golden questions that models are compared by, with those of reviewers.")
    model_max_ndcg_loss: float = Field(0.01, ge=0, le=1, description="Most that nDCG@10 may be below the live model's for a promotion.")
    model_max_latency_ratio: float = Field(2.0, gt=0, description="Most times as long as with the live model that a query may take.")
    model_max_cost_ratio: float = Field(5.0, gt=0, description="Most times as long as with the live model that embedding may take.")
    model_compared_passages: PositiveInt = Field(128, description="Passages embedded by both models to compare what that costs.")
    model_forget_batch: PositiveInt = Field(2_000, description="Vectors of a retired model deleted in one transaction.")

    # Reranking
    rerank_timeout_seconds: float = Field(2.0, gt=0, description="Longest time that rerankers may take in all; then the fused order stays.")
    cohere_api_key: str = Field("", description="Key of Cohere's API; empty: nothing is sent there.", repr=False)
    cohere_base_url: str = Field("https://api.cohere.com", description="URL of Cohere's API, or of a gateway that speaks it.")
    cohere_rerank_model: str = Field("rerank-v3.5", description="Cohere's model that reranks.")
    cohere_max_classification: Literal["public", "internal", "confidential", "restricted"] = Field(
        "internal", description="Most sensitive classification of sources whose passages are sent to Cohere."
    )
    cohere_timeout_seconds: float = Field(1.5, gt=0, description="Longest wait for Cohere.")
    cohere_max_passages: int = Field(100, ge=1, le=1_000, description="Most passages sent in one call.")
    cohere_max_characters: PositiveInt = Field(4_000, description="Most characters sent of one passage.")
    cohere_max_response_bytes: PositiveInt = Field(MIB, description="Largest answer that is read.")
    reranker_model: str = Field("", description="Path of a cross-encoder, or its name in the local cache; empty: none.")
    reranker_dtype: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="`auto`: bfloat16 where the processor computes in it."
    )
    reranker_batch_passages: PositiveInt = Field(8, description="Passages scored at once, between two looks at the clock.")
    reranker_max_tokens: PositiveInt = Field(512, description="Most tokens of query and passage together; the model's own limit holds too.")
    reranker_threads: int = Field(0, ge=0, description="Threads that score passages; 0: one per core.")

    # Generators
    generators: str = Field(
        "", description="Models that word answers, as they are preferred, joined by commas: `cohere`, `openai`; empty: answers only quote."
    )
    generator_timeout_seconds: float = Field(20.0, gt=0, description="Longest time that the wording of one answer may take.")
    generator_first_token_seconds: float = Field(5.0, gt=0, description="Longest wait for a generator's first words.")
    generator_max_output_tokens: PositiveInt = Field(500, description="Most tokens that a generator says of one answer.")
    generator_max_response_bytes: PositiveInt = Field(
        4 * MIB, description="Most that is read of a generator's answer, its format included."
    )
    generator_temperature: float = Field(0.0, ge=0, le=2, description="How freely a generator chooses its words; 0: the likeliest ones.")
    cohere_chat_model: str = Field("command-a-03-2025", description="Cohere's model that words answers.")
    cohere_citations: Literal["FAST", "ACCURATE"] = Field(
        "FAST", description="Whether Cohere's citations come with the text or, more careful, at its end."
    )
    openai_base_url: str = Field("https://api.openai.com/v1", description="URL of an API of OpenAI's kind: a gateway, vLLM, Ollama.")
    openai_api_key: str = Field("", description="Its key; empty: it wants none.", repr=False)
    openai_model: str = Field("", description="Its model that words answers; needed for `openai`.")
    openai_max_classification: Literal["public", "internal", "confidential", "restricted"] = Field(
        "internal", description="Most sensitive classification of sources whose passages are sent there."
    )
    openai_in_the_clear: bool = Field(default=False, description="Speak to it without encryption though it is another host.")
    openai_sends_store: bool = Field(
        default=True, description="Ask it to store nothing; off for servers that refuse what they do not know."
    )
    openai_reasoning: bool = Field(default=False, description="Its model wants `max_completion_tokens` and no temperature.")

    # Models that may fail
    model_max_calls: PositiveInt = Field(16, description="Most calls of one model at once; one more goes on without it.")
    model_attempts: PositiveInt = Field(2, description="Attempts at one call of a remote model, the first included.")
    model_retry_share: float = Field(0.1, ge=0, le=1, description="Most retries per call, over all calls of a remote model.")
    model_retry_pause_seconds: float = Field(0.1, ge=0, description="Most that is paused, at random, before the first retry.")
    model_breaker_failures: PositiveInt = Field(5, description="Failures among the latest calls after which a model is left alone.")
    model_breaker_window_calls: PositiveInt = Field(10, description="How many the latest calls are.")
    model_breaker_open_seconds: float = Field(30.0, gt=0, description="How long it is left alone before one call tries it again.")
    model_breaker_longest_rest_seconds: float = Field(
        300.0, ge=0, description="Longest that a provider's own wish to be left alone is heeded."
    )

    # Permissions
    default_clearance: Literal["public", "internal", "confidential", "restricted"] = Field(
        "restricted", description="Most sensitive classification for principals without a clearance; a grant is needed in any case."
    )
    application_clearance: Literal["public", "internal", "confidential", "restricted"] = Field(
        "internal", description="Most sensitive classification of what an application reads that asks for nobody."
    )
    permission_max_age_hours: int = Field(
        720, ge=0, description="Age at which a source's permissions are too old to be believed, where it sets none itself; 0: never."
    )
    authorise_kept_principals: int = Field(1024, ge=0, description="Principals whose readable classes are remembered; 0: none.")

    # Identity
    oidc_issuer: str = Field("", description="URL of the identity provider whose access tokens are accepted, exactly; empty: none are.")
    oidc_audience: str = Field("", description="What a token's audience must name; needed with an issuer.")
    oidc_jwks_url: str = Field("", description="URL of the provider's signing keys; empty: as its discovery document says.")
    oidc_algorithms: str = Field("RS256,ES256,EdDSA", description="Signature algorithms of tokens, joined by commas.")
    oidc_subject_claim: str = Field("sub", description="Claim that names a principal for good; never an e-mail address.")
    oidc_groups_claim: str = Field("", description="Claim that lists a principal's groups; empty: groups come from the directory only.")
    oidc_roles_claim: str = Field("roles", description="Claim that lists a principal's roles; empty: everybody has the default role.")
    oidc_leeway_seconds: int = Field(60, ge=0, le=300, description="How far the provider's clock may differ from ours.")
    oidc_token_max_characters: PositiveInt = Field(16_384, description="Longest token.")
    oidc_jwks_keep_seconds: PositiveInt = Field(3_600, description="Age at which the provider is asked for its signing keys again.")
    oidc_jwks_pause_seconds: float = Field(10.0, ge=0, description="Shortest time between two such questions, whatever tokens name.")
    oidc_timeout_seconds: float = Field(5.0, gt=0, description="Longest wait for the provider.")

    # Directory
    directory_issuer: str = Field(
        "", description="Issuer of the people and groups that SCIM and CSV files enter; empty: `oidc_issuer`, and without it this service."
    )
    directory_max_groups: PositiveInt = Field(20_000, description="Most groups that one principal is a direct member of.")
    directory_max_members: PositiveInt = Field(100_000, description="Most direct members of one group.")
    directory_max_name_characters: PositiveInt = Field(256, description="Longest name in the directory.")
    directory_max_attributes_bytes: PositiveInt = Field(16 * KIB, description="Most that is kept of what SCIM tells of one person.")
    directory_csv: str = Field(
        "", description="A CSV file of people or groups, or a folder with people.csv and groups.csv, that is imported every 15 minutes."
    )
    directory_csv_max_bytes: PositiveInt = Field(64 * MIB, description="Largest such file.")
    directory_csv_delete_missing: bool = Field(
        default=False, description="Delete whom earlier imports entered and the file no longer names; else they stay."
    )
    scim_page_entries: PositiveInt = Field(200, description="Most resources on one page of a SCIM list.")
    scim_max_operations: PositiveInt = Field(1_000, description="Most operations in one SCIM PATCH.")
    scim_max_bytes: PositiveInt = Field(2 * MIB, description="Largest body of a SCIM request.")

    # Audit log
    audit_checkpoint_file: str = Field(
        "", description="File of signed checkpoints, best on storage that only grows; empty: in the data directory."
    )
    audit_signing_key_file: str = Field("", description="File of the key that signs them, made once; empty: in the data directory.")
    audit_checkpoint_records: PositiveInt = Field(1_000, description="Records after which a checkpoint is signed.")
    audit_checkpoint_seconds: float = Field(60.0, gt=0, description="Seconds after which one is, if anything was recorded.")

    # Queries
    query_max_characters: PositiveInt = Field(4096, description="Longest query.")
    query_max_bytes: PositiveInt = Field(4 * KIB, description="Longest query in UTF-8.")
    query_max_top_k: PositiveInt = Field(100, description="Most hits a caller may ask for.")
    query_default_top_k: PositiveInt = Field(10, description="Hits when the caller does not say.")
    query_depth: PositiveInt = Field(100, description="Hits that each leg returns to fusion.")
    request_max_bytes: PositiveInt = Field(64 * KIB, description="Largest request body.")
    feedback_passages: int = Field(3, ge=0, le=10, description="Best hits whose vectors search once more beside the query; 0: none do.")
    feedback_weight: float = Field(0.6, ge=0, le=2, description="What they weigh in that search beside the query's own vector.")
    rerank_passages: int = Field(50, ge=0, le=200, description="Best fused hits that are reranked; 0: none are.")
    rerank_tokens: bool = Field(
        default=True,
        description="Keep every passage's tokens as small vectors, about 6 KiB a passage, for the feature reranker to compare.",
    )
    rerank_kept_passages: int = Field(5_000, ge=0, description="Passages whose tokens each process remembers, 12 KiB each; 0: none.")
    graph_weight: float = Field(
        0.5, ge=0, le=2, description="What the graph's score counts beside the fused score; 0: the graph is not asked."
    )
    fusion: Literal["convex", "rank", "distribution"] = Field(
        "convex", description="What of the legs is fused: their normalised scores, reciprocal ranks or standardised scores."
    )
    fusion_lexical_weight: float = Field(0.55, ge=0, le=1, description="Share of the lexical leg in the fused score.")
    fusion_weights: Literal["fixed", "learned"] = Field(
        "fixed", description="Whether every query has that share, or one up to .15 from it by how steeply the legs' scores fall."
    )
    answer_max_sentences: PositiveInt = Field(3, description="Most sentences that an extractive answer quotes.")
    answer_passages: PositiveInt = Field(8, description="Retrieved passages that an answer may quote from.")
    answer_embedded_sentences: PositiveInt = Field(4, description="Sentences an answer chooses from by embedding; most of its cost.")
    citation_receipt_days: PositiveInt = Field(400, description="Days that it is kept what was cited to whom, so that it can be checked.")
    answer_min_support: float = Field(0.05, ge=0, le=1, description="Least support at which a sentence is quoted.")

    # Confidence
    answer_accepted_error: float = Field(
        0.25,
        gt=0,
        le=0.5,
        description="Share of the answers given that may show the wrong place, where a source's owner says nothing else.",
    )
    answer_error_confidence: float = Field(
        0.95, ge=0.5, lt=1, description="How certain it is to be that no greater share is wrong; 0.5 to 1, 1 excluded."
    )
    calibration_kept_seconds: float = Field(
        5.0, ge=0, le=3600, description="Seconds after which a newly activated calibration holds in every process."
    )
    calibration_least_verdicts: PositiveInt = Field(100, description="Verdicts without which `archivist calibrate` learns nothing.")
    calibration_least_group_verdicts: PositiveInt = Field(
        100, description="Verdicts from which a source or a risk tier gets thresholds of its own."
    )

    # Quoted phrases
    query_phrases_must_match: bool = Field(
        default=True, description="Hits hold every quoted phrase of the query, word by word; else quotes mean nothing."
    )
    query_max_phrases: PositiveInt = Field(8, description="Most quoted phrases in a query.")
    query_max_phrase_words: PositiveInt = Field(64, description="Longest quoted phrase, in words and marks.")

    # Answer policies
    answer_accepted_error_low: float = Field(
        0.4,
        gt=0,
        le=0.5,
        description="Share of given answers that may be wrong where a source's risk tier is low and it says no share itself.",
    )
    answer_accepted_error_high: float = Field(
        0.1,
        gt=0,
        le=0.5,
        description="The same where a source's risk tier is high; a question that several sources answer has the strictest.",
    )
    answer_unsupported: Literal["drop", "flag", "escalate"] = Field(
        "drop",
        description="What becomes of a sentence that nothing supports, where its sources do not say: `drop` leaves it out, `flag` shows it "
        "as unsupported, `escalate` asks a person.",
    )
    answer_scope_min_similarity: float = Field(
        0.3,
        ge=0,
        le=1,
        description="Cosine from which on a passage is about a question; tuned for the bundled model, others may need another one.",
    )
    answer_scope_min_coverage: float = Field(
        0.5, ge=0, le=1, description="Part of a question's words with which a passage that is less similar still is about it."
    )
    answer_max_conflicts: PositiveInt = Field(3, description="Most contradictions among what was found that an answer shows.")
    answer_escalation: Literal["automatic", "on_request", "never"] = Field(
        "automatic",
        description="When a question that the service does not answer by itself goes to a person: always, if its asker wishes, never.",
    )

    # Passages in context
    hits_collapse_duplicates: bool = Field(
        default=False, description="Show of near duplicates the best and name the others in it; judged collections lose by it."
    )
    hits_join_neighbours: bool = Field(default=True, description="Show neighbouring hits of one document as one stretch of text, too.")
    hits_joined_max_characters: PositiveInt = Field(5_000, description="Longest such stretch.")

    # Escalations
    escalation_max_pending: PositiveInt = Field(20, description="Most questions of one asker that wait for people at once.")
    escalation_max_evidence: PositiveInt = Field(20, description="Most passages that one escalation names.")
    escalation_max_sentences: PositiveInt = Field(50, description="Most sentences of a draft or of a reviewer's answer.")
    escalation_max_sentence_characters: PositiveInt = Field(4_000, description="Longest such sentence, and longest note of a reviewer.")
    escalation_max_citations: PositiveInt = Field(10, description="Most citations of one sentence of a reviewer's answer.")
    escalation_max_reviewers: PositiveInt = Field(20, description="Most subjects that a reviewer may give one escalation to.")
    escalation_lease_minutes: PositiveInt = Field(
        30, description="How long a claimed escalation is its reviewer's before others may have it."
    )
    escalation_review_hours_low: PositiveInt = Field(
        72, description="Hours in which a person should decide, where sources are of low risk."
    )
    escalation_review_hours_standard: PositiveInt = Field(24, description="The same for sources of standard risk.")
    escalation_review_hours_high: PositiveInt = Field(4, description="The same for sources of high risk.")
    escalation_expiry_days: PositiveInt = Field(14, description="Days after which a question that nobody decided expires.")
    escalation_retention_days: PositiveInt = Field(365, description="Days that a closed escalation is kept.")
    escalation_undeliverable: Literal["withhold", "drop"] = Field(
        "withhold",
        description="A reviewer's answer of which the asker may not read every source now: `withhold` it all, or `drop` such sentences.",
    )
    escalation_sweep_seconds: float = Field(5.0, gt=0, description="Pause between two looks at what is to be returned, expired or sent.")
    escalation_batch: PositiveInt = Field(100, description="Escalations that one such look expires, forgets or sends at most.")
    review_statistics_max_days: PositiveInt = Field(366, description="Most days that reviewers' statistics reach back.")
    review_statistics_max_escalations: PositiveInt = Field(20_000, description="Most escalations that they are made of: the newest.")
    webhook_attempts: PositiveInt = Field(8, description="Attempts at one message to an application or by e-mail before it is given up.")
    webhook_first_pause_seconds: float = Field(15.0, gt=0, description="Pause before the second attempt; doubles for each further one.")
    webhook_longest_pause_seconds: float = Field(21_600.0, gt=0, description="Longest such pause.")
    webhook_timeout_seconds: float = Field(10.0, gt=0, description="Longest wait for an application, or for the mail server.")
    webhook_allow_private_addresses: bool = Field(
        default=False, description="Let webhooks reach loopback and private addresses, by http too."
    )
    email_smtp_host: str = Field("", description="Mail server that tells askers of a decision; empty: no e-mail is sent.")
    email_smtp_port: int = Field(25, ge=1, le=65535, description="Its port.")
    email_smtp_starttls: bool = Field(default=True, description="Go on by TLS, and refuse a server that does not.")
    email_smtp_user: str = Field("", description="Name to log in with; empty: no login.")
    email_smtp_password: str = Field("", description="Password to log in with.", repr=False)
    email_from: str = Field("", description="Sender's address; needed with a mail server.")
    email_link: str = Field("", description="Address of the asker's page, with `{id}` for the escalation's; empty: the mail has no link.")
    access_requests_waiting: PositiveInt = Field(
        1_000, description="Questions without an answer that wait to be considered for access requests."
    )
    access_requests_documents: PositiveInt = Field(3, description="Most documents of one source that one question asks access to.")

    # API
    api_threads: PositiveInt = Field(16, description="Requests worked on at once; the others wait.")
    api_queue: int = Field(128, ge=0, description="Requests that wait at most; any more are told 503 at once.")
    api_behind_https: bool = Field(
        default=False, description="Callers come by HTTPS: tell their browsers never to come in another way (Strict-Transport-Security)."
    )
    request_deadline_seconds: float = Field(30.0, gt=0, description="A request that is not answered by then is told 503.")
    request_body_seconds: float = Field(10.0, gt=0, description="Longest time that a request's body takes to arrive.")
    request_max_json_depth: PositiveInt = Field(32, description="Deepest nesting of a JSON body.")
    request_max_number_characters: PositiveInt = Field(100, description="Longest number in a JSON body.")
    request_max_headers: PositiveInt = Field(100, description="Most headers of a request.")
    request_max_header_bytes: PositiveInt = Field(64 * KIB, description="Largest headers of a request, names and values together.")
    request_max_target_bytes: PositiveInt = Field(8 * KIB, description="Longest path with its parameters.")
    idempotency_kept_seconds: PositiveInt = Field(86_400, description="How long a write may be sent again under its Idempotency-Key.")
    idempotency_wait_seconds: float = Field(2.0, ge=0, description="Longest time a write waits for its twin before it is told 409.")
    rate_limit_storage: str = Field(
        "memory://",
        description="Where request rates are counted: `memory://` in each process, `redis://host:6379` for all replicas.",
        repr=False,
    )
    rate_limit_seconds: PositiveInt = Field(10, description="The time in which the following three are counted.")
    rate_limit_requests: int = Field(5_000, ge=0, description="Most requests of one user in that time; 0: no limit.")
    rate_limit_application_requests: int = Field(
        50_000, ge=0, description="Most requests of one application in that time, those on behalf of users included; 0: no limit."
    )
    rate_limit_failed_authentications: int = Field(
        1_000,
        ge=0,
        description="Failed authentications of one address in that time; further ones get 429, valid credentials pass; 0: no limit.",
    )
    rate_limit_concurrent: int = Field(64, ge=0, description="Most requests of one user at once, in each process; 0: no limit.")
    rate_limit_application_concurrent: int = Field(128, ge=0, description="The same for one application; 0: no limit.")
    list_page_entries: PositiveInt = Field(50, description="Entries of a list shown when the caller does not say.")
    list_max_page_entries: PositiveInt = Field(200, description="Most entries of a list shown at once.")
    cursor_seconds: PositiveInt = Field(86_400, description="How long the cursor of a list's next page works.")
    extract_default_characters: PositiveInt = Field(2_000, description="Text of a document shown when the caller names no span.")
    extract_max_characters: PositiveInt = Field(50_000, description="Longest span of a document that a caller may ask for.")
    extract_context_characters: int = Field(500, ge=0, description="Text shown on either side of a span when the caller does not say.")
    extract_max_context_characters: int = Field(5_000, ge=0, description="Most text on either side of a span.")
    request_max_sources: PositiveInt = Field(100, description="Most sources that one query may be restricted to.")

    # Console
    console_url: str = Field(
        "", description="URL that people reach the API by, without a path; needed for signing in to the console by OIDC."
    )
    console_idle_seconds: PositiveInt = Field(3_600, description="Time without a request after which a session of the console is over.")
    console_session_seconds: PositiveInt = Field(36_000, description="Time after which it is over in any case.")
    console_sign_in_seconds: PositiveInt = Field(600, description="Longest time that somebody may take to sign in at the provider.")
    console_oidc_client_id: str = Field(
        "", description="The console's client id at `oidc_issuer`; empty: people sign in with API keys only."
    )
    console_oidc_client_secret_file: str = Field("", description="File of the client's secret; empty: a public client, by PKCE alone.")
    console_oidc_scopes: str = Field(
        "openid", description="Scopes to ask for, joined by spaces; some providers need one to make a token for `oidc_audience`."
    )
    console_export_rows: PositiveInt = Field(10_000, description="Most escalations in one CSV file that the console gives.")
    console_document_characters: PositiveInt = Field(20_000, description="Text of a document that the console shows on one page.")

    # Prompts and what is read of generated text
    prompts_directory: str = Field("", description="Folder of prompts, `<id>/<version>.yaml`; empty: data/prompts of the checkout.")
    answer_prompt: str = Field("answer@1", description="Prompt that generators word answers with: id and version.")
    prompt_passage_max_characters: PositiveInt = Field(2_400, description="Longest passage that a generator is given; longer ones are cut.")
    generated_max_characters: PositiveInt = Field(12_000, description="Characters of a generator's output that are read.")
    generated_max_claims: PositiveInt = Field(8, description="Most sentences of a generated answer.")
    generated_max_claim_characters: PositiveInt = Field(600, description="Longest of them; a longer one is refused.")

    # Usage and budgets
    generator_prices: dict[str, tuple[NonNegativeFloat, NonNegativeFloat]] = Field(
        {},
        description="US dollars for a million tokens, in and out, by generator, as JSON: "
        '`{"cohere/command-a-03-2025": [2.5, 10]}`. Budgets in dollars need them.',
    )
    budget_exhausted: Literal["refuse", "extractive"] = Field(
        "refuse", description="What a question gets whose budget is used up: 429 with the limit, or quotes, which cost nothing."
    )
    usage_max_lines: PositiveInt = Field(1_000, description="Most lines of a report of usage.")

    # Command line
    url: str = Field("", description="The API that `archivist ask` and `archivist retrieve` call; empty: this machine's host and port.")
    key: str = Field("", description="The API key they send.", repr=False)
    call_timeout_seconds: float = Field(60.0, gt=0, description="Longest time they wait for the API.")

    # Versions
    retention_keep_versions: int = Field(
        20, ge=0, description="Newest versions kept of each document besides the current one, where its source does not say."
    )
    retention_keep_days: int = Field(365, ge=0, description="Days that a version is kept in any case after it was current.")
    retention_batch_documents: PositiveInt = Field(100, description="Documents whose old versions are removed in one transaction.")
    rollback_max_documents: PositiveInt = Field(100_000, description="Most documents that one rollback changes.")
    erase_max_documents: PositiveInt = Field(100_000, description="Most documents that one erasure removes.")
    history_max_versions: PositiveInt = Field(100, description="Most versions that the history of a document shows: the newest.")
    diff_max_characters: PositiveInt = Field(2_000_000, description="Longest text, of the two that are compared, that a diff is made of.")
    diff_max_hunks: PositiveInt = Field(200, description="Most changed places that a diff shows.")
    diff_max_hunk_characters: PositiveInt = Field(20_000, description="Text shown of each side of one changed place.")

    # Reading what was current once
    as_of_max_days: int = Field(
        90, ge=0, description="Days back that `as_of` asks for, and for which indexes hold what was current; 0: `as_of` is refused."
    )

    # Learning from people
    curated_automatic: bool = Field(
        default=False, description="Curate every reviewed answer that cites all it says; else those that a reviewer ticks."
    )
    curated_min_similarity: float = Field(
        0.8, ge=0, le=1, description="Least cosine of two questions that may be the same. Numbers, names and negations must agree, too."
    )
    curated_min_overlap: float = Field(
        1.0, ge=0, le=1, description="Least share of both questions' terms that both have; 1: all but politeness and stop words."
    )
    curated_days: PositiveInt = Field(180, description="Days that a curated answer holds before a reviewer has to renew it.")
    curated_max_days: PositiveInt = Field(1_830, description="Most days that a reviewer may renew it for.")
    curated_max_paraphrases: PositiveInt = Field(20, description="Most other ways to ask one curated answer's question.")
    curated_suspend_after: PositiveInt = Field(3, description="Different people who say it is wrong before a curated answer is suspended.")
    feedback_max_note_characters: PositiveInt = Field(2_000, description="Longest note of feedback.")
    answers_kept_days: PositiveInt = Field(90, description="Days that it is kept who was given which answer, for feedback on it.")
    gaps_kept_days: PositiveInt = Field(400, description="Days that knowledge gaps are kept.")
    gap_min_askers: PositiveInt = Field(3, description="Different people who must have asked before an owner reads their question's words.")
    gap_min_askers_marked: PositiveInt = Field(1, description="The same for questions that a reviewer marked as a knowledge gap.")
    gap_topics_only_applications: str = Field(
        "", description="Applications, joined by commas, whose users' words no owner reads, such as `app:hr-desk`; `*`: nobody's."
    )
    gap_max_occasions: PositiveInt = Field(5_000, description="Most occasions that one month's gap report is made of: the newest.")
    gap_max_questions: PositiveInt = Field(500, description="Most different questions of it that are compared by their vectors.")
    learning_upkeep_seconds: float = Field(5.0, gt=0, description="Pause between two looks at what reviewers and documents have changed.")
    learning_batch: PositiveInt = Field(100, description="Resolutions that one such look learns from at most.")

    # Evaluation
    evaluation_directory: Path = Field(Path("../shared/data"), description="Folders of judged collections, for `make eval` alone.")
    evaluation_cache_directory: Path = Field(
        Path(".cache/evaluation"), description="Where evaluation keeps the embeddings of judged collections."
    )
    evaluation_max_file_bytes: PositiveInt = Field(16 * MIB, description="Largest file of golden questions.")
    evaluation_max_questions: PositiveInt = Field(10_000, description="Most golden questions in one file.")
    evaluation_max_relevant: PositiveInt = Field(1_000, description="Most relevant documents of one golden question.")
    evaluation_max_tags: PositiveInt = Field(20, description="Most tags of one golden question.")
    evaluation_max_answer_characters: PositiveInt = Field(10_000, description="Longest expected answer of a golden question.")
    evaluation_resamples: PositiveInt = Field(10_000, le=1_000_000, description="Resamples of the bootstrap that compares two runs.")
    evaluation_shown_queries: PositiveInt = Field(10, description="Queries that a comparison lists where the caller does not say.")

    # Ingestion
    source_max_file_bytes: PositiveInt = Field(100 * MIB, description="Largest source file.")
    source_max_files: PositiveInt = Field(1_000_000, description="Most files in one source.")
    parse_workers: PositiveInt = Field(2, description="Documents parsed at once.")
    parse_wall_seconds: PositiveInt = Field(120, description="Longest time to parse one document.")
    parse_cpu_seconds: PositiveInt = Field(120, description="Most processor time to parse one document.")
    parse_memory_bytes: PositiveInt = Field(2560 * MIB, description="Most address space of the process that parses one document.")
    parse_max_text_characters: PositiveInt = Field(20_000_000, description="Longest parsed text of one document.")
    parse_max_expanded_bytes: PositiveInt = Field(200 * MIB, description="Most bytes that one compressed document may expand to.")
    parse_max_archive_members: PositiveInt = Field(2_000, description="Most members of one compressed document.")
    parse_max_compression_ratio: PositiveInt = Field(100, description="Highest compression ratio of a large member.")
    parse_max_pages: PositiveInt = Field(2_000, description="Most pages of one document.")
    parse_max_ocr_pages: PositiveInt = Field(50, description="Most pages of one document that are read by OCR.")
    parse_max_image_pixels: PositiveInt = Field(80_000_000, description="Most pixels of one image or rendered page.")
    parse_max_table_cells: PositiveInt = Field(300_000, description="Most cells of one spreadsheet or table.")
    parse_max_attachments: PositiveInt = Field(100, description="Most attachments of one e-mail.")
    parse_ocr_languages: str = Field("eng", description="Tesseract's languages, joined by +.")
    parse_attempts: PositiveInt = Field(3, description="Attempts at a document before it stays in quarantine until it changes.")
    parse_retry_seconds: PositiveInt = Field(300, description="Pause before the second attempt; doubles for each further one.")
    chunk_max_tokens: PositiveInt = Field(
        220, description="Longest passage, prefix included, in the embedder's tokens; at most what the model reads less 2."
    )
    chunk_overlap_tokens: int = Field(0, ge=0, description="Tokens of whole sentences that a passage repeats from the one before.")
    source_run_retry_seconds: PositiveInt = Field(
        60, description="Pause before a source whose run failed is run again; doubles for each further run that fails."
    )
    source_run_retry_longest_seconds: PositiveInt = Field(3600, description="Longest such pause; a source is never given up.")
    contract_max_lost_share: float = Field(
        0.5,
        gt=0,
        le=1,
        description="Share of a source's documents: a listing that lacks more changes nothing but permissions, unless its contract "
        "allows it.",
    )
    contract_lost_least_documents: PositiveInt = Field(
        20, description="Readable documents of a source from which on that share is watched."
    )
    source_attempts: PositiveInt = Field(3, description="Attempts in one run at a source, or anything else, that is not there just now.")
    source_retry_seconds: PositiveInt = Field(5, description="Pause before the second such attempt; doubles for each further one.")
    embed_window_passages: PositiveInt = Field(512, description="Passages embedded before they are stored: what a crash can cost.")
    publish_batch_documents: PositiveInt = Field(100, description="Documents published in one transaction.")

    # Connectors of unstructured-ingest
    ingest_connectors: str = Field(
        "",
        description="Connectors of unstructured-ingest that sources may use, joined by commas, such as `sharepoint,confluence`; empty: "
        "none. `local` reads every file that the pipeline may read.",
    )

    # Pushed documents
    push_max_document_bytes: PositiveInt = Field(8 * MIB, description="Largest document that an application pushes, before base64.")
    push_max_subjects: PositiveInt = Field(1_000, description="Most subjects that a pushed document allows and denies.")
    push_max_title_characters: PositiveInt = Field(500, description="Longest title of a pushed document.")
    push_max_uri_characters: PositiveInt = Field(2_000, description="Longest URL of a pushed document's original.")
    push_max_documents: PositiveInt = Field(100_000, description="Most documents pushed to one source.")

    # Dry run of a registration
    dry_run_seconds: PositiveInt = Field(45, description="Time after which a dry run reads no further documents, and says so.")
    dry_run_max_listed: PositiveInt = Field(100_000, description="Most documents that a dry run lists.")
    dry_run_read_documents: PositiveInt = Field(200, description="Documents that a dry run parses and looks into.")
    dry_run_inspected_characters: PositiveInt = Field(100_000, description="Most characters of one document that it looks into.")
    dry_run_embedded_passages: PositiveInt = Field(32, description="Passages that it embeds to learn how long one takes.")

    # Credentials of sources
    credential_env_prefix: str = Field(
        f"{ENV_PREFIX}SOURCE_", min_length=1, description="`env:` references name only variables that begin with this."
    )
    credential_directory: str = Field("", description="Folder of the files that `file:` references name; empty: none can be named.")
    credential_names_source: bool = Field(
        default=False, description="Whether a source may name only credentials that carry its id: with several owners, one uses no other's."
    )
    credential_max_bytes: PositiveInt = Field(64 * KIB, description="Largest credential that is read.")
    vault_url: str = Field("", description="URL of HashiCorp Vault, for `vault:` references; empty: none can be named.")
    vault_token_file: str = Field("", description="File that holds the token which reads Vault, such as Vault Agent writes.")
    vault_mount: str = Field("secret", description="Where Vault's key-value engine, version 2, is mounted.")
    vault_prefix: str = Field("archivist/", min_length=1, description="`vault:` references name only paths that begin with this.")
    vault_timeout_seconds: PositiveInt = Field(5, description="Longest wait for Vault.")

    # Web connector
    web_allow_private_addresses: bool = Field(default=False, description="Let web sources reach loopback and private addresses.")
    web_timeout_seconds: PositiveInt = Field(30, description="Longest time for one web request, redirects included.")
    web_max_redirects: int = Field(5, ge=0, description="Most redirects followed for one URL.")
    web_max_urls: PositiveInt = Field(10_000, description="Most URLs of one web source.")
    web_attempts: PositiveInt = Field(3, description="Attempts at one URL whose site is busy or does not answer.")
    web_retry_after_seconds: float = Field(
        10.0, ge=0, description="Longest pause before another attempt; a site that asks for more is tried in a later run."
    )
    web_user_agent: str = Field("Archivist/0.1", description="User-Agent of web requests.")

    # Databases, repositories and mailboxes as sources
    sql_hosts: str = Field(
        "",
        description="Hosts whose databases sources may read, joined by commas, such as `db.corp.example`; empty: any host that "
        "a credential names, private networks included, but never link-local and metadata addresses.",
    )
    sql_connect_seconds: PositiveInt = Field(10, description="Longest wait for a connection to a source's database.")
    sql_statement_seconds: PositiveInt = Field(120, description="Longest time for one statement on a source's database.")
    sql_fetch_rows: PositiveInt = Field(500, description="Rows of a source's database that are in memory at once while it is listed.")
    private_source_hosts: str = Field(
        "",
        description="Hosts in private networks whose repositories and mailboxes sources may read, joined by commas, such as "
        "`git.corp.example`; `*`: all of them; empty: none. Public hosts always may be read.",
    )
    source_ca_file: str = Field("", description="PEM file of the authorities that certify git and mail hosts; empty: the system's.")
    git_timeout_seconds: PositiveInt = Field(600, description="Longest time to bring the copy of a repository up to date.")
    git_max_bytes: PositiveInt = Field(2048 * MIB, description="Largest pack of a repository, the history that is kept included.")
    git_memory_bytes: PositiveInt = Field(2048 * MIB, description="Most address space of one git process.")
    git_history_commits: PositiveInt = Field(1_000, description="Newest commits that are read for the times of files and for messages.")
    mailbox_timeout_seconds: PositiveInt = Field(30, description="Longest wait for one answer of a mail server.")

    # Lineage
    lineage_max_entries: PositiveInt = Field(
        500, description="Most versions, and most records of showings, that one look at lineage shows."
    )

    # People in front of the Dagster UI
    dagster_people: Literal["nobody", "proxy"] = Field(
        "nobody",
        description="`nobody`: no one is authenticated; only this machine launches runs. `proxy`: an authenticating proxy says who asks.",
    )
    dagster_person_header: str = Field("X-Forwarded-User", description="Header in which the proxy names the person.")
    dagster_groups_header: str = Field("X-Forwarded-Groups", description="Header in which it names the person's groups, joined by commas.")
    dagster_proxy_secret_header: str = Field("X-Archivist-Proxy", description="Header in which the proxy shows its secret.")
    dagster_proxy_secret: str = Field(
        "", description="The secret, 32 characters or more: who does not know it goes around the proxy and is refused.", repr=False
    )
    dagster_owner_group: str = Field("data-owners", description="Group, as the proxy names it, whose members launch runs.")
    dagster_admin_group: str = Field(
        "archivist-admins", description="Group, as the proxy names it, whose members change any source and operate Dagster."
    )

    @property
    def resolved_catalog_url(self) -> str:
        return self.catalog_url or f"sqlite:///{self.data_directory.absolute() / 'catalog.db'}"

    @property
    def resolved_blob_url(self) -> str:
        return self.blob_url or (self.data_directory.absolute() / "blobs").as_uri()

    @property
    def ingest_connector_names(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.ingest_connectors.split(",") if name.strip())

    @property
    def generator_names(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.generators.split(",") if name.strip())

    @property
    def oidc_allowed_algorithms(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.oidc_algorithms.split(",") if name.strip())

    @property
    def resolved_directory_issuer(self) -> str:
        """Empty: the people and groups that SCIM and CSV files enter are local."""
        return self.directory_issuer or self.oidc_issuer

    @property
    def resolved_models_directory(self) -> Path:
        return Path(self.models_directory or self.data_directory / "models").absolute()

    @property
    def resolved_prompts_directory(self) -> Path:
        return Path(self.prompts_directory or Path(__file__).parents[1] / "data" / "prompts").absolute()

    @property
    def resolved_dagster_url(self) -> str:
        """Without a slash at its end."""
        return (self.dagster_url or f"http://{self.dagster_host}:{self.dagster_port}").rstrip("/")

    @property
    def index_directory(self) -> Path:
        return self.data_directory.absolute() / "index"

    @property
    def resolved_audit_checkpoint_file(self) -> Path:
        return Path(self.audit_checkpoint_file or self.data_directory / "audit" / "checkpoints.jsonl").absolute()

    @property
    def resolved_audit_signing_key_file(self) -> Path:
        return Path(self.audit_signing_key_file or self.data_directory / "audit" / "signing-key.pem").absolute()

    @property
    def erasure_directory(self) -> Path:
        """Where the signed reports of erasures lie."""
        return self.data_directory.absolute() / "erasures"

    @property
    def dagster_home(self) -> Path:
        return self.data_directory.absolute() / "dagster"

    def as_environment(self) -> dict[str, str]:
        """These settings and the environment they came from, for a child process."""
        own = {f"{ENV_PREFIX}{name.upper()}": _written(value) for name, value in self.model_dump().items()}
        return {**os.environ, **own}  # noqa: TID251 - this is the file that reads the environment


def webhook_secret(name: str) -> str:
    """A variable `ARCHIVIST_WEBHOOK_…` of the environment; empty when it is not there, or is another one."""
    return os.environ.get(name, "") if name.startswith(f"{ENV_PREFIX}WEBHOOK_") else ""  # noqa: TID251 - as above


def source_secret(name: str, *, prefix: str) -> str:
    """A variable of the environment whose name begins with `prefix`; empty when it is not there, or is another one."""
    return os.environ.get(name, "") if prefix and name.startswith(prefix) else ""  # noqa: TID251 - as above


def _written(value: object) -> str:
    if isinstance(value, Path):
        return str(value.absolute())  # the child may work elsewhere
    return json.dumps(value) if isinstance(value, dict | list | tuple) else str(value)
