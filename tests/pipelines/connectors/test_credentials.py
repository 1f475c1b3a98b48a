"""Credentials are references, and a reference reaches only what operators set aside for sources."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from pipelines.connectors.credentials import credential, reference_problem
from pipelines.connectors.plugin import Plugin
from retrieval.domain.errors import ArchivistError, InvalidInput, SourceUnavailable
from retrieval.domain.source_kinds import Kind, Option
from retrieval.domain.sources import SourceSpec
from retrieval.settings import Settings

TOKEN = "hvs.worker"
PASSWORD = "hunter2-s3cret"


class _Vault(BaseHTTPRequestHandler):
    """The part of Vault's HTTP API that reads a secret of the key-value engine, version 2."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.headers["X-Vault-Token"] != TOKEN:
            return self._answer(403, {"errors": ["permission denied"]})
        secret = {"password": PASSWORD, "port": 5432}
        metadata = {"created_time": "2026-01-01T00:00:00Z", "deletion_time": "", "destroyed": False, "version": 2}
        if self.path == "/v1/kv/data/archivist/wiki":
            return self._answer(200, {"data": {"data": secret, "metadata": metadata}})
        if self.path == "/v1/kv/data/archivist/moved":
            return self._answer(307, {}, {"Location": "/v1/kv/data/archivist/wiki"})
        if self.path == "/v1/kv/data/archivist/sealed":
            return self._answer(503, {"errors": ["Vault is sealed"]})
        return self._answer(404, {"errors": []})

    def _answer(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        for name, value in ((headers or {}) | {"Content-Type": "application/json", "Content-Length": str(len(content))}).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def vault() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Vault) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def settings(tmp_path: Path, vault: str) -> Settings:
    folder = tmp_path / "credentials"
    (folder / "..data").mkdir(parents=True)
    (folder / "..data" / "wiki").write_text(f"{PASSWORD}\n")
    (folder / "wiki").symlink_to("..data/wiki")  # as Kubernetes mounts secrets
    (folder / "empty").write_text("\n")
    (folder / "large").write_text("x" * 2000)
    (folder / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "machine").write_text("the service's own s3cret")
    (folder / "out").symlink_to(tmp_path / "machine")
    (tmp_path / "token").write_text(TOKEN)
    places = {"vault_url": vault, "vault_token_file": str(tmp_path / "token"), "vault_mount": "kv"}
    return Settings(credential_directory=str(folder), credential_max_bytes=1000, **places)


@pytest.mark.parametrize("reference", ["env:ARCHIVIST_SOURCE_WIKI", "file:wiki", "vault:archivist/wiki#password"])
def test_a_reference_means_what_is_there(settings: Settings, monkeypatch: pytest.MonkeyPatch, reference: str) -> None:
    monkeypatch.setenv("ARCHIVIST_SOURCE_WIKI", PASSWORD)

    assert reference_problem(reference, settings) is None
    assert credential(reference, settings) == PASSWORD


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        pytest.param(PASSWORD, "env:ARCHIVIST_SOURCE_NAME", id="the-password-itself"),
        pytest.param("", "a reference", id="nothing"),
        pytest.param("env:ARCHIVIST_QDRANT_API_KEY", "begin with ARCHIVIST_SOURCE_", id="the-services-own-variable"),
        pytest.param("env:ARCHIVIST_SOURCE_A B", "a reference", id="no-name-of-a-variable"),
        pytest.param("file:../machine", "a reference", id="up"),
        pytest.param("file:a/../../machine", "a reference", id="down-and-up"),
        pytest.param("file:/etc/passwd", "a reference", id="absolute"),
        pytest.param("file:..data/wiki", "a reference", id="hidden"),
        pytest.param("vault:archivist/wiki", "a reference", id="without-field"),
        pytest.param("vault:archivist/../root#password", "a reference", id="up-in-vault"),
        pytest.param("vault:payroll/db#password", "begin with archivist/", id="elsewhere-in-vault"),
    ],
)
def test_what_is_no_reference_or_reaches_too_far_is_refused_without_repeating_it(settings: Settings, reference: str, said: str) -> None:
    problem = reference_problem(reference, settings)

    assert problem is not None
    assert said in problem
    assert not reference or reference not in problem
    with pytest.raises(InvalidInput, match="credential"):
        credential(reference, settings)


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        pytest.param("env:ARCHIVIST_SOURCE_NONE", "is not where", id="no-such-variable"),
        pytest.param("file:nowhere", "is not where", id="no-such-file"),
        pytest.param("file:empty", "or is empty", id="empty-file"),
        pytest.param("file:out", "is not where", id="a-link-that-leads-out"),
        pytest.param("file:large", "1000 bytes", id="too-large"),
        pytest.param("file:binary", "as text", id="no-text"),
        pytest.param("vault:archivist/none#password", "is not where", id="no-such-secret"),
        pytest.param("vault:archivist/wiki#none", "is not where", id="no-such-field"),
        pytest.param("vault:archivist/wiki#port", "is not where", id="a-number"),
        pytest.param("vault:archivist/moved#password", "did not give", id="a-redirect-is-not-followed"),
        pytest.param("vault:archivist/sealed#password", "VaultDown", id="sealed"),
    ],
)
def test_a_credential_that_is_not_there_makes_the_source_unavailable(settings: Settings, reference: str, said: str) -> None:
    with pytest.raises(SourceUnavailable) as unavailable:
        credential(reference, settings)

    assert said in str(unavailable.value)
    assert "s3cret" not in str(unavailable.value)


