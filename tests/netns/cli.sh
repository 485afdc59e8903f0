#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# segctl as a person and as a script meet it: exit codes, one line for each failure, widths, colours,
# times, every output form against golden files, recorded logs, the live screen in a terminal. The agent is
# tools/fake_agent with canned answers. UPDATE=1 writes the golden files anew: read the diff.
BUILD=$(realpath "${1:?usage: cli.sh BUILD}")
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
golden=$here/tests/golden/cli
work=$(mktemp -d)
agent=
trap 'stop_agent; tmux -S "$work/tmux" kill-server 2>/dev/null; rm -rf "$work"' EXIT
unset COLUMNS NO_COLOR
export LC_ALL=C.UTF-8 TZ=UTC0 SEGD_SOCKET=$work/agent.sock
cd "$golden/offline" || exit 1

stop_agent() {
	[ -z "$agent" ] || { kill "$agent" && wait "$agent"; } 2>/dev/null
	agent=
	rm -f "$SEGD_SOCKET"
}

start_agent() {
	stop_agent
	rm -rf "$work/agent"
	cp -r "$golden/agent" "$work/agent"
	"$tools/fake_agent" "$SEGD_SOCKET" "$work/agent" "$@" &
	agent=$!
	await 5 test -S "$SEGD_SOCKET"
}

segctl() {
	"$BUILD/segctl" "$@"
}

# What differs from run to run.
steady() {
	sed -E 's/^(  running +)[^,]*,/\1SOME TIME,/'
}

# Diagnostics by place and code: their words belong to the policy language and its own tests.
places() {
	"$@" 2>&1 | sed -E 's/(: error: ).+( \[[a-z-]+\])$/\1WORDS\2/'
}

# golden NAME COMMAND...: prints what golden/NAME holds.
golden() {
	local output
	output=$("${@:2}" 2>&1 | steady)
	[ -z "${UPDATE-}" ] || printf '%s\n' "$output" >"$golden/$1"
	if [ "$output" = "$(cat "$golden/$1")" ]; then
		pass "$1: ${*:2}"
	else
		fail "$1: ${*:2}" "$(diff <(printf '%s\n' "$output") "$golden/$1")"
	fi
}

# says DESCRIPTION CODE WORDS COMMAND...: fails with that code and one line on stderr with these words,
# and nothing on stdout.
says() {
	local code
	"${@:4}" >"$work/out" 2>"$work/err" </dev/null
	code=$?
	if [ $code = "$2" ] && [ "$(wc -l <"$work/err")" = 1 ] && [ ! -s "$work/out" ] &&
		grep -qF -- "$3" "$work/err"; then
		pass "$1"
	else
		fail "$1" "exit code $code, expected $2, with: $3" "$(cat "$work/err" "$work/out")"
	fi
}

# follow LINES FILE COMMAND...: what the command says goes to FILE, until that has so many lines, for it would go
# on; and a moment later what would be too many.
follow() {
	"${@:3}" >"$2" &
	await 5 eval "[ \$(wc -l <'$2') -ge $1 ]"
	sleep 0.2
	kill $! && wait $! 2>/dev/null
}

# In a terminal of 80 columns.
terminal() {
	script -qec "stty cols 80 rows 24; $*" /dev/null </dev/null
}

echo "== wrong usage"
says "no command" 2 "a command is missing" segctl
says "unknown command" 2 "did you mean 'status'" segctl statsu
says "unknown command that resembles none" 2 "unknown command 'frobnicate'; see" segctl frobnicate
says "unknown subcommand" 2 "did you mean 'matrix'" segctl policy matrx
says "unknown option" 2 "unrecognized option '--frm'" segctl flows --frm web
says "option without its value" 2 "requires an argument" segctl flows --from
says "unexpected word" 2 "unexpected argument 'x'" segctl status x
says "unknown output form" 2 "choose table, wide or json" segctl workloads -o csv
says "apply without files" 2 "by -f which files" segctl policy apply
says "delete without a name" 2 "say what to delete" segctl policy delete
says "a kind that is none" 2 "no kind of document" segctl policy get widget
says "matrix without a probe" 2 "--probe" segctl policy matrix -f pods.yaml
says "a probe that is none" 2 "expected PROTOCOL/PORT" \
	segctl policy matrix -f pods.yaml --probe 80
