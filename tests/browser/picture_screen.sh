# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Read by the demo (DEMO_MORE): the live screen over its workloads under some traffic, as a terminal
# shows it, colours included, into the file PICTURE_SCREEN.

# Bounded, and over before the demo is.
traffic() { # FROM ADDRESS PORT TIMES
	local i
	for ((i = 0; i < $4; i++)); do
		in_ns "$1" "$tools/probe" tcp "$2" "$3" 60
	done >/dev/null 2>&1
}
traffic web 10.77.0.12 8080 400 &
traffic web fd77::12 8080 250 &
traffic api 10.77.0.13 5432 300 &
traffic intruder 10.77.0.13 5432 40 &
traffic intruder 10.77.0.12 8080 25 &
spawn web "$tools/pulse" 10.77.0.12 8080 10 >/dev/null
terminal() {
	tmux -S "$work/tmux" -f /dev/null "$@"
}
LC_ALL=C.UTF-8 terminal -2 new-session -d -s live -x 80 -y 17 \
	"exec env TERM=tmux-256color '$BUILD/segctl' --socket '$work/segd.sock' map --live"
await 10 sh -c "tmux -S '$work/tmux' capture-pane -p -t live | grep -q intruder"
terminal send-keys -t live s s s Down
# Two answers, so that there are rates.
await 10 sh -c "tmux -S '$work/tmux' capture-pane -p -t live | grep -Eq 'api +tcp/8080 +allowed .* [0-9]{2,}$'"
terminal capture-pane -e -N -p -t live >"$PICTURE_SCREEN"
terminal kill-server
