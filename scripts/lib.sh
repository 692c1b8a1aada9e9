# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# What the scripts here share. Sourced, not run; sets $root and goes there.

set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
mkdir -p build

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit 1; }

# take_lock DIR: several people may work in one checkout. Whoever changes the
# assembled tree or an object tree holds its lock until the end.
take_lock() {
	exec 9>"build/.$1.lock"
	if ! flock -n 9; then
		say "waiting: someone else is at build/$1" >&2
		flock 9
	fi
}

# kmake DIR TARGET...: make in the assembled tree, with the object tree DIR.
# Nothing of the builder goes into the kernel, or ccache would never hit; and
# in depend mode a miss costs no second run of the preprocessor.
kmake() {
	local out=$1
	shift
	if command -v ccache >/dev/null; then
		set -- CC="ccache gcc" HOSTCC="ccache gcc" "$@"
	fi
	env KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 1970' KBUILD_BUILD_VERSION=1 \
		KBUILD_BUILD_USER=checkpoint KBUILD_BUILD_HOST=checkpoint \
		CCACHE_BASEDIR="$root" CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1 \
		CCACHE_SLOPPINESS=time_macros \
		make -C build/linux O="$root/$out" -j"$(nproc)" "$@"
}

# run_logged TEXT LOG COMMAND...: one progress line for a long step, output
# into a log file, the end of which is shown if the step fails.
run_logged() {
	local text=$1 log=$2 start=$SECONDS rc=0
	shift 2
	printf '%s ... ' "$text"
	"$@" >"$log" 2>&1 9>&- </dev/null || rc=$?
	if [ $rc -eq 0 ]; then
		say "$((SECONDS - start)) s (log: $log)"
		return 0
	fi
	say "FAILED after $((SECONDS - start)) s (log: $log)"
	grep -E -A4 'error:|Error [0-9]|undefined reference|\*\*\*' "$log" |
		head -n 40 >&2 || tail -n 20 "$log" >&2
	return "$rc"
}
