"""Tokens that are not good, by kind of fault. Each generator gives as many as it is asked for, from its own seed."""

import base64
import hashlib
import hmac
import json
import random
import string
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.api.identity.provider import AUDIENCE, ISSUER, Signer, claims, other_tenant, segment, signers

SEED = 20260301
_BASE64URL = string.ascii_letters + string.digits + "-_"
_HMACS = {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}


@dataclass(frozen=True)
class Forge:
    """What a forger has: good tokens of today to start from, the public keys, and a server of its own to point to."""

    at: datetime
    url: str
    chance: random.Random

    def signer(self) -> Signer:
        return self.chance.choice(list(signers().values()))

    def claims(self, **changed: Any) -> dict[str, Any]:
        return claims(self.at, sub=self.chance.choice(["ann", "bea", "root"]), **changed)

    def good(self) -> str:
        return self.signer().token(self.claims())

    def moment(self, *, seconds: int) -> int:
        return int(self.at.timestamp()) + seconds


Fault = Callable[[Forge], str]


def faulty(kind: str, count: int, *, at: datetime, url: str) -> Iterator[str]:
    forge = Forge(at, url, random.Random(f"{SEED} {kind}"))
    return islice(iter(lambda: FAULTS[kind](forge), None), count)


def _expired(forge: Forge) -> str:
    return forge.signer().token(forge.claims(exp=forge.moment(seconds=-60 - forge.chance.randrange(10**8))))


def _not_yet_valid(forge: Forge) -> str:
    claim = forge.chance.choice(["nbf", "iat"])
    return forge.signer().token(forge.claims(**{claim: forge.moment(seconds=61 + forge.chance.randrange(10**8))}))


def _no_moment(forge: Forge) -> str:
    if forge.chance.random() < 0.1:
        return forge.signer().token(forge.claims(exp=None))
    claim = forge.chance.choice(["exp", "exp", "nbf", "iat"])
    odd = forge.chance.choice(['"2030-01-01"', '"9999999999"', "true", "null", "[]", "{}", "NaN", "Infinity", "1e400", "9" * 400])
    return _signed(forge, json.dumps({**forge.claims(), claim: "ODD"}).replace('"ODD"', odd))


def _wrong_audience(forge: Forge) -> str:
    near = [AUDIENCE.upper(), AUDIENCE + "/", " " + AUDIENCE, AUDIENCE[:-1], f"https://{AUDIENCE}", "*", ""]
    odd = [None, [], ["graph"], [[AUDIENCE]], {AUDIENCE: True}, 1, [AUDIENCE, 1], True]
    return forge.signer().token(forge.claims(aud=forge.chance.choice([*near, *odd, _word(forge)])))


def _wrong_issuer(forge: Forge) -> str:
    near = [ISSUER + "/", ISSUER.upper(), ISSUER[:-1], ISSUER.replace("https", "http"), ISSUER + "2", "", f"{ISSUER}|ann", "archivist"]
    odd = [None, f"https://{_word(forge)}.example", f"https://login.example/{_word(forge)}"]
    return forge.signer().token(forge.claims(iss=forge.chance.choice([*near, *odd])))


def _no_algorithm(forge: Forge) -> str:
    """`alg: none` in every spelling, with the signature of a good token, with another or with none."""
    header = {"alg": forge.chance.choice(["none", "None", "NONE", "nOnE", "", None, [], ["RS256"], 0, "none "]), "kid": "rsa-1"}
    if forge.chance.random() < 0.2:
        del header["alg"]
    _, _, signature = forge.good().rpartition(".")
    ending = forge.chance.choice(["", signature, "AA"])
    return f"{_json(header)}.{_json(forge.claims())}.{ending}"


def _public_key_as_secret(forge: Forge) -> str:
    """HS/RS confusion: what everybody knows of the key, used as if it were a shared secret."""
    signer = forge.signer()
    name, digest = forge.chance.choice(list(_HMACS.items()))
    claimed = forge.chance.choice([name, name, signer.algorithm])
    signing_input = f"{_json({'alg': claimed, 'kid': signer.kid})}.{_json(forge.claims())}"
    secret = forge.chance.choice(_spellings(signer))
    return f"{signing_input}.{segment(hmac.new(secret, signing_input.encode(), digest).digest())}"


def _stripped_signature(forge: Forge) -> str:
    signed, _, signature = forge.good().rpartition(".")
    kept = signature[: forge.chance.randrange(len(signature))]
    return forge.chance.choice([signed, f"{signed}.", f"{signed}.{kept}", f"{signed}..{signature}", f"{signed}.A"])


