/* SPDX-License-Identifier: MIT */
/*
 * The end of a capture whose writer was killed, from the guest's memory, which
 * was not. What the capture has says what was taken; the rings have the rest.
 */
#include "host/pipeline/pipeline.h"
#include "rings.h"
#include "system.h"

#include <guesttrace/host_completion.h>

#include <errno.h>
#include <stddef.h>

/* Of a payload, what is looked at: at most a GUEST frame of all vCPUs. */
#define KEPT_BYTES (24u + GT_VCPUS_MAX * GT_LEVELS * 8u)
#define READ_BYTES 65536u

/* What the capture has of a vCPU, since the latest GUEST frame. */
struct taken {
	uint64_t end[GT_LEVELS]; /* positions */
	uint64_t lost[2];
	uint64_t left_tsc; /* when it left the guest last; 0: not known */
};

struct completion {
	const struct gt_completion_options *options;
	uint64_t bytes; /* of whole frames */
	uint64_t id_base;
	uint32_t seed, vcpus;
	uint32_t guests; /* GUEST frames */
	bool torn, has_sites, has_end;
	struct taken *taken; /* per vCPU */
	uint8_t *buffer;     /* KEPT_BYTES, then READ_BYTES */
	struct gt__frame_buffer frame;
};

/* ---- What the capture has ------------------------------------------------ */

/* All of `count`, or what there is. */
static long read_at(const struct completion *c, uint64_t at, void *to,
                    size_t count)
{
	size_t done = 0;

	while (done < count) {
		long got = c->options->read(c->options->context, at + done,
		                            (uint8_t *)to + done, count - done);

		if (got < 0)
			return got;
		if (got == 0)
			break;
		done += (size_t)got;
	}
	return (long)done;
}

static int see_start(struct completion *c, const uint8_t *payload, size_t count)
{
	if (count < 112 || gt__load64(payload) != GT__CAPTURE_MAGIC)
		return -GT_ERROR_NOT_A_CAPTURE;
	if (gt__load32(payload + 8) != GT_ABI_VERSION)
		return -GT_ERROR_BAD_VERSION;
	c->vcpus = gt__load32(payload + 12);
	c->id_base = gt__load64(payload + 40);
	c->seed = gt__load32(payload + GT__START_SEED_AT);
	if (c->vcpus < 1 || c->vcpus > GT_VCPUS_MAX)
		return -GT_ERROR_NOT_A_CAPTURE;
	c->taken = calloc(c->vcpus, sizeof(*c->taken));
	return c->taken ? 0 : -ENOMEM;
}

static void see_guest(struct completion *c)
{
	c->guests++;
	c->has_sites = false;
	for (uint32_t i = 0; i < c->vcpus; i++)
		c->taken[i] = (struct taken){.left_tsc = c->taken[i].left_tsc};
}

static void see_records(struct completion *c, uint32_t vcpu,
                        const uint8_t *payload, size_t count)
{
	struct taken *taken = &c->taken[vcpu];

	if (count < GT__RECORDS_HEAD)
		return;
	memcpy(taken->lost, payload + 32, sizeof(taken->lost));
	for (unsigned i = 0; i < GT_LEVELS; i++) {
		const uint8_t *range = payload + 56 + 16 * i;

		taken->end[i] = gt__load64(range) + gt__load64(range + 8);
	}
}

static void see_exits(struct completion *c, const uint8_t *payload,
                      size_t count)
{
	for (size_t at = GT__EXITS_HEAD; at + GT__EXIT_BYTES <= count;
	     at += GT__EXIT_BYTES) {
		uint32_t vcpu = gt__load16(payload + at + 22);

		if (vcpu < c->vcpus && gt__load64(payload + at) != 0)
			c->taken[vcpu].left_tsc = gt__load64(payload + at + 8);
	}
}

static int see(struct completion *c, const uint8_t *head, size_t count)
{
	const uint8_t *payload = c->buffer;
	uint32_t vcpu = gt__load16(head + 14);

	switch ((enum gt__frame_type)gt__load16(head + 12)) {
	case GT__FRAME_START:
		return c->taken ? 0 : see_start(c, payload, count);
	case GT__FRAME_GUEST:
		see_guest(c);
		break;
	case GT__FRAME_SITES:
		c->has_sites = true;
		break;
	case GT__FRAME_RECORDS:
		if (vcpu < c->vcpus)
			see_records(c, vcpu, payload, count);
		break;
	case GT__FRAME_EXITS:
		see_exits(c, payload, count);
		break;
	case GT__FRAME_END:
		c->has_end = true;
		break;
	default:
		break;
	}
	return 0;
}

