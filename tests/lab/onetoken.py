#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""One token of tokens.py on stdout.

in:   KIND DIRECTORY (where its key may lie) [CLIENT SERVER METHOD TARGET, what it is for]
out:  the token; DIRECTORY/tokens.jsonl: its line of truth
"""
import json
import os
import sys

import signing
import tokens


def main():
    kind, directory = sys.argv[1:3]
    claims = tokens.CLAIMS[kind]
    print(signing.token(signing.Key(os.path.join(directory, "token.key")), claims))
    if len(sys.argv) > 3:
        line = {
            **dict(zip(("client", "server", "method", "target"), sys.argv[3:])), "status": 200,
            "header": "Authorization", "token": kind, "issuer": claims["iss"],
            "audience": claims["aud"], "not_before": claims["nbf"], "expires": claims["exp"],
            "identity": "user" if "upn" in claims else "device",
        }  # fmt: skip
        with open(os.path.join(directory, "tokens.jsonl"), "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