def _unknown_extension(forge: Forge) -> str:
    """Signed by the provider, but with a header that asks for what we do not do."""
    name = forge.chance.choice(["b64", "exp", "http://example.com/UNDEFINED", "cnf", _word(forge)])
    crit = forge.chance.choice([[name], [name, "exp"], [], name, None, {}, [1]])
    header = {"alg": "EdDSA", "kid": "ed-1", "crit": crit, name: forge.chance.choice([True, False, 1, "x"])}
    return signers()["EdDSA"].signed(json.dumps(header), json.dumps(forge.claims()))


def _key_of_its_own(forge: Forge) -> str:
    """Says where its key is to be found: in itself, or on the forger's server."""
    forged = other_tenant()
    address = f"{forge.url}/forged/{_word(forge)}"
    pointing = forge.chance.choice(
        [
            {"jku": address},
            {"x5u": address},
            {"jwk": forged.jwk},
            {"x5c": [_word(forge)]},
            {"jku": address, "jwk": forged.jwk, "x5u": address},
        ]
    )
    kid = forge.chance.choice(["rsa-1", "forged", address, _word(forge)])
    return forged.token(forge.claims(), **{**pointing, "kid": kid})


def _odd_key_id(forge: Forge) -> str:
    """Key ids that are a path, a query or nothing, signed with what such a place would hold."""
    kid = forge.chance.choice(
        [
            *("../../../../dev/null", "/dev/null", "..%2f..%2fetc%2fpasswd", "rsa-1/../ed-1", "' OR '1'='1", "rsa-1\x00", "RSA-1", ""),
            *(f"{forge.url}/forged", "file:///dev/null", "rsa-1 ", "x" * 300, None, 1, True, ["rsa-1"], {"rsa-1": 1}, _word(forge)),
        ]
    )
    if forge.chance.random() < 0.5:
        signing_input = f"{_json({'alg': 'HS256', 'kid': kid})}.{_json(forge.claims())}"
        return f"{signing_input}.{segment(hmac.new(b'', signing_input.encode(), hashlib.sha256).digest())}"
    return other_tenant().signed(json.dumps({"alg": "RS256", "kid": kid}), json.dumps(forge.claims()))


def _said_twice(forge: Forge) -> str:
    """Signed by the provider, with a member that two readers would read differently."""
    signer = forge.signer()
    claim, value = forge.chance.choice(list(forge.claims().items()))
    payload = json.dumps(forge.claims())
    other = json.dumps({claim: forge.chance.choice([value, "root", 0])})
    doubled = forge.chance.choice([f"{payload[:-1]}, {other[1:]}", f"{other[:-1]}, {payload[1:]}"])
    if forge.chance.random() < 0.2:
        return signer.signed(f'{{"alg": "none", "alg": "{signer.algorithm}", "kid": "{signer.kid}"}}', payload)
    return signer.signed(json.dumps({"alg": signer.algorithm, "kid": signer.kid}), doubled)


def _flipped_bit(forge: Forge) -> str:
    token = forge.good()
    place = forge.chance.choice([at for at, character in enumerate(token) if character != "."])
    value = _BASE64URL.index(token[place])
    return token[:place] + _BASE64URL[value ^ (1 << forge.chance.randrange(6))] + token[place + 1 :]


def _other_tenants_key(forge: Forge) -> str:
    return other_tenant().token(forge.claims())


def _truncated(forge: Forge) -> str:
    token = forge.good()
    return token[: forge.chance.randrange(1, len(token))] if forge.chance.random() < 0.5 else token[forge.chance.randrange(1, len(token)) :]


def _spliced(forge: Forge) -> str:
    """The header, claims and signature of different good tokens."""
    first, second = forge.signer().token(forge.claims()), forge.signer().token(claims(forge.at, sub=_word(forge)))
    parts = [forge.chance.choice(pair) for pair in zip(first.split("."), second.split("."), strict=True)]
    made = ".".join(parts)
    return made if made not in (first, second) else ".".join([*second.split(".")[:2], first.split(".")[2]])


def _key_of_another_kind(forge: Forge) -> str:
    """The id of one key with the algorithm of another."""
    mine, theirs = forge.chance.sample(list(signers().values()), 2)
    header = {"alg": forge.chance.choice([theirs.algorithm, "RS512", "PS256", "ES384", "ES256K", "ES512"]), "kid": mine.kid}
    return forge.chance.choice([mine, theirs]).signed(json.dumps(header), json.dumps(forge.claims()))


