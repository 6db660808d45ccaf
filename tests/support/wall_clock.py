"""A second opinion on cron: it looks at each second, at its own pace, and at nothing else.

Nothing of `app` or cronsim is used. Only expressions without a mistake are understood.
"""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

SECOND = timedelta(seconds=1)
MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
WEEKDAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")


class Expression:
    """Which seconds on the wall an expression matches."""

    def __init__(self, text: str) -> None:
        fields = text.upper().split()
        second, minute, hour, self.day, month, self.weekday = ["0", *fields][-6:]
        self.names_times = minute[0] != "*" and hour[0] != "*"
        self.seconds, self.minutes = _numbers(second, 0, 59), _numbers(minute, 0, 59)
        self.hours, self.months = _numbers(hour, 0, 23), _numbers(month, 1, 12, MONTHS)
        self.days = _numbers(self.day, 1, 31)
        self.weekdays = {number % 7 for number in _numbers(self.weekday, 0, 7, WEEKDAYS)}

    def matches(self, wall: datetime) -> bool:
        return (
            wall.second in self.seconds
            and wall.minute in self.minutes
            and wall.hour in self.hours
            and self.has_day(wall.date())
        )

    def has_day(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        both = self._day_of_month(day), self._day_of_week(day)
        return all(both) if "*" in {self.day[0], self.weekday[0]} else any(both)

    def _day_of_month(self, day: date) -> bool:
        last = monthrange(day.year, day.month)[1]
        weekdays = [n for n in range(1, last + 1) if day.replace(day=n).isoweekday() < 6]
        terms = self.day.split(",")
        return (
            day.day in self.days
            or ("L" in terms and day.day == last)
            or ("LW" in terms and day.day == weekdays[-1])
        )

    def _day_of_week(self, day: date) -> bool:
        weekday = day.isoweekday() % 7
        if weekday in self.weekdays:
            return True
        last = monthrange(day.year, day.month)[1]
        for term in self.weekday.split(","):
            if term[-1] == "L" and int(term[:-1]) % 7 == weekday and day.day + 7 > last:
                return True
            name, _, which = term.partition("#")
            if (
                which
                and _number(name, WEEKDAYS) % 7 == weekday
                and (day.day + 6) // 7 == int(which)
            ):
                return True
        return False


def occurrences(
    text: str, zone: ZoneInfo, begin: datetime, end: datetime, *, shift: timedelta
) -> list[datetime]:
    """Those from begin (included) to end (not), in naive UTC and whole seconds, by the rule as it
    is written. `shift` is the most by which the clock is put meanwhile. Takes time: it looks at
    each second."""
    expression = Expression(text)
    if not expression.names_times:
        return [at for at in _each(begin, end) if expression.matches(_wall(at, zone))]
    walls = _each(_wall(begin, zone) - shift, _wall(end, zone) + shift)
    found = {_once(wall, zone) for wall in walls if expression.matches(wall)}
    return sorted(at for at in found if begin <= at < end)


def _once(wall: datetime, zone: ZoneInfo) -> datetime:
    """The one instant of a time on the wall: the first, or the first after the gap it is in."""
    one, other = (wall.replace(tzinfo=zone, fold=fold).astimezone(UTC) for fold in (0, 1))
    instants = sorted(at.replace(tzinfo=None) for at in (one, other))
    shown = [at for at in instants if _wall(at, zone) == wall]
    if shown:
        return shown[0]
    before, after = instants
    while after - before > SECOND:
        middle = before + (after - before) // SECOND // 2 * SECOND
        before, after = (middle, after) if _wall(middle, zone) < wall else (before, middle)
    return after


def _wall(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None, fold=0)


def _each(begin: datetime, end: datetime) -> Iterator[datetime]:
    while begin < end:
        yield begin
        begin += SECOND


def _numbers(field: str, low: int, high: int, names: tuple[str, ...] = ()) -> set[int]:
    found: set[int] = set()
    for term in field.split(","):
        if "L" in term.replace("JUL", "") or "#" in term:
            continue
        bounds, _, step = term.partition("/")
        first, _, last = bounds.partition("-")
        if first == "*":
            span = range(low, high + 1)
        elif last:
            span = range(_number(first, names), _number(last, names) + 1)
        else:
            begin = _number(first, names)
            span = range(begin, (high if step else begin) + 1)
        found.update(span[:: int(step or 1)])
    return found


def _number(text: str, names: tuple[str, ...]) -> int:
    # Months are counted from 1, days of the week from 0.
    return names.index(text) + (len(names) == len(MONTHS)) if text in names else int(text)
