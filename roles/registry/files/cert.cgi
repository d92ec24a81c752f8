#!/usr/bin/env bash
# The gate of a registry: /v1 and /v2 for clients whose certificate the policy lets in. It decides, and says itself what
# is short. For a file of the tree it redirects Apache to it, which then sends the bytes.
#
# Apache's SetEnv configures it. Whatever is unset or unknown lets nobody in.
#   CERTS_D_NAME          host[:port] as image names spell it
#   CERTS_D_TREE          directory that holds v1/, v2/ and store/
#   CERTS_D_POLICY, CERTS_D_CLIENT_CA, CERTS_D_SESSIONS_END, CERTS_D_CLIENTS    see gate.sh, which lies beside this file
#   CERTS_D_TEST_ANSWERS  "FINGERPRINT=STATUS ..." for tests: refusals of certificates that the policy lets in

PATH=/usr/bin:/bin
LC_ALL=C
export PATH LC_ALL
shopt -s extglob nullglob

# shellcheck source-path=SCRIPTDIR source=gate.sh
source "${BASH_SOURCE%/*}/gate.sh" || exit

readonly uri=${PATH_INFO-} method=${REQUEST_METHOD-}
decision=no
readonly no_right="client certificate has no right to read this"
# All that is ever looked up: no blanks, signs or hidden names get to the tree.
readonly component='[a-z0-9]+([._-]+[a-z0-9]+)*'
readonly v2_name="($component(/$component)*)" v2_digest='sha256:[0-9a-f]{64}' v2_tag='[A-Za-z0-9_][A-Za-z0-9._-]{0,127}'
readonly v1_name='([a-z0-9_]+/)?[a-z0-9_-][a-z0-9._-]*' v1_id='[0-9a-f]{1,64}'

