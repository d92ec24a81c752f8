# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where each container engine looks for host directories."""

from __future__ import annotations

# docker: https://docs.docker.com/engine/security/certificates/ (rootful daemon, 1.2.0 and later)
ROOTS = {"docker": "/etc/docker/certs.d"}
