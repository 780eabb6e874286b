#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Stand-ins for a cloud management gateway: the connection point's channel with all its fallbacks, and
# what clients of the internet ask for.
# in: OUTDIR [SCENARIO...]; out: OUTDIR/cmg-SCENARIO.pcap, .truth.json and perhaps .keys (from the logs of
# the servers, of dnsmasq and squid, and from what channel.py met; see README.md)
# The timers of the real channel are not documented: the captures of slow ones are made slower.
# Exit 77 with a message where namespaces are refused or a program is missing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: cmg.sh OUTDIR [classic|refused|dropped|silent|instances|reconnect|down|denied|proxy|client...]}
# shellcheck disable=SC2034 # net.sh reads it
needs="nginx curl openssl tshark dnsmasq squid"
# shellcheck source=net.sh
. "$here/net.sh"
scenarios=("${@:2}")
[ $# -gt 1 ] || scenarios=(classic refused dropped silent instances reconnect down denied proxy client)
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1

# 10: a classic gateway; 11: a scale set; 12: gateways with one VM; 13: blob storage; 15: web proxy;
# 16: management point; 17: software update point; 18: name server; 21: connection point
# shellcheck source=pki.sh
. "$here/pki.sh"
# shellcheck source=tlsserve.sh
. "$here/tlsserve.sh"
# shellcheck source=squid.sh
. "$here/squid.sh"
lab_hosts 10 11 12 13 16 17 18
host proxy 15

classic=GraniteFalls.CloudApp.Net set=IronRange.eastus.cloudapp.azure.com one=taconite.eastus.cloudapp.azure.com
small=Mesabi.CloudApp.Net # classic with one VM
blob=granitefalls.blob.core.windows.net custom=cmg.lab.example
address=([$classic]=10.11.0.10 [$set]=10.11.0.11 [$one]=10.11.0.12 [$small]=10.11.0.12 [$blob]=10.11.0.13 [$custom]=10.11.0.10
    [mp01.lab.example]=10.11.0.16 [sup01.lab.example]=10.11.0.17)
certificate cmg pki ca /CN=$classic $SERVER $classic $custom
certificate set pki ca /CN=$set $SERVER $set $one
certificate small pki ca /CN=$small $SERVER $small
certificate blob pki ca /CN=$blob $SERVER $blob
chain=ca.pem certificate wks01 pki ca /CN=WKS01.lab.example $CLIENT WKS01.lab.example
# on the way to roles.py a request for the gateway becomes that of the role behind it
site 10.11.0.10 443 cmg cmg optional 'rewrite /ServiceMetadata$ /AdminService/ last;
        rewrite "^/CCM_Proxy_[A-Za-z]+Auth/[0-9]+(/.*)$" $1 last; rewrite AADAuthInfo$ /AdminService/ last;
        rewrite ^/downloadrestservice.svc/ /AdminService/ last;'
site 10.11.0.13 443 azure-storage blob none 'rewrite ^/content- /CCM_Client/ccmsetup.cab last;'
site 10.11.0.16 80 mp - none
site 10.11.0.17 8530 sup - none
start_nginx
listening servers 443 8080 80
records=()
for n in "${!address[@]}"; do [ $n = $custom ] || records+=("--host-record=$n,${address[$n]}"); done
mkdir "$work/dns"
(within servers dnsmasq --no-daemon --no-resolv --no-hosts --log-queries=extra --log-facility=- --user=root \
    --bind-interfaces --listen-address=10.11.0.18,127.0.0.1 --pid-file= --conf-file=/dev/null "${records[@]}" \
    --cname=$custom,$classic --host-record=mp01.lab.example,2001:db8::16 --local=/net/ --local=/com/ \
    --srv-host=_mssms_mp_abc._tcp.lab.example,mp01.lab.example,443 --local=/example/) 2>"$work/dns/dns.log" &
pids+=($!)
start_squid 10.11.0.15

resolve() { # CLIENT-NUMBER NAME [TYPE]
    (within clients python3 "$here/dnsask.py" "10.11.0.2$1" 10.11.0.18 "${@:2}")
}
gateway() { # ADDRESS CERTIFICATE PORT=MODE...: for this scenario
    local word
    for word in "${@:3}"; do serves "$1" "${word%=*}" cmg "$2" none; done
    (within servers python3 "$here/channel.py" serve "$work/channel/access.log" "$pki/$2.pem" "$pki/$2.key" \
        "$1" "${@:3}") 2>>"$work/channel.log" &
    pids+=($!)
    gateways+=($!)
    for word in "${@:3}"; do listening servers "${word%=*}"; done
}
channel() { # CONNECTION-POINT NAME PORT [OPTIONS]; false: it is not up
    local code=0
    attempt "$1" "https://$2:$3" "$2" - ok 1.2
    (within clients python3 "$here/channel.py" connect "$work/tries.jsonl" "10.11.0.2$1:$next_port" \
        "${address[$2]}:$3" "$2" --trust "$pki/ca.pem" ${through[1]:+--proxy "${through[1]#http://}"} "${@:4}") 2>>"$work/channel.log" || code=$?
    return $code
}
fell_back() { # CONNECTION-POINT NAME FROM TO WHY
    local via=${through[1]:+,\"via\":\"${through[1]#http://}\"}
    printf '{"client":"10.11.0.2%s","server":"%s","from":%s,"to":%s,"why":"%s"%s}\n' "$1" "${address[$2]}" \
        "$3" "$4" "$5" "$via" >>"$work/fallbacks.jsonl"
}

slow_classic="--pauses 300" # a beat every 60 s
scenario_classic() {
    gateway 10.11.0.10 cmg 10140=tls
    resolve 1 $custom
    channel 1 $classic 10140 --beats 6
}
slow_refused="--pauses 10"
scenario_refused() { # two VMs; nothing listens on 10140 and 10141
    local vm
    gateway 10.11.0.10 cmg 10124=tls 10125=tls
    resolve 1 $classic
    for vm in 0 1; do
        channel 1 $classic $((10140 + vm)) || channel 1 $classic $((10124 + vm))
        fell_back 1 $classic $((10140 + vm)) $((10124 + vm)) refused
    done
}
slow_dropped="--pauses 6"
scenario_dropped() { # one VM; 10140 never answers, so 443 of the load balancer
    gateway 10.11.0.12 small 10140=mute 443=tls
    resolve 1 $small
    channel 1 $small 10140 || channel 1 $small 443
    fell_back 1 $small 10140 443 unanswered
}
slow_silent="--pauses 15"
scenario_silent() { # something accepts 10140 and then says nothing
    gateway 10.11.0.12 small 10140=silent 443=tls
    resolve 1 $small
    channel 1 $small 10140 --patience 1.5 || channel 1 $small 443
    fell_back 1 $small 10140 443 silent
}
slow_instances="--slower 100"
scenario_instances() { # three VMs: classic, and a scale set; and a scale set with one
    local vm mine=()
    gateway 10.11.0.10 cmg 10140=tls 10141=tls 10142=tls
    gateway 10.11.0.11 set 10124=tls 10125=tls 10126=tls
    gateway 10.11.0.12 set 443=tls
    resolve 1 $classic
    resolve 2 $set
    resolve 3 $one
    for vm in 0 1 2; do
        channel 1 $classic $((10140 + vm)) --beats 3 &
        mine+=($!)
        next_port=$((next_port + 1))
        channel 2 $set $((10124 + vm)) --beats 3 &
        mine+=($!)
        next_port=$((next_port + 1))
    done
    channel 3 $one 443 --beats 3
    for n in "${mine[@]}"; do wait "$n"; done
}
slow_reconnect="--pauses 100"
scenario_reconnect() { # the gateway resets the channel at its third beat
    gateway 10.11.0.10 cmg 10140=reset
    resolve 1 $classic
    for n in 1 2 3; do channel 1 $classic 10140 --beats 4; done
}
slow_down="--pauses 10"
scenario_down() { # every candidate fails, again and again; one VM
    resolve 1 $small
    for n in 1 2 3; do
        channel 1 $small 10140 || channel 1 $small 443 || sleep 0.3
    done
    resolve 1 granitefals.cloudapp.net # no such name
}
slow_denied="--pauses 10"
scenario_denied() { # web proxies: one lets CONNECT to 443 alone through, the other to 10124 to 10139 too
    local vm through
    gateway 10.11.0.12 small 443=tls
    gateway 10.11.0.10 cmg 10124=tls 10125=tls
    through=(-x http://10.11.0.15:3130)
    channel 1 $small 10140 || channel 1 $small 443
    fell_back 1 $small 10140 443 proxy-denied
    through=(-x http://10.11.0.15:3128)
    for vm in 0 1; do
        channel 2 $classic $((10140 + vm)) || channel 2 $classic $((10124 + vm))
        fell_back 2 $classic $((10140 + vm)) $((10124 + vm)) proxy-denied
    done
    through=(-x http://10.11.0.15:3130) # a scale set with more than one VM has nothing else
    for vm in 0 1 0; do channel 3 $set $((10124 + vm)) || true; done
    # TCP-TLS knows no proxy: it is tried without, and refused
    through=()
    channel 4 $small 10140 || { through=(-x http://10.11.0.15:3130) && channel 4 $small 443; }
    fell_back 4 $small 10140 443 refused
}
scenario_proxy() { # only HTTPS works through a web proxy, and often only to 443
    gateway 10.11.0.11 set 10124=tls
    local through=(-x http://10.11.0.15:3128) url="https://$custom/CCM_Proxy_MutualAuth/72057594037937981"
    ask 1 1.2 wks01 ok "$url/ServiceMetadata"
    through=(-x http://10.11.0.15:3129)
    for n in 1 2 3; do proxy_user=svc-proxy:wrong proxied 1 1.2 407 "$url/ServiceMetadata" --proxy-basic; done
    proxied 1 1.2 407 "$url/ServiceMetadata"
    proxy_user="svc-proxy:$proxy_password" proxied 1 1.2 ok "$url/ServiceMetadata" --proxy-basic
    proxy_user='LAB\svc-proxy:none' proxied 2 1.3 ok "$url/ServiceMetadata" --proxy-ntlm
    proxy_user="svc-proxy:$proxy_password" proxied 1 1.2 403 "https://$set:10124/" --proxy-basic
}
scenario_client() { # of the internet, with a certificate and with a token; and what reaches the site
    local id=72057594037937981 token
    local mutual="https://$custom/CCM_Proxy_MutualAuth/$id" server="https://$classic/CCM_Proxy_ServerAuth/$id"
    token=$(python3 "$here/onetoken.py" ccm-token "$work")
    resolve 2 $custom
    ask 2 1.2 wks01 ok "$mutual/ServiceMetadata" "$mutual/SMS_MP/.sms_aut?MPLIST"
    agent=ccmhttp ask 2 1.2 wks01 ok "$mutual/ccm_system/request" "${message[@]}" --data-binary "$(body MP_PolicyManager 2)"
    ask 1 any - ok http://mp01.lab.example/SMS_MP/.sms_aut?MPLIST
    ask 1 any - ok http://mp01.lab.example/ccm_system/request "${message[@]}" --data-binary "$(body MP_PolicyManager 2)"
    resolve 3 $classic
    ask 3 1.3 - ok "https://$classic/CCM_Proxy_ServerAuth/AADAuthInfo?TenantID=6e2d5b69-1111-4222-8333-444455556666"
    ask 3 1.3 - ok "$server/CCM_STS" -X POST -H "Authorization: Bearer $token" -d ''
    agent=ccmhttp ask 3 1.3 - ok "$server/ccm_system_tokenauth/request" "${message[@]}" -H "CCMToken: $token" \
        --data-binary "$(body MP_PolicyManager 3)"
    ask 3 1.3 - ok "$server/ClientWebService/client.asmx" -H 'Content-Type: text/xml; charset=utf-8' \
        -H 'SOAPAction: "http://www.microsoft.com/SoftwareDistribution/Server/ClientWebService/SyncUpdates"' -d '<soap/>'
    resolve 1 sup01.lab.example
    ask 1 any - ok http://sup01.lab.example:8530/ClientWebService/client.asmx -H 'Content-Type: text/xml; charset=utf-8' \
        -H 'SOAPAction: "http://www.microsoft.com/SoftwareDistribution/Server/ClientWebService/SyncUpdates"' -d '<soap/>'
    ask 3 1.3 - ok "https://$classic/downloadrestservice.svc/getcontentxmlsecure?pid=ABC00012&cid=ABC00012&tid=GUID:11223344-5566-7788-99AA-BBCCDDEEFF03&iss=lab&alg=1.2.840.113549.1.1.11&st=2026-11-26T12:00:00Z&et=2026-11-26T20:00:00Z"
    resolve 3 $blob
    ask 3 1.3 - ok "https://$blob/content-abc00012/Content" -r 0-2047
    resolve 4 _mssms_mp_abc._tcp.lab.example SRV
    resolve 4 mp01.lab.example AAAA
}

for scenario in "${scenarios[@]}"; do
    gateways=()
    rm -rf "$work/tries.jsonl" "$work/fallbacks.jsonl"
    mkdir -p "$work/channel"
    cp "$work/servers.jsonl" "$work/servers.before"
    begin "cmg-$scenario"
    "scenario_$scenario" || true
    for pid in "${gateways[@]}"; do kill "$pid" && wait "$pid" || true; done 2>/dev/null
    finished "cmg-$scenario"
    mv "$work/servers.before" "$work/servers.jsonl"
done
[ ! -s "$work/server.log" ] || cat "$work/server.log" >&2
