# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the certificates of a report expire: how many in which period."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_report import Report
from ansible_collections.fleet.certs_d.plugins.plugin_utils._report_shape import seconds_of

SOON_DAYS = 30
_DAY = 24 * 60 * 60
_MONTHS = 12
_NAMED = 3
# Not those of the controller's language: the page is in one.
_MONTH_NAMES = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Expiring(NamedTuple):
    """A certificate of a fleet. `days` is counted in whole days and negative once expired; `name` says whose it is."""

    fingerprint: str
    not_after: str
    days: int
    name: str


class Period(NamedTuple):
    """A line of the timeline: how many certificates expire in it, and the names of some."""

    label: str
    kind: str
    size: int
    names: str


def days_until(not_after: str, made: str) -> int:
    """Whole days, negative once expired."""
    return (seconds_of(not_after) - seconds_of(made)) // _DAY


def kind_of(days: int) -> str:
    """How much it matters: `bad` once expired, `soon` in the last days, else empty."""
    if days < 0:
        return "bad"
    return "soon" if days <= SOON_DAYS else ""


def certificates(report: Report) -> list[Expiring]:
    """Each certificate once, whatever number of hosts and engines have it; the first to expire stands first."""
    found: dict[str, Expiring] = {}
    for fingerprint, not_after, name in _seen(report):
        if fingerprint and not_after:
            days = days_until(not_after, report["made"])
            found.setdefault(fingerprint, Expiring(fingerprint, not_after, days, name))
    return sorted(found.values(), key=lambda one: (one.not_after, one.name, one.fingerprint))


def timeline(report: Report) -> list[Period]:
    """Expired ones, then month by month to the last that matters, then the rest; months without any are told, too."""
    found = certificates(report)
    expired = [one for one in found if one.days < 0]
    ahead = [one for one in found if one.days >= 0]
    start = _month(report["made"])
    by_month = [[one for one in ahead if _month(one.not_after) - start == month] for month in range(_MONTHS + 1)]
    while by_month and not by_month[-1]:
        by_month.pop()
    later = [one for one in ahead if _month(one.not_after) - start > _MONTHS]
    periods = [_period("expired", expired)] if expired else []
    periods += [_period(_month_name(start + place), some) for place, some in enumerate(by_month)]
    return [*periods, _period("later", later)] if later else periods


def _seen(report: Report) -> Iterator[tuple[str, str, str]]:
    for host in report["hosts"]:
        for registry in host["registries"]:
            for pair in registry["client_pairs"]:
                yield pair["fingerprint"], pair["not_after"], f"{host['host']} {pair['name']}"
            for certificate in (registry["server"] or {"chain": []})["chain"]:
                name = f"server {certificate['subject']} of {registry['name']}"
                yield certificate["fingerprint"], certificate["not_after"], name


def _period(label: str, some: list[Expiring]) -> Period:
    kinds = {kind_of(one.days) for one in some}
    kind = next((kind for kind in ("bad", "soon") if kind in kinds), "")
    return Period(label, kind, len(some), _names(one.name for one in some))


def _names(names: Iterable[str]) -> str:
    named = list(names)
    rest = f" and {len(named) - _NAMED:,} more" if len(named) > _NAMED else ""
    return ", ".join(named[:_NAMED]) + rest


def _month(told: str) -> int:
    """Months since the year 0."""
    return int(told[:4]) * 12 + int(told[5:7]) - 1


def _month_name(month: int) -> str:
    return f"{_MONTH_NAMES[month % 12]} {month // 12}"
