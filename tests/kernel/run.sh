#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make test-kernel: boots Debian 12's own kernel and runs the agent on it, on both data planes.
#
#   run.sh BUILD [SUITE...]
#
# A suite is "kernel" or "programs", what is different on that kernel, or NAME:PLANE for
# tests/netns/test_NAME.sh.
# The machine is emulated in software, so this works wherever qemu does, and has no network card. What
# it boots is an initramfs with this build and the tests in it; what they print comes over its serial
# line. The machine's own kernel, its modules and its packages stay as they are.
set -u
build=$(realpath "${1:?usage: run.sh BUILD}")
here=$(cd "$(dirname "$0")/../.." && pwd)
suites=("${@:2}")
[ ${#suites[@]} -gt 0 ] || suites=(kernel programs policy:ebpf policy:nft
	reject:ebpf tcp_statistics:ebpf crash:ebpf crash:nft lock:ebpf)
limit_s=1800
work=$build/kernel
console=$build/test-logs/kernel.log
mkdir -p "$work" "${console%/*}"

"$here/tests/kernel/fetch.sh" "$work" || exit 1
kernel=$(echo "$work"/image/boot/vmlinuz-*)
"$here/tests/kernel/initramfs.sh" "$build" "$work/image" "$work/initramfs" || exit 1

echo "booting ${kernel##*/vmlinuz-} in an emulated machine, for $limit_s s at most"
timeout --foreground "$limit_s" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -smp 2 -m 1536 \
	-nodefaults -no-user-config -display none -no-reboot -serial stdio \
	-kernel "$kernel" -initrd "$work/initramfs" \
	-append "console=ttyS0 quiet no_timer_check oops=panic panic=-1 -- ${suites[*]}" </dev/null | sed -u 's|\r$||' | tee "$console"
code=${PIPESTATUS[0]}

# A machine that died in the middle has printed no sum.
sum=$(sed -n 's/^== sum //p' "$console")
if [ -z "$sum" ]; then
	echo "the machine did not come to the end of its tests (qemu: exit code $code); see $console"
	echo "0 passed, 1 failed, 0 skipped"
	exit 1
fi
echo "$sum"
[[ $sum == *" 0 failed, "* ]]
