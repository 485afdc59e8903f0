#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# make pictures: what the README shows, from the demo as it runs here: the map as a page, and the live
# screen as a terminal shows it.
set -eu
build=$(realpath "${1:?usage: pictures.sh BUILD}")
here=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d /tmp/segd-pictures.XXXXXX)
trap 'rm -rf "$work"' EXIT

# picture NAME WIDTH HEIGHT: of the page NAME.html.
picture() {
	chromium --headless=new --no-sandbox --disable-gpu --hide-scrollbars --window-size="$2,$3" \
		--force-device-scale-factor="${scale-1}" --user-data-dir="$work/profile" \
		--screenshot="$here/cli/pictures/$1.png" "file://$work/$1.html" 2>"$work/chromium.log" || {
		cat "$work/chromium.log"
		exit 1
	}
	echo "cli/pictures/$1.png"
}

DEMO_PAGE=$work/map.html DEMO_MORE=$here/tests/browser/picture_screen.sh PICTURE_SCREEN=$work/screen \
	"$here/tests/netns/demo.sh" "$build" >"$work/demo.log" || {
	cat "$work/demo.log"
	exit 1
}
mkdir -p "$here/cli/pictures"
picture map 1100 560
"$here/tests/browser/screen_page.sh" "segctl map --live" <"$work/screen" >"$work/live.html"
scale=2 picture live 760 446
