#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The corpus in cases/ must pass; and the runner must notice whatever is changed in it.
BUILD=$(realpath "${1:?usage: test.sh BUILD}")
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
cases=$here/tests/conformance/cases
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

run_corpus() {
	"$BUILD/tests/conformance/conformance" "$BUILD/segctl" "${1:-$work/corpus}"
}

# changed CASE JQ-PROGRAM: a corpus of that case alone, altered.
changed() {
	rm -rf "$work/corpus"
	mkdir "$work/corpus"
	cp "$cases/clusters.json" "$work/corpus"
	cat "$cases"/*.jsonl | jq -c "select(.id == \"$1\") | $2" >"$work/corpus/changed.jsonl"
}

# What it prints but for the counts: differences, complaints, the closing line.
findings() {
	run_corpus | grep -v -e ' compared ' -e ' matrices$' -e '^(a pod'
	return "${PIPESTATUS[0]}"
}

# notices DESCRIPTION CASE JQ-PROGRAM LINE...: the change is found, and exactly so.
notices() {
	local output code wanted
	changed "$2" "$3"
	output=$(findings)
	code=$?
	wanted=$(printf '%s\n' "${@:4}" '0 passed, 1 failed, 0 skipped')
	if [ "$code" = 1 ] && [ "$output" = "$wanted" ]; then
		pass "$1"
	else
		fail "$1" "exit code $code" "expected: $wanted" "got:      $output"
	fi
}

# refuses DESCRIPTION CODE PATTERN: what is in the corpus now is malformed, and the message says so.
refuses() {
	local output code
	output=$(run_corpus 2>&1)
	code=$?
	if [ "$code" = "$2" ] && grep -q -e "$3" <<<"$output"; then
		pass "$1"
	else
		fail "$1" "exit code $code, expected $2" "expected: $3" "got:      $output"
	fi
}

# malformed DESCRIPTION CASE JQ-PROGRAM PATTERN: that case fails with the message.
malformed() {
	changed "$2" "$3"
	refuses "$1" 1 "$4"
}

run_corpus "$cases" || failed=1

deny=default-deny-ingress
notices "a cell of the verdict" $deny '.steps[0].expect["TCP/8080"].combined[3] = ".XX.."' \
	"$deny step 1: TCP/8080 ops/prom -> shop/web: expected allow, got deny"
notices "a cell of ingress" $deny '.steps[0].expect["TCP/8080"].ingress[0] = ".X..."' \
	"$deny step 1: TCP/8080 shop/web -> shop/db ingress: expected allow, got deny"
notices "a cell of egress" $deny '.steps[0].expect["TCP/8080"].egress[4] = "X...."' \
	"$deny step 1: TCP/8080 ops/bare -> shop/web egress: expected deny, got allow"
notices "a cell from outside" $deny '.steps[0].external.from["TCP/8080"][1] = "X.X.."' \
	"$deny step 1: TCP/8080 2001:db8::7 -> shop/api: expected allow, got deny"
notices "a cell to the outside" $deny '.steps[0].external.to["TCP/443"][2] = ".X"' \
	"$deny step 1: TCP/443 shop/db -> 2001:db8::7: expected deny, got allow"
notices "a single flow" nodes-as-peers '.steps[0].assertions[3].expect = "blocked"' \
	"nodes-as-peers step 1: TCP/9100 shop/web -> 172.18.0.9: expected deny, got allow"
notices "a case with doubts" ip-block-of-pods '.steps[0].expect["TCP/9090"].combined[1] = "....."' \
	"ip-block-of-pods step 1: TCP/9090 shop/api -> ops/prom: expected allow, got deny"
notices "one family apart from the other" ip-block-of-pods \
	'del(.steps[0].policies[0].spec.ingress[0].from[1].ipBlock.except)' \
	"ip-block-of-pods step 1: TCP/9090 shop/api -> ops/prom: expected deny, got one thing by IPv4 and another by IPv6"
notices "a named port that is not there" named-port '.steps[0].expect["TCP/http"].combined[0] = "..XNN"' \
	"named-port step 1: TCP/http shop/web -> shop/db: expected deny, got unresolved"
notices "a pod that is not there" end-port '.steps[0].pods[0] = "shop/ghost" | .steps[0].expect = {"TCP/5000": {"combined": ["..", ".."]}}' \
	"end-port step 1: TCP/5000 shop/ghost -> shop/ghost: expected allow, got no answer" \
	"end-port step 1: TCP/5000 shop/ghost -> shop/db: expected allow, got no answer" \
	"end-port step 1: TCP/5000 shop/db -> shop/ghost: expected allow, got no answer"
notices "actions that lead elsewhere" labels-and-pods-change 'del(.steps[1].actions[-1])' \
	"labels-and-pods-change step 2 (replayed): TCP/5432 ops/heir -> shop/db: expected deny, got allow"

changed $deny '.steps[0].expect["TCP/8080"].combined = ["XXX..", "XXX..", "XXX..", "XXXX.", "XXX.X"]'
expect "a pod reaches itself, whatever the table says" '1 passed, 0 failed, 0 skipped' findings
changed $deny 'del(.steps[0].external) | .steps[0].expect = {"TCP/80": {"combined": ["-----", "NNNNN", "-----", "-----", "-----"]}}'
expect "nothing to compare is a skip, and says so" \
	"skip $deny: nothing in it can be compared"$'\n''0 passed, 0 failed, 1 skipped' findings
changed $deny '.steps[0].expect |= with_entries(.value.combined |= map(gsub("X"; ".")))'
expect "of many differences twenty are printed" 22 eval 'findings | wc -l'

malformed "too few rows" $deny 'del(.steps[0].expect["TCP/8080"].combined[4])' \
	"TCP/8080: the table has 4 rows for 5 sources"
malformed "a row of another width" $deny '.steps[0].expect["TCP/8080"].combined[1] = "...."' \
	"TCP/8080: row 2 is no string of 5 cells"
malformed "nothing expected" $deny 'del(.steps[0].expect, .steps[0].external)' \
	"it has no expect, external or assertions"
malformed "an unknown cluster" $deny '.steps[0].cluster = "nowhere"' \
	"the corpus has no cluster 'nowhere'"
malformed "an unknown action" absent-and-empty-lists '.steps[1].actions[0].op = "hope"' \
	"action 1: unknown action 'hope'"
malformed "an action on what is not there" labels-and-pods-change '.steps[1].actions[1].name = "apo"' \
	"action 2: delete-pod: there is no shop/apo"
malformed "a policy that segctl refuses" $deny '.steps[0].policies[0].spec.podSelector = 7' \
	"step 1: .*segctl: exit code 1: <stdin>:.*podSelector"
malformed "an assertion without an end" nodes-as-peers 'del(.steps[0].assertions[0].to)' \
	"an assertion has neither to nor to_ip"

changed $deny .
echo '{"id": "broken", "steps": [}' >>"$work/corpus/changed.jsonl"
refuses "what is no JSON, with its place" 2 "changed.jsonl:2:[0-9]*: "
changed $deny .
cp "$cases/clusters.json" "$work/corpus/more.json"
refuses "a cluster that is there twice" 2 "more.json:1: there are two clusters 'shop'"
rm "$work/corpus"/*
refuses "a directory without cases" 2 "holds no case"
rm -r "$work/corpus"
refuses "no directory" 2 "read corpus directory .*: No such file or directory"

mkdir "$work/corpus"
gzip -c "$cases/clusters.json" >"$work/corpus/clusters.json.gz"
cat "$cases"/*.jsonl | jq -c . | gzip >"$work/corpus/all.jsonl.gz"
expect "compressed, and one case to a line" "$(run_corpus "$cases")" run_corpus

finish
