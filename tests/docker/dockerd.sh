#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# A Docker daemon of one's own, for tests: everything it has is below DIRECTORY.
#
#   dockerd.sh start DIRECTORY [NETNS]   prints the path of its socket; makes the image segd-test
#   dockerd.sh stop DIRECTORY            removes its containers, networks, rules and mounts
#   dockerd.sh kill DIRECTORY            as a crash: SIGKILL; containers go on (live restore)
#   dockerd.sh resume DIRECTORY          the daemon again, after a kill
#
# NETNS is a network namespace ("/run/netns/node") that plays the node: its bridges, veths and
# iptables rules are then in there and vanish with it. Without it they are in the caller's, and
# stop puts back what the daemon changed.
set -eu

fail() {
	echo "dockerd.sh: $*" >&2
	exit 1
}

usage() {
	sed -n 's/^#   //p' "$0" >&2
	exit 2
}

[ $# -ge 2 ] || usage
verb=$1
mkdir -p "$2"
directory=$(cd "$2" && pwd)
socket=$directory/docker.sock
pid_file=$directory/docker.pid
containerd_pid_file=$directory/exec/containerd/containerd.pid
log=$directory/dockerd.log

# Everything below talks to this daemon alone.
DOCKER_HOST=unix://$socket
export DOCKER_HOST
unset DOCKER_CONTEXT DOCKER_TLS_VERIFY

in_node() {
	if [ -s "$directory/netns" ]; then
		nsenter --net="$(cat "$directory/netns")" -- "$@"
	else
		"$@"
	fi
}

# A zombie whose parent is slow does not count.
is_alive() {
	[ -s "$1" ] && grep -q '^State:.[^ZX]' "/proc/$(cat "$1")/status" 2>/dev/null
}

is_running() {
	is_alive "$pid_file"
}

# await SECONDS COMMAND...: polls ten times a second.
await() {
	tries=$(($1 * 10))
	shift
	while ! "$@"; do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.1
	done
}

answers() {
	curl --silent --fail --max-time 2 --output /dev/null --unix-socket "$socket" http://docker/_ping
}

# containerd, the daemon's child, goes with it.
is_stopped() {
	! is_running && ! is_alive "$containerd_pid_file"
}

# What the daemon will change in the node, to put it back in the end.
remember() {
	for family in iptables ip6tables; do
		in_node $family -S >"$directory/$family.before" 2>/dev/null ||
			: >"$directory/$family.before"
	done
	for key in net.ipv4.ip_forward net.ipv6.conf.all.forwarding net.ipv6.conf.default.forwarding; do
		in_node sysctl "$key" 2>/dev/null || :
	done >"$directory/sysctl.before"
}

# forget FAMILY: removes the daemon's chains, unless another daemon had them before this one.
forget() {
	before=$directory/$1.before
	[ -e "$before" ] || return 0
	grep -q -e '-N DOCKER' "$before" && return 0
	for table in filter nat; do
		in_node "$1" -t $table -S 2>/dev/null | sed -n 's/^-A \(.*-j DOCKER.*\)/\1/p' |
			while read -r rule; do
				# shellcheck disable=SC2086 # a rule is many words
				eval in_node "$1" -t $table -D $rule
			done
		for action in -F -X; do
			in_node "$1" -t $table -S 2>/dev/null | sed -n 's/^-N \(DOCKER.*\)/\1/p' |
				while read -r chain; do
					in_node "$1" -t $table $action "$chain"
				done
		done
	done
	policy=$(sed -n 's/^-P FORWARD //p' "$before")
	[ -z "$policy" ] || in_node "$1" -P FORWARD "$policy"
}

launch() {
	is_running && fail "a daemon with $directory runs already, as pid $(cat "$pid_file")"
	rm -f "$pid_file" "$containerd_pid_file" "$socket"
	# exec: a redirected function would keep the caller's stdout open behind the daemon's back.
	(
		exec >>"$log" 2>&1 </dev/null
		in_node dockerd --data-root "$directory/data" --exec-root "$directory/exec" \
			--host "$DOCKER_HOST" --pidfile "$pid_file" --bridge none --live-restore
	) &
	await 30 answers || {
		tail -20 "$log" >&2
		fail "the daemon does not answer on $socket"
	}
}

make_image() {
	docker image inspect segd-test:latest >/dev/null 2>&1 && return
	tree=$(mktemp -d)
	mkdir -p "$tree/bin" "$tree/etc" "$tree/proc" "$tree/sys" "$tree/tmp" "$tree/www"
	cp "$(command -v busybox)" "$tree/bin/busybox"
	for applet in $("$tree/bin/busybox" --list); do
		[ "$applet" = busybox ] || ln -s busybox "$tree/bin/$applet"
	done
	tar -C "$tree" -c . |
		docker import --change 'CMD ["sleep", "86400"]' - segd-test:latest >/dev/null
	rm -rf "$tree"
}

start() {
	: >"$directory/netns"
	[ -z "${1-}" ] || echo "$1" >"$directory/netns"
	remember
	launch
	make_image
	echo "$socket"
}

remove_contents() {
	containers=$(docker ps --all --quiet)
	# shellcheck disable=SC2086 # ids are single words
	[ -z "$containers" ] || docker rm --force $containers >/dev/null
	docker network prune --force >/dev/null
}

stop() {
	if [ -d "$directory/data" ]; then
		is_running || launch
		remove_contents || echo "dockerd.sh: some containers or networks are left" >&2
		kill "$(cat "$pid_file")"
		await 20 is_stopped || fail "pid $(cat "$pid_file") does not end"
	fi
	if [ -e "$directory/sysctl.before" ]; then
		forget iptables
		forget ip6tables
		in_node sysctl --quiet --load "$directory/sysctl.before"
	fi
	awk -v directory="$directory/" 'index($2, directory) == 1 { print $2 }' /proc/mounts | sort -r |
		while read -r mount; do
			umount "$mount"
		done
	rm -rf "$directory"
}

case $verb in
start) start "${3-}" ;;
stop) stop ;;
kill)
	is_running || fail "no daemon runs with $directory"
	kill -KILL "$(cat "$pid_file")"
	await 5 is_stopped || fail "pid $(cat "$pid_file") does not end"
	;;
resume) launch ;;
*) usage ;;
esac
