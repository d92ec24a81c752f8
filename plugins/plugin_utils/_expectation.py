# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a play demands of the verdicts, and what it is told where one is otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.fleet.certs_d.plugins.plugin_utils._verdict import Verdict, is_known, lets_in

Expectation = Mapping[str, Any]

# By the words of the error, the most special first.
_REMEDIES = {
    "certificate is not accepted": "deploy the CA root that signed it, or give the registry a certificate of this name",
    "refused the TLS connection": "deploy a pair that the registry trusts",
    "": "check that the registry runs, speaks TLS and can be reached from this host",
}
_UNKNOWN = "An unknown verdict fulfils nothing: demand another one in expect, or change what keeps it unknown."
# To containerd's resolver a registry that answers 404 to everything looks like one that lacks the image alone, and an
# engine may have a login, or fetch a token, where a request without one gets 401.
_ENGINES_MAY_GET_IN = (401, 404)


def is_expected(verdict: Mapping[str, Any], expected: Expectation) -> bool:
    """Whether the answer that stands has the expected status and, where one is named, came to the expected pair."""
    pair = verdict["attempts"][-1]["pair"] if verdict["attempts"] else None
    return verdict["status"] == expected["status"] and expected.get("pair") in (None, pair)


def unmet(verdicts: Mapping[str, Verdict], expect: Mapping[str, Expectation | None]) -> str | None:
    """Why a host fails and what to do, a sentence for each verdict that is not what was expected; else None."""
    sentences = [
        _complaint(kind, verdicts, expected)
        for kind, expected in expect.items()
        if expected is not None and not is_expected(verdicts[kind], expected)
    ]
    return "\n".join(sentences) or None


def contradiction(verdicts: Mapping[str, Verdict]) -> str | None:
    """The engine says otherwise than our rule foretold; then the rule is wrong, and a user should tell us."""
    rule, engine = verdicts["effective"], verdicts["engine"]
    if not is_known(rule) or not is_known(engine) or lets_in(rule) == lets_in(engine):
        return None
    if rule["status"] in _ENGINES_MAY_GET_IN and lets_in(engine):
        return None
    return f"{engine['reason']}; foretold was: {rule['reason']}. The engine is right: please report this"


def _complaint(kind: str, verdicts: Mapping[str, Verdict], expected: Expectation) -> str:
    verdict = verdicts[kind]
    pair = f" with {expected['pair']}" if expected.get("pair") else ""
    loop, step = _by_the_loop(kind, verdicts), _step(kind, verdict, expected)
    return f"{verdict['reason']}.{loop} Expected: {expected['status']}{pair}.{step}"


def _by_the_loop(kind: str, verdicts: Mapping[str, Verdict]) -> str:
    documented = verdicts["documented"]
    if kind != "effective" or not is_known(verdicts[kind]) or lets_in(verdicts[kind]) or not lets_in(documented):
        return ""
    return f" Only the loop of docker 1.2 to 1.3 would get in, with {documented['pair'] or 'no certificate'}."


def _step(kind: str, verdict: Verdict, expected: Expectation) -> str:
    if not is_known(verdict):
        return f" {_UNKNOWN}"
    # A fault of the directory says itself what to do, and an engine's own words are for whoever knows the engine.
    if not verdict["attempts"] or (kind == "engine" and verdict["status"] is None):
        return ""
    return f" certs.d stays as deployed: {_remedy(verdict, expected)}."


def _remedy(verdict: Verdict, expected: Expectation) -> str:
    status, error = verdict["status"], verdict["error"]
    if status is None:
        return next(remedy for words, remedy in _REMEDIES.items() if words in error)
    if status == expected["status"]:
        return f"have the registry admit {expected['pair']}, and no pair before it"
    if status in (401, 403):
        return "have the registry admit this host, or deploy a pair that it admits"
    if status >= 500:
        return "look into the registry's log"
    return "check that the registry serves what is requested"
