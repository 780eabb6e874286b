# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For tls.sh, cmg.sh and proxy.sh to source: nginx in front of roles.py, and curl as the client.
# in: $work, $pki; out: $work/NAMESPACE/access.log, a JSON line a request;
# $work/servers.jsonl: what each port does; $work/attempts.jsonl: what each connection was to do
# All servers live in one namespace with several addresses, all clients in another: each namespace costs
# time, and nothing here depends on the host.
lab_hosts() { # SERVER-OCTET...
    local n
    switch
    host servers "$1"
    host clients 21
    for n in "${@:2}"; do (within servers ip addr add "10.11.0.$n/24" dev eth0); done
    for n in 2 3 4 5 6 7 8; do (within clients ip addr add "10.11.0.2$n/24" dev eth0); done
}
declare -A address=() # host name -> address
next_port=50000 settle=0.3
through=() # curl's arguments for a web proxy: -x URL
http_module=
[ ! -e /usr/lib/nginx/modules/ngx_stream_module.so ] ||
    http_module="load_module /usr/lib/nginx/modules/ngx_stream_module.so;"

serves() { # ADDRESS PORT ROLE CERTIFICATE ASKS(none|optional|any|required|renegotiate)
    printf '{"server":"%s","port":%s,"role":"%s","certificate":"%s","asks":"%s"}\n' \
        "$@" >>"$work/servers.jsonl"
}
# A server block of the nginx in namespace $on (servers), before $upstream (roles.py). CERTIFICATE is a name of $pki, or - for plain HTTP;
# ASKS: whether it asks for a client certificate; MORE: nginx directives
site() { # ADDRESS PORT ROLE CERTIFICATE ASKS [MORE]
    local at=$1 port=$2 role=$3 cert=$4 asks=$5 more=${6:-} tls="" listen="$1:$2" dir=$work/nginx-${on:-servers}
    mkdir -p "$dir"
    serves "$at" "$port" "$role" "${cert#-}" "$asks"
    if [ "$cert" != - ]; then
        listen="$listen ssl${h2:+ http2}"
        tls="ssl_certificate $pki/$cert.pem; ssl_certificate_key $pki/$cert.key;
            ssl_session_cache shared:lab:1m; ssl_protocols ${protocols:-TLSv1.2 TLSv1.3};"
        case $asks in
        optional) tls="$tls ssl_verify_client optional; ssl_client_certificate $pki/ca.pem;" ;;
        any) tls="$tls ssl_verify_client optional_no_ca; ssl_client_certificate $pki/sms.pem;" ;;
        esac
    fi
    cat >>"$dir/sites.conf" <<NGINX
    server {
        listen $listen;
        set \$role $role;
        $tls
        $more
        location / { proxy_pass ${upstream:-http://127.0.0.1:8080}; proxy_set_header Host \$host; proxy_set_header Connection ""; }
        error_page 403 /403.html;
        location = /403.html { internal; default_type text/html; return 403 "<html>403.7</html>"; }
    }
NGINX
}
refuse_without="if (\$ssl_client_verify = NONE) { return 403; }" # as IIS answers 403.7

start_nginx() { # [STREAM-CONFIGURATION]
    local ns=${on:-servers} dir
    dir=$work/nginx-$ns
    cat >"$dir/nginx.conf" <<NGINX
$http_module
user root; daemon off; worker_processes 1; pid $dir/pid; error_log $dir/error.log info;
events { worker_connections 64; }
http {
    log_format truth escape=json '{"client":"\$remote_addr","client_port":\$remote_port,"server":"\$server_addr",'
        '"port":\$server_port,"role":"\$role","request":"\$request",'
        '"status":\$status,"version":"\$ssl_protocol","cipher":"\$ssl_cipher","sni":"\$ssl_server_name",'
        '"alpn":"\$ssl_alpn_protocol","verify":"\$ssl_client_verify","subject":"\$ssl_client_s_dn",'
        '"reused":"\$ssl_session_reused"}';
    access_log $dir/access.log truth;
    keepalive_timeout 20; server_tokens off; proxy_http_version 1.1; proxy_pass_request_headers on;
    client_body_temp_path $dir; proxy_temp_path $dir; fastcgi_temp_path $dir; uwsgi_temp_path $dir;
    scgi_temp_path $dir;
    $(cat "$dir/sites.conf" 2>/dev/null || true)
}
${1:-}
NGINX
    (within "$ns" nginx -p "$dir" -e "$dir/error.log" -c "$dir/nginx.conf") &
    pids+=($!)
    [ "$ns" = servers ] || return 0
    # roles.py answers on the loopback interface, which is not captured
    (within servers python3 "$here/roles.py" 127.0.0.1 8080 any "$dir/backend.log") 2>>"$work/server.log" &
    pids+=($!)
}

# An Apache, in front of roles.py too, which can ask for the certificate of one directory only.
# $name: of its log; DIRECTIVES: of the one site
start_apache_tls() { # ADDRESS PORT ROLE CERTIFICATE ASKS DIRECTIVES
    local dir=$work/apache-$1-$2 module from=/usr/lib/apache2/modules
    serves "${@:1:5}"
    mkdir -p "$dir"
    {
        for module in mpm_event authz_core authn_core proxy proxy_http ssl setenvif; do
            echo "LoadModule ${module}_module $from/mod_$module.so"
        done
        cat <<CONF
ServerRoot $dir
ServerName $4.lab.example
PidFile $dir/pid
DefaultRuntimeDir $dir
Mutex pthread
Listen $1:$2
StartServers 1
ServerLimit 1
ThreadsPerChild 4
MaxRequestWorkers 4
MinSpareThreads 1
MaxSpareThreads 4
ServerTokens Prod
ErrorLog $dir/error.log
LogLevel notice ssl:info
RegisterHttpMethod CCM_POST BITS_POST
SSLEngine On
SSLProtocol -all +TLSv1.2 +TLSv1.3
SSLCertificateFile $pki/$4.pem
SSLCertificateKeyFile $pki/$4.key
SSLCACertificateFile $pki/ca.pem
SSLSessionCache none
ProxyPass "/" "http://127.0.0.1:8080/"
$6
LogFormat "{\"client\":\"%a\",\"client_port\":%{remote}p,\"server\":\"%A\",\"port\":%{local}p,\"request\":\"%r\",\"status\":%>s,\"version\":\"%{SSL_PROTOCOL}x\",\"cipher\":\"%{SSL_CIPHER}x\",\"sni\":\"%{SSL_TLS_SNI}x\",\"alpn\":\"http/1.1\",\"verify\":\"%{SSL_CLIENT_VERIFY}x\",\"subject\":\"%{SSL_CLIENT_S_DN}x\",\"reused\":\"%{SSL_SESSION_RESUMED}x\"}" truth
CustomLog $dir/access.log truth
CONF
    } >"$dir/apache.conf"
    (within servers apache2 -d "$dir" -f "$dir/apache.conf" -DFOREGROUND) 2>"$dir/stderr.log" &
    pids+=($!)
}
attempt() { # CLIENT-NUMBER URL SNI CLIENT-CERTIFICATE EXPECT VERSION: also sets $next_port
    local host=${2#*://} port target
    target=/${host#*/}
    host=${host%%/*}
    port=${host##*:}
    next_port=$((next_port + 1))
    if [ "$port" = "$host" ]; then case $2 in https:*) port=443 ;; *) port=80 ;; esac; fi
    printf '{"client":"10.11.0.2%s","client_port":%s,"server":"%s","port":%s,"sni":"%s","certificate":"%s","expect":"%s","version":"%s","resume":"%s","proxy":"%s","target":"%s"}\n' \
        "$1" "$next_port" "${address[${host%%:*}]}" "$port" "$3" "${4#-}" "$5" "${6#any}" \
        "${resume:-session-id}" "${tunnel:-${through[1]:-}}" "$target" >>"$work/attempts.jsonl"
}
resolved() { # URL: curl's arguments for its host
    local host=${1#*://}
    host=${host%%/*}
    name=${host%%:*} port=${host##*:}
    if [ "$port" = "$host" ]; then case $1 in https:*) port=443 ;; *) port=80 ;; esac; fi
    via=(--resolve "$name:$port:${address[$name]}")
    [ -z "${dial:-}" ] || via=(--connect-to "$name:$port:$dial")
}
# One connection. VERSION: 1.0 1.1 1.2 1.3 or any; CERTIFICATE: a name of $pki or -; EXPECT: ok, or
# what goes wrong. Requests after the first go over the same connection: give them as more URLs.
ask() { # CLIENT-NUMBER VERSION CERTIFICATE EXPECT URL CURL-ARGUMENTS...
    local n=$1 version=$2 cert=$3 expect=$4 url=$5 name port via args=()
    shift 5
    resolved "$url"
    attempt "$n" "$url" "${sni-$name}" "$cert" "$expect" "$version"
    case $version in
    any) ;;
    *) args+=("--tlsv$version" --tls-max "$version") ;;
    esac
    [ "$cert" = - ] || args+=(--cert "$pki/$cert.pem" --key "$pki/$cert.key")
    [ -n "${h2:-}" ] || args+=(--http1.1)
    (SSLKEYLOGFILE=$work/keys within clients curl -sSg --interface "10.11.0.2$n" --cacert "${trust:-$pki/ca.pem}" \
        "${via[@]}" --local-port "$next_port" -A "${agent:-SMS CCM 5.0}" --max-time 20 \
        "${through[@]}" "${args[@]}" "$url" "$@") >/dev/null 2>"$work/said/$next_port" || true
}
# The same through the proxy of $through, with $proxy_user; EXPECT may be the status of its refusal.
proxied() { # CLIENT-NUMBER VERSION EXPECT URL CURL-ARGUMENTS...
    local user=()
    [ -z "${proxy_user:-}" ] || user=(--proxy-user "$proxy_user")
    ask "$1" "$2" - "$3" "$4" "${user[@]}" "${@:5}"
}
# COUNT connections of one curl, which keeps the sessions (and asks for no tickets in TLS 1.2)
again() { # CLIENT-NUMBER VERSION CERTIFICATE URL COUNT
    local n=$1 version=$2 cert=$3 url=$4 name port via args=() all=() i
    resolved "$url"
    [ "$cert" = - ] || args+=(--cert "$pki/$cert.pem" --key "$pki/$cert.key")
    for i in $(seq "$5"); do
        attempt "$n" "$url" "$name" "$cert" ok "$version"
        [ "$i" = 1 ] || all+=(--next)
        all+=(-sSg --interface "10.11.0.2$n" --cacert "$pki/ca.pem" "${via[@]}" --local-port "$next_port" -A "SMS CCM 5.0" --http1.1
            --max-time 20 "--tlsv$version" --tls-max "$version" "${args[@]}" -H 'Connection: close' "$url")
    done
    (SSLKEYLOGFILE=$work/keys within clients curl "${all[@]}") >/dev/null 2>"$work/said/$next_port" || true
}
# COUNT connections of openssl s_client, which asks for a ticket and resumes with it
again_with_ticket() { # CLIENT-NUMBER CERTIFICATE URL COUNT
    local n=$1 cert=$2 url=$3 name port via args=() i resume=ticket
    resolved "$url"
    [ "$cert" = - ] || args+=(-cert "$pki/$cert.pem" -key "$pki/$cert.key" -cert_chain "$pki/ca.pem")
    for i in $(seq "$4"); do
        attempt "$n" "$url" "$name" "$cert" ok 1.2
        printf 'GET %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: SMS CCM 5.0\r\nConnection: close\r\n\r\n' \
            "/${url#https://*/}" "$name" |
            (within clients openssl s_client -connect "${address[$name]}:$port" -servername "$name" \
                -bind "10.11.0.2$n:$next_port" -tls1_2 -CAfile "$pki/ca.pem" -keylogfile "$work/keys" -quiet \
                -sess_out "$work/session" "${args[@]}") >/dev/null 2>"$work/said/$next_port" || true
        args+=(-sess_in "$work/session")
    done
    rm -f "$work/session"
}
message=(-X CCM_POST -H 'Content-Type: multipart/mixed; boundary="aAbBcCdDv1234567890VxXyYzZ"')
body() { # ENDPOINT CLIENT-NUMBER: a message for curl --data-binary
    python3 "$here/message.py" "$1" "GUID:11223344-5566-7788-99AA-BBCCDDEEFF0$2" "10.11.0.2$2" \
        "$work/msg-$1-$2"
    echo "@$work/msg-$1-$2"
}
begin() { # SCENARIO
    local file
    for file in "$work"/*/access.log "$work"/*/error.log "$work"/*/dns.log; do
        [ ! -e "$file" ] || wc -l <"$file" >"$file.mark"
    done
    rm -rf "$work/said" "$work/attempts.jsonl" "$work/keys"
    mkdir "$work/said"
    : >"$work/attempts.jsonl"
    : >"$work/keys"
    capture "$1"
}
since() { # KIND: lines of all such logs that came since begin
    local file
    for file in "$work"/*/"$1.log"; do
        [ ! -e "$file" ] || tail -n "+$(($(cat "$file.mark" 2>/dev/null || echo 0) + 1))" "$file"
    done
}
finished() { # SCENARIO: its truth, and tshark's agreement; $slow_SCENARIO: to make the capture slower
    local slow=slow_${1#*-}
    slow=${slow//-/_}
    end_capture
    if [ -n "${!slow:-}" ]; then # shellcheck disable=SC2086 # an option and its value
        python3 "$here/impair.py" "$work/$1.pcap" "$out/$1.pcap" ${!slow}
    fi
    since access >"$work/access.jsonl"
    since error >"$work/errors.log"
    sort -u "$work/keys" | grep -v '^#' >"$out/$1.keys" || true
    [ -s "$out/$1.keys" ] || rm -f "$out/$1.keys"
    [ ! -e "$work/dns/dns.log" ] || since dns >"$work/dns.part"
    python3 "$here/tlstruth.py" "$out/$1.pcap" "$work" >"$out/$1.truth.json"
    python3 "$here/tlsfacts.py" "$out/$1.pcap" "$out/$1.truth.json"
}