says "a port beyond the last" 2 "0 to 65535" segctl policy matrix -f pods.yaml --probe TCP/65536
says "an external that is no address" 2 "no IP address" \
	segctl policy matrix -f pods.yaml --probe TCP/80 --external example.org
says "trace of a pod that is not there" 2 "no Pod 'ghost'" \
	segctl policy trace -f pods.yaml --from ghost --to shop/db --port TCP/80
says "suggestions as JSON" 2 "prints YAML" segctl denied --suggest -o json
says "live map without a terminal" 2 "needs a terminal" segctl map --live

echo "== no agent"
says "no socket" 3 "does not exist; start segd" segctl status
start_agent mute
says "closed without a byte" 3 "group segctl" segctl status
says "also a stream" 3 "group segctl" segctl flows --follow
says "also an apply" 3 "group segctl-admin" segctl policy apply -f policy.yaml
kill -KILL "$agent"
wait "$agent" 2>/dev/null
says "a socket that nobody listens on" 3 "no agent listens" segctl denied
start_agent
chmod 700 "$work"
cp "$BUILD/segctl" /tmp/segctl.$$
says "a socket that may not be reached" 3 "no right to connect" \
	setpriv --reuid=65534 --regid=65534 --clear-groups /tmp/segctl.$$ status
rm -f /tmp/segctl.$$

echo "== what the agent says"
golden status.txt segctl status --utc
for verb in workloads denied flows map; do
	COLUMNS=80 golden $verb.txt segctl $verb --utc
	golden $verb-wide.txt segctl $verb --utc -o wide
	check "$verb -o json is the agent's" \
		sh -c "'$BUILD/segctl' $verb -o json | jq -e 'keys | length > 0'"
done
golden denied-suggest.txt segctl denied --suggest --utc
jq '.denied[].source.workload = "x\u2028\u0085\nkind: SegmentPolicy"' "$golden/agent/GET/v1/denied" >"$work/agent/GET/v1/denied"
segctl denied --suggest >"$work/suggested"
check "a name that is hostile stands in a comment" \
	grep -q '^# not suggested: default/x.*kind: SegmentPolicy -> shop/db tcp/5432' "$work/suggested"
expect "and cannot leave it" 0 sh -c "tr '\302\342' '\n\n' <'$work/suggested' | grep -vc '^#'"
# suggest_for NAME: what db is suggested to be allowed, which it is refused at a workload of that name.
suggest_for() {
	jq --argjson name "\"$1\"" '(.workloads[] | select(.id == "intruder")) |= (.name = $name | .labels.app = "x")' \
		"$golden/agent/GET/v1/workloads" >"$work/agent/GET/v1/workloads"
	jq --argjson name "\"$1\"" '.denied |= [.[0] | .source = .destination | .destination =
		{ip: "10.0.0.6", port: 5432, namespace: "default", workload: $name}]' \
		"$golden/agent/GET/v1/denied" >"$work/agent/GET/v1/denied"
	segctl denied --suggest
}
suggest_for harmless >"$work/harmless"
suggest_for 'x\u2028\u0085\nkind: SegmentPolicy' >"$work/suggested"
check "a hostile name is also in what can be suggested" \
	grep -q '^# shop/db -> default/x.*kind: SegmentPolicy tcp/5432' "$work/suggested"
check "as is the nearest rule" grep -q '^#   nearest: .* default/x.*kind: SegmentPolicy ' "$work/suggested"
check "and the policy" grep -qx '  subject: app=x' "$work/harmless"
expect "which is the same for any name" "$(grep -v '^#' "$work/harmless")" sh -c \
	"tr '\302\342' '\n\n' <'$work/suggested' | grep -v '^#'"
jq -c '.denied[0] + {event: "denied", time: .denied[0].end, packets: [1, 0], bytes: [60, 0], id: "0000000000000001"}' \
	"$work/agent/GET/v1/denied" >"$work/refusal.log"
