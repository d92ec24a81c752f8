#!/usr/bin/env bash
# What the gate would be if it sent the bytes itself: the same decision, then a pipe.
PATH=/usr/bin:/bin
shopt -s extglob
# shellcheck source-path=SCRIPTDIR source=../../../roles/registry/files/gate.sh
source "${BASH_SOURCE%/*}/gate.sh" || exit
gate_lets_in && [[ $PATH_INFO == /v2/bench/* && $PATH_INFO != *..* ]] || exit
exec <"$CERTS_D_TREE$PATH_INFO" || exit
printf '%s\n' "Status: 200 OK" "Content-Type: application/octet-stream" \
    "Content-Length: $(stat --dereference --format=%s /dev/stdin)" ""
exec cat
