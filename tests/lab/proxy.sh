#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Management points behind proxies, both sides of each in one capture: squid (CONNECT, and requests that
# it rewrites), a reverse proxy that terminates TLS (bridging), one that does not (tunnelling).
# in: OUTDIR [SCENARIO...]; out: OUTDIR/proxy-SCENARIO.pcap, .keys, .truth.json and perhaps .pem (the
# server's key, made for the run, for its RSA key exchange); see README.md
# Exit 77 with a message where namespaces are refused or a program is missing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: proxy.sh OUTDIR [connect|bridging|copy|tunnelling...]}
# shellcheck disable=SC2034 # net.sh reads it
needs="nginx curl openssl tshark squid"
# shellcheck source=net.sh
. "$here/net.sh"
[ -e /usr/lib/nginx/modules/ngx_stream_module.so ] || skip "libnginx-mod-stream is not installed"
scenarios=("${@:2}")
[ $# -gt 1 ] || scenarios=(connect bridging copy tunnelling)
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1

# 15: the proxy; 16: a management point over HTTPS that wants client certificates, and over HTTP;
# 19: the same, with RSA key exchange only
# shellcheck source=pki.sh
. "$here/pki.sh"
# shellcheck source=tlsserve.sh
. "$here/tlsserve.sh"
# shellcheck source=squid.sh
. "$here/squid.sh"
lab_hosts 16 19
host proxy 15
address=([mp01.lab.example]=10.11.0.16 [mp02.lab.example]=10.11.0.19 [bridge.lab.example]=10.11.0.15
    [ibcm.lab.example]=10.11.0.15)
certificate mp01 pki ca /CN=mp01.lab.example $SERVER mp01.lab.example
certificate mp02 pki ca /CN=mp02.lab.example $SERVER mp02.lab.example
certificate ibcm pki ca /CN=ibcm.lab.example $SERVER ibcm.lab.example mp01.lab.example
certificate bridge pki ca /CN=bridge.lab.example $SERVER bridge.lab.example
certificate proxy01 pki ca /CN=proxy01.lab.example $CLIENT proxy01.lab.example
for n in 1 2 3; do
    chain=ca.pem certificate wks0$n pki ca /CN=WKS0$n.lab.example $CLIENT WKS0$n.lab.example
done
site 10.11.0.16 443 mp mp01 optional "$refuse_without"
site 10.11.0.16 80 mp - none
protocols=TLSv1.2 site 10.11.0.19 443 mp mp02 optional "$refuse_without ssl_ciphers AES128-GCM-SHA256;"
start_nginx
# the bridge opens one connection, with a certificate of its own, for all clients
on=proxy upstream=https://inside site 10.11.0.15 443 mp bridge optional "$refuse_without
        proxy_ssl_certificate $pki/proxy01.pem; proxy_ssl_certificate_key $pki/proxy01.key;
        proxy_ssl_name mp02.lab.example; proxy_ssl_server_name on; proxy_ssl_protocols TLSv1.2;
        proxy_ssl_ciphers AES128-GCM-SHA256;"
# another has a certificate with the name of the server behind it
on=proxy upstream=https://behind site 10.11.0.15 8444 mp ibcm none "proxy_ssl_name mp01.lab.example; proxy_ssl_server_name on; proxy_ssl_protocols TLSv1.2; proxy_ssl_ciphers AES128-GCM-SHA256;
        proxy_ssl_certificate $pki/proxy01.pem; proxy_ssl_certificate_key $pki/proxy01.key;"
echo 'upstream behind { server 10.11.0.16:443; keepalive 4; }' >>"$work/nginx-proxy/sites.conf"
echo 'upstream inside { server 10.11.0.19:443; keepalive 4; }' >>"$work/nginx-proxy/sites.conf"
# the tunnel leaves with the port of the client, so that both sides can be told to belong together
on=proxy start_nginx 'stream { server { listen 10.11.0.15:8443; proxy_pass 10.11.0.16:443;
    proxy_bind 10.11.0.15:$remote_port; } }'
listening servers 443 8080 80
listening proxy 443 8443 8444
start_squid 10.11.0.15

policy='SMS_MP/.sms_pol?{0A0B0C0D-1111-4222-8333-444455556661}.5_00'
scenario_connect() {
    local through=(-x http://10.11.0.15:3128) n url=http://mp01.lab.example
    ask 1 1.2 wks01 ok "https://mp01.lab.example/$policy" "https://mp01.lab.example/SMS_MP/.sms_aut?MPLIST"
    agent=ccmhttp ask 2 1.3 wks02 ok https://mp01.lab.example/ccm_system/request "${message[@]}" \
        --data-binary "$(body MP_PolicyManager 2)"
    # in clear: the proxy makes the whole URL a path
    ask 3 any - ok "$url/SMS_MP/.sms_aut?MPLIST" "$url/$policy"
    agent=ccmhttp ask 3 any - ok $url/ccm_system/request "${message[@]}" --data-binary "$(body MP_LocationManager 3)"
    through=(-x http://10.11.0.15:3129)
    for n in 1 2 3; do proxy_user=svc-proxy:wrong proxied 4 any 407 "$url/$policy" --proxy-basic; done
    proxied 4 1.2 407 "https://mp01.lab.example/$policy"
    proxy_user="svc-proxy:$proxy_password" proxied 4 1.2 ok "https://mp01.lab.example/$policy" --proxy-basic
}
scenario_bridging() {
    local n
    for n in 1 2 3; do
        agent=ccmhttp ask $n 1.2 wks0$n ok https://bridge.lab.example/ccm_system/request "${message[@]}" \
            --data-binary "$(body MP_PolicyManager $n)"
    done
    ask 1 1.3 wks01 ok "https://bridge.lab.example/$policy"
    ask 4 1.2 - ok "https://bridge.lab.example/$policy"
    install -m 644 "$pki/mp02.key" "$out/proxy-bridging.pem"
}
scenario_copy() { # without keys
    local n
    for n in 1 2 3; do ask $n 1.2 - ok "https://ibcm.lab.example:8444/$policy"; done
    install -m 644 "$pki/mp01.key" "$out/proxy-copy.pem"
}
scenario_tunnelling() {
    local n tunnel=tcp://10.11.0.15:8443 dial=10.11.0.15:8443
    for n in 1 2 3; do ask $n 1.2 wks0$n ok "https://mp01.lab.example/$policy"; done
    ask 1 1.3 wks01 ok "https://mp01.lab.example/$policy"
    ask 4 1.2 - ok "https://mp01.lab.example/$policy"
}

for scenario in "${scenarios[@]}"; do
    begin "proxy-$scenario"
    "scenario_$scenario"
    finished "proxy-$scenario"
done
[ ! -s "$work/server.log" ] || cat "$work/server.log" >&2
