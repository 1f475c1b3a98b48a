"""JSON bodies, judged as text before anything is made of them: what one parser reads in one way and another in another is refused.

The rules of RFC 8259 and no more: UTF-8, no NaN and no Infinity, and no name twice in one object. Nesting is counted without
recursion, so that no depth can hurt.
"""

import json
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

from fastapi import Request, Response
from fastapi.routing import APIRoute

from api.dependencies import parts_of
from retrieval.domain.errors import ArchivistError, FieldProblem, InvalidInput
from retrieval.settings import Settings

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_NESTING = {"[": 1, "{": 1, "]": -1, "}": -1}


class MalformedBody(ArchivistError):
    """The body cannot be read as JSON in one way only."""

    def __init__(self, problem: str, *, limit: str | None = None) -> None:
        self.problem = FieldProblem("body", problem, limit)
        super().__init__(str(self.problem))


class JsonRoute(APIRoute):
    """A route that judges its body's form before it is read."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()
        if self.body_field is None:
            return handler

        async def judged(request: Request) -> Response:
            check_json(await request.body(), parts_of(request).settings)
            return await handler(request)

        return judged


def check_json(body: bytes, settings: Settings) -> None:
    """Nothing for an empty body: what is missing from it is found when it is read.

    Raises:
        MalformedBody: it is not JSON, nested too deeply, or ambiguous.
        InvalidInput: a number in it is too long.
    """
    if not body.strip():
        return
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        raise MalformedBody("is not UTF-8") from error
    if nesting(text) > settings.request_max_json_depth:
        raise MalformedBody("is nested too deeply", limit=f"{settings.request_max_json_depth} levels")
    number = _bounded(settings.request_max_number_characters)
    try:
        json.loads(text, object_pairs_hook=_each_name_once, parse_constant=_no_number, parse_int=number, parse_float=number)
    except ValueError as error:
        raise MalformedBody("is not valid JSON") from error


def nesting(text: str) -> int:
    """How deep objects and lists are nested. One pass; brackets within strings do not count."""
    outside = text.replace("\\\\", "").replace('\\"', "").split('"')[::2]
    depth = deepest = 0
    for stretch in outside:
        for character in stretch:
            depth += _NESTING.get(character, 0)
            deepest = max(deepest, depth)
    return deepest


def _each_name_once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise MalformedBody("has a name twice in one object")


def _no_number(_name: str) -> NoReturn:
    raise MalformedBody("is not valid JSON")


def _bounded(most: int) -> Callable[[str], None]:
    def check(number: str) -> None:
        if len(number) > most:
            raise InvalidInput.of("body", "holds a number that is too long", limit=f"{most} characters")

    return check
