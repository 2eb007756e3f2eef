/* SPDX-License-Identifier: MIT */
/*
 * Reads a log of 780 lines on all vCPUs: who logged how much, how much of it
 * were errors, and how long the requests took.
 *
 *   smp.elf [--repeat N]
 *
 * The text is data/service.log, cut at line ends into slices. vCPU 0 hands them
 * out, the n-th to vCPU n modulo their number, and adds up what comes back.
 *
 * In the trace: each slice is a span that vCPU 0 opens and the vCPU that has
 * read it closes, so that it covers the wait as well; the reading is a span
 * inside it, with an event per error; `total` is linked to all of them.
 */
#define GT_TARGET "smp"

#include <guesttrace/guest.h>

#include "../runtime/runtime.h"
#include "embed.h"
#include "result.h"
#include "trace_vcpus.h"

EMBED(service_log, "service.log");

#define SLICES   16u
#define SERVICES 8u

struct service {
	const char *name; /* in the log; not NUL-terminated */
	size_t length;
	uint64_t lines;
	uint64_t errors;
};

struct tally {
	struct service services[SERVICES];
	uint32_t service_count;
	uint64_t lines;
	uint64_t ms; /* of all requests that say how long they took */
};

enum slice_state {
	SLICE_EMPTY,
	SLICE_POSTED, /* vCPU 0 has filled it in */
	SLICE_READ,   /* its reader has */
};

/* Belongs to vCPU 0, from SLICE_POSTED to SLICE_READ to its reader. */
struct slice {
	uint32_t state; /* enum slice_state */
	uint32_t index;
	const char *from, *end;
	struct gt_span span;
	uint64_t read_id; /* span that read it */
	struct tally tally;
} __attribute__((aligned(64)));

static struct slice slices[SLICES];
static uint32_t finished; /* no more slices will come */

static void wait_for(const struct slice *slice, enum slice_state state)
{
	while (__atomic_load_n(&slice->state, __ATOMIC_ACQUIRE) != state)
		__asm__ volatile("pause");
}

static void set_state(struct slice *slice, enum slice_state state)
{
	__atomic_store_n(&slice->state, state, __ATOMIC_RELEASE);
}

/* ---- Reading a slice, on any vCPU ---------------------------------------- */

static const char *line_end(const char *at, const char *end)
{
	while (at < end && *at != '\n')
		at++;
	return at;
}

/* What follows `key` in a line, or NULL. */
static const char *find(const char *at, const char *end, const char *key)
{
	size_t n = strlen(key);

	for (; (size_t)(end - at) >= n; at++)
		if (memcmp(at, key, n) == 0)
			return at + n;
	return NULL;
}

static struct service *service_of(struct tally *tally, const char *name,
                                  size_t length)
{
	struct service *service = tally->services;

	for (uint32_t i = 0; i < tally->service_count; i++, service++)
		if (service->length == length &&
		    memcmp(service->name, name, length) == 0)
			return service;
	if (tally->service_count == SERVICES)
		runtime_panic("more services than expected");
	tally->service_count++;
	*service = (struct service){.name = name, .length = length};
	return service;
}

static void read_line(struct tally *tally, const char *at, const char *end)
{
	const char *level = find(at, end, "\"level\":\"");
	const char *name = find(at, end, "\"service\":\"");
	const char *ms = find(at, end, "\"ms\":");
	const char *name_end = name;
	struct service *service;

	tally->lines++;
	tally->ms += ms ? runtime_parse_u64(ms) : 0;
	if (!level || !name)
		return;
	while (name_end < end && *name_end != '"')
		name_end++;
	service = service_of(tally, name, (size_t)(name_end - name));
	service->lines++;
	if (*level != 'e')
		return;
	service->errors++;
	GT_EVENT(GT_WARN, "error",
	         gt_strn("service", service->name, service->length),
	         gt_i64("offset", at - service_log));
}

