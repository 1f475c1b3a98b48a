"""What a source's registration may promise of its documents, and what is refused."""

from typing import Any

import pytest

from retrieval.domain.contracts import NO_CONTRACT, ContractTerms, PersonalData, Rule, Suspicion
from retrieval.domain.errors import InvalidInput
from retrieval.domain.sources import spec_as_json, spec_from_json

SPEC: dict[str, Any] = {"id": "wiki", "kind": "files", "title": "Wiki", "owner": "user:dana"}
EVERYTHING: dict[str, Any] = {
    "freshness_hours": 24,
    "min_documents": 5,
    "max_documents": 500,
    "max_lost_share": 0.2,
    "max_unreadable_share": 0,
    "max_quarantined_share": 0.05,
    "required_metadata": {"author": 0.1},
    "formats": [".md", "application/pdf"],
    "languages": ["en", "de"],
    "max_size_drift": 0.5,
    "max_centroid_drift": 0.3,
    "personal_data": "restrict",
    "personal_kinds": ["US_SSN"],
    "restricted_to": ["group:hr"],
    "secrets": "quarantine",
    "instructions": "block",
    "warn_only": ["languages"],
    "notify": ["user:dana"],
}


def contract_of(contract: object) -> ContractTerms:
    return spec_from_json({**SPEC, "contract": contract}).contract


@pytest.mark.parametrize(
    "spec", [SPEC, {**SPEC, "contract": None}, {**SPEC, "contract": {}}], ids=["an-older-registration", "nothing", "empty"]
)
def test_a_source_that_promises_nothing_is_held_to_nothing_and_reads_as_before(spec: dict[str, Any]):
    read = spec_from_json(spec)

    assert read.contract == NO_CONTRACT == ContractTerms()
    assert not read.contract.looks_inside
    assert "contract" not in spec_as_json(read)


def test_everything_that_is_promised_is_read():
    assert contract_of(EVERYTHING) == ContractTerms(
        freshness_hours=24,
        min_documents=5,
        max_documents=500,
        max_lost_share=0.2,
        max_unreadable_share=0,
        max_quarantined_share=0.05,
        required_metadata={"author": 0.1},
        formats=(".md", "application/pdf"),
        languages=("en", "de"),
        max_size_drift=0.5,
        max_centroid_drift=0.3,
        personal_data=PersonalData.RESTRICT,
        personal_kinds=("US_SSN",),
        restricted_to=("group:hr",),
        secrets=Suspicion.QUARANTINE,
        instructions=Suspicion.BLOCK,
        warn_only=(Rule.LANGUAGES,),
        notify=("user:dana",),
    )


@pytest.mark.parametrize("contract", [{"max_unreadable_share": 0}, {"secrets": "report"}, EVERYTHING], ids=["a-zero", "one", "everything"])
def test_what_is_kept_is_read_as_it_was_written(contract: dict[str, Any]):
    spec = spec_from_json({**SPEC, "contract": contract})

    assert spec_as_json(spec)["contract"] == contract
    assert spec_from_json(spec_as_json(spec)) == spec


@pytest.mark.parametrize("name", ["personal_data", "secrets", "instructions"])
def test_texts_are_looked_into_as_soon_as_one_thing_must_be_known(name: str):
    assert contract_of({name: "report"}).looks_inside


@pytest.mark.parametrize(
    ("contract", "field"),
    [
        pytest.param({"fresh": 1}, "contract.fresh", id="unknown"),
        pytest.param({"freshness_hours": -1}, "contract.freshness_hours", id="negative"),
        pytest.param({"freshness_hours": 1.5}, "contract.freshness_hours", id="half-an-hour"),
        pytest.param({"min_documents": 3, "max_documents": 2}, "contract.max_documents", id="most-below-least"),
        pytest.param({"max_lost_share": 1.1}, "contract.max_lost_share", id="more-than-all"),
        pytest.param({"max_quarantined_share": float("nan")}, "contract.max_quarantined_share", id="no-number"),
        pytest.param({"max_unreadable_share": True}, "contract.max_unreadable_share", id="truth-for-a-share"),
        pytest.param({"required_metadata": ["author"]}, "contract.required_metadata", id="names-without-budget"),
        pytest.param({"required_metadata": {"author": 2}}, "contract.required_metadata.author", id="budget-above-all"),
        pytest.param({"formats": ["markdown"]}, "contract.formats", id="no-format"),
        pytest.param({"formats": ".md"}, "contract.formats", id="no-list"),
        pytest.param({"languages": ["english"]}, "contract.languages", id="no-code"),
        pytest.param({"max_size_drift": -0.1}, "contract.max_size_drift", id="drift-below-none"),
        pytest.param({"max_centroid_drift": 2.1}, "contract.max_centroid_drift", id="beyond-opposite"),
        pytest.param({"personal_data": "hide"}, "contract.personal_data", id="unknown-policy"),
        pytest.param({"personal_kinds": ["SHOE_SIZE"]}, "contract.personal_kinds", id="unknown-kind"),
        pytest.param({"restricted_to": ["hr"]}, "contract.restricted_to", id="no-subject"),
        pytest.param({"secrets": "mask"}, "contract.secrets", id="no-policy-for-secrets"),
        pytest.param({"warn_only": ["everything"]}, "contract.warn_only", id="unknown-rule"),
        pytest.param({"notify": ["dana@example.org"]}, "contract.notify", id="an-address-for-a-subject"),
        pytest.param(["fresh"], "contract", id="no-mapping"),
    ],
)
def test_what_cannot_be_is_refused_by_its_name(contract: object, field: str):
    with pytest.raises(InvalidInput) as refused:
        contract_of(contract)

    assert [problem.field for problem in refused.value.problems] == [field]
