#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# TLS in every certificate mode: nginx, Apache and openssl as site systems, curl and openssl as clients.
# in: OUTDIR [SCENARIO...]; out: OUTDIR/tls-SCENARIO.pcap, .keys and .truth.json (from the servers' logs
# and what the clients were told to do; see README.md); exit 1 where tshark disagrees with a truth.
# Keys and certificates are made for the run and die with it; .keys are the secrets of its sessions.
# Exit 77 with a message where namespaces are refused or a program is missing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: tls.sh OUTDIR [pki|enhanced-http|self-signed|resumption...]}
# shellcheck disable=SC2034 # net.sh reads it
needs="nginx curl openssl tshark apache2"
# shellcheck source=net.sh
. "$here/net.sh"
scenarios=("${@:2}")
[ $# -gt 1 ] || scenarios=(pki enhanced-http self-signed resumption renegotiation failures ports
    notification fragmented http2 bits)
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1

# shellcheck source=pki.sh
. "$here/pki.sh"
# shellcheck source=tlsserve.sh
. "$here/tlsserve.sh"

# 10: PKI, asks for a client certificate; 11: PKI, asks for none; 12: enhanced HTTP; 13: self-signed;
# 14: PKI, takes self-signed client certificates; 15: Apache, PKI, asks for some directories only;
# 16: software update point; 17: what goes wrong; 18: a peer; 19: odd records
lab_hosts 10 11 12 13 14 15 16 17 18 19
address=([mp01.lab.example]=10.11.0.10 [dp01.lab.example]=10.11.0.11 [mp02.lab.example]=10.11.0.12
    [dp09.lab.example]=10.11.0.13 [mp03.lab.example]=10.11.0.14 [mp04.lab.example]=10.11.0.15
    [sup01.lab.example]=10.11.0.16 [bad01.lab.example]=10.11.0.17 [other.lab.example]=10.11.0.17
    [wks18.lab.example]=10.11.0.18 [mp05.lab.example]=10.11.0.19)
chain=ca.pem certificate mp01 pki ca /CN=mp01.lab.example $SERVER mp01.lab.example
certificate dp01 pki ca /CN=dp01.lab.example $SERVER dp01.lab.example
certificate mp02 enhanced-http sms /CN=mp02.lab.example $SERVER mp02.lab.example
certificate dp09 self-signed self /CN=dp09.lab.example $SERVER dp09.lab.example
certificate mp03 pki ca /CN=mp03.lab.example $SERVER mp03.lab.example
chain=ca.pem certificate wks01 pki ca /CN=WKS01.lab.example $CLIENT WKS01.lab.example
chain=ca.pem certificate wks02 pki ca /CN=WKS02.lab.example $CLIENT WKS02.lab.example
certificate wks05 self-signed self /CN=WKS05 $SMS_USE
chain=ca.pem certificate mp04 pki ca /CN=mp04.lab.example $SERVER mp04.lab.example
certificate sup01 pki ca /CN=sup01.lab.example $SERVER sup01.lab.example
certificate bad01 pki ca /CN=bad01.lab.example $SERVER bad01.lab.example
expired late01 ca /CN=bad01.lab.example bad01.lab.example
certificate wks18 self-signed self /CN=WKS18 $SERVER wks18.lab.example
# shellcheck disable=SC2046 # a certificate of more than five kilobytes
certificate mp05 pki ca /CN=mp05.lab.example $SERVER mp05.lab.example $(seq -f 'alias-%03g.lab.example' 220)
site 10.11.0.10 443 mp mp01 optional "$refuse_without"
site 10.11.0.11 443 dp dp01 none
site 10.11.0.12 443 mp mp02 none
site 10.11.0.13 443 dp dp09 none
site 10.11.0.14 443 mp mp03 any
site 10.11.0.16 8531 sup sup01 none
site 10.11.0.18 8003 peer wks18 none
site 10.11.0.16 10443 unknown sup01 none
h2=1 site 10.11.0.16 443 sup sup01 none
upstream=http://127.0.0.1:8081 site 10.11.0.10 444 mp mp01 optional "$refuse_without"
site 10.11.0.19 443 mp mp05 none
site 10.11.0.17 443 mp bad01 none
site 10.11.0.17 444 mp late01 none
protocols=TLSv1.3 site 10.11.0.17 445 mp bad01 none
protocols=TLSv1.2 site 10.11.0.17 446 mp bad01 none "ssl_ciphers ECDHE-RSA-CHACHA20-POLY1305;"
site 10.11.0.17 447 mp bad01 none "ssl_reject_handshake on;"
start_nginx
start_apache_tls 10.11.0.15 443 mp mp04 renegotiate '<Location "/ccm_system">
    SSLVerifyClient optional
    SSLVerifyDepth 2
    Require expr "%{SSL_CLIENT_VERIFY} == '"'SUCCESS'"'"
