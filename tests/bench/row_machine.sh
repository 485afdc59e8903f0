#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How fast the machine is between two rows: row_machine.sh BUILD SAMPLES
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
sample_machine
