#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Live capture on the loopback interface of a network namespace of its own: packets sent equal
# packets in the file, privileges are gone, bounds and errors hold. Exits 77 when the system refuses
# a namespace or a capture in it.  In: $CCMSCOPE.  Out: TAP.
set -uo pipefail
CCMSCOPE=${CCMSCOPE:-$PWD/ccmscope}

if [ "${1:-}" != inside ]; then
    for tool in unshare ip capinfos tshark; do
        command -v "$tool" >/dev/null || { echo "1..0 # SKIP $tool is not installed" && exit 77; }
    done
    # Real root keeps its user ids, so that the change to another account can be tested as well.
    [ "$(id -u)" -eq 0 ] && how=-n || how=-Urn
    unshare "$how" true 2>/dev/null || how=-Urn
    unshare "$how" ip link set lo up 2>/dev/null ||
        { echo "1..0 # SKIP no network namespace is allowed here" && exit 77; }
    CCMSCOPE=$CCMSCOPE exec unshare "$how" bash "$0" inside
fi

ip link set lo up
dir=$(mktemp -d)
chmod 755 "$dir"
live=
trap '[ -z "$live" ] || kill "$live" 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir" || exit 1
export HOME=$dir # tshark wants one it may read
# Without a second user id in the namespace nobody is out of reach.
user=root
if [ "$(awk '{ s += $3 } END { printf "%.0f", s }' /proc/self/uid_map)" -gt 65534 ]; then user=nobody; fi

n=0 failed=0
check() { # name command...: a TAP line
    n=$((n + 1))
    if "${@:2}" >check.log 2>&1; then
        echo "ok $n - $1"
    else
        echo "not ok $n - $1"
        sed 's/^/# /' check.log
        failed=1
    fi
}

send() { # count: datagrams to the discard port; the replies of ICMP are filtered out
    local i
    for ((i = 0; i < $1; i++)); do echo "packet $i" 2>/dev/null >/dev/udp/127.0.0.1/9; done
    return 0
}

start() { # arguments of `live`: in the background, until it listens
    "$CCMSCOPE" live -i lo -Z "$user" "$@" >out 2>err &
    live=$!
    for _ in {1..100}; do
        grep -q . /proc/net/packet 2>/dev/null && [ "$(wc -l </proc/net/packet)" -gt 1 ] && break
        kill -0 "$live" 2>/dev/null || break
        sleep 0.1
    done
    sleep 0.3 # from the socket to the filter and the file
}

code=0
finish() { # waits for the capture; its exit code is in $code
    wait "$live"
    code=$?
    live=
}

packets() { # file number
    [ "$(capinfos -Mrc -T "$1" 2>/dev/null | cut -f2)" = "$2" ] || { capinfos "$1" && false; }
}
is() { [ "$1" = "$2" ] || { echo "$1 instead of $2: $(cat err)" && false; }; }
refused() { # code text command...
    local want=$1 text=$2
    shift 2
    "$@" >out 2>err
    is $? "$want" && { grep -qiF -- "$text" err || { cat err && false; }; }
}

start -f 'udp dst port 9' -w count.pcapng -c 20
if ! kill -0 "$live" 2>/dev/null && grep -q 'permission' err; then
    echo "1..0 # SKIP capturing is not allowed here: $(cat err)"
    exit 77
fi
send 20
finish
check 'stops after -c packets with code 0' is "$code" 0
check 'the file has the packets that were sent' packets count.pcapng 20
text() { tshark -r count.pcapng -Tfields -e udp.length 2>/dev/null | sort -n | uniq -c | xargs; }
# "packet N" and a line end: 9 bytes for N < 10, else 10; UDP adds 8
check 'tshark reads what was sent' is "$(text)" '10 17 10 18'
check 'the file tells interface, filter and resolution' bash -c \
    'capinfos count.pcapng 2>/dev/null | tee /dev/stderr | grep -cE "Name = lo|Filter string = udp dst port 9|resolution = 0x09" | grep -qx 3'

