#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every family of TLS cipher suites, between openssl s_server and s_client: a request for each.
# in: OUTDIR; out: OUTDIR/tls-suites-12.pcapng, tls-suites-13.pcapng (with a secrets block), a capture
# without secrets and the server's private key, tls-suites-rsa.pcapng and .pem; for each .requests, what
# the server logged it was asked for, in that order; exit 1 where tshark reads something else.
# Keys and certificates are made for the run. Exit 77 with a message where namespaces are refused or a
# program is missing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: suites.sh OUTDIR}
# shellcheck disable=SC2034 # net.sh reads it
needs="openssl tshark editcap"
# shellcheck source=net.sh
. "$here/net.sh"
export LC_ALL=C
switch
host servers 60
host clients 21
mkdir "$work/www"
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/key.pem" -out "$work/cert.pem" -days 365 \
    -subj /CN=dp60.lab.example -addext subjectAltName=DNS:dp60.lab.example 2>/dev/null
# libssl has no option for it on the command line
printf 'openssl_conf=a\n[a]\nssl_conf=b\n[b]\nsystem_default=c\n[c]\nOptions=-ExtendedMasterSecret\n' >"$work/no-ems.cnf"

port=4430
server= server_pid=
serve() { # S_SERVER-ARGUMENTS...: on the next port
    port=$((port + 1))
    (cd "$work/www" && within servers openssl s_server -accept "$port" -cert "$work/cert.pem" \
        -key "$work/key.pem" -cipher ALL:@SECLEVEL=0 "$@") >"$work/server.$port" 2>&1 &
    server_pid=$!
    pids+=("$server_pid")
    server=10.11.0.60:$port
    listening servers "$port"
}
served() { # what it was asked for, in order
    kill "$server_pid" 2>/dev/null || true
    wait "$server_pid" 2>/dev/null || true
    sed -n 's/^FILE:/\//p' "$work/server.$port" >>"$work/requests"
}
get() { # NAME S_CLIENT-ARGUMENTS...: asks for /NAME
    local name=$1
    shift
    printf 'this is %s\n' "$name" >"$work/www/$name"
    (sleep "${before:-0}"; [ -z "${update:-}" ] || { echo K; sleep 0.3; }
    printf 'GET /%s HTTP/1.0\r\nHost: dp60.lab.example\r\nUser-Agent: Microsoft BITS/7.8\r\n\r\n' "$name"
    sleep "${linger:-0.4}") | (within clients openssl s_client -connect "$server" -servername dp60.lab.example \
        -keylogfile "$work/keys" -cipher ALL:@SECLEVEL=0 "$@") >"$work/said" 2>&1 || true
}
begin() {
    rm -f "$work/keys" "$work/requests"
    : >"$work/requests"
    capture "$1"
}
finished() { # NAME: with the secrets in the file, and tshark's reading of it
    end_capture
    editcap -F pcapng ${inject:+--inject-secrets "tls,$work/keys"} "$out/$1.pcap" "$out/$1.pcapng"
    rm -f "$out/$1.pcap"
    cp "$work/requests" "$out/$1.requests"
    tshark -r "$out/$1.pcapng" ${inject:-"-ouat:rsa_keys:\"$work/key.pem\",\"\""} -Y http.request -T fields \
        -e http.request.uri 2>/dev/null >"$work/tshark" || true
    if [ -n "${inject:-}" ] && ! diff "$work/requests" "$work/tshark"; then
        echo "lab: tshark reads other requests than $1's server logged" >&2
        exit 1
    fi
    echo "$1: $(wc -l <"$work/requests") requests, tshark reads $(wc -l <"$work/tshark")" >&2
}

