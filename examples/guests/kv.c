/* SPDX-License-Identifier: MIT */
/*
 * A key-value store that answers a log of requests.
 *
 *   kv.elf [--repeat N] [REQUEST]...
 *
 * A request is one argument: "set KEY VALUE", "get KEY", "del KEY",
 * "incr KEY [BY]" or "scan PREFIX"; a last word "#..." is the traceparent of
 * whoever asks. Without any, data/requests.txt is the log.
 *
 * In the trace: a span per request, which learns its result late; events when
 * keys collide, are missed or evicted; counters; and each growth of the table
 * as a span that stays open over many requests, linked to the one that caused
 * it. The table is a target of its own, see --filter info,kv.table=trace.
 */
#define GT_TARGET "kv.table"

#include <guesttrace/guest.h>

#include "../runtime/runtime.h"
#include "embed.h"
#include "result.h"
#include "trace.h"

EMBED(requests, "requests.txt");

/* ---- The table: chained, bounded, grows a few buckets at a time ---------- */

#define KEY_BYTES     24u
#define VALUE_BYTES   40u
#define ITEMS         40u
#define BUCKETS_FIRST 8u
#define BUCKETS_STEP  4u

struct item {
	struct item *next;
	uint32_t hash;
	bool wanted; /* since eviction last considered it */
	char key[KEY_BYTES];
	char value[VALUE_BYTES];
};

struct buckets {
	struct item **heads;
	uint32_t count; /* a power of two; 0: there are none */
};

struct table {
	struct buckets now;
	struct buckets next; /* while the table grows, the larger one */
	uint32_t moved;      /* buckets of `now` that are empty for good */
	struct gt_span growth;
	struct item *unused;
	uint32_t candidate; /* next item that eviction considers */
	uint32_t entries;
	uint64_t value_bytes;
	uint64_t evicted;
	struct item items[ITEMS];
};

static struct buckets new_buckets(uint32_t count)
{
	void *heads = runtime_alloc(count * sizeof(struct item *), 8);

	return (struct buckets){heads, heads ? count : 0};
}

static void table_init(struct table *table)
{
	table->now = new_buckets(BUCKETS_FIRST);
	if (!table->now.count)
		runtime_panic("no memory for the table");
	for (uint32_t i = 0; i < ITEMS; i++) {
		table->items[i].next = table->unused;
		table->unused = &table->items[i];
	}
}

static void count_table(const struct table *table)
{
	GT_COUNTER(GT_INFO, "table", gt_u64("entries", table->entries),
	           gt_u64("value_bytes", table->value_bytes),
	           gt_f64("load", (double)table->entries / table->now.count));
}

/* The link to the item with this key, or the empty one where it belongs. */
static struct item **find_in(const struct buckets *in, const char *key,
                             uint32_t hash)
{
	struct item **at = &in->heads[hash & (in->count - 1)];
	uint32_t passed = 0;

	while (*at && ((*at)->hash != hash || strcmp((*at)->key, key) != 0)) {
		at = &(*at)->next;
		passed++;
	}
	if (passed)
		GT_EVENT(GT_TRACE, "collision", gt_str("key", key),
		         gt_u64("passed", passed));
	return at;
}

static uint32_t hash_of(const char *key)
{
	return checksum(CHECKSUM_START, key, strlen(key));
}

static struct item **find(const struct table *table, const char *key)
{
	uint32_t hash = hash_of(key);
	struct item **at = find_in(&table->now, key, hash);

	if (!*at && table->next.count)
		at = find_in(&table->next, key, hash);
	return at;
}

static struct item *table_get(const struct table *table, const char *key)
{
	struct item *item = *find(table, key);

	if (item)
		item->wanted = true;
	return item;
}

static bool table_remove(struct table *table, const char *key)
{
	struct item **at = find(table, key), *item = *at;

	if (!item)
		return false;
	*at = item->next;
	table->entries--;
	table->value_bytes -= strlen(item->value);
	item->key[0] = '\0';
	item->next = table->unused;
	table->unused = item;
	count_table(table);
	return true;
}

/* Makes room in a full table: what nobody wanted lately has to go. */
static void evict(struct table *table)
{
	uint32_t i = table->candidate;
	struct item *item;

	for (; table->items[i].wanted; i = (i + 1) % ITEMS)
		table->items[i].wanted = false;
	table->candidate = i;
	item = &table->items[i];
	GT_EVENT(GT_WARN, "evicted", gt_str("key", item->key),
	         gt_ptr("item", item));
	table->evicted++;
	table_remove(table, item->key);
}

/* Afterwards the key is in the table, with an empty value if it is new. */
static struct item *table_add(struct table *table, const char *key)
{
	struct item **at = find(table, key), *item;

