"""The calls of actions on all tasks that match: at once, or page by page."""

from typing import Final, cast

from rowlock.client.calls import ALL_SECONDS, BATCH_SECONDS
from rowlock.client.fields import BulkAction, BulkFilters, Filters, query_of
from rowlock.client.pages import Page
from rowlock.http.answer import Answer
from rowlock.http.call import Call
from rowlock.models import BulkResult

PAGE: Final = 500


def act_on_all(action: BulkAction, asked: BulkFilters) -> Call[BulkResult]:
    """Do it to all that match, or to as many as it may be."""
    rest = {name: value for name, value in asked.items() if name != "dry_run"}
    is_dry_run = asked.get("dry_run", False)
    query = query_of(cast("Filters", rest))
    return Call(
        "POST",
        f"/admin/tasks/{action}",
        _result_of,
        (*query, ("dry_run", "true")) if is_dry_run else query,
        extra_seconds=ALL_SECONDS if asked.get("limit") is None else BATCH_SECONDS,
        is_repeatable=is_dry_run,
    )


def act_in_pages(action: BulkAction, asked: BulkFilters) -> Call[Page[BulkResult]]:
    """The first page of the same."""
    limit = asked.get("limit")
    size = PAGE if limit is None else limit
    return _page(action, {**asked, "limit": size}, size, asked.get("expect_at_most"))


def _page(
    action: BulkAction, asked: BulkFilters, size: int, left: int | None
) -> Call[Page[BulkResult]]:
    call = act_on_all(action, asked)

    def read(answer: Answer) -> Page[BulkResult]:
        result = _result_of(answer)
        # What comes to match in the meantime is none of those that were expected.
        more = None if left is None else left - result.matched
        if result.next is None or more == 0:
            return Page([result], None)
        # They were counted at first.
        following: BulkFilters = {**asked, "after": result.next, "expect_at_most": None}
        following["limit"] = size if more is None else min(size, more)
        return Page([result], _page(action, following, size, more))

    return Call(
        call.method,
        call.path,
        read,
        call.query,
        extra_seconds=call.extra_seconds,
        is_repeatable=call.is_repeatable,
    )


def _result_of(answer: Answer) -> BulkResult:
    return BulkResult.model_validate_json(answer.body)
