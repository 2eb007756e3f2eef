# SPDX-License-Identifier: MIT
# Completion of guesttrace for fish. What there is to complete is asked of the
# command itself: `guesttrace help --options`.

function __guesttrace_rows
	set -l words (commandline -opc)
	$words[1] help --options $argv 2>/dev/null
end

function __guesttrace_complete
	set -l words (commandline -opc)
	set -l word (commandline -ct)
	if test (count $words) -lt 2
		for row in (__guesttrace_rows)
			set -l cells (string split \t -- $row)
			printf '%s\t%s\n' $cells[1] $cells[3]
		end
		printf '%s\n' --help --version
		return
	end
	if test $words[2] = help
		and not string match -q -- '-*' $word
		__guesttrace_rows | cut -f1
		printf '%s\n' environment filter formats status
		return
	end
	set -l wants
	for row in (__guesttrace_rows $words[2])
		set -l cells (string split \t -- $row)
		if test $cells[1] = $words[-1]; and test -n "$cells[2]"
			set wants $cells[2]
		end
	end
	if string match -q -- '*|*' "$wants"
		string split '|' -- $wants
		return
	else if test -n "$wants"
		__fish_complete_path $word
		return
	end
	if string match -q -- '-*' $word
		for row in (__guesttrace_rows $words[2])
			set -l cells (string split \t -- $row)
			printf '%s\t%s\n' $cells[1] $cells[3]
		end
		return
	end
	__fish_complete_path $word
end

complete -c guesttrace -f -a '(__guesttrace_complete)'
