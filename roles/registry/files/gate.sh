# shellcheck shell=bash
# The decision of a registry's gate: whether a client is let in, and what it may read. Sourced; it answers no request
# and reads nothing but its variables and the list of clients.
#
# In:   HTTPS, SSL_CLIENT_*   what Apache's SSLOptions +StdEnvVars +ExportCertData tell of the client
#       CERTS_D_POLICY        any_certificate | signed_by_ca | allowlist
#       CERTS_D_CLIENT_CA     yes: the handshake refuses every certificate that no CA of this registry has signed
#       CERTS_D_SESSIONS_END  until when sessions can be resumed, in seconds since 1970, or never: when the first of the
#                             registry's CAs and revocation lists ends
#       SSL_SESSION_RESUMED   whether this one is; Apache's word for one that is not is Initial
#       CERTS_D_CLIENTS       file of the allowlist
# Out:  gate_fingerprint      SHA-256 of the client's certificate; empty if it presented none
#       gate_reason           why it was let in, or why not: for the log and for the client, so it names no path
#       gate_rights           patterns of the repositories that it may read
# Whatever is unset or unknown lets nobody in.

# shellcheck disable=SC2034 # some are read by the script that sources this alone
gate_fingerprint='' gate_reason='' gate_rights=()

# The whole grammar of the allowlist: KIND, VALUE and patterns of repositories, between them one tab.
readonly gate_sha256='([0-9a-f]{2}:){31}[0-9a-f]{2}'
readonly gate_patterns='[a-z0-9._/*-]+( [a-z0-9._/*-]+)*'
readonly gate_entry="fingerprint"$'\t'"$gate_sha256"$'|subject\t[^\t]+|san\t(DNS|email):[^\t]+'
readonly gate_line="^($gate_entry)"$'\t'"$gate_patterns\$"

