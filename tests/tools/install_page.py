# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page docs/install.md, made of what a newcomer of the tests has typed and seen.

Usage: python tests/tools/install_page.py [--write] [TRANSCRIPT]. Prints the page, or writes it to docs/install.md.
TRANSCRIPT is the file that tests/fleet/test_install.py leaves; by default that of the last `tests/gates.py fleet`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import jinja2

PROJECT = Path(__file__).resolve().parents[2]
PAGE = PROJECT / "docs" / "install.md"
TRANSCRIPT = (
    PROJECT / ".cache/collections/ansible_collections/fleet/certs_d/inventories/lab/.lab/install_transcript.json"
)

_TEMPLATE = """\
<!-- Made by `python tests/tools/install_page.py --write` from what the tests have typed and seen. -->

# Installing, and a first use from an empty directory

What stands here in a console was typed by a test, which fails when the answer is another one; only the home, the node's
address and the days left are replaced. The controller has ansible-core and cryptography, the node is one of the lab's.
Galaxy is asked nothing: the collection depends on no other.

## Installing

From a checkout, here `~/fleet.certs_d`, in a directory of one's own:

```console
{{ build }}
{{ install }}
```

Or without an archive, from a git repository and a branch, tag or commit of it:

```console
{{ git }}
```

The requirements of a fleet of one's own name it so, for `ansible-galaxy collection install -r requirements.yml`:

```console
{{ requirements }}
```

Now everything has its name:

```console
{{ list }}
```

## A first use

A CA root and one client pair, an inventory of one node, and a playbook:

```console
{{ pki }}
{{ inventory }}
{{ playbook }}
```

`module_defaults` of the group `fleet.certs_d.certs_d` are for `layout`, `layout_info` and `verify_fallback` at once.
All three know `engines` and `path`. An option that one of them does not know, `warn_days` for example, fails that one's
task with `Unsupported parameters`: give it to the tasks. Here `path` keeps the trial away from the node's engines;
without it the directories are the engines' own.

```console
{{ deploy }}
```

The second time, nothing is changed:

```console
{{ again }}
```

The playbooks of the collection are called by name, too. This one changes nothing, and ends with a table:

```console
{{ verify }}
```
"""


def page(transcript: dict[str, str]) -> str:
    """The page as it should be."""
    environment = jinja2.Environment(autoescape=False, undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    return environment.from_string(_TEMPLATE).render(transcript)


if __name__ == "__main__":
    (source,) = [Path(each) for each in sys.argv[1:] if each != "--write"] or [TRANSCRIPT]
    made = page(json.loads(source.read_text(encoding="utf-8")))
    if "--write" in sys.argv[1:]:
        PAGE.write_text(made, encoding="utf-8")
    else:
        sys.stdout.write(made)