exits "a suggestion from a log" 0 segctl denied --suggest -r "$work/refusal.log"
echo damaged >>"$work/refusal.log"
exits "from one that is damaged" 1 segctl denied --suggest -r "$work/refusal.log"
check "is made all the same" sh -c "'$BUILD/segctl' denied --suggest -r '$work/refusal.log' 2>/dev/null | grep -qx '  subject: app=x'"
cp "$golden/agent/GET/v1/denied" "$golden/agent/GET/v1/workloads" "$work/agent/GET/v1"
golden flows.csv segctl flows -o csv
golden flows.jsonl segctl flows -o jsonl
golden map.dot segctl map -o dot
golden map.mermaid segctl map -o mermaid
jq '(.nodes[] | select(.id == "shop/db")).labels = {app: "\u009b31m\u202e\u001b[31m"}' "$golden/agent/GET/v1/map" \
	>"$work/agent/GET/v1/map"
for form in dot mermaid; do
	expect "labels drive no terminal: -o $form" 0 sh -c \
		"'$BUILD/segctl' map --group-by app -o $form | LC_ALL=C grep -cP '\xc2\x9b|\xe2\x80\xae|\e'"
done
cp "$golden/agent/GET/v1/map" "$work/agent/GET/v1/map"
COLUMNS=80 golden map-packets.txt segctl map --sort packets --utc

echo "== the difference of two maps"
# compare FORM…: the map of before, then the one of now.
compare() {
	cp "$golden/before.json" "$work/agent/GET/v1/map"
	cp "$golden/agent/GET/v1/map" "$work/agent/GET/v1/map.then"
	segctl map --since 2021-03-01T09:00:00Z --until 2021-03-01T10:00:00Z --diff --utc "$@"
}
COLUMNS=80 golden map-diff.txt compare
golden map-diff-wide.txt compare -o wide
golden map-diff.json compare -o json
golden map-diff.dot compare -o dot
golden map-diff.mermaid compare -o mermaid
golden map-diff-group.txt compare --group-by app
: >"$work/agent/requests"
compare --to db >/dev/null
expect "the same length just before" "GET /v1/map?to=db&since=2021-03-01T08%3A00%3A00.000000Z&until=2021-03-01T09%3A00%3A00.000000Z
GET /v1/map?to=db&since=2021-03-01T09%3A00%3A00.000000Z&until=2021-03-01T10%3A00%3A00.000000Z" cat "$work/agent/requests"
: >"$work/agent/requests"
segctl map --since 2021-03-01T09:00:30Z --diff=2021-02-01T00:00:00Z..2021-02-02T00:00:00Z >/dev/null
expect "or any other time; the past is known by the minute" \
	"since=2021-02-01T00%3A00%3A00.000000Z&until=2021-02-02T00%3A00%3A00.000000Z since=2021-03-01T09%3A00%3A00.000000Z" \
	sh -c "grep -o 'since=[^&]*&until=2021-02-02[^&]*\|since=2021-03-01[^&]*' '$work/agent/requests' | paste -sd' '"
says "top without a terminal" 2 "needs a terminal" segctl top
says "an order that is none" 2 "--sort is packets, bytes" segctl top --sort size
says "a time that is none" 2 'expected SINCE or SINCE..UNTIL' segctl map --diff=yesterday
says "a time that ends before it begins" 2 "ends before it begins" segctl map --diff=1d..2d
says "a difference on the live screen" 2 "--live is of now" segctl map --live --diff
start_agent
COLUMNS=80 golden inspect-workload.txt segctl inspect workload shop/db --utc
COLUMNS=80 golden inspect-policy.txt segctl inspect policy db-from-api --utc
COLUMNS=80 golden inspect-rule.txt segctl inspect rule db-from-api 'ingress[0]' --utc
says "a rule that is not there" 1 "has no rule 'egress[7]'" \
	segctl inspect rule db-from-api 'egress[7]'
