"""`/docs`: the interactive page, with a script of our own package.

The page that FastAPI would make loads its script from somebody else's server. All its
addresses are relative, so that it works behind a proxy that speaks TLS or adds a prefix.
"""

import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import Final

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

_INLINE_SCRIPT: Final = re.compile(rb"<script>(.*?)</script>", re.DOTALL)
# Whatever were to come into the page: no script runs but its own two, and nothing is sent
# elsewhere. No other page shows it in a frame.
_POLICY: Final = (
    "default-src 'none'; script-src 'self' 'sha256-{}'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def show_manual(app: FastAPI) -> None:
    """Serve the page, and what it loads."""
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

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(page.body, headers={"Content-Security-Policy": policy})
