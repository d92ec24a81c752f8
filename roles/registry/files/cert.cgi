#!/usr/bin/env bash
# The gate of a registry: /v1 and /v2 for clients whose certificate the policy lets in.
#
# Apache's SetEnv configures it. Whatever is unset or unknown lets nobody in.
#   CERTS_D_NAME          host[:port] as image names spell it
#   CERTS_D_POLICY        signed_by_ca | any_certificate
#   CERTS_D_TREE          directory that holds v1/
#   CERTS_D_TEST_ANSWERS  "FINGERPRINT=STATUS ..." for tests: refusals of certificates that the policy lets in

PATH=/usr/bin:/bin
LC_ALL=C
export PATH LC_ALL
shopt -s extglob

readonly uri=${PATH_INFO-} method=${REQUEST_METHOD-}
client=

# SHA-256 of the DER, lower-case hex with colons; fails unless a whole certificate was presented.
fingerprint() {
    local pem=${SSL_CLIENT_CERT-} digest colons=
    [[ $pem == "-----BEGIN CERTIFICATE-----"*"-----END CERTIFICATE-----"* ]] || return 1
    pem=${pem#*-----}
    pem=${pem#*-----}
    digest=$(set -o pipefail && base64 --decode <<<"${pem%%-----*}" 2>/dev/null | sha256sum) || return 1
    while [[ $digest == [0-9a-f][0-9a-f]* ]]; do
        colons+=:${digest:0:2}
        digest=${digest:2}
    done
    printf '%s' "${colons:1}"
}

# SSL_CLIENT_VERIFY is SUCCESS for a foreign certificate too, once its TLS 1.2 session is resumed under
# `SSLVerifyClient optional_no_ca`: signed_by_ca is safe only beside `optional` and a CA file.
policy_lets_in() {
    case ${CERTS_D_POLICY-} in
        signed_by_ca) [[ ${SSL_CLIENT_VERIFY-} == SUCCESS ]] ;;
        any_certificate) [[ ${SSL_CLIENT_VERIFY-} == @(SUCCESS|GENEROUS|FAILED:*) ]] ;;
        *)
            echo "CERTS_D_POLICY is neither signed_by_ca nor any_certificate: nobody is let in" >&2
            return 1
            ;;
    esac
}

# send_headers STATUS TYPE LENGTH [HEADER...]
send_headers() {
    printf '%s\n' "Status: $1" "Content-Type: $2" "Content-Length: $3" "${@:4}"
    if [[ $uri == /v2?(/*) ]]; then
        echo "Docker-Distribution-Api-Version: registry/2.0"
    else
        echo "x-docker-registry-version: 0.6.2"
    fi
    if [[ -n $client ]]; then
        # For the access log: Apache makes a note of it and takes it off the answer.
        echo "X-Certs-D-Fingerprint: $client"
    fi
    echo
}

# send_json STATUS BODY
send_json() {
    send_headers "$1" application/json "${#2}"
    if [[ $method != HEAD ]]; then
        printf '%s' "$2"
    fi
    exit 0
}

# refuse STATUS CODE MESSAGE, in the words of the distribution specification or of v1
refuse() {
    if [[ $uri == /v2?(/*) ]]; then
        send_json "$1" "{\"errors\":[{\"code\":\"$2\",\"message\":\"$3\",\"detail\":null}]}"
    fi
    send_json "$1" "{\"error\":\"$3\"}"
}

refuse_as_tests_want() {
    local answer
    for answer in ${CERTS_D_TEST_ANSWERS-}; do
        if [[ $answer == "$client"=[45][0-9][0-9] ]]; then
            refuse "${answer#*=} Test answer" DENIED "answer for tests"
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

# Hidden files are none of the tree's: image_tree writes its temporary files so.
send_file() {
    local root file size type=application/json
    [[ -n ${CERTS_D_TREE-} && $uri != */.* ]] || not_found
    root=$(realpath --canonicalize-existing -- "$CERTS_D_TREE/v1" 2>/dev/null) || not_found
    file=$(realpath --canonicalize-existing -- "$CERTS_D_TREE$uri" 2>/dev/null) || not_found
    [[ $file == "$root"/* && -f $file && -r $file ]] || not_found
    # Length and bytes come from one open file, also when the tree is renewed meanwhile.
    exec <"$file" || not_found
    size=$(stat --dereference --format=%s /dev/stdin) || not_found
    if [[ $file == */layer ]]; then
        type=application/octet-stream
    fi
    send_headers "200 OK" "$type" "$size" "X-Docker-Endpoints: ${CERTS_D_NAME-}" "X-Docker-Size: 0"
    if [[ $method != HEAD ]]; then
        exec cat
    fi
    exit 0
}

if [[ ${HTTPS-} != on ]]; then
    refuse "403 Not using SSL" DENIED "not using SSL"
fi
client=$(fingerprint)
if [[ -z $client ]] || ! policy_lets_in; then
    refuse "403 Client certificate invalid" DENIED "client certificate invalid"
fi
if [[ $method != @(GET|HEAD) ]]; then
    refuse "405 Method Not Allowed" UNSUPPORTED "only GET and HEAD are supported"
fi
if [[ ${REDIRECT_STATUS-} != 200 ]]; then
    # Called by its own address, not through the Action.
    not_found
fi
refuse_as_tests_want
case $uri in
    /v2/) send_json "200 OK" "{}" ;;
    /v1/*) send_file ;;
    *) not_found ;;
esac
