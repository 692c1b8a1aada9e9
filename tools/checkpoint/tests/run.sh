#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# tests/run.sh DIR: tests of the tools built in DIR that need no kernel with
# checkpoint and restart. TAP.

set -u
out=$1
ckpt=$out/ckpt
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export LC_ALL=C
number=0 failed=0

result() { # STATUS NAME
	number=$((number + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		sed 's/^/# /' "$tmp/out" "$tmp/err" 2>/dev/null
		failed=1
	fi
}

# expect STATUS PATTERN NAME COMMAND...: exit status, and what stderr has.
expect() {
	local status=$1 pattern=$2 name=$3 got=0
	shift 3
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null || got=$?
	[ "$got" -eq "$status" ] && grep -qE -- "$pattern" "$tmp/err" "$tmp/out"
	result $? "$name"
}

# The TAP lines of a program become ours.
include() { # COMMAND...
	local line
	: >"$tmp/err"
	"$@" >"$tmp/tap" 2>"$tmp/out"
	[ -s "$tmp/tap" ] || result 1 "$1"
	while read -r line; do
		case $line in
		'ok '*) result 0 "${line#ok * - }" ;;
		'not ok '*) result 1 "${line#not ok * - }" ;;
		'#'*) echo "$line" ;;
		esac
	done <"$tmp/tap"
}

expect 64 usage 'no arguments' "$ckpt"
expect 64 'unknown subcommand' 'unknown subcommand' "$ckpt" frobnicate
expect 64 'unknown option' 'unknown option' "$ckpt" -x
expect 0 'usage: ckpt save' 'help' "$ckpt" --help
expect 0 '^ckpt [0-9]' 'version' "$ckpt" --version
for sub in save restart show verify check; do
	expect 0 "usage: ckpt $sub" "$sub: help" "$ckpt" $sub --help
	expect 64 unrecognized "$sub: unknown option" "$ckpt" $sub --frobnicate
done
expect 64 'one PID' 'save: no pid' "$ckpt" save
expect 64 'not a pid' 'save: pid 0' "$ckpt" save 0
expect 64 'not a pid' 'save: pid is a word' "$ckpt" save 12x
expect 64 'exclude' 'save: --kill and --stop' "$ckpt" save 1 --kill --stop
expect 64 'not a time' 'save: bad time' "$ckpt" save 1 --timeout never
expect 64 'not a time' 'save: bad time of trying again' "$ckpt" save 1 --retry -1
expect 64 'regular file' 'save: --retry into a device' \
	"$ckpt" save 1 --retry 1 -o /dev/null
expect 64 'form' 'save: bad form of figures' "$ckpt" save 1 --stats=xml
expect 64 'saved' 'restart: bad --pids' "$ckpt" restart x --pids old
expect 64 'no key' 'save: a key without a kind' "$ckpt" save 1 --external pipe
expect 64 'no key' 'check: a key without a kind' "$ckpt" check 1 --external pipe
expect 64 'KEY=FD' 'restart: --inherit without =' "$ckpt" restart x --inherit 'pipe:[1]'
expect 64 'KEY=FD' 'restart: --inherit without a value' "$ckpt" restart x --inherit 'pipe:[1]='
expect 64 'KEY=FD' 'restart: --inherit without a key' "$ckpt" restart x --inherit =2
expect 64 'not open' 'restart: --inherit of a closed descriptor' \
	"$ckpt" restart x --inherit 'pipe:[1]=77'
expect 64 'not open' 'restart: --inherit of a huge descriptor' \
	"$ckpt" restart x --inherit 'pipe:[1]=99999999999999999999'
expect 70 'No such file' 'restart: --inherit of no file' \
	"$ckpt" restart x --inherit 'pipe:[1]=none/x'
expect 70 "$tmp/none" 'restart: good --inherit' "$ckpt" restart "$tmp/none" \
	--inherit 'pipe:[1]=2' --inherit 'file:/a=b=/c' --inherit 'tty:/dev/pts/1=/dev/null'
