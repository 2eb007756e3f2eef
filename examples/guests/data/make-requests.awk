# SPDX-License-Identifier: MIT
# Writes requests.txt, the log that kv.elf replays: a small shop's sessions,
# carts, counters and pages, with a few requests that a client got wrong.
#
#   awk -f make-requests.awk >requests.txt

# Park and Miller's generator: exact in a double, so the same in every awk.
function below(n)
{
	seed = (seed * 16807) % 2147483647
	return int(seed / 2147483647 * n)
}

function pick(list,    words)
{
	return words[1 + below(split(list, words, " "))]
}

# Some keys are far more popular than others.
function user(    n)
{
	n = below(4) ? below(20) : below(160)
	return 1000 + n
}

function session()
{
	return sprintf("session:%06x", user() * 7919 % 16777216)
}

function visit(    u)
{
	u = user()
	if (!below(3))
		print "set " session() " user=" u ",lang=" pick("de en fr nl")
	print "get " session()
	print "incr hits:" pick("/ /cart /search /help")
}

function purchase(    u)
{
	u = user()
	print "set cart:" u " " pick("book lamp chair tea") "*" 1 + below(4)
	print "get cart:" u
	if (below(3))
		print "del cart:" u
	print "incr sold:" pick("book lamp chair tea") " " 1 + below(4)
}

# These came through a gateway, which says who asks.
function remote()
{
	printf "get cart:%d #00-%08x%08x%08x%08x-%08x%08x-01\n", user(),
		below(2147483647), below(2147483647), below(2147483647),
		below(2147483647), below(2147483647), below(2147483647)
}

function mistake(    kind)
{
	kind = below(4)
	if (kind == 0)
		print "gte cart:" user()
	else if (kind == 1)
		print "set cart:" user()
	else if (kind == 2)
		print "incr session:name"
	else
		print "get a-key-that-is-far-too-long-for-this-store:" user()
}

BEGIN {
	seed = 20240229
	print "set session:name anonymous"
	while (rounds++ < 150) {
		visit()
		if (!below(3))
			purchase()
		if (!below(16))
			remote()
		if (!below(12))
			print "scan " pick("cart: hits: sold: nothing:")
		if (!below(16))
			mistake()
	}
	print "scan sold:"
}
