#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""validate_records.py FILE...: each line must be JSON that enforcer/flow/record.schema.json allows.

Prints "N records are valid", else the first ten that are not, and exits with 1. Files may be
compressed (.zst). "-" reads standard input.
"""
import json
import pathlib
import subprocess
import sys

import fastjsonschema

SCHEMA = pathlib.Path(__file__).parent.parent / "enforcer/flow/record.schema.json"


def validators():
    """One for each form, so that a message says what is wrong instead of that none fits."""
    forms = {}
    for form in ("flow", "gap", "stream_gap"):
        schema = json.loads(SCHEMA.read_text())
        forms[form] = fastjsonschema.compile(
            {"$ref": "#/definitions/" + form, "definitions": schema["definitions"],
             "$schema": schema["$schema"]})
    return forms


def form_of(record):
    if record.get("event") != "gap":
        return "flow"
    return "gap" if "schema" in record else "stream_gap"


def lines_of(path):
    if path == "-":
        return sys.stdin.buffer
    if path.endswith(".zst"):
        return subprocess.run(["zstdcat", path], check=True, capture_output=True).stdout.splitlines()
    return open(path, "rb")


def main():
    forms = validators()
    count = bad = 0
    for path in sys.argv[1:]:
        for number, line in enumerate(lines_of(path), 1):
            count += 1
            try:
                record = json.loads(line)
                forms[form_of(record)](record)
            except (fastjsonschema.JsonSchemaException, ValueError) as problem:
                bad += 1
                if bad <= 10:
                    print(f"{path}:{number}: {problem}: {line.decode(errors='replace').strip()}")
    print(f"{count} records are valid" if count and not bad else f"{bad} of {count} records are not")
    sys.exit(not count or bad > 0)


main()