def _another_type(forge: Forge) -> str:
    kind = forge.chance.choice(["dpop+jwt", "id+jwt", "logout+jwt", "secevent+jwt", "at+jwt ", "", 1, None, ["JWT"], "JWE", _word(forge)])
    signer = forge.signer()
    return signer.signed(json.dumps({"alg": signer.algorithm, "kid": signer.kid, "typ": kind}), json.dumps(forge.claims()))


def _no_subject(forge: Forge) -> str:
    odd = [None, "", " ", 1, True, ["ann"], {"id": "ann"}, "a b", "a\nb", "x" * 256, "\u200bann\u2028", "ann\x00"]
    return forge.signer().token({**forge.claims(), "sub": forge.chance.choice(odd)})


def _no_claims(forge: Forge) -> str:
    payload = forge.chance.choice(["[]", "null", "1", '"ann"', "", "{", "\ufeff{}", "{}", "[" * 5000, '{"sub":"ann"}', "{'sub':'ann'}"])
    return _signed(forge, payload)


def _odd_form(forge: Forge) -> str:
    token = forge.good()
    header, payload, signature = token.split(".")
    return forge.chance.choice(
        [
            *(
                f"{token}=",
                f"{token}==",
                f"{header}=.{payload}.{signature}",
                f"{token}.",
                f".{token}",
                f"{token}.{signature}",
                f"{token}.x.y",
            ),
            *(f"{header}.{payload}.{signature[:-1]} {signature[-1]}", token.replace(".", ","), f"{token},{token}", f"{token};"),
            json.dumps({"protected": header, "payload": payload, "signature": signature}),
            base64.b64encode(token.encode()).decode(),
            token + "A" * 20_000,
        ]
    )


def _incomplete(forge: Forge) -> str:
    """An actor, a group or a role that cannot be understood might be one that denies."""
    odd = forge.chance.choice(
        [
            *({"act": "portal"}, {"act": {}}, {"act": {"sub": 1}}, {"act": []}, {"act": {"sub": "portal", "iss": "https://else.example"}}),
            *(
                {"act": {"sub": "a b"}},
                {"act": {"sub": "portal"}, "idtyp": "app"},
                {"roles": "admin"},
                {"roles": [1]},
                {"roles": {"admin": 1}},
            ),
        ]
    )
    return forge.signer().token({**forge.claims(), **odd})


FAULTS: Mapping[str, Fault] = {
    "expired": _expired,
    "not yet valid": _not_yet_valid,
    "a time that is none": _no_moment,
    "wrong audience": _wrong_audience,
    "wrong issuer": _wrong_issuer,
    "alg none": _no_algorithm,
    "public key as a shared secret": _public_key_as_secret,
    "stripped signature": _stripped_signature,
    "unknown crit": _unknown_extension,
    "jku, x5u or jwk": _key_of_its_own,
    "odd kid": _odd_key_id,
    "a claim said twice": _said_twice,
    "flipped bit": _flipped_bit,
    "other tenant's key": _other_tenants_key,
    "truncated": _truncated,
    "spliced": _spliced,
    "key of another kind": _key_of_another_kind,
    "another type": _another_type,
    "no subject": _no_subject,
    "no claims": _no_claims,
    "odd form": _odd_form,
    "incomplete": _incomplete,
}


def _signed(forge: Forge, payload: str) -> str:
    """This very payload, signed by the provider."""
    signer = forge.signer()
    return signer.signed(json.dumps({"alg": signer.algorithm, "kid": signer.kid}), payload)


def _json(content: Mapping[str, Any]) -> str:
    return segment(json.dumps(content).encode())


def _word(forge: Forge) -> str:
    return "".join(forge.chance.choices(string.ascii_lowercase, k=12))


def _spellings(signer: Signer) -> list[bytes]:
    """The public key as files and libraries write it."""
    public = signer.key.public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    found = [pem, pem.strip(), pem.replace(b"\n", b"\r\n"), public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)]
    found += [json.dumps(signer.jwk).encode(), signer.kid.encode(), b""]
    if signer.algorithm == "RS256":
        found += [public.public_bytes(encoding, PublicFormat.PKCS1) for encoding in (Encoding.PEM, Encoding.DER)]
    return found