/*
 * The payload's head comes to `buffer`. 1: it is whole and as its CRC says; 0:
 * the file ends before it does.
 */
static int read_payload(struct completion *c, const uint8_t *head)
{
	uint64_t at = c->bytes + GT__FRAME_HEAD;
	size_t count = gt__load32(head + 4), done = 0;
	uint32_t crc = gt__crc32c(c->seed, head + 4, 4);

	crc = gt__crc32c(crc, head + 12, 4);
	while (done < count) {
		uint8_t *to = c->buffer + (done ? KEPT_BYTES : 0);
		size_t want = done ? READ_BYTES : KEPT_BYTES;
		long got;

		if (want > count - done)
			want = count - done;
		got = read_at(c, at + done, to, want);
		if (got < 0)
			return (int)got;
		crc = gt__crc32c(crc, to, (size_t)got);
		done += (size_t)got;
		if ((size_t)got < want)
			return 0;
	}
	return crc == gt__load32(head + 8) ? 1 : -EBADMSG;
}

/* 1: there was one more frame; 0: none. */
static int read_frame(struct completion *c)
{
	uint8_t head[GT__FRAME_HEAD];
	long got = read_at(c, c->bytes, head, sizeof(head));
	size_t count;
	int r;

	if (got < 0)
		return (int)got;
	c->torn = got > 0;
	if (got < (long)sizeof(head))
		return 0;
	count = gt__load32(head + 4);
	if (gt__load32(head) != GT__FRAME_MAGIC || count > GT__FRAME_BYTES_MAX)
		return -EBADMSG;
	r = read_payload(c, head);
	if (r <= 0)
		return r;
	r = see(c, head, count < KEPT_BYTES ? count : KEPT_BYTES);
	if (r == 0 && !c->taken)
		r = -GT_ERROR_NOT_A_CAPTURE;
	c->bytes += sizeof(head) + count;
	return r < 0 ? r : 1;
}

static int read_capture(struct completion *c)
{
	int r;

	do
		r = read_frame(c);
	while (r > 0 && !c->has_end);
	if (r == 0 && !c->taken)
		r = -GT_ERROR_NOT_A_CAPTURE;
	return r < 0 ? r : 0;
}

/* ---- What the rings have ------------------------------------------------- */

static struct gt_clock_reading read_clock(const struct completion *c)
{
	struct gt_clock_reading reading = {0};

	if (c->options->read_clock)
		c->options->read_clock(c->options->clock_context, &reading);
	else
		gt__system_clock(NULL, &reading);
	return reading;
}

static void store_reading(const struct completion *c, uint8_t *to)
{
	struct gt_clock_reading reading = read_clock(c);

	gt__store64(to, reading.tsc);
	gt__store64(to + 8, reading.monotonic_ns);
	gt__store64(to + 16, reading.gap_ns);
}

static int put(struct completion *c, enum gt__frame_type type, uint32_t vcpu)
{
	if (c->frame.no_memory)
		return -ENOMEM;
	c->frame.seed = c->seed;
	gt__frame_seal(&c->frame, type, vcpu);
	return c->options->write(c->options->context, c->frame.bytes,
	                         c->frame.count);
}

/* The writer was killed before it could say who had announced itself. */
static int put_guest(struct completion *c, struct gt__guest *guest,
                     const struct gt__paging *paging)
{
	int r = 0;

	guest->id_base = c->id_base;
	if (c->guests > c->options->guests_before && c->has_sites)
		return 0;
	if (c->guests <= c->options->guests_before) {
		if (c->guests > 0)
			gt__system_random(NULL, &guest->id_base,
			                  sizeof(guest->id_base));
		gt__frame_begin(&c->frame);
		gt__guest_put(guest, &c->frame);
		r = put(c, GT__FRAME_GUEST, 0);
		see_guest(c);
	}
	gt__frame_begin(&c->frame);
	if (r == 0)
		r = gt__guest_put_sites(guest, paging, &c->frame);
	return r < 0 ? r : put(c, GT__FRAME_SITES, 0);
}

