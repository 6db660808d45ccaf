"""Cron expressions made at random, of all that may be written."""

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.support.wall_clock import MONTHS, WEEKDAYS


def numbers(
    low: int, high: int, *, near: tuple[int, ...] = (), names: tuple[str, ...] = ()
) -> SearchStrategy[str]:
    """One field; with `near`, often of those numbers."""
    number = st.integers(low, high)
    if near:
        number = st.sampled_from(near) | number
    spans = st.tuples(number, number).map(lambda pair: f"{min(pair)}-{max(pair)}")
    step = st.integers(1, 7) | st.integers(1, high)
    terms = [number.map(str), spans, st.builds("{}/{}".format, number.map(str) | spans, step)]
    if names:
        places = st.tuples(*[st.integers(0, len(names) - 1)] * 2).map(sorted)
        terms += [
            st.sampled_from(names),
            places.map(lambda p: f"{names[p[0]]}-{names[p[1]].lower()}"),
        ]
    return st.one_of(
        st.just("*"),
        st.builds("*/{}".format, step),
        st.lists(st.one_of(terms), min_size=1, max_size=3).map(",".join),
    )


MONTH_DAYS = st.one_of(
    st.just("*"),
    numbers(1, 31),
    st.sampled_from(["L", "LW", "1,L", "lw,15", "30", "31"]),
)
MONTH = st.just("*") | numbers(1, 12, names=MONTHS)
WEEKDAY = st.one_of(
    st.just("*"),
    numbers(0, 7, names=WEEKDAYS),
    st.builds("{}L".format, st.integers(0, 7)),
    st.builds("{}#{}".format, st.sampled_from(WEEKDAYS) | st.integers(0, 7), st.integers(1, 5)),
)
DAYS = st.builds("{} {} {}".format, MONTH_DAYS, MONTH, WEEKDAY)


def expressions(
    *, hours: tuple[int, ...] = (), minutes: tuple[int, ...] = ()
) -> SearchStrategy[str]:
    """Of five or six fields, most of them each day."""
    second = st.just("") | numbers(0, 59)
    minute, hour = numbers(0, 59, near=minutes), numbers(0, 23, near=hours)
    days = st.just("* * *") | DAYS
    return st.builds("{} {} {} {}".format, second, minute, hour, days).map(str.strip)