	if (*at)
		return *at;
	if (!table->unused) {
		evict(table);
		at = find(table, key);
	}
	item = table->unused;
	table->unused = item->next;
	*item = (struct item){.hash = hash_of(key)};
	memcpy(item->key, key, strlen(key));
	*at = item;
	table->entries++;
	return item;
}

static void table_set(struct table *table, const char *key, const char *value)
{
	struct item *item = table_add(table, key);

	table->value_bytes += strlen(value) - strlen(item->value);
	memcpy(item->value, value, strlen(value) + 1);
	item->wanted = true;
	count_table(table);
}

static uint64_t move_bucket(struct table *table, uint32_t index)
{
	struct item *item = table->now.heads[index], *rest;
	uint64_t moved = 0;

	table->now.heads[index] = NULL;
	for (; item; item = rest, moved++) {
		uint32_t to = item->hash & (table->next.count - 1);

		rest = item->next;
		item->next = table->next.heads[to];
		table->next.heads[to] = item;
	}
	return moved;
}

/* Its span is a root, because it outlives the request that causes it. */
static void growth_begin(struct table *table, const struct gt_span *cause)
{
	uint32_t from = table->now.count;

	if (table->next.count || table->entries <= from)
		return;
	table->next = new_buckets(from * 2);
	if (!table->next.count)
		return; /* no memory: stay slow */
	GT_OPEN(table->growth, GT_INFO, "growth", gt_root(), gt_link(*cause),
	        gt_u64("from", from), gt_u64("to", table->next.count));
	table->moved = 0;
}

static void growth_step(struct table *table)
{
	GT_SPAN(step, GT_DEBUG, "growth_step", gt_u64("from", table->moved));
	uint64_t moved = 0;

	for (uint32_t i = 0; i < BUCKETS_STEP; i++)
		moved += move_bucket(table, table->moved++);
	GT_RECORD(step, gt_u64("items", moved));
}

/* A little with each request, so that none has to wait for all of it. */
static void growth_continue(struct table *table)
{
	if (!table->next.count)
		return;
	gt_enter(&table->growth);
	growth_step(table);
	gt_exit(&table->growth);
	if (table->moved < table->now.count)
		return;
	table->now = table->next;
	table->next.count = 0;
	gt_close(&table->growth);
}

/* ---- The store: from a line of text to an answer ------------------------- */

#undef GT_TARGET
#define GT_TARGET "kv"

struct request {
	const struct gt_span *span;
	char op[8];
	char key[KEY_BYTES];
	char value[VALUE_BYTES];
	char caller[64];   /* W3C traceparent, "": not known */
	const char *error; /* NULL: it is all right */
	bool hit;
	char reply[VALUE_BYTES];
};

struct store {
	struct table table;
	uint64_t hits;
	uint64_t misses;
	uint64_t errors;
	uint32_t replies; /* checksum */
};

struct command {
	const char *op;
	bool (*run)(struct store *store, struct request *request); /* hit? */
	bool wants_value;
};

static bool run_set(struct store *store, struct request *request)
{
	table_set(&store->table, request->key, request->value);
	growth_begin(&store->table, request->span);
	return true;
}

static bool run_get(struct store *store, struct request *request)
{
	const struct item *item = table_get(&store->table, request->key);

	if (item)
		memcpy(request->reply, item->value, VALUE_BYTES);
	else
		GT_EVENT(GT_WARN, "miss", gt_str("key", request->key));
	return item;
}

static bool run_del(struct store *store, struct request *request)
{
	return table_remove(&store->table, request->key);
}

static bool is_number(const char *text)
{
	size_t digits = 0;

	while (text[digits] >= '0' && text[digits] <= '9')
		digits++;
	return digits > 0 && digits < DECIMAL_BYTES - 2 && !text[digits];
}

static bool run_incr(struct store *store, struct request *request)
{
	const struct item *item = table_get(&store->table, request->key);
	const char *by = request->value[0] ? request->value : "1";
	const char *old = item && item->value[0] ? item->value : "0";

	if (!is_number(old) || !is_number(by)) {
		request->error = "not a number";
		return false;
	}
	decimal(request->reply, runtime_parse_u64(old) + runtime_parse_u64(by));
	table_set(&store->table, request->key, request->reply);
	growth_begin(&store->table, request->span);
	return item;
}

static bool run_scan(struct store *store, struct request *request)
{
	GT_SPAN(scan, GT_DEBUG, "scan_items", gt_u64("of", ITEMS));
	size_t length = strlen(request->key);
	uint64_t found = 0;

	for (uint32_t i = 0; i < ITEMS; i++)
		found += !strncmp(store->table.items[i].key, request->key,
		                  length);
	decimal(request->reply, found);
	GT_RECORD(scan, gt_u64("found", found));
	return found > 0;
}