# quote TEXT VARIABLE: for a log that is read line by line. Of a client's words nothing but printable ASCII goes into
# it, not too many of them, and quotes that they can't leave.
quote() {
    local text=${1:0:500}
    text=${text//[^[:print:]]/?}
    text=${text//\\/\\\\}
    printf -v "$2" '"%s"' "${text//\"/\\\"}"
}

# One line per request, in the form of Apache's own error log, to which it goes whatever registry it is of.
finish() {
    # RHEL 8 has bash 4.4, which counts no microseconds.
    local subject reason request fraction=${EPOCHREALTIME#*.}
    quote "${SSL_CLIENT_S_DN:--}" subject
    quote "$gate_reason" reason
    quote "$method $uri" request
    printf '[%(%a %b %d %T)T.%s %(%Y)T] [certs_d:notice] gate: %s subject=%s fingerprint=%s %s reason=%s request=%s\n' \
        -1 "${fraction:-000000}" -1 "registry=${CERTS_D_NAME:--} host=${REMOTE_ADDR:--}" "$subject" \
        "${gate_fingerprint:--}" "decision=$decision" "$reason" "$request" >&2
    exit 0
}

# send_headers STATUS [HEADER...]
send_headers() {
    printf '%s\n' "Status: $1" "${@:2}"
    if [[ $uri == /v2?(/*) ]]; then
        echo "Docker-Distribution-Api-Version: registry/2.0"
    else
        echo "x-docker-registry-version: 0.6.2"
    fi
    if [[ -n $gate_fingerprint ]]; then
        # For the access log: Apache makes a note of it and takes it off the answer.
        echo "X-Certs-D-Fingerprint: $gate_fingerprint"
    fi
    echo
}

# send_json STATUS BODY [HEADER...]
send_json() {
    send_headers "$1" "Content-Type: application/json" "Content-Length: ${#2}" "${@:3}"
    if [[ $method != HEAD ]]; then
        printf '%s' "$2"
    fi
    finish
}

# refuse STATUS CODE MESSAGE, in the words of the distribution specification or of v1
refuse() {
    if [[ $uri == /v2?(/*) ]]; then
        send_json "$1" "{\"errors\":[{\"code\":\"$2\",\"message\":\"$3\",\"detail\":null}]}"
    fi
    send_json "$1" "{\"error\":\"$3\"}"
}

# deny STATUS REASON
deny() {
    decision=no gate_reason=$2
    refuse "$1" DENIED "$2"
}

refuse_as_tests_want() {
    local answer
    for answer in ${CERTS_D_TEST_ANSWERS-}; do
        if [[ $answer == "$gate_fingerprint"=[45][0-9][0-9] ]]; then
            deny "${answer#*=} Test answer" "answer for tests"
        fi
    done
}

not_found() {
    case $uri in
        /v2/*/manifests/*) refuse "404 Not Found" MANIFEST_UNKNOWN "manifest unknown" ;;
        /v2/*/blobs/*) refuse "404 Not Found" BLOB_UNKNOWN "blob unknown to registry" ;;
        *) refuse "404 Not Found" NAME_UNKNOWN "not known to this registry" ;;
    esac
}

# find_file PATTERN: what the path of the request leads to, as a path in the tree that is free of links. It has to be
# where the tree keeps such files: the pattern is a regular expression.
find_file() {
    local found
    [[ -n ${CERTS_D_TREE-} ]] || return
    mapfile -t found < <(realpath --canonicalize-existing -- "$CERTS_D_TREE" "$CERTS_D_TREE$uri" 2>/dev/null)
    [[ ${#found[@]} == 2 && ${found[1]} == "${found[0]}"/* && -f ${found[1]} && -r ${found[1]} ]] || return
    file=${found[1]#"${found[0]}/"}
    [[ $file =~ ^($1)$ ]]
}

# Apache sends it, by its internal path that only this redirect leads to. The query is for the access log. Without the
# status Apache would compare If-None-Match itself, and say 304 with that path.
redirect() {
    printf 'Status: 200 OK\nLocation: /certs-d-tree/%s?%s\n\n' "$file" "$gate_fingerprint"
    finish
}

send_file() {
    find_file "$1" || not_found
    redirect
}

# A file of the store is named by its digest, which is its ETag. Apache has its own idea of ETags, so If-None-Match is
# answered here, and the site gives it another name on the way.
send_stored() {
    local name
    find_file "$1" || not_found
    name=${file##*/}
    if [[ ${HTTP_X_CERTS_D_IF_NONE_MATCH-} == @("*"|*"\"$name\""*) ]]; then
        send_headers "304 Not Modified" "ETag: \"$name\"" "Docker-Content-Digest: $name"
        finish
    fi
    redirect
}

# A list whole, by Apache, or what the query asks of it: `n` names at most, those behind `last`. The catalog names only
# what the client may read.
send_list() {
    local pairs parts pair name last text names='' count=0 n='' after='' is_whole=yes
    IFS=\& read -r -a pairs <<<"${QUERY_STRING-}"
    for pair in "${pairs[@]}"; do
        case $pair in
            n=*) n=${pair#n=} ;;
            last=*) after=${pair#last=} after=${after//%2[Ff]//} ;;
        esac
    done
    if ! [[ $n =~ ^[0-9]{0,9}$ && $after =~ ^[A-Za-z0-9._/-]{0,300}$ ]]; then
        refuse "400 Bad Request" PAGINATION_NUMBER_INVALID "n is to be a number, and last a name of the list"
    fi
    [[ $uri == /v2/_catalog ]] && ! gate_may_read_all && is_whole=no
    find_file "${uri:1}" || not_found
    [[ -z $n$after && $is_whole == yes ]] && redirect
    text=$(<"$CERTS_D_TREE/$file")
    # Between two quotes is a name, or what stands between two names.
    IFS=\" read -r -d '' -a parts <<<"${text#*[}"
    for name in "${parts[@]}"; do
        [[ ($name =~ ^$v2_tag$ || $name =~ ^$v2_name$) && $name > $after ]] || continue
        [[ $is_whole == yes ]] || gate_may_read "$name" || continue
        # One more there is: the next page begins behind the last name of this one.
        if [[ -n $n ]] && ((count++ == 10#$n)); then
            ((count == 1)) || set -- "Link: <$uri?n=$n&last=$last>; rel=\"next\""
            break
        fi
        names+=,\"$name\" last=$name
    done
    send_json "200 OK" "${text%%[*}[${names:1}]}" "$@"
}

# v1 spells a name of one part both ways; the repository library/NAME, which v2 has, it can't spell.
may_read_v1() {
    gate_may_read "${1#library/}"
}

# may_read_image ID: whether a repository that the client may read holds it, or an image that is made of it.
may_read_image() {
    local list name text
    gate_may_read_all && return
    for list in "$CERTS_D_TREE"/v1/repositories/{*,*/*}/images; do
        name=${list#"$CERTS_D_TREE/v1/repositories/"}
        may_read_v1 "${name%/images}" || continue
        text=$(<"$list")
        while [[ $text =~ \"($v1_id)\" ]]; do
            [[ ${BASH_REMATCH[1]} == "$1" ]] && return
            [[ $(<"$CERTS_D_TREE/v1/images/${BASH_REMATCH[1]}/ancestry") == *"\"$1\""* ]] && return
            text=${text#*"${BASH_REMATCH[0]}"}
        done
    done 2>/dev/null
    return 1
}

answer_v1() {
    if [[ $uri == /v1/_ping ]]; then
        send_file v1/_ping
    elif [[ $uri =~ ^/v1/repositories/($v1_name)/(images|tags)$ ]]; then
        may_read_v1 "${BASH_REMATCH[1]}" || deny "403 Forbidden" "$no_right"
        send_file "${uri:1}"
    elif [[ $uri =~ ^/v1/images/($v1_id)/(json|ancestry|layer)$ ]]; then
        may_read_image "${BASH_REMATCH[1]}" || deny "403 Forbidden" "$no_right"
        send_file "${uri:1}|store/blobs/$v2_digest"
    fi
    not_found
}

answer_v2() {
    local last=${uri##*/} kind=${uri%/*}
    if [[ $uri == /v2/ ]]; then
        send_json "200 OK" "{}"
    elif [[ $uri == /v2/_catalog ]]; then
        send_list
    elif [[ $uri =~ ^/v2/$v2_name/(manifests/($v2_digest|$v2_tag)|blobs/$v2_digest|tags/list)$ ]]; then
        gate_may_read "${BASH_REMATCH[1]}" || deny "403 Forbidden" "$no_right"
        case ${kind##*/}/$last in
            blobs/*) send_stored "store/blobs/$last" ;;
            manifests/sha256:*) send_stored "store/manifests/[a-z0-9.+-]+/$last" ;;
            manifests/*) send_stored "store/manifests/[a-z0-9.+-]+/$v2_digest" ;;
            tags/list) send_list ;;
        esac
    fi
    not_found
}

# One function, because an error of bash ends a whole command and goes on behind it: nothing that lets in stands there.
main() {
    # Apache has refused what has more than one byte, whoever has sent it. Unless this one is read, the answer is lost.
    if [[ ${CONTENT_LENGTH:-0} != +(0) || -n ${HTTP_TRANSFER_ENCODING-} ]]; then
        read -r -t 5 -N 2
        gate_reason="a request has no body here"
        refuse "413 Request Entity Too Large" SIZE_INVALID "$gate_reason"
    fi
    if ! gate_lets_in; then
        if [[ ${HTTPS-} != on ]]; then
            deny "403 Not using SSL" "$gate_reason"
        fi
        deny "403 Client certificate invalid" "$gate_reason"
    fi
    decision=yes
    if [[ $method != @(GET|HEAD) ]]; then
        refuse "405 Method Not Allowed" UNSUPPORTED "only GET and HEAD are supported"
    fi
    # Called by its own address and not through the Action; or a path that is longer than all names can be.
    if [[ ${REDIRECT_STATUS-} != 200 ]] || ((${#uri} > 600)); then
        not_found
    fi
    refuse_as_tests_want
    case $uri in
        /v1/*) answer_v1 ;;
        /v2/*) answer_v2 ;;
    esac
    not_found
}

main
# shellcheck disable=SC2317 # an error of bash gets here
deny "403 Forbidden" "the gate has failed: nobody is let in"
