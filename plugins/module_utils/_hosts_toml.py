# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""containerd's hosts.toml: which client pair a registry is asked with, and which one after it."""

from __future__ import annotations

import json
import re
from typing import Sequence

NAME = "hosts.toml"
# By this line the file is known again when it is wanted no more.
MARK = "# Made by the Ansible module fleet.certs_d.layout."
_HEADER_TABLE = re.compile(r"""\s*\[(.*\.)?\s*["']?header["']?\s*\]""")
_HEADER_KEY = re.compile(r"""\s*["']?header["']?\s*[.=]""")
# The one name that images spell otherwise than the host that serves them.
_HOSTS = {"docker.io": "registry-1.docker.io"}


def hosts_toml(registry: str, *, roots: Sequence[str], pairs: Sequence[str], fallback: bool) -> str:
    """The text of hosts.toml for file names of CA roots and stems of client pairs, in their order.

    A client goes from one host table to the next, and at last to `server`, when a host answers with an error. For the
    fallback each pair but the last gets a table: a fragment makes the same URL another table's name. Without it one
    table holds all pairs, because containerd 1.6 and 1.7 take no file without any. No table can push, so that pushes,
    which never fall back, use the last pair.
    """
    url = f"https://{served_by(registry)}"
    if fallback and len(pairs) > 1:
        tables = [(f"{url}#{fragment}", [pair]) for fragment, pair in zip(_fragments(pairs), pairs[:-1])]
        last = pairs[-1:]
    else:
        tables, last = [(url, list(pairs))], pairs
    lines = [MARK, f"server = {_string(url)}", *_material(roots, last)]
    for name, members in tables:
        lines += ["", f"[host.{_string(name)}]", '  capabilities = ["pull", "resolve"]']
        lines += [f"  {line}" for line in _material(roots, members)]
    return "\n".join(lines) + "\n"


def served_by(registry: str) -> str:
    """The host, with its port, that a registry's name in images leads to."""
    return _HOSTS.get(registry, registry)


def without_secrets(text: str) -> str:
    """The text without what a user may have put beside our keys: HTTP headers, and credentials in URLs."""
    kept, in_header = [], False
    for line in text.splitlines(keepends=True):
        if line.lstrip().startswith("["):
            in_header = _HEADER_TABLE.match(line) is not None
        if not in_header and not _HEADER_KEY.match(line):
            kept.append(re.sub(r"//[^\"'\s]*@", "//", line))
    return "".join(kept)


def _fragments(pairs: Sequence[str]) -> list[str]:
    """A fragment for each pair. containerd 1.6 and 1.7 take few characters in a table's name, and no name twice."""
    plain = [re.sub(r"[^A-Za-z0-9._-]", "-", pair) for pair in pairs]
    return plain if len(set(plain)) == len(plain) else [f"{number}-{name}" for number, name in enumerate(plain)]


def _material(roots: Sequence[str], pairs: Sequence[str]) -> list[str]:
    """A pair is a list of two: a list of two names would mean two files that hold both halves."""
    halves = [f"[{_string(pair + '.cert')}, {_string(pair + '.key')}]" for pair in pairs]
    lines = [f"ca = [{', '.join(map(_string, roots))}]"] if roots else []
    return lines + ([f"client = [{', '.join(halves)}]"] if pairs else [])


def _string(text: str) -> str:
    """JSON's strings are basic strings of TOML."""
    return json.dumps(text, ensure_ascii=False)