static void read_slice(struct slice *slice)
{
	GT_SPAN(span, GT_INFO, "read", gt_parent(slice->span),
	        gt_u64("slice", slice->index),
	        gt_u64("vcpu", runtime_vcpu_index()));
	const char *end;

	slice->tally = (struct tally){0};
	for (const char *at = slice->from; at < slice->end; at = end + 1) {
		end = line_end(at, slice->end);
		read_line(&slice->tally, at, end);
	}
	slice->read_id = span.id;
	GT_RECORD(span, gt_u64("lines", slice->tally.lines), gt_ok());
}

/* All slices of one vCPU, as they come. */
static void read_own(unsigned vcpu)
{
	for (uint32_t i = vcpu; i < SLICES; i += runtime_boot()->vcpus) {
		struct slice *slice = &slices[i];

		while (__atomic_load_n(&slice->state, __ATOMIC_ACQUIRE) !=
		       SLICE_POSTED) {
			if (__atomic_load_n(&finished, __ATOMIC_ACQUIRE))
				return;
			__asm__ volatile("pause");
		}
		read_slice(slice);
		gt_close(&slice->span);
		set_state(slice, SLICE_READ);
	}
}

void guest_vcpu_main(unsigned vcpu)
{
	trace_enter_vcpu(vcpu);
	if (vcpu >= SLICES)
		return;
	while (!__atomic_load_n(&finished, __ATOMIC_ACQUIRE))
		read_own(vcpu);
}

/* ---- vCPU 0 -------------------------------------------------------------- */

static void post_all(void)
{
	size_t bytes = (size_t)(service_log_end - service_log);
	const char *at = service_log;

	for (uint32_t i = 0; i < SLICES; i++) {
		struct slice *slice = &slices[i];
		const char *end = service_log + bytes * (i + 1) / SLICES;

		slice->index = i;
		slice->from = at;
		slice->end = line_end(end > at ? end : at, service_log_end);
		at = slice->end < service_log_end ? slice->end + 1
		                                  : service_log_end;
		GT_OPEN(slice->span, GT_INFO, "slice", gt_u64("slice", i),
		        gt_u64("bytes", (size_t)(at - slice->from)));
		set_state(slice, SLICE_POSTED);
	}
}

static void add(struct tally *sum, const struct tally *part)
{
	sum->lines += part->lines;
	sum->ms += part->ms;
	for (uint32_t i = 0; i < part->service_count; i++) {
		const struct service *from = &part->services[i];
		struct service *to = service_of(sum, from->name, from->length);

		to->lines += from->lines;
		to->errors += from->errors;
	}
}

static void add_all(struct tally *sum)
{
	GT_SPAN(span, GT_INFO, "total");

	*sum = (struct tally){0};
	for (uint32_t i = 0; i < SLICES; i++) {
		wait_for(&slices[i], SLICE_READ);
		add(sum, &slices[i].tally);
		GT_RECORD(span, gt_link_id(slices[i].read_id));
		set_state(&slices[i], SLICE_EMPTY);
	}
	GT_RECORD(span, gt_u64("lines", sum->lines), gt_ok());
}

static void print(const struct tally *sum)
{
	runtime_print("smp:");
	result_u64("lines", sum->lines);
	result_u64("ms", sum->ms);
	for (uint32_t i = 0; i < sum->service_count; i++) {
		const struct service *service = &sum->services[i];

		runtime_print(" ");
		runtime_print_bytes(service->name, service->length);
		result_u64("lines", service->lines);
		result_u64("errors", service->errors);
	}
	runtime_print("\n");
}

int guest_main(int argc, char **argv)
{
	static struct tally sum;
	uint64_t repeat = 1;

	if (argc > 2 && !strcmp(argv[1], "--repeat"))
		repeat = runtime_parse_u64(argv[2]);
	trace_start_vcpus();
	runtime_start_vcpus();
	for (uint64_t round = 0; round < repeat; round++) {
		GT_SPAN(span, GT_INFO, "round", gt_u64("round", round),
		        gt_u64("vcpus", runtime_boot()->vcpus));

		post_all();
		read_own(0);
		add_all(&sum);
	}
	__atomic_store_n(&finished, 1, __ATOMIC_RELEASE);
	trace_stop_vcpus();
	print(&sum);
	return sum.lines > 0 ? 0 : 1;
}
