#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Limits that last: Samba's server as a distribution point, smbsender.py as site servers, each with a
# setting of its own; a minute or two a scenario, all of them side by side.
# in: OUTDIR [SCENARIO...]; out: OUTDIR/throttle-SCENARIO.pcap and .truth.json, from Samba's and the
# senders' logs (README.md)
# Exit 77 with a message where this cannot run (see samba.sh and net.sh).
set -eu
here=$(cd "$(dirname "$0")" && pwd)
out=${1:?usage: throttle.sh OUTDIR [pulses|percents|encrypted|window|change|jobs|capped|loss]...}
# shellcheck disable=SC2034 # net.sh reads it
needs="smbd smbpasswd tc"
if [ $# != 2 ]; then
    scenarios=("${@:2}")
    [ $# -gt 1 ] || scenarios=(pulses percents encrypted window change jobs capped loss)
    started=() code=0
    for scenario in "${scenarios[@]}"; do
        bash "$0" "$out" "$scenario" &
        started+=($!)
    done
    for one in "${started[@]}"; do wait "$one" || code=$?; done
    exit "$code"
fi
# shellcheck source=net.sh
. "$here/net.sh"
export LC_ALL=C PYTHONDONTWRITEBYTECODE=1
python=/usr/bin/python3 # of the system, for which Debian packages the bindings
$python -c 'import samba.samba3.libsmb_samba_internal' 2>/dev/null || skip "python3-samba is not installed"
# shellcheck source=samba.sh
. "$here/samba.sh"

# Frames of 9000 bytes keep the captures small.
jumbo() { # NAME
    (within switch ip link set "to-$1" mtu 9000)
    (within "$1" ip link set eth0 mtu 9000)
}
senders=()
sender() { # LAST-OCTET RATE|- MODE [KEY=VALUE...]
    local n=$1 rate=$2
    shift 2
    host "site$n" "$n"
    jumbo "site$n"
    [ "$rate" = - ] || (within "site$n" tc qdisc add dev eth0 root tbf rate "$rate" burst 32kb latency 2s)
    senders+=("$n $*")
}
scenario=$2
switch
host dp 11
jumbo dp
case $scenario in
pulses)
    sender 21 - pulse kb=3 delay=5 blocks=15
    sender 22 - pulse kb=32 delay=1 blocks=40
    sender 23 - pulse kb=128 delay=2 blocks=30
    sender 24 - pulse kb=256 delay=1 blocks=40
    sender 25 - pulse kb=64 delay=9 blocks=10
    ;;
percents)
    sender 21 10mbit percent percent=10 kb=1024 blocks=10 rule=log
    sender 22 2mbit percent percent=25 kb=320 blocks=14 rule=document
    sender 23 2500kbit percent percent=50 kb=320 blocks=22 rule=document
    sender 24 3mbit percent percent=40 kb=400 blocks=12 rule=log
    ;;
encrypted)
    sender 21 - pulse kb=96 delay=3 blocks=24 encrypt=1
    sender 22 4mbit percent percent=20 kb=512 blocks=14 rule=document encrypt=1
    ;;
window) sender 21 3mbit window kb=64 seconds=3 days=3 ;;
change) sender 21 3mbit change percent=40 kb=320 blocks=12 rule=document seconds=8 ;;
jobs) sender 21 1mbit free kb=64 seconds=62 jobs=3 ;;
capped) sender 21 1mbit free kb=64 seconds=75 ;;
loss) # a queue that overflows behind the switch: what it drops was captured, and is sent again
    (within switch tc qdisc add dev to-dp root tbf rate 10mbit burst 20kb limit 40kb)
    sender 21 - pulse kb=128 delay=2 blocks=30
    ;;
*) skip "no scenario $scenario" ;;
esac

dir=$work/$scenario
mkdir -p "$dir"
printf '[global]\nworkgroup = LAB\nclient min protocol = SMB2\n' >"$work/client.conf"
start
export CCM_LAB_PASSWORD=$password CCM_LAB_CONF=$work/client.conf
capture "throttle-$scenario"
writers=()
for one in "${senders[@]}"; do
    read -r n mode settings <<<"$one"
    # shellcheck disable=SC2086 # several settings
    (named "site$n" "SITE$n" $python "$here/smbsender.py" "$dir/writer.$n.json" "$n" "$mode" $settings) &
    writers+=($!)
    pids+=($!)
done
for one in "${writers[@]}"; do wait "$one"; done
end_capture
kill "$server"
wait "$server" 2>/dev/null || true
# The pieces of these go to hours of days; file data is counters and is cut out.
case $scenario in window | change) python3 "$here/retime.py" "$out/throttle-$scenario.pcap" "$dir/writer.21.json" ;; esac
python3 "$here/headers.py" "$out/throttle-$scenario.pcap"
case $scenario in encrypted) protection=encrypt ;; *) protection=off ;; esac
python3 "$here/smbtruth.py" "$out/throttle-$scenario.pcap" "$dir" "$protection" >"$out/throttle-$scenario.truth.json"
