#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# test_attacks.sh BUILD ebpf|nft: those attacks of the suite that need no tools of attackers, on a shop of
# echo servers: scans of one and of four workloads, going from machine to machine, the cloud's
# metadata. All of the suite: make detect-bench.
BUILD=${1:?usage: test_attacks.sh BUILD ebpf|nft}
SHOP=small PATIENCE=${PATIENCE:-45} exec "$(dirname "$0")/../detect/attack.sh" "$BUILD" "${2:?ebpf or nft}" open new \
	nc-loop four-sources fan-out control metadata
