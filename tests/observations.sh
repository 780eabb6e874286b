#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# docs/observations.md is what the vocabulary table says now, docs/wireshark.md has the fields of the
# registration table, and the manual page explains every
# evidence of authentication.
set -euo pipefail
./gendoc | diff -u "${srcdir:-.}/docs/observations.md" - || {
    echo 'docs/observations.md is stale: run "make update-docs"'
    exit 1
}
./genfields | diff -u <(sed '1,/^<!-- table -->$/d' "${srcdir:-.}/docs/wireshark.md") - || {
    echo 'docs/wireshark.md is stale: run "make update-docs"'
    exit 1
}
missing=0
for id in $(sed -n 's/.*\[CCM_EV_[A-Z0-9_]*\] = "\([^"]*\)".*/\1/p' \
    "${srcdir:-.}/dissector/model/auth_names.c"); do
    grep -qF "*$id*" "${srcdir:-.}/docs/ccmscope.1.scd" || {
        echo "docs/ccmscope.1.scd does not explain $id"
        missing=1
    }
done
exit "$missing"