static int put_records(struct completion *c, struct gt__guest *guest,
                       const struct gt__paging *paging, uint32_t vcpu)
{
	const struct taken *taken = &c->taken[vcpu];
	uint8_t *head;
	int r, read_error;

	for (unsigned i = 0; i < GT_LEVELS; i++)
		guest->rings[vcpu][i].tail = taken->end[i];
	memcpy(guest->lost[vcpu], taken->lost, sizeof(taken->lost));
	gt__frame_begin(&c->frame);
	r = gt__guest_read(guest, paging, vcpu, &c->frame, &read_error);
	if (r <= 0)
		return r;
	head = c->frame.bytes + GT__FRAME_HEAD;
	store_reading(c, head);
	/* Its latest exits are not known, and so no time out of the guest. */
	gt__store64(head + 24, taken->left_tsc ? taken->left_tsc + 1 : 0);
	r = put(c, GT__FRAME_RECORDS, vcpu);
	return r < 0 ? r : read_error;
}

static int put_merge(struct completion *c, uint64_t tsc)
{
	gt__frame_begin(&c->frame);
	gt__frame_put64(&c->frame, tsc);
	return put(c, GT__FRAME_MERGE, 0);
}

/* The first error of the rings, after all were read. */
static int put_rings(struct completion *c, const struct gt__memory *memory)
{
	const struct gt_completion_options *options = c->options;
	const struct gt__paging paging = {options->cr0, options->cr3,
	                                  options->cr4, options->efer};
	const struct gt_limits limits = gt__limits(&options->limits);
	const uint64_t tsc = read_clock(c).tsc;
	struct gt__guest guest = {0};
	int r = gt__guest_announce(&guest, memory, &paging,
	                           options->control_gva, c->vcpus, &limits);
	int result = 0;

	if (r == 0 && guest.generation > 0)
		r = -ENOTSUP; /* where its life began is not in the capture */
	if (r == 0)
		r = put_guest(c, &guest, &paging);
	for (uint32_t i = 0; r == 0 && i < guest.vcpus; i++) {
		int one = put_records(c, &guest, &paging, i);

		result = result < 0 ? result : one;
	}
	if (r == 0)
		r = put_merge(c, tsc);
	gt__guest_fini(&guest);
	return r < 0 ? r : result;
}

static int put_end(struct completion *c)
{
	const char *message = c->options->message ? c->options->message : "";
	uint8_t reading[24];

	store_reading(c, reading);
	gt__frame_begin(&c->frame);
	gt__frame_put32(&c->frame, c->options->ending);
	gt__frame_put32(&c->frame, 0);
	gt__frame_put(&c->frame, reading, sizeof(reading));
	gt__frame_put64(&c->frame, 0);
	gt__frame_put64(&c->frame, 0);
	gt__frame_put64(&c->frame, 0);
	gt__frame_put_text(&c->frame, message, strlen(message));
	return put(c, GT__FRAME_END, 0);
}

static int write_rest(struct completion *c)
{
	const struct gt_completion_options *options = c->options;
	struct gt__memory memory = {.count = options->memory_slots};
	int r = 0, rings = 0;

	memcpy(memory.slots, options->memory, sizeof(memory.slots));
	for (uint32_t i = 0; i < memory.count; i++)
		memory.slots[i].read_only = true;
	if (c->torn)
		r = options->truncate(options->context, c->bytes);
	if (r == 0 && options->control_gva != 0)
		rings = put_rings(c, &memory);
	if (r == 0)
		r = put_end(c);
	return r < 0 ? r : rings;
}

int gt_capture_complete(const struct gt_completion_options *given)
{
	struct gt_completion_options options = {0};
	struct completion c = {.options = &options};
	int r;

	memcpy(&options, given,
	       given->size < sizeof(options) ? given->size : sizeof(options));
	if (options.memory_slots > GT_MEMORY_SLOTS_MAX || !options.read ||
	    !options.truncate || !options.write)
		return -EINVAL;
	c.buffer = malloc(KEPT_BYTES + READ_BYTES);
	r = c.buffer ? read_capture(&c) : -ENOMEM;
	if (r == 0 && !c.has_end) {
		r = write_rest(&c);
		r = r < 0 ? r : 1;
	}
	free(c.buffer);
	free(c.taken);
	free(c.frame.bytes);
	return r;
}