expect 64 '/OLD=NEW' 'restart: --relocate without =' "$ckpt" restart x --relocate /old
expect 64 '/OLD=NEW' 'restart: --relocate of a relative name' "$ckpt" restart x --relocate a=/b
expect 70 'No such file' 'restart: --relocate to nowhere' "$ckpt" restart x --relocate /a=none
expect 70 "$tmp/none" 'restart: good --relocate and --root' "$ckpt" restart "$tmp/none" \
	--relocate /a=. --relocate /=/ --root "$tmp"
expect 70 'No such file' 'restart: --root nowhere' "$ckpt" restart x --root none
expect 64 'neither' 'restart: unknown class' "$ckpt" restart x --allow-changed everything
expect 70 "$tmp/none" 'restart: classes and files' "$ckpt" restart "$tmp/none" \
	--allow-changed data --allow-changed all --allow-changed /a/file
expect 64 'needs' '-f without file' "$ckpt" -f 1
expect 64 'needs' '-t without file' "$ckpt" -t
expect 70 'No such file' 'restart: no such file' "$ckpt" restart "$tmp/none"
expect 70 'No such file' 'verify: no such file' "$ckpt" verify "$tmp/none"
expect 70 'No such file' 'save: no such directory' "$ckpt" save $$ -o "$tmp/none/x"
expect 70 'Is a directory' 'save: into a directory' "$ckpt" save $$ -o "$tmp"

# Without the system calls a save fails: what was there must still be there.
if ! "$ckpt" check >/dev/null 2>&1; then
	echo old >"$tmp/image"
	expect 70 'kernel cannot' 'save: kernel without support' \
		"$ckpt" save $$ -o "$tmp/image"
	[ "$(cat "$tmp/image")" = old ] && [ -z "$(find "$tmp" -name '.image*')" ]
	result $? 'save: the old image is left, and no other file'
	expect 70 'kernel cannot' 'restart: kernel without support' \
		"$ckpt" restart "$tmp/image"
	expect 70 'kernel cannot' 'check: kernel without support' "$ckpt" check
	expect 70 'kernel cannot' 'check: a process' "$ckpt" check $$
fi

for variant in $("$out/tests/gen_image" --list); do
	"$out/tests/gen_image" "$variant" >"$tmp/$variant"
	case $variant in
	bad-*) status=65 pattern='at offset' ;;
	other-*) status=78 pattern='at offset' ;;
	*) status=0 pattern='good: ' ;;
	esac
	expect $status "$pattern" "verify: $variant" "$ckpt" verify "$tmp/$variant"
	"$ckpt" verify - 2>"$tmp/err" >"$tmp/out" < <(cat "$tmp/$variant")
	[ $? -eq $status ]
	result $? "verify: $variant from a pipe"
	[ $status -eq 0 ] || continue
	expect 0 '^memory of 71' "show: $variant" "$ckpt" show "$tmp/$variant"
	expect 0 "takes --inherit 'pipe:\\[77\\]=FD'" "show: $variant: keys" \
		"$ckpt" show "$tmp/$variant"
	"$ckpt" show --json "$tmp/$variant" >"$tmp/out" 2>"$tmp/err" &&
		python3 -c 'import json, sys; d = json.load(sys.stdin)
assert d["processes"][0]["pid"] == 71
assert ["pipe:[77]", -1] in [[f.get("key"), f.get("stream")] for f in d["processes"][0]["files"]]
assert sum(m["saved"] for m in d["processes"][0]["memory"]) == d["processes"][0]["saved"]' \
			<"$tmp/out" 2>>"$tmp/err"
	result $? "show: $variant as JSON"
done
: >"$tmp/empty"
expect 65 'empty' 'verify: empty file' "$ckpt" verify "$tmp/empty"
expect 65 'not a checkpoint image' 'verify: another file' "$ckpt" verify "$0"
expect 70 'directory' 'verify: a directory' "$ckpt" verify "$tmp"
! "$ckpt" show "$tmp/names" | grep -q $'\e'
result $? 'show: nothing reaches the terminal'

include "$out/tests/message_test"
include "$out/tests/mutate" "$tmp/no-index"
for variant in typical tree packed; do
	expect 0 '^[0-9]{4,5} damaged images' "sanitizers: $variant" \
		timeout 300 "$out/tests/mutate-asan" "$tmp/$variant" 20000
done

echo "1..$number"
exit $failed