start -f 'udp dst port 9' -w stop.pcapng
check 'root is given up' bash -c "grep -E '^(Uid|CapPrm|CapEff|CapBnd|NoNewPrivs)' \
    /proc/$live/status | tee /dev/stderr | awk '
    /^Cap/ && \$2 !~ /^0+\$/ { bad = 1 }
    /^NoNew/ && \$2 != 1 { bad = 1 }
    /^Uid/ && \$2 != $(id -u "$user") { bad = 1 }
    END { exit bad }'"
send 50
sleep 0.6
check 'packets are in the file while it runs' packets stop.pcapng 50
kill -INT "$live"
finish
check 'an interrupt ends it with code 0' is "$code" 0
check 'the file is whole after an interrupt' packets stop.pcapng 50
check 'the summary follows' grep -q . out

start -f 'udp dst port 9'
kill -HUP "$live"
finish
check 'a hangup ends it with code 0' is "$code" 0
check 'and with the summary' grep -q . out
check 'that no packet matched the filter is said' grep -qF 'nothing matched the filter "udp dst port 9"' err

begin=$SECONDS
start -f 'udp dst port 9' -a duration:1
finish
check '-a duration ends it' is "$code $((SECONDS - begin < 10))" '0 1'

start -f 'udp dst port 9' -w - -c 3
send 3
finish
cp out stdout.pcapng
check '-w - writes the capture to stdout' packets stdout.pcapng 3

# the line of an exchange comes within about a second of its end, although nothing more happens: the
# server serves once and closes; the program is looked at after 2 s of silence
if command -v python3 >/dev/null; then
    start -f 'tcp port 8080' --observations facts.jsonl -a duration:30
    python3 - <<'EOF'
import socket, threading
server = socket.create_server(("127.0.0.1", 8080))
def serve():
    connection = server.accept()[0]
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok")
    connection.close()
thread = threading.Thread(target=serve)
thread.start()
with socket.create_connection(("127.0.0.1", 8080)) as client:
    client.sendall(b"CCM_POST /ccm_system/request HTTP/1.1\r\nHost: mp\r\nContent-Length: 5\r\n\r\nhello")
    while client.recv(4096):
        pass
thread.join()
EOF
    sleep 2
    check 'an exchange is shown while nothing more comes' grep 'CCM_POST .* 200 .*/ccm_system/request' out
    check 'and so are its facts' grep '"http_done"' facts.jsonl
    kill -INT "$live"
    finish
    check 'once' is "$(grep -c 'CCM_POST .* 200 .*/ccm_system/request' out)" 1
fi

start -f 'udp dst port 9' -s 0 -c 1 -w whole.pcapng
send 1
finish
check '-s 0 is whole packets' packets whole.pcapng 1

# who reads the packets goes away: the summary comes all the same
mkfifo packets
head -c 8 <packets >/dev/null &
"$CCMSCOPE" live -i lo -Z "$user" -f 'udp dst port 9' -w - -a duration:20 >packets 2>err &
live=$!
sleep 1
for _ in 1 2 3; do send 1 && sleep 0.4; done
finish
check 'a closed pipe ends it with code 6' is "$code" 6
check 'and with the summary' grep -q 'WHAT THE CAPTURE LACKED' err

if ip link add ccm0 type veth peer name ccm1 2>/dev/null; then
    ip link set ccm0 up
    "$CCMSCOPE" live -i ccm0 -Z "$user" >out 2>err &
    live=$!
    sleep 1
    ip link del ccm0
    finish
    check 'an interface that goes away ends it with code 5' is "$code" 5
    check 'and with the summary' grep -q 'WHAT THE CAPTURE LACKED' out
fi

check 'no such interface' refused 5 'no such interface' "$CCMSCOPE" live -i nosuch0 -Z "$user"
check 'the message names the interfaces' grep -qw lo err
check 'a wrong filter' refused 2 'wrong (' "$CCMSCOPE" live -i lo -Z "$user" -f 'wrong ('
check 'an unknown user' refused 2 'nosuchuser' "$CCMSCOPE" live -i lo -Z nosuchuser
check 'a directory that does not exist' refused 6 'nosuch/x' "$CCMSCOPE" live -i lo -Z "$user" \
    -w nosuch/x
check 'a full disk' refused 6 '/dev/full' "$CCMSCOPE" live -i lo -Z "$user" -w /dev/full
echo "1..$n"
exit "$failed"