says "a workload that is not there" 1 "no such thing" segctl inspect workload ghost
expect "no workloads of a namespace" "no workloads in this namespace" segctl workloads -n nowhere
: >"$work/agent/requests"
segctl flows --from web --to shop/db -p 5432 --protocol tcp --since 5m --cidr 10.0.0.0/8 -n shop \
	-l app=db --verdict denied --reason policy_denied --rule r --until 1m --limit 3 api >/dev/null
expect "filters are the API's keys" \
	"GET /v1/flows?from=web&to=shop%2Fdb&port=5432&protocol=tcp&since=5m&cidr=10.0.0.0%2F8&namespace=shop&label=app%3Ddb&verdict=denied&reason=policy_denied&rule=r&until=1m&limit=3&workload=api" \
	cat "$work/agent/requests"
# offers FILTERS COMMAND...: of --alert and --id the help has these.
offers() {
	expect "segctl ${*:2} takes single records by: ${1:-nothing}" "$1" \
		sh -c '"$@" --help | grep -oE -- "--(alert|id)\>" | paste -sd" "' sh "$BUILD/segctl" "${@:2}"
}
offers "--alert --id" flows
offers "--id" denied
offers "--id" flows --pcap=x
offers "" map
offers "" top
says "the agent's refusals are sums" 2 "give --follow or --read" segctl denied --id 0000000000000001
: >"$work/agent/requests"
"$BUILD/segctl" denied --follow --id 0000000000000001 >/dev/null 2>&1 &
await 5 test -s "$work/agent/requests"
kill $! 2>/dev/null
wait $! 2>/dev/null
expect "those that happen are not" "GET /v1/denied?id=0000000000000001&follow=1" cat "$work/agent/requests"
expect "nor are those of a log" 1 sh -c "'$BUILD/segctl' denied -r '$here/tests/unit/flow/data/flows.log' -o json \
	--id \$(jq -r 'select(.verdict == \"denied\") | .id' '$here/tests/unit/flow/data/flows.log' | head -1) | jq '.denied | length'"
echo '{"denied": []}' >"$work/agent/GET/v1/denied"
expect "nothing denied" "no denied flows since the agent started at 2021-03-01 08:00:00; 3 policies enforce 4 workloads" segctl denied
expect "nothing denied in a time" "no denied flows since 2021-11-21 10:00:00; 3 policies enforce 4 workloads" \
	segctl denied --since 2021-11-21T10:00:00Z
expect "nothing denied by filter" "no denied flows match these filters" segctl denied --to db
echo '<html>' >"$work/agent/GET/v1/denied"
says "an answer that is no JSON" 1 "no JSON object" segctl denied
start_agent

echo "== following"
follow 2 "$work/follow" "$BUILD/segctl" flows --follow --utc 2>"$work/gap"
golden flows-follow.txt cat "$work/follow"
check "a gap is told on stderr" grep -q "17 records lost" "$work/gap"
follow 3 "$work/follow" "$BUILD/segctl" flows --follow -o json
expect "-o json follows as lines" 3 sh -c "jq -s length '$work/follow'"
expect "a stream that its reader leaves ends quietly" "" \
	sh -c "timeout 5 '$BUILD/segctl' flows --follow -o csv 2>&1 >/dev/null | grep -v gap | head -1"
expect "a broken pipe is quiet" "" sh -c "'$BUILD/segctl' map 2>&1 >/dev/full | grep -v space;
	'$BUILD/segctl' map -o json 2>&1 >&3 3>&- | cat" 3> >(head -1 >/dev/null)
exits "a full disk is no success" 1 sh -c "'$BUILD/segctl' map >/dev/full"
check "who follows onto a full disk is told at once" sh -c "
	timeout 5 '$BUILD/segctl' flows --follow 2>&1 >/dev/full | grep -q 'write output: No space left'"

kill -STOP "$agent"
check "an agent that takes its time is told of, to a person" sh -c \
	"script -qec \"timeout 5 '$BUILD/segctl' denied\" /dev/null </dev/null | grep -q 'waiting for the agent'"
expect "and not to a script" "" timeout 4 "$BUILD/segctl" denied
kill -CONT "$agent"
start_agent

echo "== a capture that cannot be written"
mkdir -p "$work/agent/POST/v1"
# A section header alone, of pcapng.
printf '\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0' \
	>"$work/agent/POST/v1/capture"
