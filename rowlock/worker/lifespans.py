"""What is opened before a worker's first task and closed after its last, and what is around
every attempt."""

import inspect
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from types import NoneType
from typing import Any, NamedTuple, get_args

from rowlock.errors import LifespanError
from rowlock.models import Task
from rowlock.worker.attempt import RunningAttempt

LifespanFunction = Callable[[], AsyncIterator[Any] | AbstractAsyncContextManager[Any]]
AroundFunction = Callable[
    [Task, RunningAttempt], AsyncIterator[None] | AbstractAsyncContextManager[Any]
]
Around = Callable[[Task, RunningAttempt], AbstractAsyncContextManager[Any]]


class Lifespan(NamedTuple):
    """Opens a context; `yields` is the type of what it gives, None where it is not known."""

    name: str
    open: Callable[[], AbstractAsyncContextManager[Any]]
    yields: Any


def lifespan_of(function: LifespanFunction) -> Lifespan:
    """Raises `ValueError` for what is no lifespan."""
    name = _name_of(function)
    context = _context(function, f"the lifespan {name}", ())
    return Lifespan(name, context, _yielded(function))


def around_of(function: AroundFunction) -> Around:
    """Raises `ValueError` for what cannot be around an attempt."""
    return _context(function, f"{_name_of(function)}, around attempts,", ("task", "attempt"))


@asynccontextmanager
async def opened(lifespans: Iterable[Lifespan]) -> AsyncIterator[Mapping[Any, Any]]:
    """What they yield, by its type. They are opened in order and closed in reverse, whether or
    not the worker failed. Raises `LifespanError`."""
    resources = {}
    async with AsyncExitStack() as stack:
        for lifespan in lifespans:
            resources[lifespan.yields] = await stack.enter_async_context(_told(lifespan))
        yield resources


@asynccontextmanager
async def _told(lifespan: Lifespan) -> AsyncIterator[Any]:
    try:
        context = lifespan.open()
        resource = await context.__aenter__()
    except Exception as error:
        raise LifespanError(_failed(lifespan, "begin", error)) from error
    try:
        yield resource
    finally:
        # It does not see the error of others, which it could take for itself.
        try:
            await context.__aexit__(None, None, None)
        except Exception as error:
            raise LifespanError(_failed(lifespan, "end", error)) from error


def _failed(lifespan: Lifespan, when: str, error: Exception) -> str:
    said = f"{type(error).__name__}: {error}".rstrip(": ")
    return f"The lifespan {lifespan.name} failed to {when}: {said}"


def _context(
    function: Callable[..., Any], what: str, given: tuple[str, ...]
) -> Callable[..., AbstractAsyncContextManager[Any]]:
    if inspect.iscoroutinefunction(function) or inspect.isgeneratorfunction(function):
        raise ValueError(f"{what} must be an `async def` that yields once")
    try:
        inspect.signature(function).bind(*given)
    except TypeError as error:
        wanted = " and ".join(given) or "nothing"
        raise ValueError(f"{what} must take {wanted}: {error}") from error
    return asynccontextmanager(function) if inspect.isasyncgenfunction(function) else function


def _yielded(function: LifespanFunction) -> Any:
    try:
        said = inspect.signature(function, eval_str=True).return_annotation
    except Exception:  # as for one that says nothing: what it yields cannot be asked for
        return None
    # AsyncIterator[X], AsyncGenerator[X, None], AbstractAsyncContextManager[X].
    yielded = next(iter(get_args(said)), None)
    return None if yielded is NoneType else yielded


def _name_of(function: Callable[..., Any]) -> str:
    return getattr(function, "__name__", repr(function))
