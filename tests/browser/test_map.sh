#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The map as a page, in a real browser from a file: the demo's edges are there, a click tells about
# one, the search narrows, and names that try to be markup stay text. Chromium is driven by WebDriver
# (W3C), so this needs chromium-driver; without it everything here is skipped.
BUILD=${1:?usage: test_map.sh BUILD}
here=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=tests/lib.sh
. "$here/tests/lib.sh"

work=$(mktemp -d /tmp/segd-browser.XXXXXX)
port=$((20000 + $$ % 20000))
driver=
session=

tidy() {
	[ -z "$session" ] || webdriver DELETE "" >/dev/null
	[ -z "$driver" ] || kill "$driver" 2>/dev/null
	rm -rf "$work"
}

if ! command -v chromedriver >/dev/null; then
	echo "skip: no chromium-driver (make test-browser installs it)"
	echo "0 passed, 0 failed, 1 skipped"
	exit 0
fi
trap tidy EXIT

# webdriver METHOD PATH [JSON]: of this session; prints the answer's value.
webdriver() {
	curl -sS -X "$1" "http://127.0.0.1:$port/session/$session$2" -H 'Content-Type: application/json' \
		${3+-d "$3"} | jq -r '.value'
}

# What jq 1.6 makes of no answer at all passes for one with -e.
driver_is_ready() {
	[ "$(curl -s "http://127.0.0.1:$port/status" | jq .value.ready)" = true ]
}

start_browser() {
	chromedriver --port=$port >"$work/driver.log" 2>&1 &
	driver=$!
	await 30 driver_is_ready || return 1
	session=$(curl -sS "http://127.0.0.1:$port/session" -d '{"capabilities": {"alwaysMatch": {
		"goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": {"args": ["--headless=new",
		"--no-sandbox", "--disable-gpu", "--window-size=1280,720", "--user-data-dir='"$work"'/profile"]}}}}' |
		jq -r .value.sessionId)
	[ "$session" != null ] || session=
}

# Runs a script in the page; prints what it returns.
page() {
	webdriver POST /execute/sync "$(jq -n --arg script "$1" '{script: $script, args: []}')"
}

# A click where a person would click: in the middle of the element.
click() {
	local element
	element=$(webdriver POST /element "$(jq -n --arg css "$1" '{using: "css selector", value: $css}')" |
		jq -r '.[]')
	webdriver POST "/element/$element/click" '{}' >/dev/null
}

complaints() {
	webdriver POST /se/log '{"type": "browser"}' | jq length
}

# edge FROM TO PORT: its group gets an id, so that it can be clicked.
mark_edge() {
	page "const edge = edges.find(edge => edge.from === '$1' && edge.to === '$2' && edge.port === $3);
		if (!edge) return 'none'; edge.group.querySelector('text').id = '$4'; return edge.verdict;"
}

check "the demo makes a page" env DEMO_PAGE="$work/map.html" "$here/tests/netns/demo.sh" "$BUILD"
start_browser
check "a browser starts" test -n "$session"
webdriver POST /url "{\"url\": \"file://$work/map.html\"}" >/dev/null

expect "web -> api tcp/8080 is allowed" allowed mark_edge default/web default/api 8080 allowed-edge
expect "api -> db tcp/5432 is allowed" allowed mark_edge default/api default/db 5432 another-edge
expect "intruder -> db tcp/5432 is denied" denied mark_edge default/intruder default/db 5432 denied-edge
expect "each edge of the data is drawn" true \
	page 'return document.querySelectorAll(".edge").length === map.edges.length && map.edges.length > 4'
expect "denied differs by dash, not by colour alone" true \
	page 'return getComputedStyle(document.querySelector(".denied .line")).strokeDasharray !== "none"
		&& getComputedStyle(document.querySelector(".allowed .line")).strokeDasharray === "none"'
expect "nothing is told before a click" true \
	page 'return !document.getElementById("details").textContent.includes("intruder")'
click "#denied-edge"
expect "a click tells who was denied, what, and why" true \
	page 'const text = document.getElementById("details").textContent;
		return ["default/intruder → default/db", "tcp/5432", "denied", "no rule of"].every(part => text.includes(part))'
page 'search.value = "5432"; search.oninput()' >/dev/null
expect "the search narrows" true \
	page 'return edges.every(edge => edge.group.classList.contains("faded") === (edge.port !== 5432))'
expect "the browser has no complaint" 0 complaints

# The difference of two maps: the second answer is the later one.
mkdir -p "$work/agent/GET/v1"
start_fake() {
	"$tools/fake_agent" "$work/agent.sock" "$work/agent" &
	fake=$!
	until [ -S "$work/agent.sock" ]; do kill -0 $fake || break; done
}
end_fake() {
	kill $fake
	rm -f "$work/agent.sock"
}
cp "$here/tests/golden/cli/before.json" "$work/agent/GET/v1/map"
cp "$here/tests/golden/cli/agent/GET/v1/map" "$work/agent/GET/v1/map.then"
start_fake
"$BUILD/segctl" --socket="$work/agent.sock" map --diff -o html >"$work/diff.html"
end_fake
webdriver POST /url "{\"url\": \"file://$work/diff.html\"}" >/dev/null
expect "the difference says what changed" "1 new, 2 changed, 1 gone, 1 as before" \
	page 'return document.getElementById("summary").textContent'
expect "each edge is marked" "added changed changed gone same" \
	page 'return edges.map(edge => edge.change).sort().join(" ")'
expect "new and gone differ by mark, not by colour alone" "+ udp/53, − tcp/5432" \
	page 'return edges.filter(edge => edge.change === "added" || edge.change === "gone")
		.map(edge => edge.group.querySelector("text").textContent).join(", ")'
mark_edge default/intruder shop/db 5432 changed-edge >/dev/null
click "#changed-edge"
expect "a click tells what it was before" true \
	page 'const text = document.getElementById("details").textContent;
		return ["changed", "was", "allowed: "].every(part => text.includes(part))'
page 'document.getElementById("show-same").click()' >/dev/null
expect "what is as before can be left out" true \
	page 'return edges.every(edge => edge.group.classList.contains("faded") === (edge.change === "same"))'
expect "the browser has no complaint about it" 0 complaints

# A workload may call itself what it likes.
jq -n '{nodes: [{id: "x/</script><img src=x onerror=window.hit=1>", workload: "</script><img src=x onerror=window.hit=1>",
		namespace: "x", labels: {"a<b>": "\"><script>window.hit=1</script>"}}, {id: "host", entity: "host"}],
	edges: [{from: "x/</script><img src=x onerror=window.hit=1>", to: "host", protocol: "tcp", port: 22, verdict: "denied",
		reason: "policy_denied", packets: [3, 0], bytes: [180, 0], connections: 0}]}' >"$work/hostile.json"
cp "$work/hostile.json" "$work/agent/GET/v1/map"
start_fake
"$BUILD/segctl" --socket="$work/agent.sock" map -o html >"$work/hostile.html"
end_fake
webdriver POST /url "{\"url\": \"file://$work/hostile.html\"}" >/dev/null
mark_edge 'x/</script><img src=x onerror=window.hit=1>' host 22 denied-edge >/dev/null
expect "a hostile name is shown as it is" true \
	page 'return document.querySelector(".node title").textContent.includes("onerror=window.hit=1")'
click "#denied-edge"
expect "also where it is told" true \
	page 'return document.getElementById("details").textContent.includes("<img src=x onerror=window.hit=1>")'
expect "and does nothing" true page 'return window.hit === undefined && !document.querySelector("img")'

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
