#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Signed messages, tokens, BITS sessions and the requests of every role, against stand-in servers.
# in: OUTDIR [SCENARIO...]; out: OUTDIR/SCENARIO.pcap and .truth.json (from the servers' logs and from
# what the clients were told to do; see README.md)
# Keys are made on the spot by the openssl command and die with the run.
# Exit 77 with a message where namespaces are refused or a program is missing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: ccm.sh OUTDIR [messages-signed|tokens|tokens2|bits-sessions|roles...]}
# shellcheck disable=SC2034 # net.sh reads it
needs="curl openssl"
# shellcheck source=net.sh
. "$here/net.sh"
scenarios=("${@:2}")
[ $# -gt 1 ] || scenarios=(messages-signed tokens tokens2 bits-sessions roles)
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1

switch
host mp 10
host dp 11
host sup 12
host fsp 13
host provider 14
host mp2 15
for n in 1 2 3 4 5 6 7 8; do host "client$n" "2$n"; done

background() { # NAMESPACE PROGRAM ADDRESS PORT...: for this scenario
    local name=$1 program=$2
    shift 2
    (within "$name" python3 "$here/$program" "$@") 2>>"$work/server.log" &
    pids+=($!)
    servers+=($!)
    listening "$name" "$2"
}
client() { # NUMBER COMMAND...
    (named "client$1" "WKS0$1" "${@:2}") 2>>"${complaints:-$work/client.log}"
}

serve_messages-signed() {
    mkdir "$dir/known"
    openssl genrsa -out "$dir/sign-7.key" 2048 2>/dev/null
    openssl pkey -in "$dir/sign-7.key" -pubout \
        -out "$dir/known/GUID:0F0E0D0C-0B0A-4908-8706-050403020100.pem"
    background mp ccmmp.py 10.11.0.10 80 "$dir/log" "$dir"
}
scenario_messages-signed() {
    local n
    for n in 1 2 3 4 5 6 7 8; do client $n python3 "$here/agent.py" $n "$dir"; done
}
serve_tokens() {
    background mp roles.py 10.11.0.10 80 mp "$dir/log"
    background dp roles.py 10.11.0.11 80 dp "$dir/log"
    background provider roles.py 10.11.0.14 80 provider "$dir/log"
}
scenario_tokens() {
    local n
    for n in 1 2 3 4; do client $n python3 "$here/tokens.py" $n "$dir"; done
}
serve_tokens2() { serve_tokens; }
scenario_tokens2() {
    local n
    for n in 1 2 3 4 5 6 7 8; do client $n python3 "$here/tokens.py" $n "$dir" more; done
}
serve_bits-sessions() {
    background mp bitsd.py 10.11.0.10 80 "$dir/log" mp02.lab.example "$dir/sessions"
    background mp2 bitsd.py 10.11.0.15 80 "$dir/log" "" "$dir/sessions"
}
scenario_bits-sessions() {
    local n leaf more refused=() complaints=/dev/null
    seq -w 1 9000 | head -c 9000 >"$dir/hinv.xml"
    for n in 1 2 3 4 5 6 7; do
        leaf="/CCM_Incoming/{A1B2C3D4-0003-4000-8000-00000000000$n}" more=()
        [ $n != 2 ] || more=(--cancel-after 2)
        [ $n != 4 ] || more=(--gap)
        client $n python3 "$here/bits.py" 10.11.0.10 mp01.lab.example "$leaf" "$dir/hinv.xml" \
            --fragment 2048 --address-of mp02.lab.example=10.11.0.15 "${more[@]}" || refused+=("$n")
    done
    # the servers refuse two, which bits.py says with its exit code
    [ "${refused[*]}" = "5 6" ] || echo "lab: uploads refused: ${refused[*]}" >&2
}
serve_roles() {
    background mp roles.py 10.11.0.10 80 mp "$dir/log"
    background dp roles.py 10.11.0.11 80 dp "$dir/log"
    background sup roles.py 10.11.0.12 8530 sup "$dir/log"
    background fsp roles.py 10.11.0.13 80 fsp "$dir/log"
    background provider roles.py 10.11.0.14 80 provider "$dir/log"
    background client4 roles.py 10.11.0.24 8003 peer "$dir/log"
}
scenario_roles() {
    local n
    for n in 1 2 3; do client $n bash "$here/roles.sh" $n "$here/roles.tsv" "$dir"; done
}

for scenario in "${scenarios[@]}"; do
    dir=$work/$scenario servers=()
    mkdir "$dir"
    "serve_$scenario"
    capture "$scenario"
    "scenario_$scenario"
    end_capture
    for pid in "${servers[@]}"; do kill "$pid" 2>/dev/null || true; done
    python3 "$here/ccmtruth.py" "$out/$scenario.pcap" "$dir" >"$out/$scenario.truth.json"
done
[ ! -s "$work/server.log" ] || cat "$work/server.log" >&2
[ ! -s "$work/client.log" ] || cat "$work/client.log" >&2
