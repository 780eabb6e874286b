# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For auth.sh to source: an MIT KDC of its own, and the accounts of the lab.
# in: $work; out: $work/krb5.conf, keytabs $work/NAME.keytab, $work/ntlm.users (DOMAIN:USER:PASSWORD),
# $work/accounts.jsonl (which account is what), $work/kdc.log
realm=LAB.EXAMPLE
mkdir -p "$work/kdc"

krb5_conf() { # FILE KDC-ADDRESS [MORE-DEFAULTS]
    cat >"$1" <<KRB
[libdefaults]
    default_realm = $realm
    dns_lookup_realm = false
    dns_lookup_kdc = false
    dns_canonicalize_hostname = false
    rdns = false
    permitted_enctypes = aes256-cts-hmac-sha1-96
    ${3:-}
[realms]
    $realm = {
        kdc = $2:88
    }
[domain_realm]
    .lab.example = $realm
[logging]
    kdc = FILE:$work/kdc.log
    default = FILE:$work/kdc/default.log
KRB
}
krb5_conf "$work/krb5.conf" 10.11.0.10
krb5_conf "$work/krb5-mute.conf" 10.11.0.15
krb5_conf "$work/krb5-tcp.conf" 10.11.0.10 "udp_preference_limit = 1"
krb5_conf "$work/krb5-wrong.conf" 10.11.0.20
sed -e 's/dns_lookup_kdc = false/dns_lookup_kdc = true/' -e '/kdc = .*:88/d' "$work/krb5.conf" >"$work/krb5-dns.conf"
cat >"$work/kdc/kdc.conf" <<KDC
[kdcdefaults]
    kdc_ports = 88
    kdc_tcp_ports = 88
[realms]
    $realm = {
        database_name = $work/kdc/principal
        key_stash_file = $work/kdc/stash
        acl_file = $work/kdc/acl
        supported_enctypes = aes256-cts-hmac-sha1-96:normal
        default_principal_flags = +preauth
    }
KDC
export KRB5_CONFIG=$work/krb5.conf KRB5_KDC_PROFILE=$work/kdc/kdc.conf
export KRB5RCACHENAME=none:

admin() { kadmin.local -r "$realm" -q "$*" >>"$work/kdc/admin.log" 2>&1; }
secret() { openssl rand -hex 12; }
keytab() { # PRINCIPAL FILE
    [ -n "${2:-}" ] && admin "ktadd -norandkey -k $work/$2.keytab $1"
}
account() { # NAME KIND: for Kerberos and NTLM
    local password
    password=$(secret)
    admin "addprinc -pw $password $1"
    keytab "$1" "${1%\$}"
    echo "LAB:$1:$password" | tee -a "$work/ntlm.users" >"$work/${1%\$}.ntlm"
    printf '{"account":"%s","kind":"%s","domain":"LAB","realm":"%s"}\n' "$1" "$2" "$realm" \
        >>"$work/accounts.jsonl"
}
password_of() { sed -n "s/^LAB:$1://p" "$work/ntlm.users"; }

start_kdc() {
    local n name
    kdb5_util -r "$realm" create -s -P "$(secret)" >"$work/kdc/admin.log" 2>&1
    : >"$work/ntlm.users"
    : >"$work/accounts.jsonl"
    for n in 1 2 3 4 5 6 7 8; do account "WKS0$n\$" computer; done
    account alice user
    account bob user
    for name in svc-naa svc-naa2 svc-naa3; do account $name network-access; done
    account svc-proxy service
    echo "svc-proxy:$(openssl passwd -apr1 "$(password_of svc-proxy)")" >"$work/basic.users"
    n=svc-proxy:lab:
    echo "$n$(printf '%s' "$n$(password_of svc-proxy)" | openssl dgst -md5 -r | cut -c1-32)" >"$work/digest.users"
    for name in mp01 mp02 mp05 smp01 wks09 dp01 dp02 proxy01; do
        admin "addprinc -randkey HTTP/$name.lab.example"
        keytab "HTTP/$name.lab.example" "$name"
    done
    admin "cpw -randkey HTTP/mp02.lab.example" # after its keytab was written
    (within kdc krb5kdc -n -r "$realm" -P "$work/kdc/pid") 2>"$work/kdc/err.log" &
    pids+=($!)
}
