# SPDX-License-Identifier: MIT
# Writes service.log, the text that compress.elf packs: one JSON object a line,
# as a shop's back end could have logged in the course of a few minutes.
#
#   awk -f make-log.awk >service.log

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

function clock(    s)
{
	ms += 1 + below(below(8) ? 90 : 1400)
	s = int(ms / 1000)
	return sprintf("2024-02-29T08:%02d:%02d.%03dZ", int(s / 60), s % 60,
		ms % 1000)
}

function head(level, service)
{
	printf "{\"time\":\"%s\",\"level\":\"%s\",\"service\":\"%s\",",
		clock(), level, service
	printf "\"request\":\"%08x%08x\",", below(2147483647), below(2147483647)
}

function web(    status)
{
	status = below(20) ? 200 : pick("301 404 404 500")
	head(status < 500 ? "info" : "error", "web")
	printf "\"method\":\"%s\",\"path\":\"%s%d\",\"status\":%d,\"ms\":%d}\n",
		pick("GET GET GET POST"), pick("/cart/ /item/ /item/ /user/"),
		1000 + below(400), status, 1 + below(below(9) ? 30 : 900)
}

function database()
{
	head("debug", "db")
	printf "\"query\":\"select %s from %s where id = %d\",\"rows\":%d,",
		pick("name,price * state,total"),
		pick("items carts users"), 1000 + below(400), below(12)
	printf "\"us\":%d}\n", 80 + below(2000)
}

function payment(    cents)
{
	cents = 199 + below(20000)
	head("info", "payment")
	printf "\"event\":\"%s\",\"amount\":\"%d.%02d\",\"currency\":\"EUR\"}\n",
		pick("authorised captured captured refunded"),
		int(cents / 100), cents % 100
}

function trouble()
{
	head("warn", pick("web db payment"))
	printf "\"message\":\"%s\",\"attempt\":%d,\"peer\":\"10.0.%d.%d\"}\n",
		below(2) ? "connection reset by peer, trying again" : \
		"no answer within the deadline, trying again",
		1 + below(3), below(4), 2 + below(250)
}

BEGIN {
	seed = 19700101
	while (lines++ < 780) {
		kind = below(20)
		if (kind < 10)
			web()
		else if (kind < 17)
			database()
		else if (kind < 19)
			payment()
		else
			trouble()
	}
}
