"""`python -m tests.support.openapi` prints the OpenAPI document, without a server."""

import json

from app.processes.application import create_app
from app.settings import Settings

if __name__ == "__main__":
    settings = Settings(database_url="mysql://nobody@localhost/none", ui="off")
    print(json.dumps(create_app(settings).openapi()))
