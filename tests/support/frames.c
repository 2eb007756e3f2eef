/* SPDX-License-Identifier: MIT */
#include "frames.h"

#define SITES_GVA  UINT64_C(0x400000)
#define OPEN_SITE  ((uint32_t)SITES_GVA)
#define EVENT_SITE ((uint32_t)SITES_GVA + 32)

struct memfile frames_file;
struct gt__frame_buffer frames_buffer;
uint64_t frames_now;
uint64_t frames_lost;

int frames_setup(void **unused)
{
	(void)unused;
	frames_file.count = frames_file.done = frames_file.piece = 0;
	frames_now = 100;
	return 0;
}

int frames_teardown(void **unused)
{
	(void)unused;
	free(frames_file.bytes);
	free(frames_buffer.bytes);
	frames_file = (struct memfile){.bytes = NULL};
	frames_buffer = (struct gt__frame_buffer){.bytes = NULL};
	return 0;
}

void frames_seal(enum gt__frame_type type, uint32_t vcpu)
{
	gt__frame_seal(&frames_buffer, type, vcpu);
	memfile_write(&frames_file, frames_buffer.bytes, frames_buffer.count);
}

void frames_start(uint32_t version, uint32_t vcpus)
{
	gt__frame_begin(&frames_buffer);
	gt__frame_put64(&frames_buffer, GT__CAPTURE_MAGIC);
	gt__frame_put32(&frames_buffer, version);
	gt__frame_put32(&frames_buffer, vcpus);
	gt__frame_put(&frames_buffer, "0123456789abcdef", 16);
	for (unsigned i = 0; i < 5; i++)
		gt__frame_put64(&frames_buffer, 0);
	for (unsigned i = 0; i < 2; i++)
		gt__frame_put64(&frames_buffer, 0); /* no rate, no flags */
	for (unsigned i = 0; i < 3; i++)
		gt__frame_put64(&frames_buffer, 100); /* clock */
	for (unsigned i = 0; i < 3; i++)
		gt__frame_put_text(&frames_buffer, "name", 4);
}

void frames_guest(uint32_t vcpus, uint64_t block_bytes)
{
	gt__frame_begin(&frames_buffer);
	gt__frame_put32(&frames_buffer, 0);
	gt__frame_put32(&frames_buffer, vcpus);
	gt__frame_put64(&frames_buffer, SITES_GVA);
	gt__frame_put64(&frames_buffer, 0); /* what is added to its ids */
	for (uint32_t i = 0; i < vcpus * GT_LEVELS; i++)
		gt__frame_put64(&frames_buffer, block_bytes);
	frames_seal(GT__FRAME_GUEST, 0);
}

static void put_site(enum gt_site_kind kind, unsigned fields, const char *text,
                     size_t count)
{
	struct gt_site site = {.kind = (uint8_t)kind,
	                       .level = GT_INFO,
	                       .fields = (uint8_t)fields,
	                       .size = 32,
	                       .magic = GT_SITE_MAGIC};
	char bytes[16] = "";

	memcpy(bytes, text, count);
	gt__frame_put(&frames_buffer, &site, sizeof(site));
	gt__frame_put(&frames_buffer, bytes, sizeof(bytes));
}

void frames_sites(void)
{
	gt__frame_begin(&frames_buffer);
	put_site(GT_SITE_SPAN, 0, "s\0t\0f", 6);
	put_site(GT_SITE_EVENT, 1, "e\0t\0f\0^", 8);
	frames_seal(GT__FRAME_SITES, 0);
}

void frames_records(uint64_t pos, uint64_t bytes)
{
	gt__frame_begin(&frames_buffer);
	gt__frame_put64(&frames_buffer, frames_now += 10);
	gt__frame_put64(&frames_buffer, frames_now);
	gt__frame_put64(&frames_buffer, 0);
	gt__frame_put64(&frames_buffer, 0);
	gt__frame_put64(&frames_buffer, frames_lost);
	gt__frame_put64(&frames_buffer, 0);
	gt__frame_put64(&frames_buffer, 0);
	gt__frame_put64(&frames_buffer, pos);
	gt__frame_put64(&frames_buffer, bytes);
	for (unsigned i = 1; i < GT_LEVELS; i++) {
		gt__frame_put64(&frames_buffer, 0);
		gt__frame_put64(&frames_buffer, 0);
	}
}

static void put_head(uint32_t site, enum gt_record_kind kind, uint64_t words,
                     uint64_t tsc)
{
	gt__frame_put64(&frames_buffer,
	                site | words << 32 | (uint64_t)kind << 48);
	gt__frame_put64(&frames_buffer, tsc);
}

void frames_event(uint64_t parent, uint64_t tsc)
{
	put_head(EVENT_SITE, GT_RECORD_EVENT, 3, tsc);
	gt__frame_put64(&frames_buffer, parent);
}

void frames_open_record(uint64_t tsc)
{
	put_head(OPEN_SITE, GT_RECORD_OPEN, 2, tsc);
}

void frames_open(uint64_t pos, uint32_t vcpu)
{
	frames_records(pos, 16);
	frames_open_record(frames_now);
	frames_seal(GT__FRAME_RECORDS, vcpu);
}

void frames_merge(void)
{
	gt__frame_begin(&frames_buffer);
	gt__frame_put64(&frames_buffer, frames_now);
	frames_seal(GT__FRAME_MERGE, 0);
}

void frames_end(void)
{
	gt__frame_begin(&frames_buffer);
	gt__frame_put32(&frames_buffer, GT_ENDING_HALTED);
	gt__frame_put32(&frames_buffer, 7);
	for (unsigned i = 0; i < 3; i++)
		gt__frame_put64(&frames_buffer, 1000000); /* clock */
	gt__frame_put64(&frames_buffer, 5);               /* bad requests */
	gt__frame_put64(&frames_buffer, 0);               /* repeated batches */
	gt__frame_put64(&frames_buffer, 0);               /* clock flags */
	gt__frame_put_text(&frames_buffer, "end", 3);
	frames_seal(GT__FRAME_END, 0);
}

void frames_beginning(void)
{
	frames_start(GT_ABI_VERSION, 2);
	frames_seal(GT__FRAME_START, 0);
	frames_guest(2, 1024);
	frames_sites();
}