# SHA-256 of the DER, lower-case hex with colons; fails unless a whole certificate was presented.
gate_take_fingerprint() {
    local pem=${SSL_CLIENT_CERT-} sum colons=
    [[ $pem == "-----BEGIN CERTIFICATE-----"*"-----END CERTIFICATE-----"* ]] || return 1
    pem=${pem#*-----}
    pem=${pem#*-----}
    sum=$(set -o pipefail && base64 --decode <<<"${pem%%-----*}" 2>/dev/null | sha256sum) || return 1
    while [[ $sum == [0-9a-f][0-9a-f]* ]]; do
        colons+=:${sum:0:2}
        sum=${sum:2}
    done
    gate_fingerprint=${colons:1}
    [[ $gate_fingerprint =~ ^$gate_sha256$ ]]
}

# A resumed session is not verified again, so that its certificate may have expired meanwhile. Apache counts the days
# that are left in whole ones: who has one needs no look at the clock.
gate_is_in_time() {
    local end now
    [[ ${SSL_CLIENT_V_REMAIN-} == [1-9]* ]] && return
    # EPOCHSECONDS is one of bash 5: RHEL 8 has 4.4, where it would be empty, and before every end.
    printf -v now '%(%s)T' -1
    [[ -n ${SSL_CLIENT_V_END-} ]] && end=$(date --date="$SSL_CLIENT_V_END" +%s 2>/dev/null) && ((now < end))
}

# Nor are the CAs and the revocation lists looked at again.
gate_is_session_in_time() {
    local now
    [[ ${SSL_SESSION_RESUMED-} == Initial || ${CERTS_D_SESSIONS_END-} == never ]] && return
    printf -v now '%(%s)T' -1
    [[ ${CERTS_D_SESSIONS_END-} =~ ^[1-9][0-9]{0,17}$ ]] && ((now < CERTS_D_SESSIONS_END))
}

# SSL_CLIENT_VERIFY is SUCCESS for a foreign certificate too, once its TLS 1.2 session is resumed under
# `SSLVerifyClient optional_no_ca`: only beside `optional` and a CA file it says who signed.
gate_is_signed() {
    [[ ${CERTS_D_CLIENT_CA-} == yes && ${SSL_CLIENT_VERIFY-} == SUCCESS ]]
}

# gate_is_client KIND<tab>VALUE: whether an entry of the allowlist is this client.
gate_is_client() {
    local value=${1#*$'\t'} name
    case $1 in
        # TLS proves the key of the certificate, whoever signed it.
        fingerprint$'\t'*) [[ $value == "$gate_fingerprint" ]] && return ;;
        subject$'\t'*) gate_is_signed && [[ $value == "${SSL_CLIENT_S_DN-}" ]] && return ;;
        san$'\tDNS:'*)
            gate_is_signed || return
            value=${value#DNS:}
            for name in "${!SSL_CLIENT_SAN_DNS_@}"; do
                name=${!name}
                [[ ${value,,} == "${name,,}" ]] && return
            done
            ;;
        san$'\temail:'*)
            gate_is_signed || return
            for name in "${!SSL_CLIENT_SAN_Email_@}"; do
                [[ ${value#email:} == "${!name}" ]] && return
            done
            ;;
    esac
    return 1
}

# Reads the allowlist as data, to its end: one line that is not of its grammar and nobody is on it.
gate_is_on_allowlist() {
    local line patterns rights=()
    gate_reason="client certificate is not on the allowlist"
    if ! [[ -f ${CERTS_D_CLIENTS-} && -r $CERTS_D_CLIENTS ]]; then
        gate_reason="the allowlist can't be read: nobody is let in"
        return 1
    fi
    while IFS= read -r line || [[ -n $line ]]; do
        [[ $line == "#"* ]] && continue
        if ! [[ $line =~ $gate_line ]]; then
            gate_reason="the allowlist is damaged: nobody is let in"
            return 1
        fi
        if gate_is_client "${line%$'\t'*}"; then
            read -r -a patterns <<<"${line##*$'\t'}"
            rights+=("${patterns[@]}")
        fi
    done <"$CERTS_D_CLIENTS"
    gate_rights=("${rights[@]}")
    ((${#gate_rights[@]}))
}

gate_policy_lets_in() {
    case ${CERTS_D_POLICY-} in
        signed_by_ca)
            gate_reason="client certificate is not signed by a CA of this registry"
            gate_is_signed || return
            gate_reason="client certificate is signed by a CA of this registry"
            gate_rights=("*")
            ;;
        any_certificate)
            gate_reason="a client certificate was presented"
            gate_rights=("*")
            ;;
        allowlist)
            gate_reason="client certificate is not signed by a CA of this registry"
            [[ ${CERTS_D_CLIENT_CA-} == no ]] || gate_is_signed || return
            gate_is_on_allowlist || return
            gate_reason="client certificate is on the allowlist"
            ;;
        *)
            gate_reason="the registry has no policy: nobody is let in"
            return 1
            ;;
    esac
}

# Whether the client is let in at all.
gate_lets_in() {
    gate_fingerprint='' gate_rights=()
    gate_reason="not using SSL"
    [[ ${HTTPS-} == on ]] || return
    gate_reason="no client certificate was presented"
    gate_take_fingerprint || return
    [[ ${SSL_CLIENT_VERIFY-} == @(SUCCESS|GENEROUS|FAILED:*) ]] || return
    gate_reason="client certificate has expired"
    gate_is_in_time || return
    gate_reason="this TLS session is to be begun anew: a CA or a revocation list of the registry has ended"
    gate_is_session_in_time || return
    gate_policy_lets_in
}

# gate_may_read REPOSITORY: whether a client that was let in has the right to. `*` stands for slashes, too.
gate_may_read() {
    local pattern
    for pattern in "${gate_rights[@]}"; do
        # shellcheck disable=SC2053 # a pattern it is
        [[ $1 == $pattern ]] && return
    done
    return 1
}

gate_may_read_all() {
    local pattern
    for pattern in "${gate_rights[@]}"; do
        [[ $pattern == "*" ]] && return
    done
    return 1
}