static const struct command commands[] = {
	{"set", run_set, true},    {"get", run_get, false},
	{"del", run_del, false},   {"incr", run_incr, false},
	{"scan", run_scan, false},
};

static const struct command *find_command(const char *op)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].op, op))
			return &commands[i];
	return NULL;
}

/* Moves *at to the next word, returns its first character; '\0': no more. */
static char next_word(const char **at, const char *end)
{
	while (*at < end && **at == ' ')
		(*at)++;
	return *at < end ? **at : '\0';
}

/* Copies the next word and moves *at behind it; false if it has no room. */
static bool take_word(const char **at, const char *end, char *to, size_t room)
{
	size_t bytes = 0;

	next_word(at, end);
	while (*at < end && **at != ' ') {
		if (bytes + 1 == room)
			return false;
		to[bytes++] = *(*at)++;
	}
	return true;
}

static struct request parse(const char *at, const char *end)
{
	struct request request = {.error = NULL};
	bool fits = take_word(&at, end, request.op, sizeof(request.op)) &&
	            take_word(&at, end, request.key, KEY_BYTES);

	if (fits && next_word(&at, end) != '#')
		fits = take_word(&at, end, request.value, VALUE_BYTES);
	if (fits && next_word(&at, end) == '#') {
		at++;
		fits = take_word(&at, end, request.caller,
		                 sizeof(request.caller));
	}
	if (!fits)
		request.error = "too long";
	else if (!request.key[0])
		request.error = "no key";
	return request;
}

static void run(struct store *store, struct request *request)
{
	const struct command *command = find_command(request->op);

	if (!request->error && !command)
		request->error = "no such command";
	if (!request->error && command->wants_value && !request->value[0])
		request->error = "no value";
	if (!request->error)
		request->hit = command->run(store, request);
	growth_continue(&store->table);
}

static void count_request(struct store *store, const struct request *request)
{
	uint64_t *kind = request->hit ? &store->hits : &store->misses;

	++*(request->error ? &store->errors : kind);
	store->replies = checksum(store->replies, request->reply,
	                          strlen(request->reply));
}

static void answer(struct store *store, const char *line, const char *end)
{
	struct request request = parse(line, end);
	GT_SPAN(span, GT_INFO, "request", gt_str("op", request.op),
	        gt_str("key", request.key), gt_i64("bytes", end - line));
	request.span = &span;
	if (request.caller[0])
		GT_RECORD(span, gt_link_remote(request.caller));
	run(store, &request);
	if (request.error)
		GT_RECORD(span, gt_error(request.error));
	else
		GT_RECORD(span, gt_bool("hit", request.hit),
		          gt_str("reply", request.reply), gt_ok());
	count_request(store, &request);
}

static void answer_log(struct store *store, const char *at, const char *end)
{
	while (at < end) {
		const char *line = at;

		while (at < end && *at != '\n')
			at++;
		answer(store, line, at++);
	}
}

/* Whether every item in use, and no other, can be found. */
static bool check(const struct table *table)
{
	GT_SPAN(span, GT_INFO, "check");
	uint32_t found = 0;

	for (uint32_t i = 0; i < ITEMS; i++)
		found += *find(table, table->items[i].key) == &table->items[i];
	if (found == table->entries)
		return true;
	GT_RECORD(span, gt_error("the table has lost items"));
	return false;
}

static void replay(struct store *store, int argc, char **argv, uint64_t repeat)
{
	for (uint64_t round = 0; round < repeat; round++) {
		GT_SPAN(span, GT_INFO, "replay", gt_u64("round", round));

		if (argc <= 0)
			answer_log(store, requests, requests_end);
		for (int i = 0; i < argc; i++)
			answer(store, argv[i], argv[i] + strlen(argv[i]));
	}
}

static void print(const struct store *store)
{
	runtime_print("kv:");
	result_u64("hits", store->hits);
	result_u64("misses", store->misses);
	result_u64("errors", store->errors);
	result_u64("entries", store->table.entries);
	result_u64("evicted", store->table.evicted);
	result_hex("checksum", store->replies);
	runtime_print("\n");
}

int guest_main(int argc, char **argv)
{
	static struct store store = {.replies = CHECKSUM_START};
	uint64_t repeat = 1;
	int first = 1; /* request among the arguments */
	bool sound;

	if (argc > 2 && !strcmp(argv[1], "--repeat")) {
		repeat = runtime_parse_u64(argv[2]);
		first = 3;
	}
	trace_start();
	table_init(&store.table);
	replay(&store, argc - first, argv + first, repeat);
	sound = check(&store.table);
	trace_stop();
	print(&store);
	return sound ? 0 : 1;
}
