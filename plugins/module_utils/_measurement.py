# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a registry answers to a host directory: to each of its pairs, to none, and to whom verifies otherwise."""

from __future__ import annotations

import ipaddress
import time
from datetime import datetime
from types import MappingProxyType
from typing import Any, Callable, Mapping, NamedTuple, Sequence

from ansible_collections.fleet.certs_d.plugins.module_utils._certificate import (
    Certificate,
    InvalidCertificate,
    read_certificates,
)
from ansible_collections.fleet.certs_d.plugins.module_utils._certificate_request import AsksFor
from ansible_collections.fleet.certs_d.plugins.module_utils._client_pair import pair_fault
from ansible_collections.fleet.certs_d.plugins.module_utils._engine_settings import Settings
from ansible_collections.fleet.certs_d.plugins.module_utils._host_directory import HostDirectory
from ansible_collections.fleet.certs_d.plugins.module_utils._pem import normalise
from ansible_collections.fleet.certs_d.plugins.module_utils._registry_name import RegistryName
from ansible_collections.fleet.certs_d.plugins.module_utils._request import NOT_ACCEPTED, Answer, Trust, ask
from ansible_collections.fleet.certs_d.plugins.module_utils._server import Heard

_V1, _V2 = "/v1/_ping", "/v2/"
TIME_IS_OVER = "not asked, because the time of this node for all registries was over (timeout_total)"


class Pair(NamedTuple):
    """A client pair as it lies in the host directory."""

    name: str
    certificate: bytes
    private_key: bytes

    @property
    def leaf(self) -> Certificate | None:
        """The facts of its first certificate, where they can be read."""
        return leaf_of(self.certificate)

    @property
    def text(self) -> str:
        """Its certificates in normal form."""
        return normalise(self.certificate.decode("utf-8", "replace"))


class Question(NamedTuple):
    """What every registry is asked, and for how long.

    `timeout` bounds one attempt, in seconds; `deadline` bounds all, on the clock of time.monotonic(). `settings` are
    those of the engines by their names. `run_command` runs a command for at most so many seconds, and returns its
    status and what it complained of; without it no engine is asked.
    """

    request: str
    timeout: float
    deadline: float
    now: datetime
    image: str = ""
    settings: Mapping[str, Settings] = MappingProxyType({})
    run_command: Callable[[list[str], float], tuple[int, str]] | None = None

    def seconds_left(self) -> float:
        """How long the next attempt may take; 0 or less where none may be made."""
        return min(self.timeout, self.deadline - time.monotonic())


class Measurement(NamedTuple):
    """All answers of one registry to one host directory; a pair of None is the request without a certificate."""

    pairs: Sequence[Pair]
    answers: Sequence[tuple[Pair | None, Answer]]
    heard: Heard
    replacing: str | None
    adding: str | None

    @property
    def asks_for(self) -> tuple[AsksFor | None, str | None]:
        """What the server asks of a client, or why that is unknown: by the first answer that tells."""
        told = [answer.seen for answer in self.heard.all()]
        known = next((seen.asks_for for seen in told if seen.asks_for is not None), None)
        return known, None if known else told[-1].asks_for_why

    @property
    def addresses(self) -> tuple[str, ...]:
        """Those of the registry's name."""
        return next((answer.seen.addresses for answer in self.heard.all() if answer.seen.addresses), ())

    @property
    def is_loopback(self) -> bool:
        """Whether one of them is this node itself, for which classic dockerd reads no certificates."""
        return any(ipaddress.ip_address(address.partition("%")[0]).is_loopback for address in self.addresses)


