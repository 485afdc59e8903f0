#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Each policy in policies/examples keeps what its tests/NAME.yaml expects, and that is worth something:
# without the policy some of it does not hold.
BUILD=$(realpath "${1:?usage: examples.sh BUILD}")
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/lib.sh
. tests/lib.sh

segctl() {
	"$BUILD/segctl" "$@"
}

# Expectations that fail when nothing is there to meet them. A rule that is named must be there, so
# the names are taken out.
fails_without_policy() {
	sed -E 's/, rule: [a-z/-]+//' "$1" | segctl policy test -o json -f - |
		jq -e '.failed > 0' >/dev/null
}

for example in policies/examples/*.yaml; do
	name=$(basename "$example" .yaml)
	expectations=policies/examples/tests/$name.yaml
	exits "$name: applies as it is, without a warning" 0 sh -c \
		"[ -z \"\$('$BUILD/segctl' policy lint -f '$example' 2>&1 >/dev/null)\" ]"
	exits "$name: keeps what is expected" 0 segctl policy test -f "$example" -f "$expectations"
	check "$name: is needed for that" fails_without_policy "$expectations"
	check "$name: speaks to a person" sh -c "[ \$(grep -c '^#' '$example') -ge 4 ]"
done
check "there are at least 12" sh -c "[ \$(ls policies/examples/*.yaml | wc -l) -ge 12 ]"
expect "no expectations without an example" "" sh -c "cd policies/examples/tests &&
	for file in *.yaml; do [ -f ../\$file ] || echo \$file; done"
finish
