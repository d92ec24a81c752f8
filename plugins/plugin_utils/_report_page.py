# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fleet's report as a page that needs nothing beside itself."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import jinja2
from markupsafe import Markup

from ansible_collections.fleet.certs_d.plugins.plugin_utils._fleet_report import (
    FAILED,
    STATES,
    UNREACHABLE,
    VERIFIED,
    Report,
    answer_of,
    state_of,
)
from ansible_collections.fleet.certs_d.plugins.plugin_utils._report_expiries import (
    SOON_DAYS,
    certificates,
    days_until,
    kind_of,
    timeline,
)

_FILES = Path(__file__).parent / "report_page"
# In the order of the columns: what decides today first, what nobody does any more last.
_VERDICTS = ("effective", "engine", "documented")
_ANSWERS = ("refused", "error", "unknown", "let in")
_KINDS = {VERIFIED: "good", FAILED: "bad", UNREACHABLE: "bad", "let in": "good", "refused": "bad", "error": "bad"}


class Verdict(NamedTuple):
    """A cell: a word with its colour and its place in the order, who got in, and why."""

    word: str
    kind: str
    rank: int
    pair: str
    reason: str


class Row(NamedTuple):
    """A row of the table. `days` is empty where no certificate is known."""

    host: str
    registry: str
    engine: str
    state: str
    kind: str
    rank: int
    note: str
    more: str
    verdicts: list[Verdict]
    expires: str
    expires_told: str
    expires_pair: str
    expires_kind: str
    days: int | str


