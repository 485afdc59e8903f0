#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make pictures: what the README shows, from the demo as it runs here.
set -eu
build=${1:?usage: pictures.sh BUILD}
here=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d /tmp/segd-pictures.XXXXXX)
trap 'rm -rf "$work"' EXIT

DEMO_PAGE=$work/map.html "$here/tests/netns/demo.sh" "$build" >"$work/demo.log" || {
	cat "$work/demo.log"
	exit 1
}
mkdir -p "$here/cli/pictures"
chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --window-size=1100,560 \
	--user-data-dir="$work/profile" --screenshot="$here/cli/pictures/map.png" "file://$work/map.html" \
	2>"$work/chromium.log" || {
	cat "$work/chromium.log"
	exit 1
}
echo "cli/pictures/map.png"
