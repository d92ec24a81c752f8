# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of docs/registry.md, made of what a registry has answered to the tests.

Usage: python tests/tools/registry_page.py [--write] [ROWS]. Prints the page, or writes it to docs/registry.md. ROWS is
the file that tests/fleet/test_registry_page.py leaves; by default that of the last `tests/gates.py fleet`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import jinja2

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs" / "registry.md"
ROWS = PROJECT / ".cache/collections/ansible_collections/fleet/certs_d/inventories/lab/.lab/registry_rows.json"

_TEMPLATE = """\
<!-- Made by `python tests/tools/registry_page.py --write` from what the tests have seen. -->

# What a registry answers

The tables are made by the tests in `tests/fleet`, which fail when a registry answers otherwise. It is a real one, laid
by the role `fleet.certs_d.registry` on Debian 13, and asked from another host by Python's ssl and by openssl.

## Each policy with each kind of certificate

`GET /v2/`, over TLS 1.2 and 1.3, in a new session and in a resumed one: the answer is the same in all of them. A
handshake is refused by an alert: there is no status then.

- `good` is signed by the registry's CA and on both allowlists, `named` on the first one alone, by an alternative name.
- `stranger` is signed by it, too, and listed nowhere. `revoked` is on the CA's revocation list, which a registry
  without a CA can't look at.
- `for servers` lacks the use as a client, `foreign` is of another CA.
- The allowlist without a CA has the fingerprints of `good` and `self-signed`.

| certificate | {% for policy in policies %}`{{ policy }}` | {% endfor %}

|---|{% for policy in policies %}---|{% endfor %}

{% for certificate in certificates %}
| {{ certificate }} | {% for answers in policies.values() %}{{ answers[certificate] }} | {% endfor %}

{% endfor %}

## Requests

Of the registry `signed_by_ca`, without a certificate and with a good one. What both get alike, Apache answers by itself
before the gate is asked: nothing of it depends on what the tree has. Not in the table are {{ fuzzed }} random paths, of
which none got more than the tree, a fault of the server or no answer.

| request | without a certificate | with a good one |
|---|---|---|
{% for request, answers in requests.items() %}
| {{ request | code }} | {{ answers[0] }} | {{ answers[1] }} |
{% endfor %}
"""


def page(rows: dict[str, Any]) -> str:
    """The page as it should be."""
    environment = jinja2.Environment(
        autoescape=False, undefined=jinja2.StrictUndefined, keep_trailing_newline=True, trim_blocks=True
    )
    environment.filters["code"] = _code
    certificates = list(next(iter(rows["policies"].values())))
    return environment.from_string(_TEMPLATE).render(certificates=certificates, **rows)


def _code(text: str) -> str:
    """In a cell of a table, with as many backticks as it needs."""
    text = text.replace("|", "\\|")
    return f"`` {text} ``" if "`" in text else f"`{text}`"


if __name__ == "__main__":
    (source,) = [Path(each) for each in sys.argv[1:] if each != "--write"] or [ROWS]
    made = page(json.loads(source.read_text(encoding="utf-8")))
    if "--write" in sys.argv[1:]:
        PAGE.write_text(made, encoding="utf-8")
    else:
        sys.stdout.write(made)
