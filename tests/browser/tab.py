"""A tab of the browser on the page for operators. Whatever goes wrong in it fails its test."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from playwright.async_api import ConsoleMessage, Locator, Page, Response

AXE: Final = Path(__file__).parents[2] / "web/node_modules/axe-core/axe.min.js"
NOTE_VIOLATIONS: Final = """
  window.violations = [];
  addEventListener('securitypolicyviolation', (event) => window.violations.push(
    `${event.violatedDirective}: ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
"""
# The browser's own line about an answer that is no success; `Tab` looks at those itself.
NO_SUCCESS: Final = "Failed to load resource"


class Tab:
    """`page` is Playwright's; `calls` are those that it made to the API, as `GET /stats`."""

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.calls: list[str] = []
        # What a test wants to happen: a status, or `0` for no answer at all.
        self.expected: set[int] = set()
        self._wrong: list[str] = []
        self._under_way = 0
        self._quiet = asyncio.Event()
        page.on("console", self._said)
        page.on("pageerror", lambda error: self._wrong.append(f"{error}\n{error.stack}"))
        page.on("response", self._answered)
        page.on("request", lambda _request: self._went(1))
        page.on("requestfinished", lambda _request: self._went(-1))
        page.on("requestfailed", lambda _request: self._went(-1))
        page.on("requestfailed", lambda request: self._failed(request.url, request.failure))

    async def go(self, view: str = "#/") -> None:
        """Open a view, and wait until what it shows first is there."""
        await self.page.goto(f"{self.address}{view}")
        await self.settled()

    async def settled(self) -> None:
        """Wait until nothing is still to come."""
        await self.page.wait_for_selector("main:not([aria-busy=true])")
        await self.page.wait_for_selector(".placeholder", state="detached")

    async def passes(self, seconds: int) -> int:
        """Let so much time of a clock that Playwright holds pass; how many calls were made."""
        before = len(self.calls)
        for _ in range(seconds):
            await self.page.clock.run_for(1000)
            await self.page.evaluate("0")  # what has happened so far is told before the answer
            await self._quiet.wait()
        return len(self.calls) - before

    async def sign_in(self, token: str, *, keeps: bool = False) -> None:
        """As the page asks for it, in English."""
        await self.page.get_by_label("Token", exact=True).fill(token)
        await self.page.get_by_label("Keep it").set_checked(keeps)
        await self.page.get_by_role("button", name="Sign in").click()
        await self.page.wait_for_selector(".shell")
        await self.settled()

    @property
    def main(self) -> Locator:
        return self.page.locator("main")

    async def assert_well(self) -> None:
        """Nothing went wrong so far, but for what was expected."""
        violations: Sequence[str] = await self.page.evaluate("window.violations")
        assert not violations, violations
        assert not self._wrong, self._wrong

    async def assert_accessible(self) -> None:
        """axe-core finds nothing to say."""
        await self.page.evaluate(AXE.read_text())
        found: dict[str, Any] = await self.page.evaluate("axe.run()")
        said = [
            f"{fault['id']}: {fault['help']}\n  {node['html']}\n  {node['failureSummary']}"
            for fault in found["violations"]
            for node in fault["nodes"]
        ]
        assert not said, "\n".join(said)

    def _went(self, change: int) -> None:
        self._under_way += change
        if self._under_way:
            self._quiet.clear()
        else:
            self._quiet.set()

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith(NO_SUCCESS):
            self._wrong.append(f"{message.type}: {message.text} {message.location}")

    def _answered(self, response: Response) -> None:
        path = response.url.removeprefix(self.address.removesuffix("ui/"))
        if not path.startswith("ui/"):
            self.calls.append(f"{response.request.method} /{path}")
        if response.status >= 400 and response.status not in self.expected:
            self._wrong.append(f"{response.status} {response.request.method} {response.url}")

    def _failed(self, url: str, failure: str | None) -> None:
        # The page itself gives up a call whose answer nobody needs any longer.
        if failure != "net::ERR_ABORTED" and 0 not in self.expected:
            self._wrong.append(f"{failure} {url}")
