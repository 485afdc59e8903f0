#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Prepared misconfigurations: trace must name the true cause (NAME.expected), and with that one
# mistake corrected (the sed script behind "# fix:") the same connection must pass, which shows that it
# was the cause. UPDATE=1 writes the expectations anew: read the diff.
BUILD=$(realpath "${1:?usage: run.sh BUILD}")
here=$(cd "$(dirname "$0")/../../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
export LC_ALL=C.UTF-8
cd "$here/tests/golden/trace" || exit 1

# setting FILE KEY: what stands behind "# KEY:".
setting() {
	sed -n "s/^# $2: //p" "$1"
}

for file in *.yaml; do
	name=${file%.yaml}
	read -ra connection < <(setting "$file" trace)
	output=$("$BUILD/segctl" policy trace -f "$file" "${connection[@]}" 2>/dev/null)
	[ -z "${UPDATE-}" ] || printf '%s\n' "$output" >"$name.expected"
	expect "$name: the cause" "$(cat "$name.expected")" printf '%s\n' "$output"
	exits "$name: refused" 1 "$BUILD/segctl" policy trace -f "$file" "${connection[@]}"
	check "$name: corrected, it passes" "$BUILD/segctl" policy trace "${connection[@]}" \
		-f <(sed -e '/^# fix: /d' -e "$(setting "$file" fix)" "$file")
done
finish
