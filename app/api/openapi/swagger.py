"""`/docs`: the interactive page, with a script of our own package; and `/openapi.json`.

The page that FastAPI would make loads its script from somebody else's server. All its
addresses are relative, so that it works behind a proxy that speaks TLS or adds a prefix.
"""

import re
from base64 import b64encode
from functools import cache
from hashlib import sha256
from importlib.resources import files
from typing import Final

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from app.api.responses import JsonAnswer

_INLINE_SCRIPT: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
# Whatever were to come into the page: no script runs but its own two, and nothing is sent
# elsewhere. No other page shows it in a frame.
_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'sha256-{}'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def show_swagger(app: FastAPI) -> None:
    """Serve the page, and what it loads; anybody may, so it is ready-made."""
    resources = str(files("fastapi_swagger") / "resources")
    app.mount("/swagger", StaticFiles(directory=resources), name="swagger")

    page = get_swagger_ui_html(
        openapi_url="openapi.json",
        title=f"{app.title} API",
        swagger_js_url="swagger/swagger-ui-bundle.js",
        swagger_css_url="swagger/swagger-ui.css",
        swagger_favicon_url="swagger/favicon-32x32.png",
        # Not `persistAuthorization`: a token would stay in the browser's storage.
        swagger_ui_parameters={"tryItOutEnabled": True},
    )
    (script,) = _INLINE_SCRIPT.findall(page.body)
    policy = _POLICY.format(b64encode(sha256(script).digest()).decode())

    async def docs(_request: Request) -> Response:
        return HTMLResponse(page.body, headers={"Content-Security-Policy": policy})

    @cache
    def document() -> bytes:
        return bytes(JSONResponse(app.openapi()).body)

    async def openapi(_request: Request) -> Response:
        return JsonAnswer(document())

    app.router.routes += [Route("/docs", docs), Route("/openapi.json", openapi)]
