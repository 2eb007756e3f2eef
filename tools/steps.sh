# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Sourced: what a script says while it works. A step is one line. On a terminal
# that line is written again as the step gets on; elsewhere each quarter of the
# step makes a line.

on_terminal() {
	[ -t 1 ] && [ "${TERM:-dumb}" != dumb ]
}

# fail LINE...: says why, and ends the script.
fail() {
	printf '%s\n' "$@" >&2
	exit 1
}

needs_this_machine() {
	case $(uname -sm) in
	'Linux x86_64') ;;
	*) fail "guesttrace needs Linux on x86-64; this is $(uname -sm)." ;;
	esac
}

# progress_of LINE: sets `made` and `total`, and how they are `shown`; nothing of
# a line that is neither ninja's `[3/12] ...` nor apt's `pmstatus:...:20.5:...`.
progress_of() {
	made='' total=''
	case $1 in
	'['[0-9]*/[0-9]*']'*)
		shown=${1#?} shown=${shown%%']'*}
		made=${shown%/*} total=${shown#*/}
		;;
	[dp][lm]status:*:[0-9]*:*)
		made=${1#*:*:} made=${made%%[!0-9]*}
		total=100 shown="$made %"
		;;
	esac
	case $made:$total in
	*[!0-9:]* | *: | :* | *:0) return 1 ;;
	esac
}

# follow NAME LOG: writes what it reads to LOG, and shows how far that is.
follow() {
	quarter=0
	while IFS= read -r line; do
		case $line in
		[dp][lm]status:*) ;;
		*) printf '%s\n' "$line" >&3 ;;
		esac
		progress_of "$line" || continue
		if on_terminal; then
			printf '\r%s %s\033[K' "$1" "$shown"
		elif [ $((made * 4 / total)) -gt $quarter ]; then
			quarter=$((made * 4 / total))
			printf '%s %s\n' "$1" "$shown"
		fi
	done 3>>"$2"
}

# step NAME LOG COMMAND...: runs it, and adds all that it says to LOG.
step() {
	step_name=$1 step_log=$2
	shift 2
	if on_terminal; then
		printf '%s' "$step_name"
	else
		echo "$step_name"
	fi
	{
		status=0
		"$@" 2>&1 </dev/null || status=$?
		echo $status >"$step_log.status"
	} | follow "$step_name" "$step_log"
	! on_terminal || echo
	status=$(cat "$step_log.status")
	rm -f "$step_log.status"
	return "$status"
}
