# SPDX-License-Identifier: MIT
# Completion of guesttrace for bash. What there is to complete is asked of the
# command itself: `guesttrace help --options`.

_guesttrace_argument() # COMMAND OPTION: the choices for its argument
{
	"$1" help --options "$2" 2>/dev/null |
		while IFS=$'\t' read -r name argument _; do
			[[ $name == "$3" ]] && printf '%s\n' "$argument"
		done
}

_guesttrace()
{
	local program=${COMP_WORDS[0]} command=${COMP_WORDS[1]}
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local argument names

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		names=$("$program" help --options 2>/dev/null | cut -f1)
		mapfile -t COMPREPLY < <(compgen -W "$names --help --version" -- "$word")
		return
	fi
	if [[ $command == help && $word != -* ]]; then
		names=$("$program" help --options 2>/dev/null | cut -f1)
		mapfile -t COMPREPLY < <(compgen -W "$names environment filter formats status" -- "$word")
		return
	fi
	if [[ $before == -* ]]; then
		argument=$(_guesttrace_argument "$program" "$command" "$before")
		if [[ $argument == *'|'* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "${argument//|/ }" -- "$word")
			return
		elif [[ -n $argument && $argument != CAPTURE && $argument != DEST ]]; then
			return # a number, a pattern: nothing to offer
		fi
	fi
	if [[ $word == -* ]]; then
		names=$("$program" help --options "$command" 2>/dev/null | cut -f1)
		mapfile -t COMPREPLY < <(compgen -W "$names" -- "$word")
		return
	fi
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen -f -- "$word")
}

complete -F _guesttrace guesttrace
