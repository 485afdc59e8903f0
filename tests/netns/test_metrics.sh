#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# /metrics: what Prometheus reads, what the dashboard asks for, over TCP only where that is wanted:
# test_metrics.sh BUILD ebpf|nft
BUILD=${1:?usage: test_metrics.sh BUILD PLANE}
plane=${2:?usage: test_metrics.sh BUILD PLANE}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap node_down EXIT
trap 'exit 130' INT TERM

id=sgm$$
node_up "$id"
workload_up "$id-web" 11 web "app: web"
workload_up "$id-api" 12 api "app: api"
serve "$id-api" tcp/8080 tcp/9000
options=(--dataplane="$plane" --no-docker --workloads="$work/workloads.yaml" --remove-on-exit --adoption=0)
agent_start "${options[@]}" || exit 1

metrics() {
	curl -sf --unix-socket "$work/segd.sock" http://segd/metrics
}
value() { # SERIES
	metrics | awk -v series="$1" 'index($0, series " ") == 1 { print substr($0, length(series) + 2) }'
}
values() { # PATTERN
	metrics | grep -cE "$1"
}

echo "== traffic"
expect "web -> api tcp/9000 passes without a policy" open probe "$id-web" tcp 10.77.0.12 9000
check "apply" segctl policy apply -f - <<'YAML'
apiVersion: segctl.io/v1
kind: SegmentPolicy
metadata: {name: api}
spec:
  subject: app=api
  ingress: [{from: [{workloads: app=web}], ports: [tcp/8080]}]
YAML
expect "web -> api tcp/8080" open probe "$id-web" tcp 10.77.0.12 8080
expect "web -> api tcp/9000" timeout probe "$id-web" tcp 10.77.0.12 9000

echo "== the page"
[ -n "$(command -v promtool)" ] || echo "        (promtool is not installed: the test's own checks are all)"
page() {
	metrics | "$here/tests/check_metrics.py" "$@"
}
check "is well formed and well named" page
check "has all that the dashboard asks for" page --dashboard "$here/enforcer/control/grafana.json"
refused() {
	[ "$(value 'segd_packets_total{reason="policy_denied"}')" -gt 0 ]
}
check "counts refusals by reason" refused
recorded() {
	[ "$(value 'segd_flow_records_total{event="new",verdict="allowed"}')" -ge 2 ] &&
		[ "$(value 'segd_flow_records_total{event="denied",verdict="denied"}')" -ge 1 ]
}
check "counts records by event and verdict" await 5 recorded
hit() {
	metrics | grep '^segd_rule_hits_total{kind="SegmentPolicy",namespace="default",name="api",' |
		grep -q ' 1$'
}
check "counts the rule's hits" await 5 hit
applied() {
	[ "$(value segd_reconcile_duration_seconds_count)" -ge 2 ]
}
check "has reconciles as a histogram" applied
expect "of which none failed" 0 value segd_reconcile_failures_total
expect "knows its data plane" 1 value "segd_build_info{version=\"$("$BUILD/segd" --version | cut -d ' ' -f 2)\",dataplane=\"$plane\"}"
check "and its memory" test "$(value process_resident_memory_bytes)" -gt 1000000
expect "no workload has series of its own" 0 values '^segd_endpoint_'

echo "== rules without number"
{
	echo 'apiVersion: segctl.io/v1'
	echo 'kind: SegmentPolicy'
	echo 'metadata: {name: many}'
	echo 'spec:'
	echo '  subject: app=api'
	echo '  ingress:'
	for ((port = 10000; port < 11200; port++)); do
		echo "  - {from: [{workloads: app=web}], ports: [tcp/$port]}"
	done
} >"$work/many.yaml"
check "a policy of 1200" segctl policy apply -f "$work/many.yaml"
expect "has a thousand series and one" 1001 values '^segd_rule_hits_total'
rules_are_many() {
	[ "$(value segd_rules)" -ge 1200 ]
}
check "and is counted" rules_are_many
check "the page is well formed" page

echo "== over TCP"
tcp() { # ADDRESS METHOD PATH: the status
	in_ns "$id" curl -s -o "$work/body" -w '%{http_code}' -X "$2" "http://$1$3"
}
exits "nobody listens unless asked to" 7 in_ns "$id" curl -s http://127.0.0.1:9464/metrics
agent_stop
agent_start "${options[@]}" --metrics-listen=127.0.0.1:9464 --endpoint-metrics || exit 1
expect "web -> api tcp/8080" open probe "$id-web" tcp 10.77.0.12 8080
expect "/metrics is there" 200 tcp 127.0.0.1:9464 GET /metrics
check "and whole" sh -c "'$here/tests/check_metrics.py' segd_workloads process_cpu_seconds_total <'$work/body'"
expect "nothing else is: status" 404 tcp 127.0.0.1:9464 GET /v1/status
expect "nor any change" 404 tcp 127.0.0.1:9464 POST /v1/policies
exits "nor at another address" 7 in_ns "$id" curl -s http://10.77.0.1:9464/metrics
seen() { # the page has what was read of connections; asking for the map reads them
	segctl map >/dev/null
	[ "$(value 'segd_endpoint_connections{namespace="default",workload="api",direction="ingress"}')" != "" ] &&
		[ "$(value 'segd_endpoint_packets{namespace="default",workload="api",direction="ingress",verdict="allowed"}')" -gt 0 ]
}
check "each workload has series where that is wanted" await 5 seen
expect "none is left out" 0 value segd_endpoints_left_out
check "the page is well formed" page
agent_stop
agent_start "${options[@]}" --metrics-listen='[::1]:9464' || exit 1
expect "over IPv6" 200 tcp '[::1]:9464' GET /metrics
agent_stop
wrong() {
	in_ns "$id" "$BUILD/segd" "${options[@]}" --socket="$work/other.sock" --state-directory="$work/other" \
		--log-directory="$work/other" --pin-directory="$work/bpf" --metrics-listen="$1" 2>&1 | tail -1
}
expect "an address that is none" \
	"segd: error: serve segctl: --metrics-listen: 'localhost' is no address and port, such as 127.0.0.1:9464 or [::1]:9464" \
	wrong localhost

finish
