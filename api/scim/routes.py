"""SCIM 2.0: identity providers such as Entra ID and Okta enter people and groups here (RFC 7643 and 7644)."""

from api.scim import discovery_routes, group_routes, user_routes

ROUTES = (user_routes, group_routes, discovery_routes)
