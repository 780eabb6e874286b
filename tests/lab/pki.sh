# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# For the scripts of TLS to source: certificates, made by the openssl command for this run.
# in: $work; out: $work/pki/NAME.pem (with its chain), NAME.key, and $work/certificates.jsonl, what
# each one is, as the openssl command prints it
pki=$work/pki
mkdir -p "$pki"
CLIENT=clientAuth SERVER=serverAuth
SMS_USE=1.3.6.1.4.1.311.101.2 # of a client's self-signed certificate

request() { # NAME SUBJECT BITS
    openssl req -new -newkey "rsa:${3:-2048}" -nodes -keyout "$pki/$1.key" -subj "$2" -out "$pki/$1.csr" 2>/dev/null
}
authority() { # NAME SUBJECT [BITS]: self-signed
    request "$1" "$2" "${3:-}"
    printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n' >"$pki/$1.ext"
    openssl x509 -req -in "$pki/$1.csr" -signkey "$pki/$1.key" -days 3650 -sha256 -extfile "$pki/$1.ext" \
        -out "$pki/$1.pem" 2>/dev/null
}
subordinate() { # NAME SUBJECT ISSUER BITS
    request "$1" "$2" "$4"
    printf 'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\n' >"$pki/$1.ext"
    issue "$1" "$3"
}
issue() { # NAME ISSUER: a request and $pki/NAME.ext to a certificate
    openssl x509 -req -in "$pki/$1.csr" -CA "$pki/$2.pem" -CAkey "$pki/$2.key" -CAcreateserial \
        -days "${days:-365}" -sha256 -extfile "$pki/$1.ext" -out "$pki/$1.pem" 2>/dev/null
}
describe() { # NAME KIND: after the chain was appended
    python3 "$here/certificate.py" "$pki/$1.pem" "$1" "$2" >>"$work/certificates.jsonl"
}
certificate() { # NAME KIND ISSUER|self SUBJECT USE DNS-NAME...
    local name=$1 kind=$2 issuer=$3 use=$5 alt=
    request "$name" "$4"
    shift 5
    for n in "$@"; do alt=$alt,DNS:$n; done
    printf 'extendedKeyUsage=%s\n%s' "$use" "${alt:+subjectAltName=${alt#,}}" >"$pki/$name.ext"
    if [ "$issuer" = self ]; then
        openssl x509 -req -in "$pki/$name.csr" -signkey "$pki/$name.key" -days 365 -sha256 \
            -extfile "$pki/$name.ext" -out "$pki/$name.pem" 2>/dev/null
    else
        issue "$name" "$issuer"
    fi
    [ -z "${chain:-}" ] || (cd "$pki" && cat $chain) >>"$pki/$name.pem"
    describe "$name" "$kind"
}
expired() { # NAME ISSUER SUBJECT DNS-NAME: was valid for a month of 2024
    request "$1" "$3"
    printf 'extendedKeyUsage=serverAuth\nsubjectAltName=DNS:%s\n' "$4" >"$pki/$1.ext"
    mkdir -p "$pki/ca"
    : >"$pki/ca/index"
    echo 1001 >"$pki/ca/serial"
    printf '[ca]\ndefault_ca=x\n[x]\ndatabase=%s/ca/index\nserial=%s/ca/serial\nnew_certs_dir=%s/ca\npolicy=p\n[p]\ncommonName=supplied\n' \
        "$pki" "$pki" "$pki" >"$pki/ca/conf"
    openssl ca -batch -notext -md sha256 -config "$pki/ca/conf" -in "$pki/$1.csr" -cert "$pki/$2.pem" \
        -keyfile "$pki/$2.key" -startdate 20240101000000Z -enddate 20240201000000Z \
        -extfile "$pki/$1.ext" -out "$pki/$1.pem" 2>/dev/null
    describe "$1" pki
}

authority ca '/CN=Lab Issuing CA'
authority sms '/CN=SMS Issuing'
