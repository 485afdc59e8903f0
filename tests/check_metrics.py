#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""check_metrics.py [NAME...] <METRICS: is the page what Prometheus reads, and well named?

The text format (version 0.0.4) is held to its letter, names and units to what promtool's linter asks
for; where promtool is installed, it has a word, too. NAMEs must be among the families; with
--dashboard FILE those must be that a Grafana dashboard asks for. Prints what is wrong, or a count.
"""
import json
import re
import shutil
import subprocess
import sys

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{((?:{LABEL})(?:,{LABEL})*)\}})? (\S+)$")
UNITS = re.compile(r"_(milliseconds|microseconds|ms|minutes|hours|kilobytes|kb|mib|percent)(_|$)")
problems = []


def wrong(line, what):
    problems.append(f"{what}: {line}")


def family_of(name, types):
    """Samples of a histogram have names of their own."""
    for suffix in ("_bucket", "_sum", "_count"):
        if name.endswith(suffix) and types.get(name[: -len(suffix)]) == "histogram":
            return name[: -len(suffix)]
    return name


def check_name(line, name, kind):
    if (kind == "counter") != name.endswith("_total"):
        wrong(line, "only a counter ends in _total, and each does")
    if UNITS.search(name):
        wrong(line, "not in base units")
    if name.endswith(("_info_total", "_bucket", "_sum", "_count", "_gauge", "_counter")):
        wrong(line, "a suffix that means something else")
    if name != name.lower() or ":" in name:
        wrong(line, "not in small letters")


def check_sample(line, types, current, seen):
    match = SAMPLE.match(line)
    if not match:
        wrong(line, "not a sample")
        return
    name, value = match[1], match.groups()[-1]
    labels = tuple(sorted(re.findall(LABEL, match[2] or "")))
    if family_of(name, types) != current:
        wrong(line, "outside of its family")
    if len({key for key, _ in labels}) != len(labels):
        wrong(line, "a label twice")
    if (name, labels) in seen:
        wrong(line, "a series twice")
    seen.add((name, labels))
    try:
        if types.get(current) == "counter" and float(value) < 0:
            wrong(line, "a negative counter")
    except ValueError:
        wrong(line, "not a number")


def check_histogram(name, lines):
    buckets = [float(line.split()[-1]) for line in lines if line.startswith(name + "_bucket")]
    count = [float(line.split()[-1]) for line in lines if line.startswith(name + "_count")]
    if buckets != sorted(buckets) or buckets[-1:] != count:
        wrong(name, "buckets that do not add up")


def read(page):
    types, helped, seen, current = {}, set(), set(), None
    if not page.endswith("\n"):
        wrong(page[-40:], "no newline at the end")
    for line in page.splitlines():
        if line.startswith("# HELP "):
            name, text = line[7:].split(" ", 1)
            if name in helped or not text:
                wrong(line, "help is there once")
            helped.add(name)
        elif line.startswith("# TYPE "):
            name, kind = line[7:].split(" ")
            if name not in helped or name in types:
                wrong(line, "type is there once, behind help")
            types[name], current = kind, name
            check_name(line, name, kind)
        else:
            check_sample(line, types, current, seen)
    for name in (name for name, kind in types.items() if kind == "histogram"):
        check_histogram(name, page.splitlines())
    return types, {name for name, _ in seen}


def asked_of(path):
    """All that the panels' expressions name."""
    text = open(path, encoding="utf-8").read()
    expressions = re.findall(r'"expr": "((?:[^"\\]|\\.)*)"', text)
    json.loads(text)
    return set(re.findall(r"\b(?:segd|process)_[a-z0-9_]+", " ".join(expressions)))


def main():
    page = sys.stdin.read()
    types, samples = read(page)
    wanted = sys.argv[1:]
    if wanted[:1] == ["--dashboard"]:
        wanted = sorted(asked_of(wanted[1]))
    for name in wanted:
        if name not in samples and name not in types:
            wrong(name, "not there")
    if shutil.which("promtool"):
        verdict = subprocess.run(["promtool", "check", "metrics"], input=page, text=True,
                                 capture_output=True, check=False)
        if verdict.returncode:
            problems.append("promtool: " + verdict.stdout + verdict.stderr)
    print("\n".join(problems) or f"{len(types)} families, {len(samples)} names, {len(wanted)} asked for")
    sys.exit(bool(problems) or not samples)


main()
