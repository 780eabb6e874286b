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
needs="nginx curl openssl tshark"
# shellcheck source=net.sh
. "$here/net.sh"
scenarios=("${@:2}")
[ $# -gt 1 ] || scenarios=(pki enhanced-http self-signed resumption)
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1

# shellcheck source=pki.sh
. "$here/pki.sh"
# shellcheck source=tlsserve.sh
. "$here/tlsserve.sh"

# 10: PKI, asks for a client certificate; 11: PKI, asks for none; 12: enhanced HTTP; 13: self-signed;
# 14: PKI, takes self-signed client certificates
lab_hosts 10 11 12 13 14
address=([mp01.lab.example]=10.11.0.10 [dp01.lab.example]=10.11.0.11 [mp02.lab.example]=10.11.0.12
    [dp09.lab.example]=10.11.0.13 [mp03.lab.example]=10.11.0.14)
certificate mp01 pki ca /CN=mp01.lab.example $SERVER mp01.lab.example
certificate dp01 pki ca /CN=dp01.lab.example $SERVER dp01.lab.example
certificate mp02 enhanced-http sms /CN=mp02.lab.example $SERVER mp02.lab.example
certificate dp09 self-signed self /CN=dp09.lab.example $SERVER dp09.lab.example
certificate mp03 pki ca /CN=mp03.lab.example $SERVER mp03.lab.example
chain=ca.pem certificate wks01 pki ca /CN=WKS01.lab.example $CLIENT WKS01.lab.example
chain=ca.pem certificate wks02 pki ca /CN=WKS02.lab.example $CLIENT WKS02.lab.example
certificate wks05 self-signed self /CN=WKS05 $SMS_USE
site 10.11.0.10 443 mp mp01 optional "$refuse_without"
site 10.11.0.11 443 dp dp01 none
site 10.11.0.12 443 mp mp02 none
site 10.11.0.13 443 dp dp09 none
site 10.11.0.14 443 mp mp03 any
start_nginx
listening servers 443 8080

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

for scenario in "${scenarios[@]}"; do
    begin "tls-$scenario"
    "scenario_$scenario"
    finished "tls-$scenario"
done
[ ! -s "$work/server.log" ] || cat "$work/server.log" >&2
