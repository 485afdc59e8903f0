#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make install puts everything in place below DESTDIR: install.sh BUILD
BUILD=$(realpath "${1:?usage: install.sh BUILD}")
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT

check "make install" make -s -C "$here" BUILD="$BUILD" DESTDIR="$root" install
for file in sbin/segd bin/segctl share/man/man8/segd.8 share/man/man1/segctl.1 \
	share/man/man5/segd-policy.5 share/bash-completion/completions/segctl \
	share/doc/segd/examples/three-tier.yaml share/segd/record.schema.json \
	share/segd/grafana.json; do
	check "$file" test -s "$root/usr/local/$file"
done
check "the service starts the installed agent" \
	grep -q '^ExecStart=/usr/local/sbin/segd$' "$root/lib/systemd/system/segd.service"
check "segd runs from there" "$root/usr/local/sbin/segd" --version
check "segctl runs from there" "$root/usr/local/bin/segctl" --version
check "man page matches segd --help" sh -c "
	'$root/usr/local/sbin/segd' --help | grep -o -- '--[a-z-]*' | sort -u | while read -r option; do
		grep -q -- \"Fl -\${option#--}\" '$here/enforcer/segd.8' || { echo \"\$option is not in segd.8\"; exit 1; }
	done"
check "completions load" bash -n "$root/usr/local/share/bash-completion/completions/segctl"
finish
