#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Kerberos, NTLM and anonymous clients against Apache with mod_auth_gssapi and an MIT KDC.
# in: OUTDIR [SCENARIO...]; out: OUTDIR/auth-SCENARIO.pcap and .truth.json (from the logs of the
# KDC and of the servers, and from what the clients were told to do; see README.md)
# Passwords and keys are made up on the spot and die with the run.
# Exit 77 with a message where namespaces are refused or a program is missing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: auth.sh OUTDIR [kerberos|ntlm|fallback|fallback2|naa|registration|anonymous|proxy|matrix-clear|matrix-tls12|matrix-tls13...]}
# shellcheck disable=SC2034 # net.sh reads it
needs="curl openssl apache2 krb5kdc kdb5_util kadmin.local kinit"
# shellcheck source=net.sh
. "$here/net.sh"
[ -e /usr/lib/apache2/modules/mod_auth_gssapi.so ] ||
    skip "libapache2-mod-auth-gssapi is not installed"
[ -e /etc/gss/mech.d/mech.ntlmssp.conf ] || skip "gss-ntlmssp is not installed"
scenarios=("${@:2}")
[ $# -gt 1 ] || scenarios=(kerberos ntlm fallback fallback2 naa registration anonymous proxy
    matrix-clear matrix-tls12 matrix-tls13)
export LC_ALL=C

switch
host kdc 10
host mp 11
host dp 12
host dpopen 13 # a distribution point that allows anonymous access
host mpstale 14 # a management point whose keytab is out of date
host ntlmd 16 # asks for bare NTLM, for curl
host proxy 17
host kdcmute 15 # gets requests, answers nothing
host smp 18
host mpntlm 19 # takes nothing but NTLM
host kdcwrong 20 # answers everybody that this is another realm's
host peer 29
for n in 1 2 3 4 5 6 7 8; do host "client$n" "2$n"; done
for n in 2 6 7; do (within kdcmute ip route add blackhole "10.11.0.2$n/32"); done

# shellcheck source=kdc.sh
. "$here/kdc.sh"
# shellcheck source=apache.sh
. "$here/apache.sh"
# shellcheck source=auth-clients.sh
. "$here/auth-clients.sh"

# shellcheck source=pki.sh
. "$here/pki.sh"
chain=ca.pem certificate mp01 pki ca /CN=mp01.lab.example $SERVER mp01.lab.example
certificate dp01 enhanced-http sms /CN=dp01.lab.example $SERVER dp01.lab.example
chain=ca.pem certificate wks06 pki ca /CN=WKS06.lab.example $CLIENT WKS06.lab.example
cat "$pki/ca.pem" "$pki/sms.pem" >"$pki/both.pem"
mkdir "$work/tls"
printf '{"server":"10.11.0.%s","port":443,"role":"%s","certificate":"%s","asks":"%s"}\n' \
    11 mp mp01 optional 12 dp dp01 none >"$work/tls/servers.jsonl"
mv "$work/certificates.jsonl" "$work/tls"

start_kdc
(within kdcwrong python3 "$here/wrongrealm.py" 10.11.0.20 "$work/kdc.log") &
pids+=($!)
for n in mp mpstale mpntlm; do
    (within "$n" python3 "$here/mp.py" 127.0.0.1 8080 "$work/$n.log") &
    pids+=($!)
done
start_apache mp mp01 gssapi
start_apache mpstale mp02 gssapi
start_apache mpntlm mp05 ntlm
start_apache smp smp01 gssapi
start_apache peer wks09 gssapi
start_apache dp dp01 gssapi
start_apache dpopen dp02 open
start_apache proxy proxy01 proxy
secure=mp01 asks="SSLVerifyClient optional
SSLCACertificateFile $pki/ca.pem" start_apache mp mp01 gssapi
secure=dp01 start_apache dp dp01 gssapi
mkdir "$work/ntlmd"
(named ntlmd MP04 python3 "$here/ntlmd.py" 10.11.0.16 80 mp "$work/ntlmd/access.log" "$work/ntlm.users") &
pids+=($!)
for n in mp mpstale mpntlm; do listening "$n" 8080 80; done
for n in dp dpopen ntlmd smp; do listening "$n" 80; done
for n in mp dp; do listening "$n" 443; done
listening proxy 3128
listening peer 8003
for scenario in "${scenarios[@]}"; do
    rm -f "$work/attempts.jsonl" "$work/fallbacks.jsonl" "$work"/cc-* "$work/keys" "$work/tokens.jsonl"
    more=()
    mark_logs
    capture "auth-$scenario"
    "scenario_$scenario"
    end_capture
    logs_since_mark
    [ ! -e "$work/tokens.jsonl" ] || more+=(--tokens "$work/tokens.jsonl")
    if [ -s "$work/keys" ]; then
        sort -u "$work/keys" | grep -v '^#' >"$out/auth-$scenario.keys"
        cp "$work/access.jsonl" "$work/tls"
        : >"$work/tls/errors.log"
        more+=(--tls "$work/tls")
    fi
    python3 "$here/authtruth.py" "$out/auth-$scenario.pcap" --log "$work/access.jsonl" \
        --kdc "$work/kdc.part" --attempts "$work/attempts.jsonl" --accounts "$work/accounts.jsonl" \
        --fallbacks "$work/fallbacks.jsonl" "${more[@]}" >"$out/auth-$scenario.truth.json"
    [ ! -s "$work/keys" ] || ! command -v tshark >/dev/null ||
        python3 "$here/tlsfacts.py" "$out/auth-$scenario.pcap" "$out/auth-$scenario.truth.json"
done