exits "it can be written elsewhere" 0 segctl capture --port 80 -w "$work/packets.pcapng"
check "as it came" cmp "$work/packets.pcapng" "$work/agent/POST/v1/capture"
says "a directory that is not there" 1 "create /nowhere/x.pcapng: No such file" \
	segctl capture --port 80 -w /nowhere/x.pcapng
says "a full disk" 1 "write /dev/full: No space left" segctl capture --port 80 -w /dev/full
says "a full disk, as plain pcap" 1 "write /dev/full: No space left" \
	segctl capture --port 80 --format pcap -w /dev/full

echo "== policies to the agent"
: >"$work/agent/requests"
golden apply.txt segctl policy apply -f policy.yaml
check "sent whole, by name" grep -qx "POST /v1/policies?files=1&dry_run=0" "$work/agent/requests"
expect "with its name" "policy.yaml" sh -c \
	"sed 1d '$work/agent/requests' | jq -r '.files[].name'"
expect "each rule is sent on its own line" "$(grep -n 'port: http' policy.yaml)" sh -c \
	"sed 1d '$work/agent/requests' | jq -r '.files[0].text' | grep -n 'port: http'"
: >"$work/agent/requests"
check "two files" segctl policy apply -f policy.yaml -f pods.yaml
expect "each by its own name" "policy.yaml pods.yaml" sh -c \
	"sed 1d '$work/agent/requests' | jq -r '[.files[].name] | join(\" \")'"
expect "and with its own lines" "$(grep -n 'kind: Pod' pods.yaml)" sh -c \
	"sed 1d '$work/agent/requests' | jq -r '.files[1].text' | grep -n 'kind: Pod'"
check "standard input" sh -c "'$BUILD/segctl' policy apply -f - <policy.yaml"
golden apply-dry.txt segctl policy apply --dry-run -f policy.yaml pods.yaml
check "a dry run is one" grep -q "dry_run=1" "$work/agent/requests"
: >"$work/agent/requests"
golden apply-broken.txt places segctl policy apply -f policy.yaml -f broken.yaml
exits "a broken file is refused" 1 segctl policy apply -f policy.yaml -f broken.yaml
expect "and nothing of it was sent" "" cat "$work/agent/requests"
echo 422 >"$work/agent/POST/v1/policies.status"
cat >"$work/agent/POST/v1/policies" <<'END'
{"error": {"message": "the policies are refused"}, "diagnostics": [{"severity": "error",
 "code": "too-many", "file": "policy.yaml", "line": 7, "column": 3, "message": "as the agent sees it"}]}
END
golden apply-refused.txt segctl policy apply -f policy.yaml
golden apply-refused-many.txt segctl policy apply -f pods.yaml -f policy.yaml
exits "an agent that refuses" 1 segctl policy apply -f policy.yaml
expect "lint without files asks the agent" "2 documents, no errors, no warnings" segctl policy lint
expect "lint holds files against the agent's workloads" "unmatched-subject 1" sh -c \
	"'$BUILD/segctl' policy lint --agent -f policy.yaml -o json |
	jq -r '\"\\(.diagnostics[0].code) \\(.warnings)\"'"
exits "trace without files asks the agent: allowed" 0 segctl policy trace --from shop/api \
	--to shop/db --port TCP/psql
expect "trace of the agent's policies says where they were written" "deny.yaml 1" sh -c \
	"'$BUILD/segctl' policy trace --from shop/api --to 10.0.0.6 --port TCP/80 -o json |
	jq -r '.results[0].ingress | \"\\(.file) \\(.line)\"'"
golden get.txt segctl policy get
golden get.yaml segctl policy get -o yaml
expect "get by kind and name" deny-all sh -c \
	"'$BUILD/segctl' policy get netpol deny-all -o json | jq -r '.policies[].name'"
says "get what is not there" 1 "has no SegmentPolicy 'ghost'" segctl policy get segpol ghost
expect "delete by name" "segmentpolicy shop/db-from-api deleted" \
	segctl policy delete SegmentPolicy db-from-api -n shop
