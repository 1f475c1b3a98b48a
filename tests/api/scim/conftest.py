"""An identity provider: an administrator's key, and the requests that it sends."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from retrieval.domain.keys import ApiKey, StoredApiKey
from retrieval.domain.permissions import Principal, PrincipalKind
from retrieval.domain.roles import Role
from tests.api.conftest import World

MEDIA_TYPE = "application/scim+json"
USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ARCHIVIST = "urn:archivist:params:scim:schemas:extension:1.0:User"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
PROVIDER = Principal("okta", PrincipalKind.APP)


@dataclass
class Provider:
    """Sends what it is told, as SCIM clients do. `strict` calls fail the test when they are refused."""

    client: TestClient
    authorization: str

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        named = {"Authorization": self.authorization, "Content-Type": MEDIA_TYPE, "Accept": MEDIA_TYPE}
        named |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.request(method, f"/scim/v2{path}", json=body, headers=named)

    def create_user(self, user_name: str, external_id: str = "", **fields: Any) -> str:
        body = {"schemas": [USER], "userName": user_name, "active": True, **({"externalId": external_id} if external_id else {}), **fields}
        return str(self._created(self.send("POST", "/Users", body)))

    def create_group(self, name: str, external_id: str = "", *members: str) -> str:
        body: dict[str, Any] = {"schemas": [GROUP], "displayName": name}
        body |= {"externalId": external_id} if external_id else {}
        body |= {"members": [{"value": member} for member in members]} if members else {}
        return str(self._created(self.send("POST", "/Groups", body)))

    def patch(self, path: str, *operations: dict[str, Any], **headers: str) -> httpx.Response:
        return self.send("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, **headers)

    def members(self, group: str) -> set[str]:
        return {member["value"] for member in self.send("GET", f"/Groups/{group}").json()["members"]}

    def found(self, path: str, filter_: str) -> list[str]:
        response = self.client.get(f"/scim/v2{path}", params={"filter": filter_}, headers={"Authorization": self.authorization})
        assert response.status_code == 200, response.text
        return [resource["id"] for resource in response.json()["Resources"]]

    @staticmethod
    def _created(response: httpx.Response) -> object:
        assert response.status_code == 201, response.text
        return response.json()["id"]


def key_with(world: World, principal: Principal, *roles: Role) -> str:
    key = ApiKey.generate()
    stored = StoredApiKey(key.id, key.secret_hash, principal, "", world.clock.at, roles=frozenset(roles))
    world.catalog.keys.add(stored)
    return f"Bearer {key.written}"


@pytest.fixture
def provider(world: World, api: TestClient) -> Provider:
    return Provider(api, key_with(world, PROVIDER, Role.ADMIN))


@pytest.fixture
def refused() -> Callable[..., None]:
    """Checks that a response is an error as SCIM clients read them."""

    def check(response: httpx.Response, status: int, kind: str = "") -> None:
        assert response.status_code == status, response.text
        body = response.json()
        assert response.headers["content-type"] == MEDIA_TYPE
        assert body["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
        assert (body["status"], body.get("scimType", "")) == (str(status), kind)
        assert body["detail"]

    return check
