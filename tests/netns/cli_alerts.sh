# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Part of cli.sh: alerts, incidents, mutes and the baseline, of an agent with canned answers.

echo "== alerts"
start_agent
for file in alerts incidents mutes baseline; do
	cp "$golden/agent-alerts/$file" "$work/agent/GET/v1/$file"
done
COLUMNS=80 golden alerts.txt segctl alerts --utc
golden alerts-wide.txt segctl alerts -o wide --utc
COLUMNS=80 golden alerts-incidents.txt segctl alerts incidents --utc
COLUMNS=80 golden alerts-mutes.txt segctl alerts mutes --utc
golden baseline.txt segctl baseline show --utc
golden baseline-role.txt segctl baseline show shop/web --utc
expect "by default what nobody has seen or muted" "GET /v1/alerts?acknowledged=0&muted=0" \
	grep -m 1 'GET /v1/alerts' "$work/agent/requests"
segctl alerts --all --detector scan --severity high --actor shop/web --target db --technique T1046 \
	--incident i0 --since 5m --until 1m --limit 3 >/dev/null
expect "each filter is a key of the API" \
	"GET /v1/alerts?detector=scan&severity=high&actor=shop%2Fweb&target=db&technique=T1046&incident=i0&since=5m&until=1m&limit=3" \
	tail -n 1 "$work/agent/requests"
expect "one alert a line" 4 sh -c "'$BUILD/segctl' alerts --all -o jsonl | wc -l"
expect "as it came" "$(jq -cS . "$golden/agent-alerts/alerts")" sh -c \
	"'$BUILD/segctl' alerts --all -o json | jq -cS ."
rm "$work/agent/GET/v1/alerts" "$work/agent/GET/v1/incidents"
mkdir "$work/agent/GET/v1/alerts" "$work/agent/GET/v1/incidents"
cp "$golden/agent-alerts/alert" "$work/agent/GET/v1/alerts/1a1b2c3d4e5f"
jq '{incident}' "$golden/agent-alerts/alert" >"$work/agent/GET/v1/incidents/i0a1b2c3d4e5f"
COLUMNS=80 golden alerts-show.txt segctl alerts show 1a1b2c3d4e5f --utc
COLUMNS=80 golden alerts-show-incident.txt segctl alerts show i0a1b2c3d4e5f --utc
says "an alert without its id" 2 "say which" segctl alerts show
for before in --utc --no-color "--socket $SEGD_SOCKET" "--utc --no-color"; do
	# shellcheck disable=SC2086
	expect "segctl alerts $before show" "$(segctl alerts show 1a1b2c3d4e5f --utc --no-color)" \
		segctl --utc alerts $before show 1a1b2c3d4e5f
done
expect "the help names each command" "list show incidents ack mute unmute mutes" sh -c \
	"'$BUILD/segctl' alerts --help | sed -n '/^Commands:/,/^\$/s/^  \([a-z]*\) .*/\1/p' | paste -sd' '"
says "a command of alerts behind options that are not its own" 2 "unexpected argument 'show'" \
	segctl alerts --severity high show 1a1b2c3d4e5f
says "a mute of everything" 2 "say what" segctl alerts mute --for 1h --reason x
says "a mute for ever" 2 "for how long" segctl alerts mute 1a1b2c3d4e5f --reason x
says "a mute for no time" 2 "--for takes a time" segctl alerts mute 1a --for soon --reason x
says "an unknown command of alerts" 2 "did you mean 'mute'" segctl alerts mut
says "a baseline to forget" 2 "say which" segctl baseline forget

echo "== detectors offline"
says "nothing to read" 2 "say what to read" segctl detect
says "settings that are not there" 2 "open /nonexistent" \
	segctl detect -r "$here/tests/unit/flow/data/flows.log" --detect-settings /nonexistent
says "a severity that is none" 2 "expected low, medium" \
	segctl detect -r "$here/tests/unit/flow/data/flows.log" --severity loud
exits "a log in which something is found" 1 segctl detect -r "$here/tests/unit/flow/data/flows.log"
cp "$here/tests/unit/flow/data/flows.log" "$work/damaged.log"
echo damaged >>"$work/damaged.log"
exits "a log that is not whole is not the same as a finding" 2 segctl detect -r "$work/damaged.log"
exits "nor is one that is not there" 2 segctl detect -r "$here/tests/unit/flow/data/flows.log" -r "$work/ghost.log"
exits "but nothing as severe" 0 segctl detect -r "$here/tests/unit/flow/data/flows.log" --severity high
check "detectors and their settings are listed" sh -c "'$BUILD/segctl' detect --list | grep -q '^scan.enabled  *true'"
expect "one a line, too" "$(segctl detect --list -o json | jq -c '.detectors[]' | md5sum)" \
	sh -c "'$BUILD/segctl' detect --list -o jsonl | jq -c . | md5sum"
printf 'scan.enabled: false\n' >"$work/off.yaml"
check "as a file has them" sh -c "'$BUILD/segctl' detect --list --detect-settings '$work/off.yaml' -o json |
	jq -e '[.detectors[] | select(.enabled | not) | .name] == [\"scan\"]'"
