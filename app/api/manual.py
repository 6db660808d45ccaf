"""`/docs`: the interactive page, with a script of our own package.

The page that FastAPI would make loads its script from somebody else's server. All its
addresses are relative, so that it works behind a proxy that speaks TLS or adds a prefix.
"""

from importlib.resources import files

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles


def show_manual(app: FastAPI) -> None:
    """Serve the page, and what it loads."""
    resources = str(files("fastapi_swagger") / "resources")
    app.mount("/swagger", StaticFiles(directory=resources), name="swagger")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="openapi.json",
            title=f"{app.title} API",
            swagger_js_url="swagger/swagger-ui-bundle.js",
            swagger_css_url="swagger/swagger-ui.css",
            swagger_favicon_url="swagger/favicon-32x32.png",
            swagger_ui_parameters={"tryItOutEnabled": True, "persistAuthorization": True},
        )
