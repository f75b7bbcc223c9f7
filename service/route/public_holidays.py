"""Public holidays by country or part of a country, as the library `holidays` knows them. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from functools import lru_cache

import holidays
from holidays.registry import COUNTRIES

from service.route.suggestion import did_you_mean

_DECADE = range(2026, 2036)  # weeks and feasts repeat: these ten years stand for any


@lru_cache(maxsize=4_096)
def holidays_of(name: str | None, year: int) -> frozenset[date]:
    """The free days of a year, those in lieu included; none where there is no name.

    Args:
        name: a country or a part of one, such as `PL` or `DE-BY`; one that the library does not know has no holidays.
        year: of the common calendar.
    """
    return frozenset(_days_off(name, [year]))


@lru_cache(maxsize=1_024)
def workdays_in_ten_years(name: str | None) -> tuple[int, ...]:
    """How many Mondays to Sundays of ten years are no public holidays."""
    first, end = (date(year, 1, 1).toordinal() for year in (_DECADE.start, _DECADE.stop))
    weekdays = [day % 7 for day in range(first - 1, end - 1)]  # the first day of the first year was a Monday
    off = [day.weekday() for day in _days_off(name, _DECADE)]
    return tuple(weekdays.count(day) - off.count(day) for day in range(7))


def _days_off(name: str | None, years: Iterable[int]) -> Iterable[date]:
    if name is None:
        return ()
    country, _, part = name.partition("-")
    try:
        return holidays.country_holidays(country, subdiv=part or None, years=years)
    except NotImplementedError:
        return ()  # a stored policy has to decide also with a library that spells the place in another way


@lru_cache(maxsize=1)
def _parts() -> Mapping[str, Sequence[str]]:
    return holidays.list_supported_countries(include_aliases=False)


@lru_cache(maxsize=1)
def _spellings() -> Mapping[str, str]:
    """Each way to write a country, in small letters, and its code: united_kingdom, unitedkingdom, gb, gbr and uk."""
    return {
        word.casefold(): code
        for name, (spelled, code, *others) in COUNTRIES.items()
        for word in (name, spelled, code, *others)
    }


def known_holidays(name: str) -> str:
    """Give the name back where the library knows its holidays.

    Raises:
        ValueError: it does not; the sentence names what was probably meant.
    """
    country, dash, part = name.partition("-")
    parts = _parts().get(country)
    if parts is None:
        near = _spellings().get(country.casefold().replace(" ", "_"))
        meant = f"did you mean {near}{dash}{part}?" if near else did_you_mean(country, _parts())
        detail = f"there are no holidays of {name}; write a country such as PL, or a part of one such as DE-BY"
        raise ValueError(f"{detail}; {meant}" if meant else detail)
    if dash and part not in parts:
        told = f"its parts are {', '.join(parts)}" if parts else f"write {country}"
        meant = did_you_mean(part, parts)
        raise ValueError(f"{country} has no part {part}; {meant or told}")
    return name
