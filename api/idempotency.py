"""Writes that may be sent again: `Idempotency-Key` makes the second time an echo of the first.

    router = APIRouter(route_class=idempotent(requires(Role.ADMIN)))

A key belongs to one principal and one route. The same request under it is answered with the same status and body, also when the first
time failed after it had begun; another request under it is a 422. Of many at once exactly one is carried out and the others are given
its answer, or a 409 when they have waited long enough. What was refused before it began, for its form, keeps no key.

A process that ends between the effect and its record leaves a key that stays taken: nobody can say what happened, so a 409 says just
that, and the caller has to look before it asks under a new key.

Who may write is decided before a key is looked at, each time. What is kept is the answer to a write, never a document's text. It is
encrypted under a key that is made of the catalog's secret and the idempotency key, which is not kept: the database alone opens nothing.
"""

import asyncio
import hashlib
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from api.bodies import Handler, MalformedBody
from api.dependencies import Parts, parts_of
from api.errors import Problem, problem_for, request_id_of
from api.sealing import derived_key
from retrieval.domain.errors import InvalidInput
from retrieval.domain.permissions import Principal
from retrieval.ports.idempotency import KeptAnswer

HEADER = "Idempotency-Key"
REPLAYED = {"Idempotency-Replayed": "true"}
READS = frozenset({"GET", "HEAD"})
"""They change nothing, so sending them again is no second of anything."""
LOOK_AGAIN_SECONDS = 0.05
_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_KEPT_HEADERS = ("content-type", "location", "content-security-policy", "referrer-policy")
_NONCE_BYTES = 12
_PURPOSE = b"idempotency"
STILL_RUNNING = Problem(
    HTTPStatus.CONFLICT,
    "idempotency-key-in-use",
    "The first request with this Idempotency-Key has not been answered. Try again; if it stays so, the service was interrupted and you "
    "have to look whether the change was made.",
    headers={"Retry-After": "1"},
)


class IdempotentRoute(APIRoute):
    """A route whose writes may be sent again. Stands behind a `RoleRoute`, so the principal is known and may write."""

    def get_route_handler(self) -> Handler:
        handler = super().get_route_handler()

        async def once(request: Request) -> Response:
            written = self.keys(request)
            if not written or request.method in READS:
                return await handler(request)
            if len(written) > 1 or not _KEY.fullmatch(written[0]):
                raise InvalidInput.of(HEADER, "must be one key of visible ASCII characters", limit="1 to 255 characters")
            return await _Attempt(parts_of(request), request, written[0], await request.body(), self.path_format).answer(handler)

        return once

    @staticmethod
    def keys(request: Request) -> list[str]:
        """The idempotency keys that the request names: at most one, if it is well-formed."""
        return request.headers.getlist(HEADER)


def idempotent(requirement: type[APIRoute]) -> type[APIRoute]:
    """The same requirement for routes whose writes may be sent again."""
    return type(f"Idempotent{requirement.__name__}", (requirement, IdempotentRoute), {})


@dataclass(frozen=True)
class _Attempt:
    """One request under an idempotency key."""

    parts: Parts
    request: Request
    key: str
    body: bytes
    route: str

    async def answer(self, handler: Handler) -> Response:
        settings = self.parts.settings
        attempts = max(1, round(settings.idempotency_wait_seconds / LOOK_AGAIN_SECONDS))
        for attempt in range(attempts):
            kept = await run_in_threadpool(self._claim)
            if kept is None:
                return await self._carried_out(handler)
            if kept.request_hash != self._request_hash:
                raise InvalidInput.of(HEADER, "was used for another request")
            if kept.sealed is not None:
                return self._replayed(kept)
            if attempt < attempts - 1:
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
        return STILL_RUNNING.response(request_id_of(self.request))

    def _claim(self) -> KeptAnswer | None:
        kept_seconds = self.parts.settings.idempotency_kept_seconds
        return self.parts.wiring.catalog.idempotency.claim(self._key_hash, self._request_hash, kept_seconds=kept_seconds)

    async def _carried_out(self, handler: Handler) -> Response:
        store = self.parts.wiring.catalog.idempotency
        try:
            response = await handler(self.request)
        except (RequestValidationError, MalformedBody):
            await run_in_threadpool(store.release, self._key_hash)
            raise
        except Exception as error:
            await self._keep(problem_for(self.request, error).response(request_id_of(self.request)))
            raise
        await self._keep(response)
        return response

    async def _keep(self, response: Response) -> None:
        headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        plain = json.dumps(headers).encode() + b"\n" + bytes(response.body)
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, plain, self._key_hash)
        store = self.parts.wiring.catalog.idempotency
        await run_in_threadpool(store.complete, self._key_hash, status=response.status_code, sealed=sealed)

    def _replayed(self, kept: KeptAnswer) -> Response:
        assert kept.sealed is not None
        assert kept.status is not None
        plain = self._cipher.decrypt(kept.sealed[:_NONCE_BYTES], kept.sealed[_NONCE_BYTES:], self._key_hash)
        head, _, body = plain.partition(b"\n")
        headers: Mapping[str, str] = json.loads(head)
        return Response(body, kept.status, {**headers, **REPLAYED})

    @property
    def _key_hash(self) -> bytes:
        """Under which the answer is kept: another principal, route or key is another one, and nobody reads the key from it."""
        return self._hash(self.parts.wiring.token_key, _subjects(self.request.state.principal), self.request.method, self.route, self.key)

    @property
    def _request_hash(self) -> bytes:
        return self._hash(self._key_hash, self.request.url.path, self.request.url.query, self.body.hex())

    @property
    def _cipher(self) -> AESGCM:
        return AESGCM(derived_key(self.parts.wiring.token_key, _PURPOSE, context=self._key_hash + self.key.encode()))

    def _hash(self, key: bytes, *parts: object) -> bytes:
        return hashlib.blake2b(json.dumps(parts).encode(), digest_size=32, key=key, person=_PURPOSE).digest()


def _subjects(principal: Principal) -> tuple[str, str | None]:
    return principal.subject, None if principal.through is None else principal.through.subject
