# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one third-party library of the controller, and what to say where it is missing."""

from __future__ import annotations

from ansible.module_utils.basic import missing_required_lib


class CryptographyMissing(Exception):
    """The Python that runs Ansible has no cryptography; the message says what to install."""


def require_cryptography() -> None:
    """Raise CryptographyMissing unless the library can be imported."""
    try:
        import cryptography.x509  # noqa: F401
    except ImportError as error:
        reason = "on the controller, to read and issue certificates"
        raise CryptographyMissing(missing_required_lib("cryptography", reason=reason)) from error