says "delete what is not there" 1 "no such thing" segctl policy delete netpol ghost
exits "delete a file's, of which one is not there" 1 segctl policy delete -f policy.yaml
check "the other one was deleted" grep -q "DELETE /v1/policies/SegmentPolicy/shop/db-from-api" \
	"$work/agent/requests"

echo "== offline"
stop_agent
golden lint-broken.txt places segctl policy lint -f broken.yaml
exits "errors" 1 segctl policy lint -f broken.yaml
expect "no errors" "7 documents, no errors, no warnings" segctl policy lint -f pods.yaml policy.yaml
expect "as JSON" "3 broken.yaml" sh -c \
	"'$BUILD/segctl' policy lint -f broken.yaml -o json |
	jq -r '\"\\(.errors) \\(.diagnostics[0].file)\"'"
exits "a file that is not there" 1 segctl policy lint -f ghost.yaml
golden lint-findings.txt segctl policy lint -f findings.yaml
exits "findings are warnings" 0 segctl policy lint -f findings.yaml
exits "findings count with --strict" 1 segctl policy lint -f findings.yaml --strict
exits "no findings with --strict" 0 segctl policy lint -f pods.yaml policy.yaml --strict
says "lint without files and without an agent" 3 "no agent" segctl policy lint
set -- -f pods.yaml -f policy.yaml
COLUMNS=80 golden matrix.txt segctl policy matrix "$@" --probe TCP/5432,TCP/http \
	--external 203.0.113.9,fd00::99
golden matrix.json segctl policy matrix "$@" --probe tcp/5432,TCP/http --external 203.0.113.9 -o json
LC_ALL=C golden matrix-ascii.txt segctl policy matrix "$@" --probe TCP/5432
# 4 pods, 3 of them in both families, one address outside in IPv4 only: every ordered pair in every
# family in common is there once, and outside never meets outside.
expect "every pair once" "25 0" sh -c "'$BUILD/segctl' policy matrix -f pods.yaml policy.yaml \
	--probe UDP/1 --external 203.0.113.9 -o json | jq -r '.probes[0].results |
	\"\\(length - (map(select(.from == \"203.0.113.9\" or .to == \"203.0.113.9\")) | length)) \\(
	length - (unique_by([.from, .to, .family]) | length))\"'"
cat >"$work/node.yaml" <<-'YAML'
	apiVersion: segctl.io/v1
	kind: SegmentPolicy
	metadata: {name: node-in}
	spec:
	  subject: entity:host
	  ingress: [{from: [{workloads: app=api, namespaces: "*"}], ports: [tcp/9100]}]
YAML
cells() { # FROM TO: the verdicts of TCP/9100 with the node's policy
	segctl policy matrix "${files[@]}" -f "$work/node.yaml" --probe TCP/9100 \
		--host=10.9.9.1,10.9.9.2 --external 203.0.113.9 -o json | jq -r --arg from "$1" \
		--arg to "$2" '[.probes[0].results[] | select(.from == $from and .to == $to) |
			"\(.egress)/\(.ingress)"] | join(" ")'
}
files=("$@")
expect "the node: outside is refused by its policy" allow/deny cells 203.0.113.9 host
expect "the node: whom it names gets in" allow/allow cells shop/api host
expect "the node: what it opens is not bound" allow/allow cells host 203.0.113.9
expect "the node is not judged with itself" "" cells host host
says "the node without its addresses" 2 "what addresses the node has" \
	segctl policy matrix "$@" --probe TCP/80 --host
says "an address of the node that is none" 2 "no IP address" \
	segctl policy matrix "$@" --probe TCP/80 --host=here
golden trace.txt segctl policy trace "$@" --from intruder --to shop/db --port TCP/5432
exits "trace: denied" 1 segctl policy trace "$@" --from intruder --to shop/db --port TCP/5432
exits "trace: allowed" 0 segctl policy trace "$@" --from shop/api --to 10.0.0.4 --port TCP/psql
exits "trace: no such named port" 1 segctl policy trace "$@" --from shop/api --to shop/db \
	--port TCP/http
