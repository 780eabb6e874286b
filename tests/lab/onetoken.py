#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One token of tokens.py on stdout. in: KIND DIRECTORY (where its key may lie)"""
import os
import sys

import signing
import tokens

print(signing.token(signing.Key(os.path.join(sys.argv[2], "token.key")), tokens.CLAIMS[sys.argv[1]]))
