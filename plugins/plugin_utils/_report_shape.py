# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the fleet's report is made of: the shape of its data, whoever wrote it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import TIME_FORMAT

# Each reader takes a value and the place where it stands, and returns it in plain types; None stands for what is
# missing. What a report does not know is left out, so that nothing else of a result travels with it.
Reader = Callable[[Any, str], Any]

# They would change the order in which a reader sees the letters of a name.
_DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


class InvalidReport(ValueError):
    """The data are no report; the text says where and why."""


def text(value: Any, place: str) -> str:
    """A text, empty where there is none. What can't be shown as it is becomes an escape, line ends and tabs stay."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise InvalidReport(f"{place}: a text was expected")
    return value if value.isascii() and value.isprintable() else "".join(map(_shown, value))


def text_or_none(value: Any, place: str) -> str | None:
    """A text, where there is one."""
    return None if value is None else text(value, place)


def time(value: Any, place: str) -> str:
    """A point of time in UTC, as `2026-01-31T12:00:00Z`; empty where there is none."""
    told = text(value, place)
    if told:
        seconds_of(told, place)
    return told


def number_or_none(value: Any, place: str) -> int | float | None:
    """A finite number, where there is one."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or value - value != 0:
        raise InvalidReport(f"{place}: a number was expected")
    return float(value) if isinstance(value, float) else int(value)


def flag_or_none(value: Any, place: str) -> bool | None:
    """Yes or no, where it is known."""
    if value is not None and not isinstance(value, bool):
        raise InvalidReport(f"{place}: true or false was expected")
    return value


def each(reader: Reader) -> Reader:
    """A list of what the reader reads."""

    def read(value: Any, place: str) -> list[Any]:
        if value is None:
            return []
        if isinstance(value, str | bytes) or not isinstance(value, Sequence):
            raise InvalidReport(f"{place}: a list was expected")
        return [reader(item, f"{place}[{number}]") for number, item in enumerate(value)]

    return read


def fields(**readers: Reader) -> Reader:
    """A mapping with exactly these fields."""

    def read(value: Any, place: str) -> dict[str, Any]:
        if value is not None and not isinstance(value, Mapping):
            raise InvalidReport(f"{place}: a mapping was expected")
        found = value or {}
        return {name: reader(found.get(name), f"{place}.{name}") for name, reader in readers.items()}

    return read


def optional(reader: Reader) -> Reader:
    """What the reader reads, or None."""
    return lambda value, place: None if value is None else reader(value, place)


def seconds_of(told: str, place: str = "time") -> int:
    """Seconds since 1970 of a time in this report."""
    try:
        # Times are compared as texts, too: each has one way to be written.
        if len(told) == len("2026-01-31T12:00:00Z"):
            return int(datetime.strptime(f"{told}+0000", f"{TIME_FORMAT}%z").timestamp())
    except (ValueError, OverflowError):
        pass
    raise InvalidReport(f"{place}: a time such as 2026-01-31T12:00:00Z was expected")


_ATTEMPT = fields(
    pair=text_or_none, fingerprint=text_or_none, status=number_or_none, error=text_or_none, seconds=number_or_none
)
_VERDICT = fields(
    pair=text_or_none,
    fingerprint=text_or_none,
    status=number_or_none,
    error=text_or_none,
    reason=text,
    attempts=each(_ATTEMPT),
)
_CERTIFICATE = fields(fingerprint=text, subject=text, issuer=text, not_after=time)
_SERVER = fields(
    address=text,
    tls_version=text,
    cipher=text,
    chain=each(_CERTIFICATE),
    names=each(text),
    name_fits=flag_or_none,
    clock_skew=number_or_none,
    v1=number_or_none,
    v2=number_or_none,
    token_realm=text_or_none,
    proxy=text_or_none,
    warnings=each(text),
)
_REGISTRY = fields(
    name=text,
    engine=text,
    path=text,
    store=text_or_none,
    expected=flag_or_none,
    complaint=text_or_none,
    findings=each(fields(code=text, severity=text, place=text, message=text)),
    client_pairs=each(fields(name=text, fingerprint=text, subject=text, issuer=text, not_before=time, not_after=time)),
    verdicts=fields(documented=_VERDICT, effective=_VERDICT, engine=_VERDICT),
    server=optional(_SERVER),
)
registries: Reader = each(_REGISTRY)
host: Reader = fields(host=text, measured=time, state=text, fault=text, registries=registries)
report: Reader = fields(report=number_or_none, made=time, hosts=each(host))


def _shown(letter: str) -> str:
    hidden = unicodedata.category(letter) in {"Cc", "Cs"} or unicodedata.bidirectional(letter) in _DIRECTIONS
    return letter.encode("unicode_escape").decode() if hidden and letter not in "\n\t" else letter