exits "trace: by posture" 1 segctl policy trace "$@" --posture deny --from intruder --to shop/api \
	--port UDP/53
expect "trace as JSON names the nearest rule and what it lacks" \
	"db-from-api 0 policy.yaml 8 namespace labels" sh -c "'$BUILD/segctl' policy trace \
	-f pods.yaml policy.yaml --from intruder --to shop/db --port TCP/5432 -o json |
	jq -r '.results[0].ingress.nearest | \"\\(.name) \\(.index) \\(.file) \\(.line) \\(
	[.unmet[].condition] | join(\" \"))\"'"
expect "trace as JSON names the place" "policy.yaml 8" sh -c "'$BUILD/segctl' policy trace \
	-f pods.yaml policy.yaml --from shop/api --to shop/db --port TCP/5432 -o json |
	jq -r '.results[0].ingress | \"\\(.file) \\(.line)\"'"

echo "== expectations"
golden test.txt segctl policy test "$@" -f expectations.yaml
exits "all hold" 0 segctl policy test "$@" -f expectations.yaml
golden test-wide.txt segctl policy test "$@" -f expectations.yaml -o wide
golden test-wrong.txt segctl policy test "$@" -f expectations.yaml wrong.yaml
exits "some do not" 1 segctl policy test "$@" -f wrong.yaml
golden test.tap segctl policy test "$@" -f wrong.yaml -o tap
golden test.xml segctl policy test "$@" -f wrong.yaml -o junit
expect "as JSON" "0 6 wrong-rule 6" sh -c "'$BUILD/segctl' policy test -f pods.yaml policy.yaml \
	wrong.yaml -o json | jq -r '\"\\(.held) \\(.failed) \\(.tests[0].cases[0].outcome) \\(
	.tests[0].cases | map(select(.message)) | length)\"'"
exits "mistakes in expectations" 1 segctl policy test -f policy.yaml -f expectations.yaml
expect "are told with their place" "expectations.yaml:7:12: error: there is no workload \"shop/api\"" sh -c \
	"'$BUILD/segctl' policy test -f policy.yaml -f expectations.yaml 2>&1 | head -1 | cut -d[ -f1 |
	sed 's/ *$//'"
says "no expectations" 1 "no PolicyTest" segctl policy test "$@"

echo "== differences"
golden diff.txt segctl policy diff --base pods.yaml --base policy.yaml -f change.yaml
golden diff-wide.txt segctl policy diff --base pods.yaml --base policy.yaml -f change.yaml -o wide
golden diff.json segctl policy diff --base pods.yaml --base policy.yaml -f change.yaml -o json
golden diff-all.txt segctl policy diff --base pods.yaml -f policy.yaml
golden diff-replace.txt segctl policy diff --base pods.yaml --base policy.yaml --replace -f pods.yaml
exits "something would change" 1 segctl policy diff --base pods.yaml --base policy.yaml -f change.yaml
exits "nothing would" 0 segctl policy diff --base pods.yaml --base policy.yaml -f policy.yaml
exits "Pods may stand on either side" 1 segctl policy diff --base policy.yaml -f change.yaml pods.yaml
exits "mistakes are no difference" 2 segctl policy diff --base pods.yaml -f broken.yaml
says "no files" 2 "by -f which files" segctl policy diff --base pods.yaml
says "no agent" 3 "does not exist" segctl policy diff -f change.yaml
start_agent
golden diff-agent.txt segctl policy diff -f policy.yaml
exits "against the agent" 1 segctl policy diff -f policy.yaml
golden matrix-agent.txt segctl policy matrix --probe TCP/5432
golden matrix-agent-files.txt segctl policy matrix --agent -f change.yaml --probe TCP/5432
exits "expectations of the agent's workloads" 1 segctl policy test --agent -f wrong.yaml
stop_agent

echo "== widths, colours, times"
start_agent
for verb in workloads denied flows map "inspect workload shop/db" "inspect rule db-from-api" \
	"policy get" status; do
	# shellcheck disable=SC2086
	width=$(terminal "'$BUILD/segctl'" $verb | tr -d '\r' | sed 's/\x1b\[[0-9;]*m//g' | wc -L)
	if [ "$verb" = status ] || [ "$width" -le 80 ]; then
		pass "$verb fits 80 columns ($width)"
	else
		fail "$verb takes $width of 80 columns"
	fi
