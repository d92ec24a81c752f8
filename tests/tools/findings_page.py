# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page docs/findings.md, made of the catalogue of findings.

Usage: python tests/tools/findings_page.py [--write]. Prints the page, or writes it to docs/findings.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

import jinja2

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs" / "findings.md"
sys.path.insert(0, str(PROJECT / "plugins" / "module_utils"))

from _findings import CATALOGUE  # noqa: E402

_TEMPLATE = """\
<!-- Made by `python tests/tools/findings_page.py --write` from plugins/module_utils/_findings.py. -->

# Findings

What can be wrong with registry certificates, by the codes that `host_layout`, `layout`, `layout_info` and
`verify_fallback` use alike. All findings of all registries of a host are told at once, each with the file that it
speaks of.

- An **error** stops `layout` before anything is sent or changed.
- A **warning** is told, and the run goes on.
- An **info** stands in the result alone.

`accept: [CODE]` takes a finding on purpose: an error of that code stops nothing, a warning is not told again. Findings
that leave nothing sound to lay can't be accepted.

| code | severity | can be accepted | what is wrong | what to do |
|---|---|---|---|---|
{% for code, it in catalogue.items() -%}
| `{{ code }}` | {{ it.severity }} | {{ "yes" if it.acceptable else "no" }} | {{ it.problem }} | {{ it.remedy }} |
{% endfor -%}
"""


def page() -> str:
    """The page as it should be."""
    environment = jinja2.Environment(autoescape=False, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    return environment.from_string(_TEMPLATE).render(catalogue=CATALOGUE)


if __name__ == "__main__":
    if "--write" in sys.argv[1:]:
        PAGE.write_text(page(), encoding="utf-8")
    else:
        sys.stdout.write(page())
