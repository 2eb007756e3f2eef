# SPDX-License-Identifier: MIT
# Sourced by the shell tests: each check prints one TAP line.
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

tap_end() {
	echo "1..$tap_count"
	exit $tap_failed
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
