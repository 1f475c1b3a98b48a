"""Files that the console gives."""

from starlette.responses import Response

from api.web.pages import HEADERS

CSV = "text/csv; charset=utf-8"


def download(name: str, content: str) -> Response:
    """`name` is one of ours, never one that somebody wrote."""
    return Response(content, headers={**HEADERS, "Content-Disposition": f'attachment; filename="{name}"'}, media_type=CSV)
