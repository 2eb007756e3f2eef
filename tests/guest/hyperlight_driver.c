/* SPDX-License-Identifier: MIT */
/*
 * Makes the calls that standard input lists, one a line, and writes the batches
 * that leave the guest library to standard output, each behind the number of
 * its call and its length, 32 bits each. tests/guest/model.py writes the
 * list and knows what has to come. The clock ticks with each reading.
 *
 *   hyperlight_driver 0.11|0.12 strict|fixed
 */
#define GT_TARGET "model"
#include "tests/support/hyperlight_settings.h"

#include <guesttrace/guest.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 16u
#define LARGE (16u << 20)

static uint64_t now;
static uint32_t call;
static struct gt_span slots[SLOTS];

uint64_t test_tsc(void)
{
	return ++now;
}

void test_batch(const void *batch, size_t bytes)
{
	uint32_t head[] = {call, (uint32_t)bytes};

	fwrite(head, sizeof(head), 1, stdout);
	fwrite(batch, 1, bytes, stdout);
}

/* ---- A line: letters and numbers, texts in hexadecimal ------------------- */

static char *at;

static uint64_t number(void)
{
	return strtoull(at, &at, 10);
}

static struct gt_span *slot(void)
{
	return &slots[number() % SLOTS];
}

struct bytes {
	char bytes[1024];
	size_t count;
};

static struct bytes text(void)
{
	struct bytes text = {.count = 0};
	unsigned byte;

	at += strspn(at, " ");
	if (*at == '-')
		at++;
	for (; sscanf(at, "%2x", &byte) == 1 && *at != ' '; at += 2)
		text.bytes[text.count++] = (char)byte;
	return text;
}

struct values {
	uint64_t u;
	int64_t i;
	union {
		uint64_t bits;
		double f;
	} f;
	bool b;
	void *p;
	struct bytes s, x;
};

/* Shape 0 has no field, 1 a number, 2 a number and a text, 3 all else. */
static struct values values(unsigned shape)
{
	struct values v = {0};

	if (shape == 1 || shape == 2)
		v.u = number();
	if (shape == 2)
		v.s = text();
	if (shape == 3) {
		v.i = (int64_t)number();
		v.f.bits = number();
		v.b = number();
		v.p = (void *)(uintptr_t)number();
		v.x = text();
		v.s = text();
	}
	return v;
}

#define SHAPE_1 gt_u64("count", v.u)
#define SHAPE_2 gt_u64("count", v.u), gt_strn("label", v.s.bytes, v.s.count)
#define SHAPE_3                                                        \
	gt_i64("i", v.i), gt_f64("f", v.f.f), gt_bool("b", v.b),       \
		gt_ptr("p", v.p), gt_bytes("x", v.x.bytes, v.x.count), \
		gt_strn("s", v.s.bytes, v.s.count)

static void open_span(void)
{
	struct gt_span *span = slot();
	unsigned shape = (unsigned)number();
	struct values v = values(shape);

	switch (shape) {
	case 0:
		GT_OPEN(*span, GT_INFO, "open_0");
		break;
	case 1:
		GT_OPEN(*span, GT_INFO, "open_one", gt_link_id(7), SHAPE_1);
		break;
	case 2:
		GT_OPEN(*span, GT_INFO, "open__two", SHAPE_2);
		break;
	case 3:
		GT_OPEN(*span, GT_INFO, "open_three", SHAPE_3, gt_ok());
		break;
	}
}

static void open_below(void)
{
	struct gt_span *span = slot(), *parent = slot();

	GT_OPEN(*span, GT_INFO, "open_below", gt_parent(*parent));
}

static void log_event(void)
{
	unsigned shape = (unsigned)number();
	struct values v = values(shape);

	switch (shape) {
	case 0:
		GT_EVENT(GT_INFO, "log");
		break;
	case 1:
		GT_EVENT(GT_INFO, "log_one", SHAPE_1);
		break;
	case 2:
		GT_EVENT(GT_INFO, "log_two", SHAPE_2);
		break;
	case 3:
		GT_EVENT(GT_INFO, "log_three", SHAPE_3);
		break;
	}
}

static void log_below(void)
{
	struct gt_span *parent = slot();

	GT_EVENT(GT_INFO, "log_below", gt_parent(*parent));
}

static void record(void)
{
	struct gt_span *span = slot();
	unsigned shape = (unsigned)number();
	struct values v = values(shape);

	switch (shape) {
	case 1:
		GT_RECORD(*span, SHAPE_1);
		break;
	case 2:
		GT_RECORD(*span, gt_error("left out"), SHAPE_2);
		break;
	case 3:
		GT_RECORD(*span, SHAPE_3);
		break;
	}
}

static void scope(void)
{
	unsigned shape = (unsigned)number();
	struct values v = values(shape);
	GT_SPAN(span, GT_INFO, "scope", gt_u64("count", v.u));

	GT_EVENT(GT_INFO, "inside");
}

static void obey(char what)
{
	switch (what) {
	case 'o':
		open_span();
		break;
	case 'q':
		open_below();
		break;
	case 'n':
		gt_enter(slot());
		break;
	case 'x':
		gt_exit(slot());
		break;
	case 'c':
		gt_close(slot());
		break;
	case 'l':
		log_event();
		break;
	case 'm':
		log_below();
		break;
	case 'r':
		record();
		break;
	case 's':
		scope();
		break;
	case 'b':
		gt_call_begin();
		break;
	case 'e':
		gt_call_end();
		break;
	case 'f': /* any exit takes what is there */
		gt_flush();
		break;
	case 'k':
		GT_COUNTER(GT_INFO, "counter", gt_u64("n", now));
		break;
	}
}

int main(int argc, char **argv)
{
	bool is_0_11 = argc > 1 && strcmp(argv[1], "0.11") == 0;
	struct gt_options options = {
		.size = sizeof(options),
		.encoder = is_0_11 ? gt_hyperlight_0_11 : gt_hyperlight_0_12,
		.compat_strict = argc > 2 && strcmp(argv[2], "strict") == 0,
	};
	char *line = NULL;
	size_t room = 0;

	/* Hyperlight's 0.11 knows no limit but 30 events. */
	if (is_0_11) {
		options.batch = malloc(LARGE);
		options.batch_bytes = LARGE;
	}
	gt_init(&options);
	while (getline(&line, &room, stdin) > 1) {
		call++;
		at = line + 1;
		obey(line[0]);
	}
	call++;
	gt_flush();
	free(options.batch);
	free(line);
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
