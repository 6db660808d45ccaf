"""How long things took, counted in classes, so that counts of different times add up.

Each class is an eighth of an octave wide, from a millisecond on. A percentile is told as the
geometric middle of the class that it lies in, so it is off by 4.5 % at most; below a millisecond,
which is one class, by half a millisecond.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import accumulate
from math import ceil, log2
from typing import Final

FIRST_SECONDS: Final = 0.001
PER_OCTAVE: Final = 8
ERROR: Final = 2 ** (1 / (2 * PER_OCTAVE)) - 1


def class_of(seconds: float) -> int:
    """The class of a duration; 0: below a millisecond."""
    if seconds < FIRST_SECONDS:
        return 0
    return 1 + int(PER_OCTAVE * log2(seconds / FIRST_SECONDS))


def seconds_of(number: int) -> float:
    """What a duration of that class is told as."""
    if number == 0:
        return FIRST_SECONDS / 2
    return FIRST_SECONDS * float(2 ** ((number - 0.5) / PER_OCTAVE))


def percentiles(counts: Mapping[int, int], percents: Sequence[int]) -> list[float | None]:
    """For each, the least duration that so many percent do not exceed; None: there is none."""
    numbers = sorted(counts)
    sums = list(accumulate(counts[number] for number in numbers))
    if not sums:
        return [None] * len(percents)
    ranks = [ceil(sums[-1] * percent / 100) for percent in percents]
    return [seconds_of(numbers[bisect_left(sums, rank)]) for rank in ranks]