def test_what_is_not_set_up_can_not_be_referred_to(settings: Settings) -> None:
    bare = Settings()

    for reference in ("file:wiki", "vault:archivist/wiki#password"):
        assert "is set up" in (reference_problem(reference, bare) or "")


@pytest.mark.parametrize("changed", [{"vault_url": "http://127.0.0.1:9"}, {"vault_token_file": "/nowhere"}])
def test_a_vault_that_does_not_answer_says_neither_its_address_nor_a_token(settings: Settings, changed: dict[str, str]) -> None:
    broken = settings.model_copy(update=changed)

    with pytest.raises(ArchivistError) as unavailable:
        credential("vault:archivist/wiki#password", broken)

    assert not {TOKEN, "127.0.0.1", "/nowhere"} & set(str(unavailable.value).split())
    assert unavailable.value.__cause__ is None


def test_an_option_that_is_a_reference_takes_no_password(settings: Settings) -> None:
    kind = Kind("wiki", "A wiki.", (Option("password", "Where the password is.", is_reference=True),))
    plugin = Plugin(kind, connect=lambda _spec, _settings: pytest.fail("nothing is reached"))
    specs = [SourceSpec("wiki", "wiki", "Wiki", "user:dana", {"password": given}) for given in (PASSWORD, "env:PATH", "file:wiki")]

    literal, too_far, good = (plugin.all_problems(spec, settings) for spec in specs)

    assert [problem.field for problem in (*literal, *too_far)] == ["location.password"] * 2
    assert "env:ARCHIVIST_SOURCE_NAME" in literal[0].problem
    assert PASSWORD not in str(literal)
    assert good == []


@pytest.mark.parametrize(
    ("reference", "is_own"),
    [
        ("env:ARCHIVIST_SOURCE_HR_WIKI__PASSWORD", True),
        ("env:ARCHIVIST_SOURCE_HR_WIKI_PASSWORD", False),
        ("env:ARCHIVIST_SOURCE_FINANCE__PASSWORD", False),
        ("file:hr-wiki/password", True),
        ("file:hr-wiki-2/password", False),
        ("file:password", False),
        ("vault:archivist/hr-wiki/db#password", True),
        ("vault:archivist/finance/db#password", False),
    ],
)
def test_where_it_is_wanted_a_source_uses_no_credential_of_another(settings: Settings, reference: str, is_own: bool) -> None:
    kind = Kind("wiki", "A wiki.", (Option("password", "Where the password is.", is_reference=True),))
    plugin = Plugin(kind, connect=lambda _spec, _settings: pytest.fail("nothing is reached"))
    spec = SourceSpec("hr-wiki", "wiki", "Wiki", "user:dana", {"password": reference})
    strict = settings.model_copy(update={"credential_names_source": True})

    assert plugin.all_problems(spec, settings) == []
    problems = plugin.all_problems(spec, strict)

    assert [problem.field for problem in problems] == ([] if is_own else ["location.password"])
