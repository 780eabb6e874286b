#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Real servers and clients in network namespaces, captured on a switch.
# in: OUTDIR; out: OUTDIR/lab.pcap, OUTDIR/lab.truth.json (from the servers' logs)
# Exit 77 with a message where namespaces are refused or a program is missing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: lab.sh OUTDIR}
PATH=$PATH:/usr/sbin:/sbin

skip() {
    echo "lab: skipped: $*" >&2
    exit 77
}
for tool in ip nsenter unshare nginx tcpdump curl python3; do
    command -v "$tool" >/dev/null || skip "$tool is not installed"
done
# A private mount namespace holds our /run/netns; an ordinary user also needs a user namespace.
if [ -z "${CCM_LAB_INNER:-}" ]; then
    flags=(-m)
    [ "$(id -u)" = 0 ] || flags=(-Urmn)
    unshare "${flags[@]}" true 2>/dev/null || skip "namespaces are refused here"
    CCM_LAB_INNER=1 exec unshare "${flags[@]}" bash "$0" "$@"
fi
mount -t tmpfs none /run 2>/dev/null || skip "mounting in a namespace is refused"

mkdir -p "$out"
out=$(cd "$out" && pwd)
work=$(mktemp -d)
chmod 755 "$work"
pids=()
names=()
finish() {
    local item
    for item in "${pids[@]}"; do kill "$item" 2>/dev/null || true; done
    for item in "${pids[@]}"; do wait "$item" 2>/dev/null || true; done
    for item in "${names[@]}"; do ip netns del "$item" 2>/dev/null || true; done
    rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

within() { # NAMESPACE COMMAND...: nsenter execs, so $! is the program itself
    local name=$1
    shift
    exec nsenter --net="/run/netns/$name" "$@"
}
namespace() {
    ip netns add "$1" 2>/dev/null || skip "network namespaces are refused here"
    names+=("$1")
    (within "$1" ip link set lo up)
}
host() { # NAME LAST-OCTET
    namespace "$1"
    ip link add "to-$1" netns switch type veth peer name eth0 netns "$1"
    (within "$1" sysctl -qw net.ipv6.conf.all.disable_ipv6=1) 2>/dev/null || true
    (within "$1" ip link set eth0 address "02:00:0a:0b:00:$2")
    (within "$1" python3 "$here/offload.py" eth0)
    (within switch python3 "$here/offload.py" "to-$1")
    (within switch ip link set "to-$1" master br0 up)
    (within "$1" ip addr add "10.11.0.$2/24" dev eth0)
    (within "$1" ip link set eth0 up)
}

namespace switch
(within switch sysctl -qw net.ipv6.conf.all.disable_ipv6=1) 2>/dev/null || true
(within switch ip link add br0 type bridge) 2>/dev/null || skip "bridges are refused here"
(within switch ip link set br0 up)
host mp 10
host dp 11
host sup 12
for n in 1 2 3; do host "client$n" "2$n"; done

# Content: numbers, so that it is the same every time and nobody's property.
www=$work/www
pkg="$www/SMS_DP_SMSPKG\$"
app="$pkg/Content_0b1c2d3e-4f50-4617-8273-849505162738.1"
mkdir -p "$pkg/ABC00012" "$app" "$www/Content/A1"
numbers() { seq -w 1 "$1" | head -c "$1"; }
numbers 393216 >"$pkg/ABC00012/setup.exe"
numbers 90000 >"$pkg/ABC00012/data.cab"
numbers 245760 >"$app/app.msi"
numbers 65536 >"$www/Content/A1/update.cab"
numbers 60000 >"$work/hinv.xml"
numbers 20000 >"$work/state.xml"

modules=$(nginx -V 2>&1 | sed -n 's/.*--modules-path=\([^ ]*\).*/\1/p')
[ -e "$modules/ngx_http_dav_ext_module.so" ] || skip "nginx has no WebDAV module"
server() { # ROLE PORT: an nginx of its own
    local soap='<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body/></soap:Envelope>'
    mkdir -p "$work/$1"
    cat >"$work/$1/nginx.conf" <<NGINX
load_module $modules/ngx_http_dav_ext_module.so;
user root; daemon off; worker_processes 1; pid $work/$1/pid; error_log $work/$1/error.log;
events { worker_connections 64; }
http {
    log_format truth escape=json '{"client":"\$remote_addr","server":"\$server_addr",'
        '"port":\$server_port,"role":"$1","method":"\$request_method","target":"\$request_uri",'
        '"status":\$status,"request_bytes":0,"response_bytes":\$body_bytes_sent}';
    access_log $work/$1/access.log truth;
    map \$args \$rate { default 0; ~setup 72k; ~data 20k; }
    client_body_temp_path $work/$1; proxy_temp_path $work/$1; fastcgi_temp_path $work/$1;
    uwsgi_temp_path $work/$1; scgi_temp_path $work/$1;
    server {
        listen $2;
        root $www;
        default_type application/octet-stream;
        location / { dav_ext_methods PROPFIND OPTIONS; }
        location ~ ^(/SMS_DP_SMSPKG\\$/[^/]+)/sccm\$ { limit_rate \$rate; try_files \$1\$args =404; }
        location ~ \\.asmx\$ { default_type text/xml; return 200 '$soap'; }
    }
}
NGINX
    within "$1" nginx -p "$work/$1" -e "$work/$1/error.log" -c "$work/$1/nginx.conf"
}

(within switch tcpdump -i br0 -p -Z root -U -s 0 -w "$work/lab.pcap" ip) 2>"$work/tcpdump.log" &
pids+=($!)
dump=$!
(within switch ip link set br0 promisc on)
(within mp python3 "$here/mp.py" 10.11.0.10 80 "$work/mp.log") &
pids+=($!)
(server dp 80) &
pids+=($!)
(server sup 8530) &
pids+=($!)
sleep 1.5
# in a user namespace without a range of groups tcpdump cannot set its groups and gives up
kill -0 "$dump" 2>/dev/null || skip "$(tail -n 1 "$work/tcpdump.log") (run it as root)"

clients=()
for n in 1 2 3; do
    (within "client$n" bash "$here/client.sh" "$n" "$work" "$here") 2>"$work/client$n.log" &
    clients+=($!)
    pids+=($!)
done
for pid in "${clients[@]}"; do wait "$pid" || echo "lab: a client failed" >&2; done
sleep 1
kill -INT "$dump"
wait "$dump" || true
if ! grep -q '^0 packets dropped by kernel' "$work/tcpdump.log"; then
    cat "$work/tcpdump.log" >&2
    echo "lab: the capture dropped packets; run it again" >&2
    exit 1
fi
cp "$work/lab.pcap" "$out/lab.pcap"
cat "$work/mp.log" "$work/dp/access.log" "$work/sup/access.log" >"$out/access.jsonl"
python3 "$here/truth.py" --log "$out/access.jsonl" "$out/lab.pcap" >"$out/lab.truth.json"
cat "$work"/client*.log >&2
echo "lab: $out/lab.pcap" >&2
