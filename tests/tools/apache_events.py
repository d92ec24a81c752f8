# Copyright (c) 2026, the fleet.certs_d contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tell the logs of a registry as one list of events, in the order of time: the oracle of tests on real hosts.

Usage: cat access.log error.log | python tests/tools/apache_events.py

Reads an access log in the format of the role fleet.certs_d.registry and Apache's error log at `LogLevel warn ssl:info`
from standard input, one after the other. Prints JSON: per event its `time`, the `certificate` (a request's as the
access log names it, by fingerprint or serial number; the serial number of one that was refused in the handshake; `-`
for none), the `answer` (the status, or why the certificate was refused) and the `request` (`-` for a refused
handshake). A line of the access log that is not as the role documents it is an error: it is not passed over.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from operator import attrgetter
from typing import NamedTuple

_REQUEST = re.compile(
    r'(?P<time>\S+) \S+ "[^"]*" (?P<certificate>-|[0-9a-f:]{95}|[0-9A-F]+) (?P<status>[0-9]{3})'
    r' "(?P<request>(?:[^"\\]|\\.)*)" ".*"'
)
_ERROR = re.compile(r"\[(?P<time>[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]{2} [0-9:.]+ [0-9]{4})\] \[")
_REFUSAL = re.compile(
    r"Certificate Verification: Error \([0-9]+\): (?P<reason>.*?) \[.*\bserial: (?P<serial>[0-9A-F]+)"
)


class Event(NamedTuple):
    """What a registry said to one certificate."""

    time: str
    certificate: str
    answer: str
    request: str


def main() -> int:
    """Exit status 1 for a line that is of neither log."""
    try:
        found = sorted(events(sys.stdin), key=attrgetter("time"))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps([event._asdict() for event in found]))
    return 0


def events(lines: Iterable[str]) -> Iterable[Event]:
    """The requests and the refused handshakes of both logs."""
    for line in map(str.rstrip, lines):
        if error := _ERROR.match(line):
            if refusal := _REFUSAL.search(line):
                yield Event(_error_time(error["time"]), refusal["serial"], refusal["reason"], "-")
        elif request := _REQUEST.fullmatch(line):
            yield Event(_utc(request["time"]), request["certificate"], request["status"], request["request"])
        else:
            raise ValueError(f"neither a line of the access log nor of the error log: {line}")


def _utc(text: str) -> str:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z").astimezone(UTC).isoformat(timespec="microseconds")


def _error_time(text: str) -> str:
    """The error log names no time zone; the lab's hosts are in UTC."""
    moment = datetime.strptime(text, "%a %b %d %H:%M:%S.%f %Y").replace(tzinfo=UTC)
    return moment.isoformat(timespec="microseconds")


if __name__ == "__main__":
    sys.exit(main())
