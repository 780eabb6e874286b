#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# docs/observations.md is what the vocabulary table says now.
set -euo pipefail
./gendoc | diff -u "${srcdir:-.}/docs/observations.md" - || {
    echo 'docs/observations.md is stale: run "make update-docs"'
    exit 1
}
