# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding private keys where none may be: every line of every key, in any spelling of its newlines."""

from __future__ import annotations

from pathlib import Path


def key_lines(pki: Path) -> set[str]:
    """The lines of all keys of a PKI tree, without those that name no secret: BEGIN, END and short rests."""
    lines = {line for key in pki.rglob("*.key") for line in key.read_text().splitlines()}
    return {line for line in lines if not line.startswith("-----") and len(line) >= 20}


def leaked(text: str, lines: set[str]) -> list[str]:
    """The beginnings of the key lines that stand in the text, also where it spells newlines as a backslash and an n."""
    return sorted(line[:12] + "…" for line in lines if line in text)
