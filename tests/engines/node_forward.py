# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let a registry be reached at a loopback address of this node.

Usage: python3 node_forward.py ADDRESS PORT [PORT ...], which says `ready` and works until its standard input ends.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading

_CHUNK = 1 << 16


def main() -> None:
    """Pass on every connection, in a thread for each direction."""
    address, *ports = sys.argv[1:]
    for port in map(int, ports):
        server = socket.create_server(("127.0.0.1", port))
        threading.Thread(target=_accept, args=(server, address, port), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()


def _accept(server: socket.socket, address: str, port: int) -> None:
    while True:
        near, _peer = server.accept()
        far = socket.create_connection((address, port))
        for source, sink in ((near, far), (far, near)):
            threading.Thread(target=_pass, args=(source, sink), daemon=True).start()


def _pass(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


if __name__ == "__main__":
    main()
