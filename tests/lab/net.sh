# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For the lab's scenario scripts to source: namespaces on one switch, and tcpdump on it.
# in: $out, the output directory (made absolute here), $here, $needs, the programs a script needs;
# out: $work, a temporary directory; everything started here ends with the script.
# Exit 77 with a message where namespaces are refused or a program is missing.
PATH=$PATH:/usr/sbin:/sbin

skip() {
    echo "lab: $(basename "$0") skipped: $*" >&2
    exit 77
}
for tool in ip ss nsenter unshare tcpdump python3 ${needs:-}; do
    command -v "$tool" >/dev/null ||
        skip "$tool is not installed; the lab needs the Debian packages" $(grep -v "^#" "$here/packages")
done
# A private mount namespace holds our /run/netns, a private UTS namespace the names of hosts;
# an ordinary user also needs a user namespace.
if [ -z "${CCM_LAB_INNER:-}" ]; then
    flags=(-mu)
    [ "$(id -u)" = 0 ] || flags=(-Urmnu)
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
    [ -n "${CCM_LAB_KEEP:-}" ] || rm -rf "$work"
}
trap finish EXIT
trap 'exit 1' INT TERM

within() { # NAMESPACE COMMAND...: nsenter execs, so $! is the program itself
    local name=$1
    shift
    exec nsenter --net="/run/netns/$name" "$@"
}
named() { # NAMESPACE HOSTNAME COMMAND...: the same with a host name of its own
    local name=$1 host=$2
    shift 2
    # shellcheck disable=SC2016 # the inner shell expands them
    within "$name" unshare -u bash -c 'hostname "$0" && exec "$@"' "$host" "$@"
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
switch() {
    namespace switch
    (within switch sysctl -qw net.ipv6.conf.all.disable_ipv6=1) 2>/dev/null || true
    (within switch ip link add br0 type bridge) 2>/dev/null || skip "bridges are refused here"
    (within switch ip link set br0 up)
    (within switch ip link set br0 promisc on)
}

listening() { # NAMESPACE PORT...: waits for servers
    local name=$1 port
    shift
    for port; do
        for _ in $(seq 100); do
            [ -z "$( (within "$name" ss -Hltn "sport = :$port"))" ] || continue 2
            sleep 0.1
        done
        echo "lab: nothing listens on port $port of $name" >&2
        exit 1
    done
}
capture() { # NAME: into $work/NAME.pcap
    : >"$work/tcpdump.log"
    (within switch tcpdump -i br0 -p -Z root -U ${settle:+--immediate-mode} -s 0 -w "$work/$1.pcap" ip) 2>"$work/tcpdump.log" &
    dump=$!
    pids+=("$dump")
    dump_name=$1
    for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15; do
        grep -q '^tcpdump: listening' "$work/tcpdump.log" && return 0
        sleep 0.2
    done
    # in a user namespace without a range of groups tcpdump cannot set its groups and gives up
    skip "$(tail -n 1 "$work/tcpdump.log") (run it as root)"
}
end_capture() { # the file goes to $out; $settle: seconds for the last packets, if a second is too long
    sleep "${settle:-1}"
    kill -INT "$dump"
    wait "$dump" || true
    if ! grep -q '^0 packets dropped by kernel' "$work/tcpdump.log"; then
        cat "$work/tcpdump.log" >&2
        echo "lab: the capture dropped packets; run it again" >&2
        exit 1
    fi
    cp "$work/$dump_name.pcap" "$out/$dump_name.pcap"
    echo "lab: $out/$dump_name.pcap" >&2
}
