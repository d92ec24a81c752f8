# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An engine's own words: what they tell of the registry's answer, and how they may be shown."""

from __future__ import annotations

import json
import re

LET_IN = 200
# Go puts the cause last.
_BEGINNING = 120
_END = 280
# How the engines write the status that the registry sent, or the page that came with it.
_STATUS = re.compile(
    r"(?:\bstatus ?(?:code)?(?: \[[^\]]*\])?:? (?:from registry )?|\bHTTP |request to \S+: |<title>)(\d{3})\b", re.I
)
# A registry that says so has let the client in. ctr and docker end such a text with the image and two words; hosts,
# files and programs that are not found are no image: their names are a path, or have neither a slash nor a tag.
_UNKNOWN = re.compile(
    r"\b(?:manifest|name|repository)[ _](?:name )?(?:unknown|not known|invalid)\b"
    r"|(?:(?<!\S)[\w\[][^\s\"']*/[^\s\"'/:@]+[:@][^\s\"'/]+|content at \S+ not found): not found\s*$",
    re.I,
)
_UNAUTHORIZED = re.compile(r"\bunauthorized\b|\bauthentication required\b|\bno basic auth credentials\b", re.I)
# Files and plugins of the node deny, too.
_DENIED = re.compile(r"(?<!permission )(?<!authorization )\bdenied\b|\bforbidden\b", re.I)
# ctr goes from one host of hosts.toml to the next, and at last tells the first refusal alone; its log tells them all.
_CTR_NOT_FOUND = re.compile(r"(?:response was http\.StatusNotFound|after status: 404\b)")
_FATAL = re.compile(r'level=fatal msg=("(?:[^"\\]|\\.)*")')
_SECRETS = (
    (re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|$)", re.S), "(private key)"),
    (re.compile(r"(://)[^/@\s]+@"), r"\1"),
    (re.compile(r"\b(Basic|Bearer) [\w.~+/=-]+"), r"\1 (credentials)"),
    # A line of a key's base64; a digest has small hexadecimal digits alone.
    (re.compile(r"(?![0-9a-f]+\b)[A-Za-z0-9+/=]{48,}"), "(data)"),
)


def status_told(text: str) -> int | None:
    """The HTTP status that the registry answered as far as the text tells; an image that it does not know is 200."""
    found = _STATUS.search(text)
    unknown = _UNKNOWN.search(text) is not None
    if found is not None and not (unknown and found[1] == "404"):
        return int(found[1])
    # Registries say "unauthorized: repository not found", too.
    if _UNAUTHORIZED.search(text):
        return 401
    if unknown:
        return LET_IN
    return 403 if _DENIED.search(text) else None


def ctr_was_let_in(output: str) -> bool:
    """Whether any host, of those that ctr asked one after the other, only did not know the image."""
    return _CTR_NOT_FOUND.search(output) is not None


def fault_of(output: str) -> str:
    """The one sentence of skopeo, podman or ctr that says why it failed, without the log around it."""
    fatal = _FATAL.findall(output)
    if fatal:
        return _unquoted(fatal[-1])
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for mark in ("Error: ", "ctr: "):
        told = [line for line in lines if line.startswith(mark)]
        if told:
            return told[-1][len(mark) :]
    return lines[-1] if lines else ""


def shown(text: str) -> str:
    """The text on one line, short, without tags of HTML, and without anything that could be a secret."""
    for secret, instead in _SECRETS:
        text = secret.sub(instead, text)
    text = re.sub(r"<[!/a-zA-Z][^<>]*(?:>|$)", " ", text.replace("\\n", " "))
    words = "".join(char if char.isprintable() else "\ufffd" for char in " ".join(text.split()))
    return words if len(words) <= _BEGINNING + _END else f"{words[:_BEGINNING]}…{words[-_END:]}"


def _unquoted(quoted: str) -> str:
    """Go quotes nearly as JSON does."""
    try:
        return str(json.loads(quoted))
    except ValueError:
        return quoted[1:-1]
