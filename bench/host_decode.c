/* SPDX-License-Identifier: MIT */
/* Reading what guests wrote: all checks on, every value looked at. */
#include "host/decode/native.h"
#include "harness.h"
#include "host_samples.h"

#include <guesttrace/guest.h>
#include <stdio.h>
#include <string.h>

#define SECONDS 0.03 /* of one sample, about */

const char *vectors = "tests/vectors";

/* ---- The native wire ----------------------------------------------------- */

#define RECORDS_ROUNDS 300u /* with their 112 bytes they fit the ring */

static uint8_t native_bytes[65536];
static size_t native_count;
static struct gt__sites *native_sites;

/* What a guest leaves in its ring, copied as the host does. */
static void record_some(void)
{
	struct gt_host *host = live_host((struct gt_output){.write = NULL});
	const struct gt_ring *ring = &gt_vcpu0.ring[0];
	const void *sites = (const void *)(uintptr_t)gt_control.sites_gva;

	live_record(RECORDS_ROUNDS);
	native_count = ring->pos;
	if (native_count > sizeof(native_bytes))
		bench_fail("the ring went round");
	memcpy(native_bytes, (const void *)(uintptr_t)ring->base_gva,
	       native_count);
	if (gt__sites_new(sites, gt_control.sites_bytes, gt_control.sites_gva,
	                  &native_sites) < 0)
		bench_fail("no site table");
	live_end(host);
}

static uint64_t look_at_values(const struct gt__record *record)
{
	const uint8_t *at = record->body;
	size_t left = record->body_bytes;
	struct gt__value value;
	uint64_t sum = 0;

	for (uint32_t i = 0; i < record->site->field_count; i++) {
		size_t used = gt__value_read(record->site->fields[i].type, at,
		                             left, &value);

		if (used == SIZE_MAX)
			bench_fail("a value does not decode");
		sum += value.word + value.stored_bytes;
		at += used;
		left -= used;
	}
	return sum;
}

static uint64_t decode_once(void)
{
	uint64_t records = 0, sum = 0;
	struct gt__record record;

	for (size_t at = 0; at < native_count;) {
		size_t used = gt__record_read(native_sites, native_bytes + at,
		                              native_count - at, &record);

		if (!used)
			bench_fail("a record does not decode");
		if (record.site)
			sum += look_at_values(&record);
		records += record.kind > GT_RECORD_SYNC;
		at += used;
	}
	__asm__ volatile("" ::"r"(sum));
	return records;
}

double sample_decode_native(void)
{
	uint64_t records = 0;
	double start, now;

	if (!native_sites)
		record_some();
	start = bench_cpu_seconds();
	do {
		for (unsigned i = 0; i < 8; i++)
			records += decode_once();
		now = bench_cpu_seconds() - start;
	} while (!bench_quick && now < SECONDS);
	return (double)records / now;
}

/* ---- Hyperlight's -------------------------------------------------------- */

struct batch {
	uint8_t bytes[GT_HYPERLIGHT_BATCH_BYTES];
	size_t count;
};

static void load(struct batch *batch, const char *wire)
{
	char path[4096];
	FILE *file;

	snprintf(path, sizeof(path), "%s/hyperlight-%s/mix30.bin", vectors,
	         wire);
	file = fopen(path, "rb");
	if (!file)
		bench_fail("no batch of 30 events in the folder of vectors");
	batch->count = fread(batch->bytes, 1, sizeof(batch->bytes), file);
	fclose(file);
}

static int look(void *context, const struct gt_hyperlight_event *event)
{
	uint64_t *sum = context;

	for (uint32_t i = 0; i < event->field_count; i++)
		*sum += gt_hyperlight_field(event, i).value.count;
	return 0;
}

static double hyperlight(struct batch *batch, enum gt_wire wire,
                         const char *name)
{
	struct gt_hyperlight_result result;
	uint64_t events = 0, sum = 0;
	double start, now;

	if (!batch->count)
		load(batch, name);
	start = bench_cpu_seconds();
	do {
		for (unsigned i = 0; i < 64; i++) {
			if (gt_hyperlight_decode(wire, batch->bytes,
			                         batch->count, NULL, look, &sum,
			                         &result) < 0)
				bench_fail("a batch does not decode");
			events += result.events;
		}
		now = bench_cpu_seconds() - start;
	} while (!bench_quick && now < SECONDS);
	__asm__ volatile("" ::"r"(sum));
	return (double)events / now;
}

double sample_decode_hyperlight11(void)
{
	static struct batch batch;

	return hyperlight(&batch, GT_WIRE_HYPERLIGHT_0_11, "0.11");
}

double sample_decode_hyperlight12(void)
{
	static struct batch batch;

	return hyperlight(&batch, GT_WIRE_HYPERLIGHT_0_12, "0.12");
}
