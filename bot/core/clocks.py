"""Times as people read and write them: in their own zone, right where the clock jumps."""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from bot.core.words import nearest
from bot.errors import UserError

COMMON_ZONES = (
    "UTC",
    "Europe/London",
    "Europe/Berlin",
    "Europe/Kyiv",
    "Europe/Istanbul",
    "Asia/Dubai",
    "Asia/Kolkata",
    "Asia/Singapore",
    "Asia/Shanghai",
    "Asia/Tokyo",
    "Australia/Sydney",
    "America/Sao_Paulo",
    "America/New_York",
    "America/Chicago",
    "America/Los_Angeles",
)
SECOND = timedelta(seconds=1)


def moment_of(day: date, at: time, zone: tzinfo) -> datetime:
    """When the zone's clock shows that time of that day, UTC.

    The first time where the clock is put back; where it jumps over the time, the first moment
    after the jump.
    """
    local = datetime.combine(day, at, zone)
    found = local.astimezone(UTC)
    if found.astimezone(zone).replace(tzinfo=None) == local.replace(tzinfo=None):
        return found
    before, after = local.replace(fold=1).astimezone(UTC), found
    while after - before > SECOND:
        middle = before + (after - before) / 2
        jumped = middle.astimezone(zone).replace(tzinfo=None) > local.replace(tzinfo=None)
        before, after = (before, middle) if jumped else (middle, after)
    return after.replace(microsecond=0)


def next_moment(at: time, zone: tzinfo, now: datetime) -> datetime:
    """The next time that the zone's clock shows this, UTC."""
    today = now.astimezone(zone).date()
    days = (today + timedelta(days=count) for count in range(3))
    return next(found for day in days if (found := moment_of(day, at, zone)) > now)


def parse_time(text: str) -> time:
    """The time of day that "08:00" or "8" means. Raises UserError."""
    found = re.fullmatch(r"(\d{1,2})(?::(\d{2}))?", text.strip(), re.ASCII)
    hour, minute = (int(found[1]), int(found[2] or 0)) if found else (24, 0)
    if hour > 23 or minute > 59:
        raise UserError(f"{text.strip()!r} is no time of day; write it like 08:00 or 22:30")
    return time(hour, minute)


def find_zone(text: str) -> str:
    """The IANA name of the zone that is meant: Europe/Berlin, berlin. Raises UserError."""
    wanted = text.strip().replace(" ", "_").lower()
    names, cities = _by_name(), _by_city()
    meant = names.get(wanted) or cities.get(wanted, ())
    if len(meant) == 1:
        return meant[0]
    known = names if "/" in wanted else cities
    meant = meant or known.get(nearest(wanted, known) or "", ())
    hint = f"did you mean {' or '.join(meant)}?" if meant else "write it like Europe/Berlin"
    raise UserError(f"no time zone {text.strip()!r}; {hint}")


def fitting_zones(text: str) -> Sequence[str]:
    """Zones with what was typed in their name, those whose city begins with it first."""
    wanted = text.strip().replace(" ", "_").lower()
    if not wanted:
        return COMMON_ZONES
    fitting = [name for name in zone_names() if wanted in name.lower()]
    return sorted(fitting, key=lambda name: (not _city(name).startswith(wanted), name))


@cache
def zone_names() -> Sequence[str]:
    """Every zone that a person may mean, by name."""
    return sorted(name for name in available_timezones() if not name.startswith("Etc/"))


def zone_text(moment: datetime, zone: tzinfo) -> str:
    """The zone's abbreviation at that moment: CET, UTC-03."""
    name = moment.astimezone(zone).tzname() or ""
    return f"UTC{name}" if name[:1] in "+-" else name


def minute_text(moment: datetime, zone: tzinfo) -> str:
    """14:03 CET."""
    return f"{moment.astimezone(zone):%H:%M} {zone_text(moment, zone)}"


def date_text(moment: datetime, zone: tzinfo) -> str:
    """2026-03-02 14:03:20 CET."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S} {zone_text(moment, zone)}"


def until_text(moment: datetime, zone: tzinfo, now: datetime) -> str:
    """The time of day, with its date where that is not today's."""
    local = moment.astimezone(zone)
    day = "" if local.date() == now.astimezone(zone).date() else f"{local:%Y-%m-%d} "
    return f"{day}{minute_text(moment, zone)}"


@cache
def zone_of(name: str) -> tzinfo:
    """The zone of that IANA name; UTC, where this machine no longer knows it."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError):
        return UTC


@cache
def _by_name() -> dict[str, tuple[str, ...]]:
    return {name.lower(): (name,) for name in zone_names()}


@cache
def _by_city() -> dict[str, tuple[str, ...]]:
    """The zones of each city: a few are on two continents, or a name of many places."""
    cities: dict[str, tuple[str, ...]] = {}
    for name in zone_names():
        cities[_city(name)] = (*cities.get(_city(name), ()), name)
    return cities


def _city(name: str) -> str:
    return name.rpartition("/")[2].lower()
