"""The form by which a person registers a source of one kind: its fields in order, and what a filled-in form means.

Flat, because a person fills it in. What it means is a source as `spec_from_json` reads it, with its blocks.
"""

from collections.abc import Mapping, Sequence
from functools import cache

from retrieval.domain import registration_fields as common
from retrieval.domain.errors import FieldProblem
from retrieval.domain.form_fields import FieldType, FormField, Section, Value
from retrieval.domain.rule_lines import rules_as_json, rules_as_lines
from retrieval.domain.source_kinds import Kind, Option
from retrieval.domain.sources import SourceSpec, spec_as_json

BLOCKS = ("location", "answers", "contract", "retention")
_METADATA = "required_metadata"


@cache
def sections_of(kind: Kind) -> tuple[Section, ...]:
    """The form of a kind: what is required first, then what can be left as it is."""
    options = tuple(map(_option_field, kind.options))
    required = tuple(field for field in options if field.required)
    others = tuple(field for field in options if not field.required)
    first = Section("Required", (*common.IDENTITY, *required, common.DRY_RUN))
    where = (Section("Which documents", others),) if others else ()
    return (first, *where, common.READERS, common.READING, common.ANSWERS, common.CONTRACT)


def fields_of(kind: Kind) -> tuple[FormField, ...]:
    """All fields of a kind's form, each name once."""
    return tuple(field for section in sections_of(kind) for field in section.fields)


def source_of_form(kind: Kind, form: Mapping[str, object]) -> tuple[dict[str, object], list[FieldProblem]]:
    """A filled-in form as `spec_from_json` reads it, and what is wrong with lines that cannot be read.

    Fields that are not filled in are left out. The values are of the fields' types: whoever takes the form sees to that.
    """
    raw: dict[str, object] = {"kind": kind.name}
    blocks: dict[str, dict[str, object]] = {block: {} for block in BLOCKS}
    problems: list[FieldProblem] = []
    for field in fields_of(kind):
        value = form.get(field.name)
        if field is common.DRY_RUN or value is None or (field.block == "location" and not value):
            continue
        if field.name == "rules":
            value, unreadable = rules_as_json(_lines(value))
            problems += unreadable
        elif field.name == _METADATA:
            value, unreadable = _shares(_lines(value))
            problems += unreadable
        (blocks[field.block] if field.block else raw)[field.name] = value
    return raw | blocks, problems


def form_of_source(kind: Kind, spec: SourceSpec) -> dict[str, Value]:
    """A source as a filled-in form, without what is as it would be anyway. The inverse of `source_of_form`.

    Raises:
        InvalidInput: names the rules that do not fit in one line.
    """
    said = spec_as_json(spec)
    blocks = {block: _block(said.get(block)) for block in BLOCKS}
    said["rules"] = rules_as_lines(_rules(said["rules"]))
    blocks["contract"][_METADATA] = tuple(f"{name}: {share}" for name, share in spec.contract.required_metadata.items())
    given = {field: (blocks[field.block] if field.block else said).get(field.name) for field in fields_of(kind)}
    filled = {field: _as_typed(field, value) for field, value in given.items() if value is not None}
    return {field.name: value for field, value in filled.items() if value != field.default}


def changed_fields(before: SourceSpec, after: SourceSpec) -> tuple[str, ...]:
    """Names, as in a form, of what two registrations say differently."""
    was, is_ = _flat(before), _flat(after)
    return tuple(name for name in sorted({*was, *is_}) if was.get(name) != is_.get(name))


def field_of_problem(problem: FieldProblem) -> FieldProblem:
    """The same problem under the name that the field has in a form: `root`, not `location.root`."""
    block, dot, name = problem.field.partition(".")
    return FieldProblem(name, problem.problem, problem.limit) if dot and block in BLOCKS else problem


def _option_field(option: Option) -> FormField:
    type_ = FieldType.LIST if option.takes_many else FieldType.TEXT
    default = ((option.default,) if option.default else ()) if option.takes_many else option.default
    example = (option.example,) if option.takes_many and option.example else option.example or None
    return FormField(
        option.name,
        type_,
        option.description,
        "location",
        required=option.required,
        default=None if option.required else default,
        example=example,
        choices=option.choices,
    )


def _shares(lines: Sequence[str]) -> tuple[dict[str, float], list[FieldProblem]]:
    """Lines such as `author: 0.1` as name to share, and what is wrong with those that are none."""
    shares: dict[str, float] = {}
    problems = []
    for number, line in enumerate(lines, 1):
        name, colon, share = map(str.strip, line.rpartition(":"))
        try:
            shares[name] = float(share)
        except ValueError:
            name = ""
        if not name or not colon:
            problems.append(FieldProblem(f"{_METADATA}[{number}]", "write it like 'author: 0.1', the share that may be without it"))
    return {name: share for name, share in shares.items() if name}, problems


def _lines(value: object) -> Sequence[str]:
    return [str(each) for each in value] if isinstance(value, Sequence) else []


def _flat(spec: SourceSpec) -> dict[str, object]:
    said = spec_as_json(spec)
    blocks = [_block(said.pop(name, None)) for name in BLOCKS]
    return said | {name: value for block in blocks for name, value in block.items()}


def _rules(value: object) -> list[Mapping[str, object]]:
    return [rule for rule in value if isinstance(rule, Mapping)] if isinstance(value, list) else []


def _block(value: object) -> dict[str, object]:
    return dict(value) if isinstance(value, Mapping) else {}


def _as_typed(field: FormField, value: object) -> Value:
    """A value out of a source's JSON as the field holds it: one where a list is taken is a list of one, and the other way round."""
    many = tuple(map(str, value)) if isinstance(value, list | tuple) else None
    if field.type is FieldType.LIST:
        return (str(value),) if many is None else many
    if many is not None:
        return next(iter(many), "")
    assert isinstance(value, str | int | float)
    return value