suites_12() {
    local name
    for name in AES128-SHA AES256-SHA256 AES128-GCM-SHA256 AES256-GCM-SHA384 AES128-CCM AES256-CCM8 \
        ECDHE-RSA-AES128-SHA ECDHE-RSA-AES128-SHA256 ECDHE-RSA-AES256-SHA384 DHE-RSA-AES256-SHA256 \
        ECDHE-RSA-AES128-GCM-SHA256 ECDHE-RSA-AES256-GCM-SHA384 ECDHE-RSA-CHACHA20-POLY1305; do
        get "$name" "$@" -cipher "$name:@SECLEVEL=0"
    done
}
inject=-q
begin tls-suites-12
serve -WWW -tls1_2
suites_12 -tls1_2
get no-etm-sha1 -tls1_2 -cipher AES128-SHA -no_etm
get no-etm-sha256 -tls1_2 -cipher ECDHE-RSA-AES128-SHA256 -no_etm
get no-etm-sha384 -tls1_2 -cipher ECDHE-RSA-AES256-SHA384 -no_etm
OPENSSL_CONF=$work/no-ems.cnf get no-ems -tls1_2 -cipher ECDHE-RSA-AES256-GCM-SHA384
OPENSSL_CONF=$work/no-ems.cnf get no-ems-no-etm -tls1_2 -cipher AES256-SHA -no_etm
get ticket-1 -tls1_2 -sess_out "$work/session"
get ticket-2 -tls1_2 -sess_in "$work/session"
served
serve -WWW -tls1_2 -no_ticket
get id-1 -tls1_2 -sess_out "$work/session"
get id-2 -tls1_2 -sess_in "$work/session"
served
serve -WWW -tls1
get tls10-cbc -tls1
get tls10-cbc-no-etm -tls1 -no_etm
served
serve -WWW -tls1_1
get tls11-cbc -tls1_1
served
finished tls-suites-12

begin tls-suites-13
serve -WWW -tls1_3 -ciphersuites TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_CCM_SHA256:TLS_AES_128_CCM_8_SHA256
for name in TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256 \
    TLS_AES_128_CCM_SHA256 TLS_AES_128_CCM_8_SHA256; do
    get "$name" -tls1_3 -ciphersuites "$name"
done
before=0.3 update=1 get key-update -tls1_3
get psk-1 -tls1_3 -sess_out "$work/session"
get psk-2 -tls1_3 -sess_in "$work/session"
served
serve -WWW -tls1_3 -groups X25519 # not the one that the client has a key share for: HelloRetryRequest
get retry -tls1_3 -groups P-521:X25519
served
# s_server answers no request when it takes early data: the answers are its input
answers() { for _ in 1 2; do sleep 1; printf 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nearly'; done; }
port=$((port + 1))
answers | (within servers openssl s_server -accept "$port" -cert "$work/cert.pem" -key "$work/key.pem" -tls1_3 \
    -early_data -naccept 2) >"$work/server.$port" 2>&1 &
pids+=($!)
server=10.11.0.60:$port
listening servers "$port"
linger=1.5 get early-1 -tls1_3 -sess_out "$work/session"
printf 'GET /early-2 HTTP/1.1\r\nHost: dp60.lab.example\r\n\r\n' >"$work/early"
(sleep 1.5) | (within clients openssl s_client -connect "$server" -keylogfile "$work/keys" -tls1_3 \
    -sess_in "$work/session" -early_data "$work/early") >"$work/said" 2>&1 || true
sed -n 's/^.*GET \(\/[^ ]*\) .*/\1/p' "$work/server.$port" >>"$work/requests"
finished tls-suites-13

inject=
begin tls-suites-rsa
serve -WWW -tls1_2
for name in AES128-SHA AES256-SHA256 AES128-GCM-SHA256 AES256-GCM-SHA384 AES128-CCM8; do
    get "$name" -tls1_2 -cipher "$name"
done
OPENSSL_CONF=$work/no-ems.cnf get no-ems -tls1_2 -cipher AES256-GCM-SHA384
get ticket-1 -tls1_2 -cipher AES128-GCM-SHA256 -sess_out "$work/session"
get ticket-2 -tls1_2 -cipher AES128-GCM-SHA256 -sess_in "$work/session"
served
serve -WWW -tls1_2 -no_ticket
get id-1 -tls1_2 -cipher AES128-GCM-SHA256 -sess_out "$work/session"
get id-2 -tls1_2 -cipher AES128-GCM-SHA256 -sess_in "$work/session"
served
finished tls-suites-rsa
cp "$work/key.pem" "$out/tls-suites-rsa.pem"
