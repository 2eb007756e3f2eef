# SPDX-License-Identifier: MIT
# Completion of guesttrace for fish. What there is to complete is asked of the
# command itself: `guesttrace help --options`.

function __guesttrace_rows
	set -l words (commandline -opc)
	$words[1] help --options $argv 2>/dev/null
end

# The word that stands before the operands of such a command; else nothing.
function __guesttrace_keyword
	for row in (__guesttrace_rows)
		set -l cells (string split \t -- $row)
		if test $cells[1] = $argv[1]
			string match -r -- '^[a-z]+' $cells[2]
			return
		end
	end
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
	if contains -- -- $words[3..] # the guest's own arguments
		__fish_complete_path $word
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
	else if string match -qr -- '^(CAPTURE|DEST|FILE)' "$wants"
		__fish_complete_path $word
		return
	else if test "$wants" = DIR
		__fish_complete_directories $word ''
		return
	else if test -n "$wants" # a number, a pattern: nothing to offer
		return
	end
	if string match -q -- '-*' $word
		for row in (__guesttrace_rows $words[2])
			set -l cells (string split \t -- $row)
			printf '%s\t%s\n' $cells[1] $cells[3]
		end
		return
	end
	set -l keyword (__guesttrace_keyword $words[2])
	if test -z "$keyword"
		__fish_complete_path $word
	else if contains -- $keyword $words[3..]
		__fish_complete_directories $word ''
	else
		echo $keyword
	end
end

complete -c guesttrace -f -a '(__guesttrace_complete)'
