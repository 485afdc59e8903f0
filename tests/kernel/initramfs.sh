#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# A small Debian for the emulated machine: initramfs.sh BUILD IMAGE OUTPUT
#
# It has the programs of this machine's packages with the libraries that they link to, the kernel's
# networking modules with modprobe, so that modules load by themselves as they do on a real node, and
# below /segd this build and the tests, as in the source tree.
set -eu -o pipefail
build=$(realpath "${1:?usage: initramfs.sh BUILD IMAGE OUTPUT}")
image=$(realpath "$2")
output=$(realpath "$3")
here=$(cd "$(dirname "$0")/../.." && pwd)
release=$(basename "$image"/lib/modules/*)
root=$(mktemp -d "$build/kernel/root.XXXXXX")
trap 'rm -rf "$root"' EXIT

packages=(bash conntrack coreutils curl dash diffutils findutils grep iproute2 iputils-ping jq kmod mawk mount
	netcat-openbsd nftables procps sed util-linux)
modules=(lib crypto net drivers/net/veth.ko drivers/net/macvlan.ko)

directories() {
	local name
	mkdir -p "$root"/{dev,etc,proc,run,sys,tmp,root,usr/bin,usr/sbin,usr/lib,usr/lib64,var/log}
	for name in bin sbin lib lib64; do
		ln -s usr/$name "$root/$name"
	done
	ln -s ../run "$root/var/run"
	grep -E '^(root|nobody):' /etc/passwd >"$root/etc/passwd"
	grep -E '^(root|nogroup):' /etc/group >"$root/etc/group"
}

# with_libraries PROGRAM...: the libraries, to where they are here. Scripts have none: ldd complains.
with_libraries() {
	{ ldd "$@" 2>/dev/null || true; } | grep -o '/[^ :]*\.so[^ :]*' | sed 's|^/lib|/usr/lib|' | sort -u |
		xargs cp -L --parents -t "$root"
}

programs() {
	local list programs
	list=$(dpkg-query -L "${packages[@]}" | grep -E '^(/usr)?/s?bin/[^/]+$')
	mapfile -t programs <<<"$list"
	cp -a --parents -t "$root" "${programs[@]}"
	with_libraries "${programs[@]}"
	ln -sf mawk "$root/usr/bin/awk"
}

kernel_modules() {
	local source=$image/lib/modules/$release target=$root/lib/modules/$release
	mkdir -p "$target"
	cp -t "$target" "$source"/modules.{order,builtin,builtin.modinfo}
	(cd "$source" && cp -r --parents -t "$target" "${modules[@]/#/kernel/}")
	depmod -b "$root" "$release"
}

tree() {
	mkdir -p "$root/segd/build/tests/netns"
	cp -t "$root/segd/build" "$build/segd" "$build/segctl"
	cp -r -t "$root/segd/build/tests/netns" "$build/tests/netns/tools"
	(cd "$here" && cp -r --parents -t "$root/segd" tests/lib.sh tests/netns tests/kernel \
		policies/examples)
	with_libraries "$build/segd" "$build/segctl"
	ln -s segd/tests/kernel/init "$root/init"
}

directories
programs
kernel_modules
tree
(cd "$root" && find . -print0 | cpio --null --create --format=newc --quiet) >"$output"
