# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# What end-to-end tests and the demo share: a node made of namespaces, an agent in it, probes, and a
# count of checks. Source it with BUILD set to the build directory.
#
# A node is a network namespace with a bridge; workloads are namespaces behind veths on that bridge.
# The agent runs inside the node's namespace, so nothing here touches the machine's own network.

set -u
# "| jq -e" must not take no answer for yes.
PATH=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)/bin:$PATH
tools=$BUILD/tests/netns/tools
passed=0
failed=0
skipped=0
agent_pid=
children=()

# --- checks -------------------------------------------------------------------------------------

pass() {
	passed=$((passed + 1))
	printf '  ok    %s\n' "$1"
}

fail() {
	failed=$((failed + 1))
	printf '  FAIL  %s\n' "$1"
	[ $# -lt 2 ] || printf '        %s\n' "${@:2}"
}

# check DESCRIPTION COMMAND...: the command must succeed.
check() {
	local output
	if output=$("${@:2}" 2>&1); then
		pass "$1"
	else
		fail "$1" "${*:2}" "$output"
	fi
}

# expect DESCRIPTION WANTED COMMAND...: the command must print exactly that.
expect() {
	local output awaited=$2
	output=$("${@:3}" 2>&1)
	if [ "$output" = "$2" ]; then
		pass "$1"
	else
		fail "$1" "expected: $2" "got:      $output" "from:     ${*:3}"
	fi
}

# patience MS: prints how many milliseconds to wait for an answer in a command of expect: MS where silence is
# expected, but longer where the answer is, on a busy machine, too. That is nearly the second after which SYN and
# ARP are sent again, so that the first packet counts; of a frame nobody sends another one.
patience() {
	case ${awaited-} in
	open) echo $(($1 > 900 ? $1 : 900)) ;;
	arrived) echo 5000 ;;
	*) echo "$1" ;;
	esac
}

# exits DESCRIPTION CODE COMMAND...: the command must exit with that code.
exits() {
	local output code
	output=$("${@:3}" 2>&1)
	code=$?
	if [ "$code" = "$2" ]; then
		pass "$1"
	else
		fail "$1" "exit code $code, expected $2" "$output"
	fi
}

finish() {
	echo "$passed passed, $failed failed, $skipped skipped"
	[ "$failed" = 0 ]
}

# await SECONDS COMMAND...: polls until the command succeeds. It should within SECONDS, and has thrice as long:
# on a machine with much else to do that is no failure yet. Every 20 ms at first, and every 100 ms after a
# second's 50 times, 25 times for each other second: who waits long leaves the cores to those who work.
await() {
	local tries=$(($1 * 150)) later=$(($1 * 150 - 50))
	shift
	until "$@" >/dev/null 2>&1; do
		if [ $tries -gt $later ]; then
			tries=$((tries - 1))
			sleep 0.02
		else
			tries=$((tries - 2))
			sleep 0.1
		fi
		[ $tries -gt 0 ] || return 1
	done
}

# --- the node -----------------------------------------------------------------------------------

# node_up NODE: a namespace with the bridge br0, 10.77.0.1/24 and fd77::1/64.
node_up() {
	node=$1
	work=$(mktemp -d "${TMPDIR:-/tmp}/segd-test.XXXXXX")
	ip netns add "$node" || return 1
	ip -n "$node" link set lo up
	ip netns exec "$node" sysctl -qw net.ipv6.conf.default.accept_dad=0 \
		net.ipv6.conf.all.forwarding=1 net.ipv4.ip_forward=1
	ip -n "$node" link add br0 type bridge
	ip -n "$node" addr add 10.77.0.1/24 dev br0
	ip -n "$node" addr add fd77::1/64 dev br0 nodad
	ip -n "$node" link set br0 up
	namespaces=("$node")
	: >"$work/workloads.yaml"
}