def render(report: Report) -> str:
    """The page's text, the same for the same report."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FILES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    style, script = (_FILES.joinpath(name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    return environment.get_template("page.html.j2").render(
        page=_page(report),
        # Our own files, which hold nothing of a host.
        style=Markup(style),
        script=Markup(script),
        style_hash=_hash(style),
        script_hash=_hash(script),
    )


def rows_of(report: Report) -> list[Row]:
    """The rows, those first that somebody must look at."""
    rows = [row for host in report["hosts"] for row in _rows(host, report["made"])]
    return sorted(rows, key=lambda row: (row.rank, _natural(row.host), row.host, row.registry, row.engine))


def _page(report: Report) -> dict[str, Any]:
    rows = rows_of(report)
    oldest = min((host["measured"] for host in report["hosts"]), default=report["made"])
    periods = timeline(report)
    most = max((period.size for period in periods), default=0)
    return {
        "hosts": _count(len(report["hosts"]), "host"),
        "made": report["made"],
        "made_shown": _shown(report["made"]),
        "oldest": oldest if oldest != report["made"] else "",
        "oldest_shown": _shown(oldest),
        "tiles": _tiles(report),
        "periods": [
            {
                **period._asdict(),
                "percent": -(-100 * period.size // most) if most else 0,
                "told": _count(period.size, "certificate") if period.size else "none",
            }
            for period in periods
        ],
        "states": [state for state in STATES if any(row.state == state for row in rows)],
        "engines": sorted({row.engine for row in rows if row.engine}),
        "rows": rows,
    }


def _tiles(report: Report) -> list[dict[str, Any]]:
    states = [host["state"] for host in report["hosts"]]
    days = [one.days for one in certificates(report)]
    rest = [state for state in states if state not in (VERIFIED, FAILED, UNREACHABLE)]
    tiles = [
        ("hosts", "", len(states)),
        ("verified", "good", states.count(VERIFIED)),
        ("failed", "bad", states.count(FAILED)),
        ("unreachable", "bad", states.count(UNREACHABLE)),
        ("not verified", "soon", len(rest)),
        ("let in by the documented loop alone", "bad", _by_loop_alone(report)),
        ("expired, of all certificates", "bad", sum(each < 0 for each in days)),
        (f"to expire within {SOON_DAYS} days", "soon", sum(0 <= each <= SOON_DAYS for each in days)),
    ]
    # What did not happen has no colour.
    return [{"label": label, "kind": kind if count else "", "count": count} for label, kind, count in tiles]


def _by_loop_alone(report: Report) -> int:
    """Rows that look sound to the document, and that no engine of today gets in by."""
    verdicts = [registry["verdicts"] for host in report["hosts"] for registry in host["registries"]]
    return sum(
        answer_of(each["documented"]) == "let in" and answer_of(each["effective"]) in ("refused", "error")
        for each in verdicts
    )


def _rows(host: Mapping[str, Any], made: str) -> Iterable[Row]:
    if host["registries"]:
        return [_row(host, registry, made) for registry in host["registries"]]
    empty = [Verdict("", "", _ANSWERS.index("unknown"), "", "") for _name in _VERDICTS]
    state = host["state"]
    kind, rank = _KINDS.get(state, ""), STATES.index(state)
    return [Row(host["host"], "", "", state, kind, rank, host["fault"], "", empty, "", "", "", "", "")]


def _row(host: Mapping[str, Any], registry: Mapping[str, Any], made: str) -> Row:
    state = state_of(registry)
    pairs = [pair for pair in registry["client_pairs"] if pair["not_after"]]
    first = min(pairs, key=lambda pair: (pair["not_after"], pair["name"]), default={"not_after": "", "name": ""})
    days = days_until(first["not_after"], made) if pairs else ""
    return Row(
        host=host["host"],
        registry=registry["name"],
        engine=registry["engine"],
        state=state,
        kind=_KINDS.get(state, ""),
        rank=STATES.index(state),
        note=(registry["complaint"] or "") if state == FAILED else "",
        more="\n".join(_more(registry)),
        verdicts=[_verdict(registry["verdicts"][name]) for name in _VERDICTS],
        expires=first["not_after"],
        expires_told=_days(days) if isinstance(days, int) else "",
        expires_pair=first["name"],
        expires_kind=(kind_of(days) or "good") if isinstance(days, int) else "",
        days=days,
    )


def _verdict(verdict: Mapping[str, Any]) -> Verdict:
    answer = answer_of(verdict)
    word = answer if verdict["status"] is None else f"{answer} ({verdict['status']})"
    return Verdict(word, _KINDS.get(answer, ""), _ANSWERS.index(answer), verdict["pair"] or "", verdict["reason"])


def _more(registry: Mapping[str, Any]) -> list[str]:
    """What a person wants to know who looks at one row; a line each."""
    store = f" ({registry['store']} image store)" if registry["store"] else ""
    lines = [f"Host directory: {registry['path']}{store}"] if registry["path"] else []
    attempts = registry["verdicts"]["documented"]["attempts"]
    lines += [f"Attempts: {', then '.join(_attempt(each) for each in attempts)}"] if attempts else []
    lines += [
        f"Pair {pair['name']}: {pair['subject']}, issued by {pair['issuer']}, until {pair['not_after']},"
        f" SHA-256 {pair['fingerprint']}"
        for pair in registry["client_pairs"]
    ]
    lines += _server(registry["server"]) if registry["server"] else []
    return lines + [f"{each['severity'].capitalize()}: {each['message']}" for each in registry["findings"]]


def _attempt(attempt: Mapping[str, Any]) -> str:
    seconds = "" if attempt["seconds"] is None else f" in {attempt['seconds']:.2f} s"
    answer = attempt["error"] if attempt["status"] is None else attempt["status"]
    return f"{attempt['pair'] or 'no certificate'}: {answer}{seconds}"


def _server(server: Mapping[str, Any]) -> list[str]:
    facts = [server["address"], server["tls_version"], server["cipher"]]
    facts += [f"through the proxy {server['proxy']}"] if server["proxy"] else []
    facts += ["its certificate does not have this name"] if server["name_fits"] is False else []
    facts += [] if server["clock_skew"] is None else [f"clocks {server['clock_skew']:+.1f} s apart"]
    facts += [f"/{version}/ answers {server[version]}" for version in ("v1", "v2") if server[version] is not None]
    facts += [f"tokens from {server['token_realm']}"] if server["token_realm"] else []
    chain = [f"Its certificate: {each['subject']}, until {each['not_after']}" for each in server["chain"]]
    return [f"Registry: {', '.join(filter(None, facts))}", *chain, *(f"Warning: {each}" for each in server["warnings"])]


def _days(days: int) -> str:
    if days < 0:
        return f"{_count(-days, 'day')} ago"
    return "today" if days == 0 else f"in {_count(days, 'day')}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _shown(told: str) -> str:
    return f"{told[:10]} {told[11:16]} UTC"


def _natural(name: str) -> list[tuple[int, str]]:
    """`node9` before `node10`."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def _hash(text: str) -> str:
    """As a Content-Security-Policy names what may run."""
    return f"sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
