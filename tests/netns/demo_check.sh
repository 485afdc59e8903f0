#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The demo tells the truth, notices when it does not, and leaves nothing behind: demo_check.sh BUILD
BUILD=$(realpath "${1:?usage: demo_check.sh BUILD}")
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
trap 'rm -f "$output" "$before"' EXIT
output=$(mktemp)
before=$(mktemp)

state() { # what a demo could leave behind
	ls /run/netns 2>/dev/null
	awk '/segd/ { print $2 }' /proc/mounts
	ls -d /tmp/segd-test.* 2>/dev/null
}

state >"$before"
check "make demo" sh -c "'$here/tests/netns/demo.sh' '$BUILD' >'$output' 2>&1"
for line in 'web *-> api *tcp/8080 *passed' 'api *-> db *tcp/5432 *passed' \
	'intruder *-> db *tcp/5432 *refused' 'Everything happened as said'; do
	check "it shows: $line" grep -q "$line" "$output"
done
[ "$failed" = 0 ] || cat "$output"
check "nothing is left behind" sh -c "$(declare -f state); state | diff '$before' -"

# A demo that is interrupted cleans up, too.
"$here/tests/netns/demo.sh" "$BUILD" >/dev/null 2>&1 &
pid=$!
await 10 test -e /run/netns/intruder
kill -TERM $pid
wait $pid
check "interrupted, it exits non-zero" test $? != 0
check "and leaves nothing behind" sh -c "$(declare -f state); state | diff '$before' -"
finish