# workload_up NAMESPACE NUMBER NAME [LABELS]: 10.77.0.NUMBER and fd77::NUMBER behind veth veNUMBER,
# listed as NAME with LABELS ("app: web").
workload_up() {
	ip netns add "$1" || return 1
	namespaces+=("$1")
	ip netns exec "$1" sysctl -qw net.ipv6.conf.default.accept_dad=0
	ip -n "$node" link add "ve$2" type veth peer name eth0 netns "$1"
	ip -n "$1" link set lo up
	ip -n "$1" addr add "10.77.0.$2/24" dev eth0
	ip -n "$1" addr add "fd77::$2/64" dev eth0 nodad
	ip -n "$1" link set eth0 up
	ip -n "$1" route add default via 10.77.0.1
	ip -n "$1" route add default via fd77::1
	ip -n "$node" link set "ve$2" master br0 up
	[ -s "$work/workloads.yaml" ] || echo 'workloads:' >"$work/workloads.yaml"
	printf -- '- {name: %s, netns: %s, labels: {%s}}\n' "$3" "$1" "${4-}" >>"$work/workloads.yaml"
}

# in_ns NAMESPACE COMMAND...: the network of the namespace, everything else as it is here.
in_ns() {
	nsenter --net="/run/netns/$1" -- "${@:2}"
}

# spawn NAMESPACE COMMAND...: in the background, until node_down. Its pid is in spawned.
spawn() {
	nsenter --net="/run/netns/$1" -- "${@:2}" &
	spawned=$!
	children+=("$spawned")
}

# serve NAMESPACE PORT...: an echo server, ready when this returns.
serve() {
	local ready=$work/serve.$1
	spawn "$1" "$tools/echo" "${@:2}" >"$ready"
	await 5 grep -q ready "$ready"
}

# probe FROM-NAMESPACE tcp|udp ADDRESS PORT: prints open, refused or timeout.
probe() {
	in_ns "$1" "$tools/probe" "$2" "$3" "$4" "$(patience "${probe_ms:-400}")"
}

is_open() {
	[ "$(probe "$@")" = open ]
}

# opens FROM-NAMESPACE tcp|udp ADDRESS PORT: before long. Who asked for an address in vain, because
# it was cut off, asks again after a second, and fails meanwhile.
opens() {
	await 5 is_open "$@"
}

# shut FROM-NAMESPACE tcp|udp ADDRESS PORT: silence, or nobody who answers for the address.
shut() {
	! is_open "$@"
}

node_down() {
	local pid name
	agent_stop
	for pid in "${children[@]}"; do
		# The number of one that has ended may be a stranger's by now.
		! grep -qx "PPid:	$$" "/proc/$pid/status" 2>/dev/null || kill "$pid" 2>/dev/null
	done
	wait "${children[@]}" 2>/dev/null
	for name in "${namespaces[@]-}"; do
		[ -z "$name" ] || ip netns del "$name" 2>/dev/null
	done
	if [ -n "${work-}" ]; then
		umount "$work/bpf" 2>/dev/null
		rm -rf "$work"
	fi
}

# --- the agent ----------------------------------------------------------------------------------

agent_answers_or_ended() {
	segctl status || ! kill -0 "$agent_pid"
}

# agent_start OPTION...: returns when segctl gets answers, or with 1 when the agent has ended. Its log is
# in $work/segd.log.
agent_start() {
	nsenter --net="/run/netns/$node" -- "$BUILD/segd" --socket="$work/segd.sock" \
		--state-directory="$work/state" --log-directory="$work/log" \
		--pin-directory="$work/bpf" --node=test "$@" 2>>"$work/segd.log" &
	agent_pid=$!
	await 15 agent_answers_or_ended && segctl status >/dev/null && return
	cat "$work/segd.log" >&2
	return 1
}

agent_stop() {
	[ -n "$agent_pid" ] || return 0
	kill "$agent_pid" 2>/dev/null
	wait "$agent_pid" 2>/dev/null
	agent_pid=
}

agent_kill() {
	kill -KILL "$agent_pid"
	wait "$agent_pid" 2>/dev/null
	agent_pid=
}

segctl() {
	"$BUILD/segctl" --socket "$work/segd.sock" "$@"
}
