#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The shipped captures against their truth: for `make check`. in: $CCMSCOPE
exec "$(dirname "$0")/lab/check-lab.sh" "$(dirname "$0")/../pcaps"
