"""From a request to its route, by one look into a dictionary.

FastAPI's own stack (five layers of middleware, each route's pattern tried in turn) costs a
small call more than all that the call itself does here. It still serves what is none of our
paths: the documentation, and the answers to unknown ones.
"""

from collections import defaultdict
from collections.abc import Iterable
from itertools import chain

from fastapi import Request
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from app.http.problems import problem_of
from app.http.route import Anything, ApiRoute


class Dispatch:
    """Plain ASGI over `ApiRoute`s; `otherwise` takes every other request."""

    def __init__(self, routes: Iterable[BaseRoute], *, otherwise: ASGIApp) -> None:
        self._otherwise = otherwise
        self._routes = [route for route in routes if isinstance(route, ApiRoute)]
        self._fixed: dict[str, dict[str, ApiRoute]] = defaultdict(dict)
        # By method and number of path segments: at most a few patterns are left to try.
        self._patterns: dict[tuple[str, int], list[ApiRoute]] = defaultdict(list)
        # By method: those whose last part may have any number of segments.
        self._endless: dict[str, list[ApiRoute]] = defaultdict(list)
        for route in self._routes:
            is_endless = any(isinstance(c, Anything) for c in route.param_convertors.values())
            for method in _methods(route):
                if is_endless:
                    self._endless[method].append(route)
                elif route.param_convertors:
                    self._patterns[method, route.path.count("/")].append(route)
                else:
                    self._fixed[route.path][method] = route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._route_of(scope) if scope["type"] == "http" else None
        if route is None:
            await self._without_route(scope, receive, send)
            return
        scope["route"] = route
        try:
            response = await route.answer(Request(scope, receive, send))
        except ClientDisconnect:
            return
        except Exception as error:
            response = problem_of(error)
        await response(scope, receive, send)

    async def _without_route(self, scope: Scope, receive: Receive, send: Send) -> None:
        allowed = self._methods_of(scope) if scope["type"] == "http" else []
        if not allowed:
            await self._otherwise(scope, receive, send)
            return
        # FastAPI would name the methods of one route alone, and a path may have several.
        is_or_are = "is" if len(allowed) == 1 else "are"
        detail = f"Only {' and '.join(allowed)} {is_or_are} allowed here."
        error = HTTPException(405, detail, {"Allow": ", ".join(allowed)})
        await problem_of(error)(scope, receive, send)

    def _methods_of(self, scope: Scope) -> list[str]:
        fixed = self._fixed.get(scope["path"])
        if fixed is not None:
            return sorted(fixed)
        routes = (r for r in self._routes if r.matches(scope)[0] is not Match.NONE)
        return sorted({method for route in routes for method in _methods(route)})

    def _route_of(self, scope: Scope) -> ApiRoute | None:
        method, path = scope["method"], scope["path"]
        fixed = self._fixed.get(path)
        if fixed is not None:
            return fixed.get(method)  # /tasks/batch is no task, whatever is asked of it
        patterns = self._patterns.get((method, path.count("/")), ())
        for route in chain(patterns, self._endless.get(method, ())):
            match, child_scope = route.matches(scope)
            if match is not Match.NONE:
                scope.update(child_scope)
                return route
        return None


def _methods(route: ApiRoute) -> set[str]:
    """HEAD wherever GET is: of its answer the server sends the head."""
    methods = route.methods or set()
    return methods | {"HEAD"} if "GET" in methods else methods
