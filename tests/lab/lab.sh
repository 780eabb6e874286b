#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Real servers and clients in network namespaces, captured on a switch.
# in: OUTDIR; out: OUTDIR/lab.pcap, OUTDIR/lab.truth.json (from the servers' logs)
# Exit 77 with a message where namespaces are refused or a program is missing.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: lab.sh OUTDIR}
# shellcheck disable=SC2034 # net.sh reads it
needs="nginx curl"
# shellcheck source=net.sh
. "$here/net.sh"

switch
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
[ -e "$modules/ngx_http_dav_ext_module.so" ] || skip "nginx has no WebDAV module (libnginx-mod-http-dav-ext)"
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

capture lab
(within mp python3 "$here/mp.py" 10.11.0.10 80 "$work/mp.log") &
pids+=($!)
(server dp 80) &
pids+=($!)
(server sup 8530) &
pids+=($!)
listening mp 80
listening dp 80
listening sup 8530

clients=()
for n in 1 2 3; do
    (within "client$n" bash "$here/client.sh" "$n" "$work" "$here") 2>"$work/client$n.log" &
    clients+=($!)
    pids+=($!)
done
failed=0
for pid in "${clients[@]}"; do wait "$pid" || failed=1; done
end_capture
cat "$work/mp.log" "$work/dp/access.log" "$work/sup/access.log" >"$out/access.jsonl"
python3 "$here/truth.py" --log "$out/access.jsonl" "$out/lab.pcap" >"$out/lab.truth.json"
cat "$work"/client*.log >&2
[ "$failed" = 0 ] || { echo "lab: a client failed" >&2 && exit 1; }