done
check "colours on a terminal" sh -c "script -qec '$BUILD/segctl denied' /dev/null </dev/null |
	grep -q '$(printf '\033')\[31m'"
for way in "NO_COLOR=1 '$BUILD/segctl' denied" "'$BUILD/segctl' denied --no-color" \
	"TERM=dumb '$BUILD/segctl' denied" "'$BUILD/segctl' --no-color denied | cat"; do
	expect "no colours: ${way//$BUILD\//}" 0 sh -c "script -qec \"$way\" /dev/null </dev/null |
		grep -c '$(printf '\033')'"
done
check "what a workload calls itself does not drive the terminal" sh -c \
	"'$BUILD/segctl' workloads | grep -q 'intruder?\[31m'"
TZ=EST5 expect "local time" 1 sh -c "'$BUILD/segctl' denied -o wide | grep -c '2021-03-01 04:00:01'"
TZ=EST5 expect "UTC on demand" 1 sh -c \
	"'$BUILD/segctl' denied -o wide --utc | grep -c '2021-03-01 09:00:01Z'"
for verb in "" status doctor workloads "inspect workload" "inspect dataplane" "policy apply" "policy trace" flows denied map top capture \
	alerts "alerts show" "alerts ack" "alerts mute" "alerts unmute" "alerts mutes" "alerts incidents" \
	"baseline show" "baseline forget" detect; do
	# shellcheck disable=SC2086
	check "help of segctl $verb" sh -c "'$BUILD/segctl' $verb --help | grep -q '^Usage: segctl'"
	expect "help of segctl $verb fits 80 columns" 1 sh -c \
		"[ \$('$BUILD/segctl' $verb --help | wc -L) -le 80 ] && echo 1"
done

# shellcheck source=tests/netns/cli_alerts.sh
. "$here/tests/netns/cli_alerts.sh"
# shellcheck source=tests/netns/cli_log.sh
. "$here/tests/netns/cli_log.sh"
# shellcheck source=tests/netns/cli_pcap.sh
. "$here/tests/netns/cli_pcap.sh"

echo "== live map"
screen() {
	tmux -S "$work/tmux" -f /dev/null "$@"
}
shows() {
	screen capture-pane -p -t live | grep -qF -- "$1"
}
lacks() {
	! shows "$1"
}
shows_first() {
	screen capture-pane -p -t live | sed -n 4p | grep -qF -- "$1"
}
screen new-session -d -s live -x 80 -y 24 "'$BUILD/segctl' map --live --utc; echo ended \$?; cat"
check "names both ends" await 5 shows "default/intruder"
check "denied first" await 5 shows_first "denied"
check "says why" await 5 shows "no rule of SegmentPolicy shop/db-from-api allows"
check "says who enforces what" await 5 shows "4 workloads  3 policies"
sed -i 's/"packets": \[42, 0\]/"packets": [4242, 0]/' "$work/agent/GET/v1/map"
check "redraws by itself" await 5 shows "4242"
screen send-keys -t live s
check "sorts" await 5 shows "by connections"
screen send-keys -t live / 8 0 8 0
check "filters" await 5 shows "1 edges"
check "shows nothing else" await 5 lacks "default/intruder"
screen send-keys -t live Escape
check "drops the filter" await 5 shows "default/intruder"
screen send-keys -t live Down Down
check "selects" await 5 shows "ingress[0]"
screen resize-window -t live -x 120 -y 12
check "uses more columns" await 5 shows "LAST"
screen resize-window -t live -x 40 -y 8
check "lives with few" await 5 lacks "LAST"
screen resize-window -t live -x 80 -y 24
stop_agent
check "keeps the picture without an agent, and says so" await 5 shows "no agent"
check "the picture" await 5 shows "default/intruder"
start_agent
check "recovers" await 5 shows "q quit"
screen send-keys -t live q
check "quits" await 5 shows "ended 0"

finish
