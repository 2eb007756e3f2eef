/* SPDX-License-Identifier: MIT */
#include "golden_run.h"
#include "inproc.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define BASE      UINT64_C(0x400000000000)
#define GPA       UINT64_C(0x7000000)
#define GVA(part) (BASE + offsetof(struct ram, part))

struct ram {
	uint64_t tables[4][512];
	struct gt_control control __attribute__((aligned(4096)));
	struct gt_vcpu vcpus[2] __attribute__((aligned(4096)));
	uint8_t sites[1024];
	size_t sites_bytes;
	uint64_t rings[3][4096 / 8] __attribute__((aligned(4096)));
};

static struct ram *ram;
static struct gt_host *host;

/* The RAM lies at BASE, by 4 KiB pages. */
static void map(void)
{
	ram->tables[0][BASE >> 39] = (GPA + 0x1000) | 3;
	ram->tables[1][0] = (GPA + 0x2000) | 3;
	ram->tables[2][0] = (GPA + 0x3000) | 3;
	for (unsigned i = 0; i < sizeof(*ram) / 4096; i++)
		ram->tables[3][i] = (GPA + 4096 * i) | 3;
}

/* Returns the low half of the new site's address. */
static uint32_t add_site(enum gt_site_kind kind, enum gt_level level,
                         uint8_t fields, const char *text, size_t count)
{
	size_t at = ram->sites_bytes;
	struct gt_site site = {
		.kind = (uint8_t)kind,
		.level = (uint8_t)level,
		.fields = fields,
		.size = (uint16_t)(sizeof(site) + count),
		.magic = GT_SITE_MAGIC,
		.line = (uint32_t)(100 + at),
	};

	memcpy(ram->sites + at, &site, sizeof(site));
	memcpy(ram->sites + at + sizeof(site), text, count);
	ram->sites_bytes += (site.size + 7u) & ~7u;
	return (uint32_t)(GVA(sites) + at);
}

#define SITE(kind, level, fields, text) \
	add_site(kind, level, fields, text, sizeof(text))

static void init_ring(struct gt_ring *ring, unsigned number, uint64_t id_base)
{
	*ring = (struct gt_ring){
		.limit = 1,
		.base_gva = GVA(rings) + number * sizeof(ram->rings[0]),
		.mask = sizeof(ram->rings[0]) - 1,
		.id_base = id_base,
		.block_bytes = 1024,
	};
}

static uint64_t waited_ns;
static bool has_refused_work;

static void doorbell(uint32_t vcpu, uint64_t operation)
{
	struct gt_exit exit = process_memory_exit();

	exit.cr3 = GPA;
	exit.tsc_offset = -500;
	exit.r9 = GVA(control);
	exit.r10 = operation | (uint64_t)vcpu << 32;
	exit.waited_ns = waited_ns += 2;
	gt_host_exit(host, vcpu, &exit);
	if (operation == GT_DOORBELL_FLUSH) {
		uint64_t work = gt_host_work_begin(host, vcpu, "disk");

		has_refused_work |= work == 0;
		gt_host_work_end(host, work);
	}
	gt_host_enter(host, vcpu, waited_ns += 1);
}

/* ---- Records ------------------------------------------------------------- */

static uint64_t words[64];
static unsigned word_count;

static void word(uint64_t value)
{
	words[word_count++] = value;
}

static void text(const char *bytes, uint32_t stored, uint32_t full)
{
	word(stored | (uint64_t)full << 32);
	words[word_count + stored / 8] = 0;
	memcpy(&words[word_count], bytes, stored);
	word_count += (stored + 7) / 8;
}

/* What the words say, in a ring; returns the id of the span it may open. */
static uint64_t record(unsigned vcpu, unsigned level, uint32_t site,
                       enum gt_record_kind kind, uint32_t flags)
{
	struct gt_ring *ring = &ram->vcpus[vcpu].ring[level];
	uint64_t pos = ring->pos;
	uint64_t *to = ram->rings[(ring->base_gva - GVA(rings)) / 4096];
	uint64_t *at = to + (pos & ring->mask) / 8;

	at[0] = site | (uint64_t)(word_count + 2) << 32 | (uint64_t)kind << 48 |
	        (uint64_t)flags << 56;
	at[1] = (inproc_now += 10) - 500;
	memcpy(at + 2, words, 8 * word_count);
	ring->pos += 8 * (word_count + 2);
	word_count = 0;
	return pos + ring->id_base;
}

static void sync(unsigned vcpu, uint64_t current)
{
	word(current);
	word(0);
	word(0);
	word(0);
	record(vcpu, 0, 0, GT_RECORD_SYNC, 0);
}

static void one_word(unsigned vcpu, enum gt_record_kind kind, uint64_t value)
{
	word(value);
	record(vcpu, 0, 0, kind, 0);
}

/* ---- The run ------------------------------------------------------------- */

