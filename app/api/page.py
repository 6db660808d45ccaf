"""`/ui/`: the page for operators: static, made from `web/`, a caller of the API as any other.

Whoever may reach the server may have it, as `/docs`: what it shows it gets with a token. All its
addresses are relative, so that it works behind a proxy that adds a prefix.
"""

import gzip
import re
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple

from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from app.http.etags import has_already, not_modified

FILES: Final = Path(__file__).parent.parent / "web"
_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Whatever were to come into the page: no script runs but its own, no text becomes one, and nothing
# is sent elsewhere. No other page shows it in a frame.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)


class _File(NamedTuple):
    content: bytes
    zipped: bytes
    headers: dict[str, str]


def show_page(app: FastAPI) -> None:
    """Serve it, and lead a browser to it that asks for nothing else."""
    # Ready-made, and by name: no path leads out of the folder.
    files = {path.name: _read(path) for path in sorted(FILES.iterdir()) if path.suffix in _TYPES}

    async def file(request: Request) -> Response:
        found = files.get(request.path_params.get("name", "index.html"))
        if found is None:
            raise HTTPException(404, "There is no such page.")
        if has_already(request, found.headers["ETag"].removeprefix("W/")):
            return not_modified(found.headers)
        if _takes_gzip(request.headers.get("accept-encoding", "")):
            return Response(found.zipped, headers={**found.headers, "Content-Encoding": "gzip"})
        return Response(found.content, headers=found.headers)

    async def page(_request: Request) -> Response:
        return RedirectResponse("ui/", 307)

    async def root(request: Request) -> Response:
        # A program that has left out the path is told so.
        if "text/html" not in request.headers.get("accept", ""):
            raise HTTPException(404)
        return RedirectResponse("ui/", 307, {"Vary": "Accept"})

    app.router.routes += [
        Route("/", root),
        Route("/ui", page),
        Route("/ui/", file),
        Route("/ui/{name}", file),
    ]


def _takes_gzip(accepted: str) -> bool:
    """As `Accept-Encoding` has it (RFC 9110, 12.5.3): a weight of 0 is a refusal."""
    parts = (part.partition(";") for part in accepted.lower().split(","))
    weights = {coding.strip(): weight.strip() for coding, _, weight in parts}
    weight = weights.get("gzip", weights.get("*", "q=0"))
    return re.fullmatch(r"q\s*=\s*0(\.0*)?", weight) is None


def _read(path: Path) -> _File:
    content = path.read_bytes()
    headers = {
        "Content-Type": _TYPES[path.suffix],
        "Content-Security-Policy": POLICY,
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        # Asked for each time, and answered with 304: after an upgrade no part is of the old one.
        "Cache-Control": "no-cache",
        "ETag": f'W/"{sha256(content).hexdigest()[:20]}"',
        "Vary": "Accept-Encoding",
    }
    return _File(content, gzip.compress(content, mtime=0), headers)
