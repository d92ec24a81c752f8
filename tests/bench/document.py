# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A document between whose two marks the tables stand."""

from __future__ import annotations

from pathlib import Path

BEGIN = "<!-- make bench writes from here -->"
END = "<!-- to here -->"


def with_tables(document: str, tables: str) -> str:
    """The document with these tables instead of those that stand there; ValueError where a mark is missing."""
    before, _begin, rest = document.partition(BEGIN)
    _old, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"the marks {BEGIN} and {END} are missing")
    return f"{before}{BEGIN}\n\n```text\n{tables.strip()}\n```\n\n{END}{after}"


def tell(tables: str, into: Path | None) -> None:
    """Print the tables, and put them into the document that wants them."""
    print(tables)
    if into:
        into.write_text(with_tables(into.read_text(encoding="utf-8"), tables), encoding="utf-8")
