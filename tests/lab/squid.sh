# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For cmg.sh and proxy.sh to source: a web proxy, squid. Port 3128 asks for nothing, 3129 for Basic or
# NTLM (squid's own helper for tests, which lets every account in), 3130 for nothing; CONNECT goes to 443
# only, and on 3128 also to 10124-10139.
# in: $work, the namespace proxy; out: $work/squid/access.log, a JSON line a request
start_squid() { # ADDRESS
    local dir=$work/squid helpers=/usr/lib/squid
    mkdir -p "$dir"
    chmod 777 "$dir"
    proxy_password=$(openssl rand -hex 12)
    echo "svc-proxy:$(openssl passwd -apr1 "$proxy_password")" >"$dir/users"
    chmod 644 "$dir/users"
    for n in "${!address[@]}"; do echo "${address[$n]} ${n,,}"; done >"$dir/hosts"
    serves "$1" 3128 web-proxy "" none
    serves "$1" 3129 web-proxy "" none
    serves "$1" 3130 web-proxy "" none
    cat >"$dir/squid.conf" <<SQUID
http_port $1:3128
http_port $1:3129
http_port $1:3130
auth_param basic program $helpers/basic_ncsa_auth $dir/users
auth_param basic realm lab
auth_param ntlm program $helpers/ntlm_fake_auth
auth_param ntlm children 2 startup=1
acl asks localport 3129
acl open localport 3128
acl narrow localport 3130
acl CONNECT method CONNECT
acl tls port 443
acl gateway port 443 10124-10139
acl known proxy_auth REQUIRED
http_access deny CONNECT asks !tls
http_access deny CONNECT narrow !tls
http_access deny CONNECT open !gateway
http_access allow open
http_access allow narrow
http_access allow asks known
http_access deny all
hosts_file $dir/hosts
dns_nameservers 127.0.0.1
tcp_outgoing_address $1
visible_hostname proxy01.lab.example
cache deny all
cache_mem 0 MB
memory_cache_shared off
pinger_enable off
pid_filename $dir/pid
cache_log $dir/cache.log
coredump_dir $dir
shutdown_lifetime 0 seconds
logformat truth {"client":"%>a","client_port":%>p,"server":"%>la","port":%>lp,"role":"web-proxy","request":"%rm %ru HTTP/1.1","status":%>Hs,"user":"%un","out_port":"%<lp"}
access_log stdio:$dir/access.log logformat=truth
buffered_logs off
strip_query_terms off
SQUID
    (within proxy squid -N -f "$dir/squid.conf") 2>"$dir/stderr.log" &
    pids+=($!)
    listening proxy 3128 3129 3130
}
