#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What tmux captured of a terminal (capture-pane -e) as a page that looks like one: screen_page.sh TITLE
# <CAPTURED >PAGE. Knows the attributes that segctl uses: bold, dim, underlined, reverse, three colours.
set -eu
title=${1:?usage: screen_page.sh TITLE}
cat <<END
<!doctype html><meta charset="utf-8"><title>$title</title><style>
body { margin: 0; padding: 26px; background: #e9ecf0; display: inline-block }
figure { margin: 0; border-radius: 9px; overflow: hidden; background: #14181d; box-shadow: 0 8px 26px #0005 }
figcaption { background: #262c34; color: #aab4c0; font: 12px/30px system-ui, sans-serif; text-align: center; position: relative }
figcaption::before { content: ""; position: absolute; left: 14px; top: 9px; width: 12px; height: 12px; border-radius: 6px;
	background: #ff6159; box-shadow: 19px 0 #ffbe2f, 38px 0 #29c941 }
pre { margin: 0; padding: 12px 16px 14px; color: #d5dbe3; font: 14px/1.32 "DejaVu Sans Mono", monospace }
.b { font-weight: bold } .d { opacity: .62 } .u { text-decoration: underline; text-underline-offset: 3px }
.c31 { color: #ff6b68 } .c32 { color: #6fcf7c } .c33 { color: #f0b74a }
.r { background: #d5dbe3; color: #14181d } .r.c31 { background: #ff6b68 } .r.c32 { background: #6fcf7c }
</style><figure><figcaption>$title</figcaption><pre>
END
sed -e 's/&/\&amp;/g; s/</\&lt;/g' | awk '
	# A run of characters with the attributes that hold.
	function put(text) {
		if (text != "") printf "<span class=\"%s%s%s%s%s\">%s</span>", bold ? "b " : "", dim ? "d " : "",
			line ? "u " : "", turned ? "r " : "", color, text
	}
	function apply(code) {
		if (code == "" || code == 0) bold = dim = line = turned = color = ""
		else if (code == 1) bold = 1
		else if (code == 2) dim = 1
		else if (code == 4) line = 1
		else if (code == 7) turned = 1
		else if (code == 22) bold = dim = ""
		else if (code == 24) line = ""
		else if (code == 27) turned = ""
		else if (code == 39) color = ""
		else if (code >= 30 && code <= 37) color = "c" code
	}
	{
		rest = $0
		while (match(rest, /\033\[[0-9;]*m/)) {
			put(substr(rest, 1, RSTART - 1))
			count = split(substr(rest, RSTART + 2, RLENGTH - 3), codes, ";")
			if (!count) apply("")
			for (i = 1; i <= count; i++) apply(codes[i])
			rest = substr(rest, RSTART + RLENGTH)
		}
		put(rest)
		print ""
	}'
echo '</pre></figure>'
