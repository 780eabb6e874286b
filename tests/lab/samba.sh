# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For scripts to source after net.sh: Samba's server with the shares of site systems.
# in: $dir, the directory of a scenario; out: $password, which is made for the run, $server
# Exit 77 with a message where this is not run by root: Samba needs accounts of the system.
[ "$(id -u)" = 0 ] && [ "${CCM_LAB_INNER:-}" = 1 ] || skip "Samba needs root"

accounts=('SITE1$' 'MP1$' 'CLIENT7$' fileadmin admin)
password=$(od -An -N12 -tx1 /dev/urandom | tr -d ' \n')
cp /etc/passwd "$work/passwd"
uid=40001
for account in "${accounts[@]}"; do
    echo "$account:x:$uid:65534::/nonexistent:/usr/sbin/nologin" >>"$work/passwd"
    uid=$((uid + 1))
done
mount --bind "$work/passwd" /etc/passwd 2>/dev/null || skip "mounting over /etc/passwd is refused"

share() { # NAME PATH [LINE...]
    mkdir -p "$dir/share/$2"
    printf '[%s]\n path = %s\n' "$1" "$dir/share/$2"
    shift 2
    printf ' %s\n' "$@"
}
configure() { # LINE...
    local items=(private state cache lock pid ncalrpc log)
    for item in "${items[@]}"; do mkdir -p "$dir/$item"; done
    cat <<CONF
[global]
 workgroup = LAB
 netbios name = DP01
 server role = standalone server
 security = user
 map to guest = bad user
 guest account = nobody
 disable netbios = yes
 smb ports = 445
 load printers = no
 private dir = $dir/private
 state directory = $dir/state
 cache directory = $dir/cache
 lock directory = $dir/lock
 pid directory = $dir/pid
 ncalrpc dir = $dir/ncalrpc
 passdb backend = tdbsam:$dir/private/passdb.tdb
 log file = $dir/log/%I
 max log size = 0
 log level = 1 smb2:3 auth_json_audit:4@$dir/log/auth.json
 smb2 max write = 65536
 read only = no
 guest ok = no
 force user = root
 vfs objects = full_audit
 full_audit:prefix = %I|%S|%u
 full_audit:success = connect unlinkat renameat
 full_audit:failure = none
 full_audit:syslog = no
CONF
    printf ' %s\n' "$@"
    share 'SMS_DP$' dp
    share 'SCCMContentLib$' lib
    share SMS_SITE receive
    share SMS_ABC site
    share 'ADMIN$' windows
    share REMINST reminst 'guest ok = yes' 'force user = nobody' 'read only = yes'
}
start() { # LINE...: smbd, with these lines in its configuration
    configure "$@" >"$dir/smb.conf"
    chmod -R a+rX "$dir"
    for account in "${accounts[@]}"; do
        printf '%s\n%s\n' "$password" "$password" |
            smbpasswd -c "$dir/smb.conf" -s -a "$account" >/dev/null 2>"$work/smbpasswd.log"
    done
    # in a process group of its own, which it ends with itself
    (within dp setsid smbd -F --no-process-group -s "$dir/smb.conf" </dev/null) >"$work/smbd.log" 2>&1 &
    server=$!
    pids+=("$server")
    if grep -q '^ smb ports = 139' "$dir/smb.conf"; then listening dp 139; else listening dp 445; fi
}
