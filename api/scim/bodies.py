"""The body of a SCIM request: a JSON object whose texts can be stored."""

import json
from typing import Annotated, NoReturn

from fastapi import Depends, Request
from starlette.exceptions import HTTPException

from api.scim.errors import MEDIA_TYPE, invalid
from api.scim.values import Json

ACCEPTED = frozenset({MEDIA_TYPE, "application/json"})


async def _raw(request: Request) -> bytes:
    """The bytes as they came. Their number is limited around every request."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() not in ACCEPTED:
        raise HTTPException(415)
    return await request.body()


RawBody = Annotated[bytes, Depends(_raw)]


def json_object(raw: bytes) -> Json:
    """Raises ScimError: `invalidSyntax`."""
    try:
        body = json.loads(raw, parse_constant=_refuse)
        json.dumps(body, ensure_ascii=False).encode()  # half of a surrogate pair can be spelt, and not be stored
    except (ValueError, RecursionError) as error:
        raise invalid("invalidSyntax", "The body is not JSON.") from error
    if not isinstance(body, dict):
        raise invalid("invalidSyntax", "The body must be a JSON object.")
    if b"\\u0000" in raw:
        raise invalid("invalidSyntax", "The body holds a null character.")
    return body


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
