# SPDX-License-Identifier: MIT
# shellcheck shell=sh disable=SC2154
# Of tests that attach to guests/attached.c, whose console is $work/console, in the
# VMM that is the process $vm: what is read is what the guest itself counted.

wait_for() { # LINE of the console
	tries=0
	until grep -q "$1" "$work/console"; do
		tries=$((tries + 1))
		[ "$tries" -lt 1200 ] || return 1
		sleep 0.1
	done
}

attach() {
	"$guesttrace" attach --pid "$vm" "$@"
}

# The last count that the console has of NAME; a line that is whole.
count() {
	tail -c 4096 "$work/console" | grep ' changed=' | tail -n 1 |
		sed "s/.* $1=\([0-9]*\) .*/\1/"
}

# later: the console's next count is one of now.
later() {
	lines=$(grep -c ' changed=' "$work/console" || :)
	tries=0
	while [ "$(grep -c ' changed=' "$work/console")" -lt $((lines + 2)) ]; do
		tries=$((tries + 1))
		[ "$tries" -lt 1200 ] || return 1
		sleep 0.1
	done
}

counts() {
	for name in spans steps events lost; do
		count "$name"
	done
}

# agrees CAPTURE COUNTS: with what the guest has counted since it had counted so many,
# and with its TSC. A span's start and what it read of its TSC there
# differ by the same for all, but for what the report says that a time may be off, and
# for the read itself.
agrees() {
	later
	"$guesttrace" report --json "$1" >"$work/json"
	# shellcheck disable=SC2046,SC2086
	python3 tests/end-to-end/attach_agrees.py "$work/json" $2 $(counts)
}

reads_all() { # OPTION...: of `attach`
	rm -f "$work/a.gtrace"
	later
	had=$(counts)
	attach --for 2s -o "$work/a.gtrace" && agrees "$work/a.gtrace" "$had"
}

is_off() { # nothing is recorded any longer
	later
	before=$(count spans)
	later
	[ "$(count spans)" = "$before" ]
}
