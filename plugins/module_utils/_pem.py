# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PEM text: one normal form, its blocks, and the fingerprint that names what is in them."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from typing import NamedTuple

_BLOCK = re.compile(r"^-----BEGIN ([A-Z0-9 ]+)-----\n(.*?)\n?^-----END \1-----", re.DOTALL | re.MULTILINE)


class InvalidPem(ValueError):
    """The text holds no such PEM block. Its message never quotes the text."""


class Block(NamedTuple):
    """One PEM block: its label and its text from BEGIN to END."""

    label: str
    text: str
    body: str

    @property
    def der(self) -> bytes:
        """What the block encodes; InvalidPem where that is no base64."""
        try:
            return base64.b64decode("".join(self.body.split()), validate=True)
        except (binascii.Error, ValueError):
            raise InvalidPem(f"the {self.label} block is no base64") from None


def normalise(text: str) -> str:
    r"""The one form that is compared and written: LF, real newlines instead of `\n`, one newline at the end.

    Blanks at the ends of lines go, and so does the mark that some editors set in front.
    """
    text = text.replace("\\r\\n", "\n").replace("\\n", "\n").replace("\r\n", "\n").replace("\r", "\n")
    return "\n".join(line.rstrip() for line in text.lstrip("\ufeff").strip().split("\n")) + "\n"


def blocks(text: str) -> list[Block]:
    """All PEM blocks of a text in normal form, in its order."""
    return [Block(match[1], match[0], match[2]) for match in _BLOCK.finditer(text)]


def certificates(text: str) -> list[Block]:
    """The certificate blocks of a text in normal form; OpenSSL's TRUSTED form is none, engines don't read it."""
    return [block for block in blocks(text) if block.label == "CERTIFICATE"]


def extra_blocks(private_key: str) -> list[str]:
    """The labels of what stands in a key file beside the first key; a curve's parameters belong to it."""
    labels = [block.label for block in blocks(private_key) if block.label != "EC PARAMETERS"]
    first = next((label for label in labels if label.endswith("PRIVATE KEY")), None)
    if first is not None:
        labels.remove(first)
    return labels if first is not None else []


def is_cut_off(text: str) -> bool:
    """Whether a block of a text in normal form begins and does not end, or is indented, which engines pass over."""
    return text.count("-----BEGIN ") > len(blocks(text))


def holds_private_key(text: str) -> bool:
    """Whether a private key begins anywhere in the text, however damaged."""
    return re.search(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY", text) is not None


def fingerprint(der: bytes) -> str:
    """SHA-256 of the DER, lower-case hex with colons."""
    digest = hashlib.sha256(der).hexdigest()
    return ":".join(digest[place : place + 2] for place in range(0, len(digest), 2))
