/* SPDX-License-Identifier: MIT */
#include "protobuf_check.h"
#include "export/send/protobuf_cursor.h"

/* A field that is a message, and which one: its place in the table. */
struct message {
	unsigned of, field, is;
};

/* opentelemetry-proto 1.5: trace, metrics, logs, common, resource. */
static const struct message traces[] = {
	{0, 1, 1},  {1, 1, 2},  {2, 1, 3},  {3, 2, 4},  {4, 5, 10},
	{10, 1, 4}, {1, 2, 5},  {5, 1, 6},  {6, 3, 3},  {5, 2, 7},
	{7, 9, 3},  {7, 11, 8}, {8, 3, 3},  {7, 13, 9}, {9, 4, 3},
	{7, 15, 11}, {0, 0, 0}};
static const struct message metrics[] = {
	{0, 1, 1}, {1, 1, 2}, {2, 1, 3}, {3, 2, 4},  {1, 2, 5},  {5, 1, 6},
	{5, 2, 7}, {7, 5, 8}, {7, 7, 8}, {7, 10, 9}, {8, 1, 10}, {10, 7, 3},
	{9, 1, 11}, {11, 1, 3}, {11, 8, 12}, {11, 9, 12}, {0, 0, 0}};
static const struct message logs[] = {
	{0, 1, 1}, {1, 1, 2}, {2, 1, 3}, {3, 2, 4}, {1, 2, 5},
	{5, 1, 6}, {5, 2, 7}, {7, 5, 4}, {7, 6, 3}, {0, 0, 0}};
/* Perfetto's trace.proto, trace_packet.proto. */
static const struct message packets[] = {
	{0, 1, 1}, {1, 6, 2}, {1, 11, 3}, {1, 12, 4}, {1, 60, 5}, {0, 0, 0}};

static const struct message *const tables[] = {traces, logs, metrics, packets};

static unsigned message_in(const struct message *table, unsigned of,
                           uint64_t field)
{
	for (; table->field; table++)
		if (table->of == of && table->field == field)
			return table->is;
	return 0;
}

#define DEPTH_MAX 16u

bool is_protobuf(enum protobuf_of of, const void *bytes, size_t count)
{
	const struct message *table = tables[of];
	struct {
		struct gt__cursor c;
		unsigned is;
	} stack[DEPTH_MAX] = {{{bytes, count, false}, 0}};
	size_t depth = 1;

	while (depth > 0) {
		struct gt__cursor *c = &stack[depth - 1].c, part;
		uint64_t tag, value;
		unsigned is;

		if (c->left == 0) {
			depth--;
			continue;
		}
		tag = gt__take_varint(c);
		part = gt__take_value(c, tag, &value);
		if (c->bad || tag >> 3 == 0)
			return false;
		is = message_in(table, stack[depth - 1].is, tag >> 3);
		if (is == 0 || (tag & 7) != 2)
			continue;
		if (depth == DEPTH_MAX)
			return false;
		stack[depth].c = part;
		stack[depth++].is = is;
	}
	return true;
}
