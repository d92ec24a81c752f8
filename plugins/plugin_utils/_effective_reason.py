# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The sentence of the effective verdict: what is presented, what comes of it, and the way out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import TIME_FORMAT
from ansible_collections.fleet.certs_d.plugins.module_utils._request import NOT_ACCEPTED
from ansible_collections.fleet.certs_d.plugins.plugin_utils._go_choice import why_not
from ansible_collections.fleet.certs_d.plugins.plugin_utils._verdict import (
    Row,
    addressed,
    lets_in,
    named,
    outcome,
    told,
)


def reason(registry: Mapping[str, Any], program: str, attempts: Sequence[Row], *, now: datetime) -> str:
    """One sentence about these attempts of an engine, the last of which stands."""
    name, (*earlier, last) = registry["name"], attempts
    after = f" after {told(earlier)}" if earlier else ""
    if lets_in(last):
        return f"{program} presents {named(last)}{after}, and {name} lets it in"
    if earlier:
        return f"{addressed(name, last)} does not let {program} in: {told([last])}{after}"
    if last["pair"] is None and ends_early(registry, last):
        where = addressed(name, last)
        return f"{program} does not come as far as presenting a certificate to {where}: {outcome(last)}"
    presents = f"{program} would present {_what(registry, last, now)}"
    return "; ".join([presents, _refusal(name, last), *_way_out(registry, last)])


def ends_early(registry: Mapping[str, Any], row: Row) -> bool:
    """Whether nobody comes as far as presenting a certificate: no registry, no TLS, or one that is not trusted."""
    if row["status"] is not None:
        return False
    return registry["measured"]["asks_for"] is None or row["error"].startswith(NOT_ACCEPTED)


def _what(registry: Mapping[str, Any], last: Row, now: datetime) -> str:
    if last["pair"]:
        return f"{last['pair']}{_state(registry['client_pairs'], last['pair'], now)}"
    return f"no certificate{_why_none(registry['measured'])}"


def _why_none(measured: Mapping[str, Any]) -> str:
    asks_for, pairs = measured["asks_for"], measured["pairs"]
    if not pairs:
        return ", since there is no client pair"
    if asks_for is None:
        return ""
    if not asks_for["requested"]:
        return ", since the registry asks for none in its handshake"
    return f", since of {', '.join(pair['name'] for pair in pairs)} none fits: {why_not(pairs[0], asks_for)}"


def _refusal(name: str, last: Row) -> str:
    if last["status"] is None or last["status"] in (401, 403):
        return f"{addressed(name, last)} refuses it ({outcome(last)})"
    return f"{name} answers {outcome(last)}"


def _way_out(registry: Mapping[str, Any], last: Row) -> list[str]:
    """The pairs that would be accepted, if only they were presented."""
    better = [row["pair"] for row in registry["requests"] if row["pair"] and lets_in(row)]
    if not better or not last["pair"]:
        return []
    return [f"{better[0]} would be accepted: remove or rename {last['pair']}"]


def _state(pairs: Sequence[Mapping[str, Any]], name: str, now: datetime) -> str:
    """What is wrong with the dates of a pair."""
    pair = next((pair for pair in pairs if pair["name"] == name), None)
    if pair is None:
        return ""
    ended = -pair["days_left"]
    if ended > 0:
        return f" (expired {ended} {'day' if ended == 1 else 'days'} ago)"
    return " (not yet valid)" if pair["not_before"] > now.strftime(TIME_FORMAT) else ""
