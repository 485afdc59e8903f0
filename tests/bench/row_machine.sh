#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# How fast the machine is just now, of which others have a share: row_machine.sh BUILD SAMPLES
# shellcheck source=tests/bench/lib.sh
. "$(dirname "$0")/lib.sh"
sample look-up-ns machine "$("$BUILD/tests/bench/look_up")"
