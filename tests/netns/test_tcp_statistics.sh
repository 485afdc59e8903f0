#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Round-trip times and retransmissions of flows: test_tcp_statistics.sh BUILD ebpf|nft
BUILD=${1:?usage: test_tcp_statistics.sh BUILD PLANE}
plane=${2:?usage: test_tcp_statistics.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=sgt$$
node_up "$id"
workload_up "$id-api" 12 api "app: api"
workload_up "$id-db" 13 db "app: db"
serve "$id-db" tcp/5432 tcp/5433
serve "$id" tcp/9000 # no workload's
options=(--dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" --adoption=0)

# measured PORT FILTER: the filter over the connection to it that began last, as the kernel has it.
measured() {
	segctl inspect dataplane connections -o json --port "$1" | jq -c "[.. | objects |
		select(.destination.port? == $1)] | max_by(.start) | $2"
}
# logged PORT FILTER: over the last record of one.
logged() {
	segctl flows >/dev/null # what was counted is reported
	jq -s -e "map(select(.destination.port == $1)) | last | $2" "$work/log/flows.log" >/dev/null
}
holds() { # PORT FILTER
	[ "$(measured "$@")" = true ]
}

if [ "$plane" = nft ]; then
	agent_start "${options[@]}" --remove-on-exit || exit 1
	expect "api -> db" open probe "$id-api" tcp 10.77.0.13 5432
	check "it is known" await 5 logged 5432 '.verdict == "allowed"'
	check "nothing is claimed that nobody measured" logged 5432 '
		(has("round_trip_us") or has("retransmissions")) | not'
	finish
	exit
fi

agent_start "${options[@]}" || exit 1
statistics() {
	segctl status -o json | jq -c .plane.tcp_statistics
}
expect "sockets are asked" '{"enabled":true,"error":null}' statistics

for address in 10.77.0.13 fd77::13; do
	echo "== a connection to $address"
	port=$([ "$address" = fd77::13 ] && echo 5433 || echo 5432)
	expect "api -> db" open probe "$id-api" tcp "$address" "$port"
	# A second is far more than two namespaces take.
	check "both ends have a time" await 5 holds "$port" \
		'.round_trip_us | length == 2 and all(. > 0 and . < 1000000)'
	expect "and sent nothing again" '[0,0]' measured "$port" .retransmissions
done
expect "api -> the node" open probe "$id-api" tcp 10.77.0.1 9000
check "whose sockets are known, too" await 5 holds 9000 '.round_trip_us | all(. > 0)'

echo "== segments that get lost"
lose() { # db hears nothing of what comes to port 5433
	in_ns "$id-db" nft -f - <<'END'
table inet lossy {
	chain input {
		type filter hook input priority 0
		tcp dport 5433 drop
	}
}
END
}
lose
# It outlives a loss that is long in being seen.
spawn "$id-api" "$tools/pulse" 10.77.0.13 5433 20 20000 >"$work/pulse"
pulse=$spawned
check "the client sends its SYN again" await 5 holds 5433 '.retransmissions[0] > 0'
in_ns "$id-db" nft delete table inet lossy
await 5 grep -q connected "$work/pulse"
check "the server has sent nothing again" await 5 holds 5433 \
	'.retransmissions[0] > 0 and .retransmissions[1] == 0 and .round_trip_us[1] > 0'
lose
check "what nobody acknowledges it does" await 5 holds 5433 '.retransmissions[1] > 0'
in_ns "$id-db" nft delete table inet lossy
shown() { # PATTERN OPTION...
	segctl flows "${@:2}" | grep -Eq "$1"
}
check "the record has it" await 12 logged 5433 '.event == "update" and .retransmissions[1] > 0'
check "segctl shows it" shown 'tcp/5433 .* [0-9.]+ ms +[1-9][0-9]* ' -o wide --port 5433
check "and writes it for others" shown ',[1-9][0-9]*,[1-9][0-9]*,[1-9][0-9]*' -o csv --port 5433

echo "== another agent goes on"
agent_kill
agent_start "${options[@]}" || exit 1
check "what was counted stands" await 5 holds 5433 '.retransmissions[1] > 0'
kill -KILL "$pulse"

echo "== what is refused has no figures"
segctl policy apply -f - >/dev/null <<'END'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: db}
spec: {subject: app=db, ingress: []}
END
expect "api -> db" timeout probe "$id-api" tcp 10.77.0.13 5432
check "it is told" await 5 logged 5432 '.verdict == "denied"'
check "without them" logged 5432 '(has("round_trip_us") or has("retransmissions")) | not'

echo "== an agent that shall not ask"
agent_stop
agent_start "${options[@]}" --no-tcp-statistics --remove-on-exit || exit 1
expect "no socket is asked" '{"enabled":false,"error":null}' statistics
expect "api -> the node" open probe "$id-api" tcp fd77::1 9000
check "it is known" await 5 logged 9000 '.source.ip == "fd77::12"'
check "and nothing of its sockets" logged 9000 'has("round_trip_us") | not'
if command -v python3 >/dev/null; then
	check "all records are as the schema says" "$here/tests/validate_records.py" "$work/log/flows.log"
else
	echo "  skip  the schema: this machine has no Python"
	skipped=$((skipped + 1))
fi
finish
