# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking the engine itself what the registry answers to it, without pulling anything."""

from __future__ import annotations

import http.client
import os
import socket
import time
from typing import Any, Callable, List, NamedTuple, Tuple

from ansible_collections.fleet.certs_d.plugins.module_utils._docker_socket import (
    CONTAINERD,
    DOCKER_SOCKET,
    Daemon,
    NotDocker,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._engine_text import (
    LET_IN,
    ctr_was_let_in,
    fault_of,
    shown,
    status_told,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._engines import DEFAULT_DIRECTORY, ENGINES
from ansible_collections.fleet.certs_d.plugins.module_utils._hosts_toml import NAME as HOSTS_TOML

# Takes a command and seconds; raises FileNotFoundError where the program is missing, TimeoutError after the seconds.
RunCommand = Callable[[List[str], float], Tuple[int, str]]


class EngineAnswer(NamedTuple):
    """What the engine said, or why none was asked, and docker's image store.

    `asked` has `client`, `status`, `error` and `seconds`. An image that the registry does not know is status 200: the
    client was let in. `error` is the engine's own text, null when it was let in; `status` is null where the text tells
    none.
    """

    asked: dict[str, Any] | None
    asked_why: str | None
    store: str | None


class _Question(NamedTuple):
    registry: str
    image: str
    path: str
    run_command: RunCommand
    started: float
    timeout: float

    @property
    def name(self) -> str:
        return f"{self.registry}/{self.image}"

    @property
    def root(self) -> str:
        return os.path.dirname(self.path)

    def run(self, *command: str) -> tuple[int, str]:
        """Never with 0 seconds, which some take for no limit."""
        return self.run_command(list(command), max(self.started + self.timeout - time.monotonic(), 0.001))

    def answer(self, client: str, status: int | None, error: str | None, store: str | None = None) -> EngineAnswer:
        seconds = round(time.monotonic() - self.started, 3)
        told = {"client": client, "status": status, "error": error and shown(error), "seconds": seconds}
        return EngineAnswer(told, None, store)

    def judged(self, client: str, fault: str | None, store: str | None = None) -> EngineAnswer:
        """What a client's fault tells; None where it had none."""
        status = LET_IN if fault is None else status_told(fault)
        return self.answer(client, status, None if status == LET_IN else fault, store)


def ask_engine(
    engine: str,
    registry: str,
    image: str,
    *,
    path: str,
    run_command: RunCommand,
    timeout: float,
    docker_socket: str = DOCKER_SOCKET,
) -> EngineAnswer:
    """Let the engine ask the registry for an image that need not exist; nothing is left in the engine's store.

    `path` is the host directory of the registry that the engine reads, `timeout` bounds all of it, in seconds.
    """
    if registry == DEFAULT_DIRECTORY:
        return EngineAnswer(None, f"{DEFAULT_DIRECTORY} names no registry that could be asked", None)
    question = _Question(registry, image, os.path.normpath(path), run_command, time.monotonic(), timeout)
    if engine == "docker":
        return _ask_docker(question, docker_socket)
    return _ask_containers(question) if engine == "containers" else _ask_containerd(question)


def _ask_docker(question: _Question, docker_socket: str) -> EngineAnswer:
    root = ENGINES["docker"].root
    if os.path.realpath(question.root) != os.path.realpath(root):
        return EngineAnswer(None, f"docker reads {root}, not {question.root}", None)
    daemon = Daemon(docker_socket, question.started + question.timeout)
    store = None
    try:
        store = daemon.store()
        answer = question.judged("docker", daemon.fault(question.registry, question.image, store), store)
    except NotDocker as reason:
        return EngineAnswer(None, f"docker does not run here: {reason}", None)
    except socket.timeout:
        return question.answer("docker", None, _late(question), store)
    except (OSError, http.client.HTTPException) as error:
        words = getattr(error, "strerror", None) or str(error) or type(error).__name__
        return question.answer("docker", None, f"docker broke off: {words}", store)
    return _answer_of_every_host(question, answer)


def _answer_of_every_host(question: _Question, answer: EngineAnswer) -> EngineAnswer:
    """docker tells the first refusal alone, also where a later host of hosts.toml only did not know the image.

    ctr goes through the same file in the same way, and its log tells what each host said.
    """
    told = answer.asked or {}
    if answer.store != CONTAINERD or told["status"] == LET_IN:
        return answer
    if not os.path.exists(os.path.join(question.path, HOSTS_TOML)):
        return answer
    by_ctr = _ask_containerd(question)
    if by_ctr.asked is not None:
        return by_ctr._replace(store=answer.store)
    return question.answer("docker", None, f"of all hosts of {HOSTS_TOML} the first: {told['error']}", answer.store)


def _ask_containers(question: _Question) -> EngineAnswer:
    """podman's `manifest inspect` reads the manifest of an image that it does not have, and keeps nothing.

    Of the two skopeo alone can be sent to a directory that is not below its own roots.
    """
    kind = ENGINES["containers"]
    own = question.root in (kind.root, *kind.later_roots)
    directory = [] if own else [f"--cert-dir={question.path}"]
    try:
        return _ask_program(question, "skopeo", ["inspect", "--raw", *directory, f"docker://{question.name}"])
    except OSError as error:
        why = f"skopeo does not run here: {error.strerror or error}"
    if not own:
        return EngineAnswer(None, f"{why}; podman reads {kind.root}, not {question.root}", None)
    try:
        return _ask_program(question, "podman", ["manifest", "inspect", question.name])
    except OSError as error:
        return EngineAnswer(None, f"{why}; neither does podman: {error.strerror or error}", None)


def _ask_containerd(question: _Question) -> EngineAnswer:
    """Of ctr's commands `content fetch-object` alone stores nothing; it shows what it has fetched."""
    command = ["content", "fetch-object", f"--hosts-dir={question.root}", question.name, "manifest"]
    try:
        return _ask_program(question, "ctr", command)
    except OSError as error:
        return EngineAnswer(None, f"containerd does not run here: ctr: {error.strerror or error}", None)


def _ask_program(question: _Question, client: str, command: list[str]) -> EngineAnswer:
    """Raises OSError where the program can't be run."""
    try:
        status, complaints = question.run(client, *command)
    except TimeoutError:
        return question.answer(client, None, _late(question))
    let_in = status == 0 or (client == "ctr" and ctr_was_let_in(complaints))
    fault = fault_of(complaints) or f"{client} ended with status {status} without a word"
    return question.judged(client, None if let_in else fault)


def _late(question: _Question) -> str:
    return f"no answer within {question.timeout:g} s"
