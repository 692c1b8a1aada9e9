#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# run.sh [PATTERN [OPTION...]]: runs the test programs next to it whose name matches,
# with these options, as root, and prints one TAP stream. Fails if any test does.

dir=$(cd "$(dirname "$0")" && pwd)
pattern=${1:-*}
[ $# -eq 0 ] || shift
n=0 failed=0

# The programs number their own tests: number all of them, and name the program.
relay() {
	local name=$1 line
	while IFS= read -r line; do
		case $line in
		'TAP version'* | [0-9]*..[0-9]* | '# Totals:'*) ;;
		'ok '* | 'not ok '*)
			n=$((n + 1))
			[[ $line =~ ^((not )?ok)\ [0-9]+\ +(.*)$ ]]
			printf '%s %d - %s: %s\n' "${BASH_REMATCH[1]}" $n "$name" \
				"${BASH_REMATCH[3]}"
			[ -z "${BASH_REMATCH[2]}" ] || failed=$((failed + 1))
			;;
		*) printf '%s\n' "$line" ;;
		esac
	done
}

echo "TAP version 13"
for test in "$dir"/*_test; do
	name=${test##*/}
	# shellcheck disable=SC2053	# a pattern
	[[ $name == $pattern || $name == "$pattern"_test ]] || continue
	start=$SECONDS
	before=$failed
	exec 3< <(exec "$test" "$@" 2>&1 </dev/null 3<&-)
	pid=$!
	relay "$name" <&3
	wait "$pid"
	status=$?
	echo "# $name: $((SECONDS - start)) s"
	if [ $status -ne 0 ] && [ $failed -eq $before ]; then
		n=$((n + 1)) failed=$((failed + 1))
		echo "not ok $n - $name: ended with status $status"
	fi
done
echo "1..$n"
[ $n -gt 0 ] && [ $failed -eq 0 ]
