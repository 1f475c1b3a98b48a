"""An identity provider on loopback: real keys, a real JWKS over real HTTP, and what it was asked for. And tokens, also bad ones."""

import base64
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from jwt.algorithms import get_default_algorithms

ISSUER = "https://login.example/tenant"
AUDIENCE = "archivist"
JWKS_PATH = "/keys"
DISCOVERY_PATH = "/.well-known/openid-configuration"


@dataclass(frozen=True)
class Signer:
    """A private key and what it is called."""

    kid: str
    algorithm: str
    key: Any

    @property
    def jwk(self) -> dict[str, Any]:
        found = get_default_algorithms()[self.algorithm].to_jwk(self.key.public_key(), as_dict=True)
        return {**found, "kid": self.kid, "use": "sig", "alg": self.algorithm}

    def token(self, claims: Mapping[str, Any], **header: Any) -> str:
        return jwt.encode(dict(claims), self.key, self.algorithm, headers={"kid": self.kid, **header})

    def signed(self, header: str, payload: str) -> str:
        """A token of exactly these texts, which need not be what anybody should sign."""
        signing_input = f"{segment(header.encode())}.{segment(payload.encode())}"
        return f"{signing_input}.{segment(self._signature(signing_input.encode()))}"

    def _signature(self, signing_input: bytes) -> bytes:
        match self.algorithm:
            case "EdDSA":
                return bytes(self.key.sign(signing_input))
            case "ES256":
                r, s = decode_dss_signature(self.key.sign(signing_input, ec.ECDSA(SHA256())))
                return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        return bytes(self.key.sign(signing_input, padding.PKCS1v15(), SHA256()))


@cache
def signers() -> Mapping[str, Signer]:
    """One of each algorithm, made once: RSA keys take their time."""
    return {
        "RS256": Signer("rsa-1", "RS256", rsa.generate_private_key(public_exponent=65537, key_size=2048)),
        "ES256": Signer("ec-1", "ES256", ec.generate_private_key(ec.SECP256R1())),
        "EdDSA": Signer("ed-1", "EdDSA", ed25519.Ed25519PrivateKey.generate()),
    }


@cache
def other_tenant() -> Signer:
    """Calls its key as ours is called."""
    return Signer("rsa-1", "RS256", rsa.generate_private_key(public_exponent=65537, key_size=2048))


def claims(at: datetime, **changed: Any) -> dict[str, Any]:
    """Of a token that is good for five minutes. A claim that is changed to `None` is left out."""
    made = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ann",
        "client_id": "portal",
        "iat": int(at.timestamp()),
        "exp": int((at + timedelta(minutes=5)).timestamp()),
        **changed,
    }
    return {name: value for name, value in made.items() if value is not None}


def segment(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


@dataclass(frozen=True)
class Posted:
    """A form that was sent."""

    body: bytes
    authorization: str


@dataclass
class Provider:
    """What the server answers for each path, the paths it was asked for, and the last form that each was sent."""

    url: str = ""
    answers: dict[str, tuple[int, bytes, dict[str, str]]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    posted: dict[str, Posted] = field(default_factory=dict)

    def publish(self, *keys: Mapping[str, Any]) -> None:
        self.answer(JWKS_PATH, {"keys": list(keys)})

    def answer(self, path: str, document: object, *, status: int = 200, **headers: str) -> None:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.answers[path] = (status, body, headers)

    def fail(self, path: str = JWKS_PATH) -> None:
        self.answers[path] = (500, b"", {})

    @property
    def jwks_url(self) -> str:
        return self.url + JWKS_PATH


@contextmanager
def serving_provider() -> Iterator[Provider]:
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked.append(self.path)
            status, body, headers = provider.answers.get(self.path, (404, b"", {}))
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            provider.posted[self.path] = Posted(body, self.headers.get("Authorization", ""))
            self.do_GET()

        def log_message(self, *_arguments: object) -> None:
            """Nothing on standard error."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        provider.url = f"http://127.0.0.1:{server.server_address[1]}"
        provider.publish(*(signer.jwk for signer in signers().values()))
        yield provider
        server.shutdown()
