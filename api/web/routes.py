"""All routes of the console, in the order in which addresses are matched."""

from api.web import (
    asking,
    elsewhere,
    feedback,
    my_questions,
    reading,
    review_actions,
    review_item,
    review_queue,
    signing_in,
    sources,
    static_routes,
    statistics,
)

ROUTERS = (
    static_routes.router,
    signing_in.router,
    signing_in.leaving_router,
    asking.home_router,
    asking.router,
    asking.handing_on_router,
    reading.router,
    feedback.router,
    my_questions.router,
    my_questions.taking_back_router,
    review_queue.router,
    review_item.router,
    review_actions.router,
    statistics.router,
    sources.router,
    elsewhere.router,
)
