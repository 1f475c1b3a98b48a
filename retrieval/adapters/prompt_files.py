"""Prompts in YAML files, `<directory>/<id>/<version>.yaml`, read strictly: every field there once, and none besides."""

from dataclasses import fields
from pathlib import Path

import yaml

from retrieval.adapters.strict_yaml import StrictLoader, load, place
from retrieval.domain.errors import FieldProblem, InvalidInput
from retrieval.domain.ids import content_hash
from retrieval.domain.prompts import Prompt, prompt_name

MAX_FILE_BYTES = 64 * 1024
_FIELDS = tuple(field.name for field in fields(Prompt) if field.name != "content_hash")


def read_prompt(directory: Path, name: str) -> Prompt:
    """The prompt of a name such as `answer@1`.

    Raises:
        InvalidInput: there is none of that name, or its file breaks a rule; it names the file and the field.
    """
    id_, version = prompt_name(name)
    path = directory / id_ / f"{version}.yaml"
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise InvalidInput.of("prompt", f"there is no {name} in the folder of prompts") from error
    return parsed_prompt(content, name)


def parsed_prompt(content: bytes, name: str) -> Prompt:
    """The prompt `name` from its file's content. Raises InvalidInput naming the file and the field."""
    try:
        if len(content) > MAX_FILE_BYTES:
            raise InvalidInput.of("file", "is too large", limit=f"{MAX_FILE_BYTES} bytes")
        prompt = _prompt(load(content, _PromptLoader), content_hash(content))
        if prompt.name != name:
            raise InvalidInput.of("version", f"the file says that it is {prompt.name}")
    except yaml.YAMLError as error:
        raise InvalidInput.of(name, f"not understood as YAML{place(error)}") from error
    except InvalidInput as error:
        raise InvalidInput([FieldProblem(f"{name} {each.field}", each.problem, each.limit) for each in error.problems]) from error
    return prompt


def _prompt(raw: object, hash_: str) -> Prompt:
    if not isinstance(raw, dict):
        raise InvalidInput.of("file", "is a mapping of fields")
    wrong = [FieldProblem(str(key), "is not a field of a prompt") for key in raw.keys() - set(_FIELDS)]
    wrong += [FieldProblem(key, "is required") for key in _FIELDS if not isinstance(raw.get(key), str)]
    if wrong:
        raise InvalidInput(wrong)
    version = raw["version"]
    if not version.isdecimal() or len(version) > 6:
        raise InvalidInput.of("version", "a whole number from 1")
    return Prompt(**{**raw, "version": int(version)}, content_hash=hash_)


class _PromptLoader(StrictLoader):
    max_depth = 2
