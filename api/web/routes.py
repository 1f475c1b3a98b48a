"""All routes of the console, in the order in which addresses are matched."""

from api.web import asking, elsewhere, reading, signing_in, static_routes

ROUTERS = (
    static_routes.router,
    signing_in.router,
    signing_in.leaving_router,
    asking.home_router,
    asking.router,
    reading.router,
    elsewhere.router,
)