static void first_vcpu(void)
{
	uint32_t request = SITE(GT_SITE_SPAN, GT_INFO, 2,
	                        "request\0net.http\0server.c\0spath\0ubytes");
	uint32_t step = SITE(GT_SITE_SPAN, GT_DEBUG, 3,
	                     "step\0net.http\0server.c\0^\0&\0@");
	uint32_t all = SITE(GT_SITE_EVENT, GT_WARN, 7,
	                    "all\0net\0server.c\0uu\0ii\0ff\0bb\0ss\0xx\0pp");
	uint32_t depth =
		SITE(GT_SITE_COUNTER, GT_INFO, 1, "depth\0net\0server.c\0un");
	uint32_t result =
		SITE(GT_SITE_FIELDS, GT_OFF, 2, "\0net\0server.c\0!\0icode");
	uint32_t irq = SITE(GT_SITE_EVENT, GT_TRACE, 0, "irq\0irq\0irq.c");
	uint64_t outer, inner;

	ram->control.sites_bytes = ram->sites_bytes;
	doorbell(0, GT_DOORBELL_ANNOUNCE);
	sync(0, 0);
	text("/index.html", 11, 11);
	word(4096);
	outer = record(0, 0, request, GT_RECORD_SPAN, 0);
	word(outer);
	word(outer);
	text("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", 55, 55);
	inner = record(0, 0, step, GT_RECORD_OPEN, 0);
	one_word(0, GT_RECORD_ENTER, inner);
	word(UINT64_MAX);
	word(1ull << 63);
	word(UINT64_C(0x3ff8000000000000));
	word(1);
	text("h\xc3\xa9 \xff", 5, 9); /* cut, and not valid */
	text("\0\1\2", 3, 3);
	word(0x1000);
	record(0, 0, all, GT_RECORD_EVENT, GT_RECORD_CUT);
	doorbell(0, GT_DOORBELL_FLUSH);
	record(0, 1, irq, GT_RECORD_EVENT, 0); /* waits: level 0 is inside */
	ram->vcpus[0].ring[0].limit = 0;
	doorbell(0, GT_DOORBELL_FLUSH);
	ram->vcpus[0].ring[0].limit = 1;
	word(17);
	record(0, 0, depth, GT_RECORD_COUNTER, 0);
	one_word(0, GT_RECORD_EXIT, inner);
	word(outer);
	text("no such file", 12, 12);
	word(UINT64_C(0) - 2);
	record(0, 0, result, GT_RECORD_FIELDS, 0);
	one_word(0, GT_RECORD_CLOSE, outer);
	one_word(0, GT_RECORD_CLOSE, outer); /* unknown by now */
}

static void second_vcpu(void)
{
	uint32_t request = (uint32_t)GVA(sites);

	text("/two", 4, 4);
	word(1);
	record(1, 0, request, GT_RECORD_SPAN, 0);
	word(7);
	word(0);
	record(1, 0, 0, GT_RECORD_SWITCH, 0);
	text("", 0, 0);
	word(2);
	record(1, 0, request, GT_RECORD_SPAN, 0);
	record(1, 0, 0, GT_RECORD_ABANDON, 0);
	record(1, 0, 0xdead, GT_RECORD_EVENT, 0); /* of no site */
	ram->vcpus[1].lost = 3;
	ram->vcpus[1].cut = 1;
}

static int run(struct gt_host_options *options)
{
	struct gt_exit halt = {.size = sizeof(halt),
	                       .reason = GT_EXIT_HALT,
	                       .tsc_offset = -500};
	int r = gt_host_new(options, &host);

	if (r < 0)
		return r;
	waited_ns = 0;
	has_refused_work = false;
	gt_host_enter(host, 0, 0);
	gt_host_enter(host, 1, 0);
	first_vcpu();
	second_vcpu();
	doorbell(1, GT_DOORBELL_FLUSH);
	doorbell(0, 99); /* refused */
	inproc_now += 1000;
	halt.waited_ns = waited_ns;
	gt_host_exit(host, 0, &halt);
	r = gt_host_finish(host, GT_ENDING_HALTED, 7, "bye\n");
	gt_host_free(host);
	return r == 0 && has_refused_work ? -ENOMEM : r;
}

int golden_run(struct gt_output capture, struct gt_sink *sink)
{
	struct gt_host_options options = inproc_options();
	struct gt_sink *const sinks[] = {sink};
	int r;

	ram = aligned_alloc(4096, sizeof(*ram));
	memset(ram, 0, sizeof(*ram));
	map();
	init_ring(&ram->vcpus[0].ring[0], 0, GT_ID_BASE(0, 0));
	init_ring(&ram->vcpus[0].ring[1], 1, GT_ID_BASE(0, 1));
	init_ring(&ram->vcpus[1].ring[0], 2, GT_ID_BASE(1, 0));
	ram->control = (struct gt_control){
		.magic = GT_CONTROL_MAGIC,
		.version = GT_ABI_VERSION,
		.size = sizeof(ram->control),
		.generation = 1,
		.vcpus = 2,
		.vcpus_gva = GVA(vcpus),
		.vcpu_bytes = sizeof(struct gt_vcpu),
		.sites_gva = GVA(sites),
	};
	inproc_now = 1000000;
	options.memory[0] = (struct gt_memory_slot){
		.gpa = GPA, .bytes = sizeof(*ram), .host = ram};
	options.memory_slots = 1;
	options.vcpus = 2;
	options.sinks = sinks;
	options.sink_count = 1;
	options.capture = capture;
	options.guest_name = "golden";
	options.traceparent =
		"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
	r = run(&options);
	free(ram);
	return r;
}
