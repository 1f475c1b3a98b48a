"""The form by which people register sources: what it means, how it is written out, and where it opens."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from retrieval.domain.answer_policy import AnswerTerms, OnUnsupported, RiskTier
from retrieval.domain.contracts import ContractTerms, PersonalData, Suspicion
from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.form_fields import FieldType
from retrieval.domain.launchpad import MAX_LINK_CHARACTERS, change_link, launchpad_link, source_links
from retrieval.domain.permissions import AccessPolicy
from retrieval.domain.registration_form import field_of_problem, fields_of, form_of_source, sections_of, source_of_form
from retrieval.domain.registration_template import form_lines, registration_template
from retrieval.domain.retention import RetentionTerms
from retrieval.domain.source_kinds import FILES, KINDS, WEB
from retrieval.domain.sources import Classification, PermissionRule, SourceSpec, StalePermissions, spec_from_json

UI = "http://dagster.example/ui/"
SPEC = SourceSpec(
    "handbook",
    "files",
    'Ann\'s: the "handbook"',
    "group:finance",
    {"root": "/srv/documents", "include": "**/*.md", "exclude": ("a/**", "no")},
    (PermissionRule("a b/**", AccessPolicy.of(["group:a", "user:b"], ["user:c"])), PermissionRule("drafts/**", AccessPolicy.of())),
    classification=Classification.RESTRICTED,
    schedule="0 3 * * *",
    region="eu",
    max_permission_age_hours=48,
    stale_permissions=StalePermissions.WARN,
    answers=AnswerTerms(
        risk_tier=RiskTier.HIGH, accepted_error=0.02, reviewers=("user:x",), on_unsupported=OnUnsupported.FLAG, access_requests=True
    ),
    contract=ContractTerms(
        max_lost_share=0.5,
        required_metadata={"author": 0.1},
        formats=(".pdf",),
        personal_data=PersonalData.MASK,
        secrets=Suspicion.BLOCK,
        notify=("user:z",),
    ),
    retention=RetentionTerms(keep_versions=0),
)


def _read(raw: dict[str, object]) -> SourceSpec:
    return spec_from_json(raw)


def _as_json(form: dict[str, object]) -> dict[str, object]:
    """As it comes out of YAML: lists, not tuples."""
    return yaml.safe_load(form_lines(form))


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_field_has_one_name_and_everything_a_source_can_say_is_in_the_form(kind) -> None:
    fields = fields_of(kind)
    names = [field.name for field in fields]

    assert len(set(names)) == len(names)
    blocks = {"location": SourceSpec, "answers": AnswerTerms, "contract": ContractTerms, "retention": RetentionTerms}
    sayable = {name for type_ in blocks.values() for name in type_.__dataclass_fields__} - {*blocks, "kind", "manifest"}
    assert set(names) == sayable | {option.name for option in kind.options} | {"dry_run"}
    assert all(field.required for field in fields[: len([field for field in fields if field.required])])


def test_a_source_comes_back_from_the_form_that_it_fills_in() -> None:
    form = form_of_source(FILES, SPEC)

    raw, problems = source_of_form(FILES, _as_json(form))

    assert not problems
    back = _read(raw)
    assert back.location == SPEC.location | {"include": ("**/*.md",)}
    assert {**vars(back), "location": 0} == {**vars(SPEC), "location": 0}
    assert "max_age_days" not in form, "what is as it would be anyway is not filled in"


@given(
    glob=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30).filter(lambda text: text == text.strip()),
    allow=st.lists(st.sampled_from(["user:a", "group:b,c", "everyone", "app:d;e", "user:x:"]), unique=True),
    deny=st.lists(st.sampled_from(["user:f", "group:g"]), unique=True),
)
def test_no_rule_changes_its_meaning_on_its_way_through_a_form(glob, allow, deny) -> None:
    spec = SourceSpec("handbook", "files", "T", "user:dana", {"root": "/x"}, (PermissionRule(glob, AccessPolicy.of(allow, deny)),))
    try:
        form = form_of_source(FILES, spec)
    except InvalidInput:
        return  # said, not changed

    raw, problems = source_of_form(FILES, _as_json(form))

    assert not problems
    assert _read(raw).rules == spec.rules


def test_a_rule_that_no_line_can_hold_is_named() -> None:
    rules = (PermissionRule("**", AccessPolicy.of(["everyone"])), PermissionRule("a/**", AccessPolicy.of(["group:b,user:c"])))

    with pytest.raises(InvalidInput, match=r"^rules\[2\]: "):
        form_of_source(FILES, SourceSpec("handbook", "files", "T", "user:dana", {"root": "/x"}, rules))


def test_lines_that_cannot_be_read_are_named() -> None:
    form = {"id": "x", "rules": ["**: allow everyone", "nonsense"], "required_metadata": ["author: 0.1", "author", ": 0.1", "a: much"]}

    raw, problems = source_of_form(FILES, form)

    assert [problem.field for problem in problems] == ["rules[2]", *(f"required_metadata[{n}]" for n in (2, 3, 4))]
    assert raw["contract"] == {"required_metadata": {"author": 0.1}}


def test_what_is_wrong_has_the_name_that_the_person_sees() -> None:
    assert str(field_of_problem(FieldProblem("location.include[2]", "bad", "1"))) == "include[2]: bad (limit: 1)"
    assert field_of_problem(FieldProblem("rules[1].glob", "bad")).field == "rules[1].glob"
    assert field_of_problem(FieldProblem("contract.formats", "bad")).field == "formats"


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_the_template_is_a_form_with_every_choice_in_it(kind) -> None:
    template = registration_template(kind)

    filled = yaml.safe_load(template)
    assert set(filled) == {field.name for field in fields_of(kind) if field.required} | {"dry_run"}
    assert filled["dry_run"] is True
    assert len(launchpad_link(kind, UI)) <= MAX_LINK_CHARACTERS
    for section in sections_of(kind):
        for field in section.fields:
            assert all(choice in template for choice in field.choices)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_field_of_the_template_can_be_used_as_it_stands(kind) -> None:
    names = {field.name: field for field in fields_of(kind)}
    lines = [line.removeprefix("# ") for line in registration_template(kind).splitlines()]

    used = yaml.safe_load("\n".join(line for line in lines if line.partition(":")[0] in names))

    types = {FieldType.LIST: list, FieldType.TEXT: str, FieldType.SWITCH: bool, FieldType.WHOLE_NUMBER: int, FieldType.NUMBER: float}
    assert set(used) == set(names)
    assert all(isinstance(value, types[names[name].type]) for name, value in used.items())
    raw, problems = source_of_form(kind, used)
    assert not problems
    assert _read(raw).answers.reviewers == ("group:finance", "user:ann")


def test_links_open_the_right_job_with_the_form_in_it() -> None:
    register, change = urlsplit(launchpad_link(WEB, UI)), urlsplit(change_link(SPEC, UI))

    assert register.path == "/ui/locations/pipelines.definitions/jobs/register_web_source/playground/setup"
    assert parse_qs(register.query)["config"] == [registration_template(WEB)]
    [form] = parse_qs(change.query)["config"]
    assert yaml.safe_load(form) == _as_json(form_of_source(FILES, SPEC)) | {"dry_run": True}
    [pause] = parse_qs(urlsplit(source_links("handbook", UI)["pause_source"]).query)["config"]
    assert yaml.safe_load(pause) == {"source": "handbook"}


def test_the_form_of_a_source_that_is_kept_in_files_says_so() -> None:
    [form] = parse_qs(urlsplit(change_link(replace(SPEC, manifest="company"), UI)).query)["config"]

    assert form.startswith("# This source is kept in the YAML files of 'company'")
    assert yaml.safe_load(form)["id"] == "handbook"
    with pytest.raises(InvalidInput, match="kind"):
        change_link(replace(SPEC, kind="gopher"), UI)


def test_a_source_that_says_more_than_a_link_holds_is_changed_elsewhere() -> None:
    some, many = (
        SourceSpec(
            "a1",
            "files",
            "T",
            "user:d",
            {"root": "/x"},
            tuple(PermissionRule(f"folder-{n}/**", AccessPolicy.of(["everyone"])) for n in range(count)),
        )
        for count in (100, 500)
    )

    assert "dry_run" in change_link(some, UI)
    with pytest.raises(InvalidInput, match="source: "):
        change_link(many, UI)
