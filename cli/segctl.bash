# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Completion of segctl for bash. Options come from --help, so they are never out of date; names come
# from the agent, where one answers.

_segctl_options() {
	"$@" --help 2>/dev/null | grep -oE -- '(^|[ ,])--?[a-z][a-z-]*' | tr -d ' ,'
}

_segctl_commands() {
	"$@" --help 2>/dev/null | awk '/^Commands:$/ { on = 1; next } on && /^  [a-z]/ { print $1; next } on { exit }'
}

# _segctl_names PATH: names that the agent knows, by the table's columns.
_segctl_names() {
	case $1 in
	workload) segctl workloads 2>/dev/null | awk 'NR > 1 { print $1 }' ;;
	alert) segctl alerts --all 2>/dev/null | awk 'NR > 1 { print $1 }' ;;
	mute) segctl alerts mutes 2>/dev/null | awk 'NR > 1 { print $1 }' ;;
	role) segctl baseline show 2>/dev/null | awk 'NR > 1 { print $1 }' ;;
	quarantine) segctl quarantine list 2>/dev/null | awk 'NR > 1 { print $1 }' ;;
	policy) segctl policy get 2>/dev/null | awk 'NR > 1 { print $2 }' ;;
	esac
}

_segctl() {
	local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
	local command=(segctl) words='' word
	for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
		case "${#command[@]} ${command[*]: -1} $word" in
		"1 segctl "-*) ;;
		"1 segctl "*) command+=("$word") ;;
		"2 policy "[a-z]* | "2 inspect "[a-z]* | "2 quarantine "[a-z]* | "2 alerts "[a-z]* | \
			"2 baseline "[a-z]*) command+=("$word") ;;
		esac
	done
	[ "${command[*]} $previous" != 'segctl capture -w' ] || previous=--write
	case $previous in
	-f | --filename | --write | --pcap | --base | --socket | -r | --read | --detect-settings)
		mapfile -t COMPREPLY < <(compgen -f -- "$current")
		return
		;;
	-o | --output) words=$("${command[@]}" --help | tr '\n' ' ' |
		sed -nE 's/.*How to print the answer: +([a-z, ]+) or +([a-z]+).*/\1 \2/p' | tr -d ,) ;;
	--verdict) words='allowed denied audited' ;;
	--protocol) words='tcp udp sctp icmp icmpv6' ;;
	--posture) words='allow deny' ;;
	--format) words='pcapng pcap' ;;
	--sort)
		words='name packets time'
		[ "${command[*]}" != 'segctl top' ] || words='packets bytes connections denials name'
		;;
	--severity) words='low medium high critical' ;;
	--alert) words=$(_segctl_names alert) ;;
	--from | --to | -w | --workload | --actor | --target) words=$(_segctl_names workload) ;;
	--rule) words=$(_segctl_names policy) ;;
	*)
		case "${command[*]}" in
		segctl | 'segctl policy' | 'segctl inspect' | 'segctl quarantine' | 'segctl alerts' | \
			'segctl baseline') words=$(_segctl_commands "${command[@]}") ;;
		'segctl alerts show' | 'segctl alerts ack' | 'segctl alerts mute') words=$(_segctl_names alert) ;;
		'segctl alerts unmute') words=$(_segctl_names mute) ;;
		'segctl baseline show' | 'segctl baseline forget') words=$(_segctl_names role) ;;
		'segctl quarantine remove') words=$(_segctl_names quarantine) ;;
		'segctl quarantine add' | 'segctl inspect workload' | 'segctl flows' | 'segctl denied' | 'segctl map' | \
			'segctl top')
			words=$(_segctl_names workload) ;;
		'segctl inspect dataplane') words=$(segctl inspect dataplane --help |
			awk '/^Tables:$/ { on = 1; next } on { print $1 }') ;;
		'segctl inspect policy' | 'segctl inspect rule') words=$(_segctl_names policy) ;;
		'segctl policy get' | 'segctl policy delete')
			words='NetworkPolicy ClusterNetworkPolicy SegmentPolicy Namespace' ;;
		'segctl policy '*)
			mapfile -t COMPREPLY < <(compgen -f -- "$current")
			;;
		esac
		[[ $current != -* ]] || words=$(_segctl_options "${command[@]}")
		;;
	esac
	[ -z "$words" ] || mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}

complete -o filenames -F _segctl segctl
