# SPDX-License-Identifier: MIT
# Sourced by the shell tests: each check prints one TAP line.
# What a program may take: only one that hangs takes so long.
# shellcheck disable=SC2034
hang_seconds=600
export GUESTTRACE_PAGER= # of which some terminals in tests would wait for a key
tap_count=0
tap_failed=0

# holds NAME COMMAND...: passes if COMMAND exits with 0.
holds() {
	tap_name=$1
	shift
	tap_count=$((tap_count + 1))
	if "$@" >"$work/holds.log" 2>&1; then
		echo "ok $tap_count - $tap_name"
	else
		echo "not ok $tap_count - $tap_name"
		sed 's/^/# /' "$work/holds.log"
		tap_failed=1
	fi
}

# skipped NAME WHY
skipped() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

# emulated GUESTTRACE: a program that runs guests on the emulator; one word,
# wherever the build is.
emulated() {
	printf '#!/bin/sh\nexec "%s" run --backend emulated "$@"\n' "$1" >"$work/emulated"
	chmod +x "$work/emulated"
	echo "$work/emulated"
}

# lacks_backend FILE: what a run said is that the build has no backend for this
# machine. That a run failed for anything else is no reason to skip a test.
lacks_backend() {
	grep -q 'the emulated backend is not built in' "$1"
}

# lacks_emulator GUESTTRACE GUEST: whether runs on it are to be skipped.
lacks_emulator() {
	"$1" run --backend emulated "$2" >"$work/emulator.log" 2>&1 || :
	lacks_backend "$work/emulator.log"
}

tap_end() {
	echo "1..$tap_count"
	exit $tap_failed
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
