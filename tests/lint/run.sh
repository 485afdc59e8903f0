#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make lint: everything that a machine can hold. Each check prints what it found; the closing line
# counts checks.
set -u
build=${1:?usage: run.sh BUILD}
cd "$(dirname "$0")/../.." || exit 1
passed=0
failed=0

# check NAME COMMAND...: succeeds and prints nothing.
check() {
	local output
	output=$("${@:2}" 2>&1)
	if [ $? = 0 ] && [ -z "$output" ]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1))
		printf '%s:\n%s\n' "$1" "$output" | head -60
	fi
}

sources() {
	git ls-files -co --exclude-standard -- "${@:-*.[ch]}" | grep -v '^tests/bench/.*\.bpf\.c$' | sort
}

formatted() {
	git ls-files -co --exclude-standard -- '*.[ch]' |
		xargs -P "$(nproc)" -n 100 clang-format --dry-run --Werror
}

licensed() {
	git ls-files -co --exclude-standard -- '*.[ch]' '*.sh' '*.yaml' '*.service' Makefile |
		grep -v -e '^policies/invalid/' -e '/data/' -e '^tests/fuzz/corpus' -e '^tests/golden/' |
		xargs grep -L 'SPDX-License-Identifier: GPL-2.0-or-later'
}

# base <- policies <- dataplane, workload, flow, control <- agent; flow <- observe, detect; cli <- policies, base.
# detect is a library without kernel, sockets and clock, which segctl runs over recorded flows.
include_direction() {
	local room allowed
	while read -r room allowed; do
		grep -nE '^#include "' "$room"/*.[ch] /dev/null |
			grep -vE "#include \"(${allowed})[^\"]*\"" |
			sed "s|\$| (not allowed in $room)|"
	done <<-'END'
		enforcer/base base/
		policies base/|policies/
		xdp xdp/
		enforcer/workload base/|policies/|workload/|dataplane/attachment.h
		enforcer/flow base/|policies/|flow/|xdp/reasons.h
		enforcer/observe base/|policies/|flow/|observe/
		enforcer/detect base/|policies/|flow/|xdp/reasons.h|detect/
		enforcer/control base/|control/
		enforcer/dataplane/bpf base/|policies/|flow/event.h|xdp/|dataplane/dataplane.h|dataplane/dump.h|dataplane/attachment.h|dataplane/rest.h|dataplane/bpf/
		enforcer/dataplane/nft base/|policies/|flow/event.h|xdp/reasons.h|xdp/packet_kind.h|xdp/client_port.h|xdp/connection_times.h|dataplane/dataplane.h|dataplane/dump.h|dataplane/attachment.h|dataplane/rest.h|dataplane/nft/
		enforcer/dataplane/host base/|policies/|flow/event.h|xdp/reasons.h|dataplane/dataplane.h|dataplane/dump.h|dataplane/attachment.h|dataplane/nft/|dataplane/host/
		enforcer/doctor base/|workload/|dataplane/bpf/probe.h|dataplane/nft/|doctor/
		enforcer/capture base/|policies/|flow/|observe/|xdp/reasons.h|xdp/packet_kind.h|xdp/parse.bpf.h|xdp/client_port.h|xdp/connection_times.h|capture/
		enforcer/dataplane/xdp base/|policies/|flow/event.h|xdp/|dataplane/dataplane.h|dataplane/dump.h|dataplane/bpf/|dataplane/xdp/
	END
	grep -nE '^#include "(control|dataplane|flow|workload|xdp)/' cli/*.[ch] |
		grep -vE '"(xdp/reasons|flow/(flow_filter|log_reader|protocol|timestamp))\.h"' |
		sed 's/$/ (the command line must not know the agent)/'
	# What captures are, files and live ones, is neither's alone; who takes them is the agent.
	grep -nE '^#include "capture/(capture|tap)' cli/*.[ch] |
		sed 's/$/ (the command line must not know the agent)/'
}

too_long() {
	git ls-files -co --exclude-standard -- '*.c' | xargs wc -l |
		awk '$1 > 500 && $2 != "total" { print $2 ": " $1 " lines, at most 500" }'
}

# Functions of more than 60 lines: under 5 % of all.
long_functions() {
	sources '*.c' | xargs awk '
		FNR == 1 { open = 0 }
		/^\{/ { open = FNR; all++ }
		/^\}/ && open { if (FNR - open > 60) { long++; names = names FILENAME ":" open "\n" } open = 0 }
		END { if (all && long * 20 > all) printf "%d of %d functions over 60 lines:\n%s", long, all, names }'
}

tidy() {
	# shellcheck disable=SC2016,SC2086 # flags are many words, for the inner shell
	sources 'enforcer/*.c' 'policies/*.c' 'cli/*.c' | flags=$cppflags xargs -P "$(nproc)" -n 4 \
		sh -c 'clang-tidy --quiet "$@" -- $flags -std=gnu11 2>/dev/null' tidy |
		grep -E 'warning:|error:'
	return 0
}

# cppcheck knows neither cleanup attributes (leaks are the sanitizers' business) nor uthash's loops. BPF
# counts on void pointers, and user space has its parser from there.
analyse() {
	cppcheck --quiet --enable=warning,performance,portability --inline-suppr --std=c11 \
		--suppress=missingIncludeSystem --suppress=uninitvar --suppress=memleak \
		--suppress=resourceLeak --suppress='arithOperationsOnVoidPointer:xdp/*' -j "$(nproc)" --error-exitcode=1 -I. -Ienforcer -Icli \
		--library=tests/lint/cppcheck.cfg \
		--template='{file}:{line}: {id}: {message}' enforcer policies cli
}

shell() {
	git ls-files -co --exclude-standard -- '*.sh' .ci/run | xargs -n 1 bash -n
}

man_pages() {
	mandoc -T lint -W warning enforcer/segd.8 cli/segctl.1 policies/segd-policy.5
}

cppflags="-I. -Ienforcer -Icli -I$build -D_GNU_SOURCE -DSEGD_VERSION=\"lint\" $(pkg-config --cflags jansson libsystemd libmicrohttpd libnftnl libmnl 2>/dev/null)"
check "clang-format (make format)" formatted
check "licence line" licensed
check "include direction" include_direction
check "file size" too_long
check "function size" long_functions
check "clang-tidy" tidy
check "cppcheck" analyse
check "shell syntax" shell
check "man pages" man_pages
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