class _Client:
    """Who asks a registry with the roots of one host directory.

    The system's roots are loaded only where those of the directory do not do: that takes OpenSSL 40 ms, more than all
    the rest of a request. So it shows, too, whether the directory's own were enough; `replacing` is the error if not.
    """

    def __init__(self, registry: RegistryName, directory: HostDirectory, question: Question) -> None:
        self._registry = registry
        self._question = question
        self._roots = [file.content or b"" for file in directory.of_suffix(".crt")]
        self.replacing: str | None = None

    def ask(self, path: str, pair: Pair | None) -> Answer:
        """The answer to one request."""
        if self._roots and self.replacing is None:
            answer = self._ask(path, pair, Trust(self._roots, replaces=True))
            self.replacing = _not_accepted([answer])
            if self.replacing is None:
                return answer
        return self._ask(path, pair, Trust(self._roots))

    def _ask(self, path: str, pair: Pair | None, trust: Trust) -> Answer:
        return _ask(self._registry, self._question, path, trust, pair)


def measure_directory(registry: RegistryName, directory: HostDirectory, question: Question) -> Measurement:
    """Ask with one pair after the other, without any, and then in both protocols with the pair that goes furthest."""
    client = _Client(registry, directory, question)
    pairs = loadable_pairs(directory)
    tried: list[Pair | None] = [*pairs, None]
    answers = [(pair, client.ask(question.request, pair)) for pair in tried]
    heard = Heard([answer for _pair, answer in answers])
    adding = _not_accepted(heard.answers)
    pair, best = min(answers, key=lambda asked: _rank(asked[1]))
    if best.status is not None:
        v2 = best if question.request == _V2 else client.ask(_V2, pair)
        heard = heard._replace(v1=client.ask(_V1, pair), v2=v2)
    return Measurement(pairs, answers, heard, client.replacing or adding, adding)


def ask_insecurely(registry: RegistryName, question: Question) -> Answer:
    """The answer to a client that verifies nothing and presents nothing, in plain HTTP where there is no TLS."""
    answer = _ask(registry, question, question.request, Trust(verifies=False), None)
    if answer.status is not None or answer.seen.address is None or answer.seen.chain:
        return answer
    plain = _ask(registry, question, question.request, None, None)
    return answer if plain.status is None else plain


def loadable_pairs(directory: HostDirectory) -> list[Pair]:
    """Those that engines can load; containerd takes a key that stands in the .cert itself."""
    keys = {file.stem: file.content for file in directory.of_suffix(".key")}
    pairs = []
    for file in directory.of_suffix(".cert"):
        key = keys.get(file.stem, file.content)
        if file.content is not None and key is not None and pair_fault(file.content, key) is None:
            pairs.append(Pair(file.stem, file.content, key))
    return pairs


def leaf_of(content: bytes) -> Certificate | None:
    """The facts of the first certificate of a file, where they can be read."""
    try:
        return read_certificates(normalise(content.decode("utf-8", "replace")))[0]
    except InvalidCertificate:
        return None


def as_row(pair: Pair | None, answer: Answer) -> dict[str, Any]:
    """The row as it stands in results."""
    leaf = pair.leaf if pair else None
    return {
        "pair": pair.name if pair else None,
        "fingerprint": leaf.fingerprint if leaf else None,
        "status": answer.status,
        "error": answer.error,
        "seconds": answer.seconds,
    }


def _ask(registry: RegistryName, question: Question, path: str, trust: Trust | None, pair: Pair | None) -> Answer:
    seconds = question.seconds_left()
    if seconds <= 0:
        return Answer(None, TIME_IS_OVER, 0.0)
    halves = None if pair is None else (pair.certificate, pair.private_key)
    return ask(registry, path, trust=trust, pair=halves, timeout=seconds)


def _not_accepted(answers: Sequence[Answer]) -> str | None:
    return next((answer.error for answer in answers if answer.error and answer.error.startswith(NOT_ACCEPTED)), None)


def _rank(answer: Answer) -> int:
    """Who gets in tells most of a registry, then whom it wants a token of, then who gets any answer."""
    if answer.status is None:
        return 3
    return 0 if 200 <= answer.status < 300 else 1 if answer.status == 401 else 2