</Location>'
start_apache_tls 10.11.0.15 444 mp mp04 required "SSLVerifyClient require
SSLVerifyDepth 2"
(within servers python3 "$here/bitsd.py" 127.0.0.1 8081 "$work/bits.log" '' "$work/sessions") 2>>"$work/server.log" &
pids+=($!)
listening servers 443 444 445 446 447 8080 8081 8003 8531 10443

mp=https://mp01.lab.example dp=https://dp01.lab.example mpe=https://mp02.lab.example
policy='SMS_MP/.sms_pol?{0A0B0C0D-1111-4222-8333-444455556661}.5_00'
package='SMS_DP_SMSPKG$/ABC00012/sccm?/setup.exe'
token=$(python3 "$here/onetoken.py" ccm-token "$work")

scenario_pki() { # a certificate sent, asked for but missing, not asked for; both versions
    local version
    for version in 1.2 1.3; do
        agent=ccmhttp ask 1 $version wks01 ok $mp/ccm_system/request "${message[@]}" \
            --data-binary "$(body MP_PolicyManager 1)"
        ask 1 $version wks01 ok "$mp/$policy" "$mp/SMS_MP/.sms_aut?MPLIST"
        ask 3 $version - ok $mp/ccm_system/request "${message[@]}" --data-binary "$(body MP_PolicyManager 3)"
        ask 2 $version - ok "$dp/$package" -r 0-1023
    done
}
scenario_enhanced-http() { # no client certificate, a token in a header
    local version trust=$pki/sms.pem
    for version in 1.2 1.3; do
        agent=ccmhttp ask 1 $version - ok $mpe/ccm_system_tokenauth/request "${message[@]}" \
            -H "CCMToken: $token" --data-binary "$(body MP_PolicyManager 1)"
        ask 2 $version - ok "$mpe/CCMTOKENAUTH_$package" -r 0-1023 -H "Authorization: Bearer $token"
        ask 3 $version - ok $mpe/ccm_system_tokenauth/request "${message[@]}" --data-binary "$(body MP_PolicyManager 3)"
    done
}
scenario_self-signed() { # of the server; of the client, with the object id of Configuration Manager
    local version
    for version in 1.2 1.3; do
        trust=$pki/dp09.pem ask 1 $version - ok "https://dp09.lab.example/NOCERT_$package" -r 0-1023
        agent=ccmhttp ask 5 $version wks05 ok https://mp03.lab.example/ccm_system/request "${message[@]}" \
            --data-binary "$(body MP_PolicyManager 5)"
    done
}
scenario_resumption() { # a full handshake, then two that resume it: ticket, session id, PSK
    again_with_ticket 1 wks01 "$mp/$policy" 3
    again_with_ticket 3 - "$mp/SMS_MP/.sms_aut?MPLIST" 2
    again 1 1.2 wks01 "$mp/$policy" 2
    again 2 1.2 - "$dp/SMS_DP_SMSPKG\$/Datalib" 3
    again 1 1.3 wks01 "$mp/$policy" 3
    again 2 1.3 - "$dp/SMS_DP_SMSPKG\$/Datalib" 2
}
scenario_renegotiation() { # the certificate is asked for when the directory is known; TLS 1.3: after the handshake
    local version mp=https://mp04.lab.example
    for version in 1.2 1.3; do
        ask 1 $version wks01 ok "$mp/SMS_MP/.sms_aut?MPLIST" "$mp/ccm_system/request"
        agent=ccmhttp ask 1 $version wks01 ok $mp/ccm_system/request "${message[@]}" \
            --data-binary "$(body MP_PolicyManager 1)"
    done
    ask 2 1.2 - ok "$mp/SMS_MP/.sms_aut?MPLIST" "$mp/ccm_system/request"
}
scenario_failures() { # one client an alert that a client sends, since nginx logs no ports
    local bad=https://bad01.lab.example version n=0
    for version in 1.2 1.3; do
        n=$((n + 1))
        trust=$pki/sms.pem ask $n $version - client:unknown_ca "$bad/$policy"
        ask $((n + 2)) $version - client:certificate_expired "$bad:444/$policy"
        ask 7 $version - unmatched "https://other.lab.example/$policy" -v
    done
    ask 6 1.2 - hello:protocol_version "$bad:445/$policy"
    ask 6 1.2 - hello:handshake_failure "$bad:446/$policy" --ciphers ECDHE-RSA-AES128-GCM-SHA256
    ask 6 1.2 - hello:unrecognized_name "$bad:447/$policy"
    ask 6 1.2 - server:handshake_failure "https://mp04.lab.example:444/$policy"
    ask 6 1.3 - server:certificate_required "https://mp04.lab.example:444/$policy"
    ask 6 1.2 wks05 server:unknown_ca "https://mp04.lab.example:444/$policy"
    attempt 5 "$bad" bad01.lab.example - client:bad_certificate 1.2
    (within clients openssl s_client -connect 10.11.0.17:443 -servername bad01.lab.example -tls1_2 \
        -bind "10.11.0.25:$next_port" -CAfile "$pki/ca.pem" -verify_return_error -keylogfile "$work/keys" \
        -verify_hostname wrong.lab.example </dev/null) >/dev/null 2>"$work/said/$next_port" || true
}
scenario_ports() { # of roles; and one of none
    local soap='http://www.microsoft.com/SoftwareDistribution/Server/ClientWebService/GetConfig' version
    local wsus=(-H 'Content-Type: text/xml; charset=utf-8' -H "SOAPAction: \"$soap\"" -d '<soap/>')
    for version in 1.2 1.3; do
        agent='Windows-Update-Agent/10.0.19041.1 Client-Protocol/2.33' ask 1 $version - ok \
            https://sup01.lab.example:8531/ClientWebService/client.asmx "${wsus[@]}"
        trust=$pki/wks18.pem ask 2 $version - ok "https://wks18.lab.example:8003/SCCM_BranchCache\$/ABC00012/sccm?/setup.exe" -r 0-1023
        ask 3 $version - ok https://sup01.lab.example:10443/status
    done
}
slow_notification="--pauses 1200" # a keep-alive every 5 minutes
scenario_notification() { # over TLS, with a certificate; not over TLS
    serves 10.11.0.10 10123 mp mp01 optional
    serves 10.11.0.12 10123 mp "" none
    mkdir -p "$work/channel"
    (within servers python3 "$here/channel.py" serve "$work/channel/access.log" "$pki/mp01.pem" "$pki/mp01.key" \
        10.11.0.10 10123=tls --notify --ask "$pki/ca.pem") 2>>"$work/channel.log" &
    pids+=($!)
    (within servers python3 "$here/channel.py" serve "$work/channel/access.log" - - 10.11.0.12 10123=plain \
        --notify) 2>>"$work/channel.log" &
    pids+=($!)
    sleep 0.5
    listening servers 10123
    notified 1 1.2 wks01 https://mp01.lab.example:10123
    notified 2 1.3 - https://mp01.lab.example:10123
    notified 3 1.2 - https://mp02.lab.example:10123 --plain
}
notified() { # CLIENT-NUMBER VERSION CERTIFICATE URL [--plain]
    local name=${4#https://} cert=()
    name=${name%:*}
    [ "$3" = - ] || cert=(--client-certificate "$pki/$3.pem" --client-key "$pki/$3.key")
    attempt "$1" "$4" "$name" "$3" ok "$2"
    (within clients python3 "$here/channel.py" connect "$work/tries.jsonl" "10.11.0.2$1:$next_port" \
        "${address[$name]}:10123" "$name" --trust "$pki/ca.pem" --keys "$work/keys" --tls "$2" --beats 8 \
        --every 0.25 --notify "${cert[@]}" "${@:5}") 2>>"$work/channel.log"
}
scenario_fragmented() { # messages over several records and segments, several messages in a record
    local version
    serves 10.11.0.19 8443 mp mp05 none
    mkdir -p "$work/shape"
    (within servers python3 "$here/tlsshape.py" serve "$work/shape/access.log" "$pki/mp05.pem" "$pki/mp05.key" \
        10.11.0.19 8443 --together --record 4000) 2>>"$work/shape.log" &
    pids+=($!)
    listening servers 8443
    for version in 1.2 1.3; do
        shaped $version 443 --record 64
        shaped $version 443 --segment 40
        shaped $version 8443
        shaped $version 8443 --record 50 --segment 33
    done
    ask 2 1.2 - ok "https://mp05.lab.example/SMS_MP/.sms_aut?MPLIST"
}
shaped() { # VERSION PORT OPTIONS...
    attempt 1 "https://mp05.lab.example:$2" mp05.lab.example - ok "$1"
    (within clients python3 "$here/tlsshape.py" connect "10.11.0.21:$next_port" "10.11.0.19:$2" mp05.lab.example \
        '/SMS_MP/.sms_aut?MPLIST' --trust "$pki/ca.pem" --keys "$work/keys" --tls "$1" "${@:3}") 2>>"$work/shape.log"
}
scenario_http2() { # several requests on one connection
    local version h2=1
    for version in 1.2 1.3; do
        ask 1 $version - ok https://sup01.lab.example/SimpleAuthWebService/SimpleAuth.asmx -d '<soap/>' \
            -H 'SOAPAction: "http://www.microsoft.com/SoftwareDistribution/Server/SimpleAuthWebService/GetAuthorizationCookie"'
        ask 2 $version - ok "https://sup01.lab.example/Content/A1/CCM_Client/update.cab" "https://sup01.lab.example/$package"
    done
}
scenario_bits() { # uploads, one with a fragment left out (416), and a message on the same server
    local version
    head -c 9000 /dev/zero | tr '\0' 'i' >"$work/inventory.xml"
    uploaded 1 1.2 3
    uploaded 2 1.3 4 --gap
    for version in 1.2 1.3; do
        agent=ccmhttp ask 1 $version wks01 ok https://mp01.lab.example/ccm_system/request "${message[@]}" \
            --data-binary "$(body MP_PolicyManager 1)"
    done
}
uploaded() { # CLIENT-NUMBER VERSION LAST-DIGIT OPTIONS...
    attempt "$1" https://mp01.lab.example:444 mp01.lab.example wks0$1 ok "$2"
    (within clients python3 "$here/bits.py" 10.11.0.10 mp01.lab.example \
        "/CCM_Incoming/{A1B2C3D4-0001-4000-8000-00000000000$3}" "$work/inventory.xml" --port 444 --fragment 4000 \
        --tls "$2" --trust "$pki/ca.pem" --keys "$work/keys" --bind "10.11.0.2$1:$next_port" \
        --certificate "$pki/wks0$1.pem" "$pki/wks0$1.key" "${@:4}") 2>>"$work/said/$next_port"
}

for scenario in "${scenarios[@]}"; do
    rm -f "$work/tries.jsonl"
    begin "tls-$scenario"
    "scenario_$scenario"
    finished "tls-$scenario"
done
[ ! -s "$work/server.log" ] || cat "$work/server.log" >&2
