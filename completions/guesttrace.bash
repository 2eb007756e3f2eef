# SPDX-License-Identifier: MIT
# Completion of guesttrace for bash. What there is to complete is asked of the
# command itself: `guesttrace help --options`.

_guesttrace_cell() # PROGRAM NAME [COMMAND]: what stands behind NAME, if anything
{
	"$1" help --options ${3:+"$3"} 2>/dev/null |
		while IFS= read -r line; do
			[[ ${line%%$'\t'*} == "$2" ]] || continue
			line=${line#*$'\t'}
			printf '%s\n' "${line%%$'\t'*}"
		done
}

_guesttrace_paths() # OPTION-OF-COMPGEN WORD
{
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen "$1" -- "$2")
}

_guesttrace()
{
	local program=${COMP_WORDS[0]} command=${COMP_WORDS[1]}
	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
	local argument keyword names
	local -a earlier

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		names=$("$program" help --options 2>/dev/null | cut -f1)
		mapfile -t COMPREPLY < <(compgen -W "$names --help --version --no-pager" -- "$word")
		return
	fi
	earlier=("${COMP_WORDS[@]:2:COMP_CWORD-2}")
	if [[ $command == help && $word != -* ]]; then
		names=$("$program" help --options 2>/dev/null | cut -f1)
		mapfile -t COMPREPLY < <(compgen -W "$names environment filter formats status" -- "$word")
		return
	fi
	if [[ " ${earlier[*]} " == *' -- '* ]]; then
		_guesttrace_paths -f "$word" # the guest's own arguments
		return
	fi
	if ((COMP_CWORD > 2)) && [[ $before == -* ]]; then
		argument=$(_guesttrace_cell "$program" "$before" "$command")
		if [[ $argument == *'|'* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "${argument//|/ }" -- "$word")
			return
		fi
		case $argument in
		CAPTURE | DEST | FILE*) _guesttrace_paths -f "$word" ;;
		DIR) _guesttrace_paths -d "$word" ;;
		esac
		# Else a number, a pattern: nothing to offer.
		[[ -n $argument ]] && return
	fi
	if [[ $word == -* ]]; then
		names=$("$program" help --options "$command" 2>/dev/null | cut -f1)
		mapfile -t COMPREPLY < <(compgen -W "$names" -- "$word")
		return
	fi
	keyword=$(_guesttrace_cell "$program" "$command")
	keyword=${keyword%% *}
	if [[ $keyword != [[:lower:]]* ]]; then
		_guesttrace_paths -f "$word"
	elif [[ " ${earlier[*]} " == *" $keyword "* ]]; then
		_guesttrace_paths -d "$word"
	else
		mapfile -t COMPREPLY < <(compgen -W "$keyword" -- "$word")
	fi
}

complete -F _guesttrace guesttrace
