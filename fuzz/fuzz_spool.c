/* SPDX-License-Identifier: MIT */
/*
 * Any bytes as what a dead process left in a spool (threat F9). Beside it runs
 * a model that knows the format as docs/otlp.md has it and walks the bytes in
 * memory: the spool has to find the very frames that the model finds, in front
 * of and behind whatever is damaged, and count the rest; and to leave on the
 * disk what it has not written, and nothing else.
 *
 * Input: a byte of switches, the length of the ledger in one byte, the ledger,
 * and the segments.
 */
#include "export/spool/spool.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

enum {
	SWITCH_MEND = 1,         /* the CRC of each header is made good */
	SWITCH_TWO_SEGMENTS = 2, /* the second half is one of its own */
	SWITCH_LEDGER = 4,       /* its first eight bytes are made good */
};

#define HEADER 36u
#define LEDGER 80u
#define WRITER "0123456789abcdef-fedcba9876543210"

static const char ledger_name[] = WRITER ".count";
static const char *const segment_names[] = {WRITER "-000000.gtspool",
                                            WRITER "-000001.gtspool"};

struct model {
	uint64_t waiting_spans; /* in frames that are whole */
	uint64_t damaged_spans;
	uint64_t damaged_bytes;
	uint64_t frames; /* to be sent */
	uint32_t bodies; /* their CRCs, one over the other */
	bool stays[2];   /* the segment */
	bool foreign;    /* the ledger */
};

static void check(bool good)
{
	if (!good)
		abort();
}

static uint64_t load(const uint8_t *from, unsigned bytes)
{
	uint64_t value = 0;

	while (bytes--)
		value = value << 8 | from[bytes];
	return value;
}

static uint32_t header_crc(const uint8_t *header, const char *name)
{
	static const uint8_t waiting = 0;
	uLong crc = crc32(0, (const Bytef *)name, (uInt)strlen(name));

	crc = crc32(crc, header, 7);
	crc = crc32(crc, &waiting, 1);
	return (uint32_t)crc32(crc, header + 8, 24);
}

static void store(uint8_t *to, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		to[i] = (uint8_t)(value >> 8 * i);
}

static void mend_ledger(uint8_t *bytes, size_t count)
{
	if (count < 8)
		return;
	memcpy(bytes, "GTct", 4);
	store(bytes + 4, (uint32_t)crc32(0, (const Bytef *)ledger_name,
	                                 sizeof(ledger_name) - 1));
}

static void mend(uint8_t *bytes, size_t count, const char *name)
{
	for (size_t at = 0; count - at >= HEADER; at++)
		if (memcmp(bytes + at, "GTsp", 4) == 0)
			store(bytes + at + 32, header_crc(bytes + at, name));
}

/* ---- What should be found ------------------------------------------------ */

static bool is_header(const uint8_t *at, size_t left, const char *name)
{
	return left >= HEADER && memcmp(at, "GTsp\1", 5) == 0 && at[5] <= 5 &&
	       at[6] <= 1 && load(at + 8, 4) <= 64u << 20 &&
	       load(at + 20, 4) == 0 &&
	       load(at + 32, 4) == header_crc(at, name);
}

static bool is_frame(const uint8_t *at, size_t left, const char *name)
{
	return is_header(at, left, name) && load(at + 8, 4) <= left - HEADER;
}

static bool are_zeros(const uint8_t *bytes, size_t count)
{
	while (count && !*bytes)
		bytes++, count--;
	return !count;
}

/* Whether a file without a frame may be one that its process had begun. */
static bool is_begun(const uint8_t *bytes, size_t count, const char *name)
{
	return count < HEADER || are_zeros(bytes, HEADER) ||
	       is_header(bytes, count, name);
}

static bool is_ledger(const uint8_t *bytes, size_t count)
{
	uint8_t good[8];

	mend_ledger(good, sizeof(good));
	return !count || (count == LEDGER && (are_zeros(bytes, count) ||
	                                      memcmp(bytes, good, 8) == 0));
}

/* Returns whether the file stays. */
static bool walk(struct model *m, const uint8_t *bytes, size_t count,
                 const char *name)
{
	uint64_t damaged = 0, frames = 0;

	for (size_t at = 0; at < count;) {
		const uint8_t *frame = bytes + at;
		uint32_t body, crc;

		if (!is_frame(frame, count - at, name)) {
			damaged++;
			at++;
			continue;
		}
		frames++;
		body = (uint32_t)load(frame + 8, 4);
		crc = (uint32_t)crc32(0, frame + HEADER, body);
		at += HEADER + body;
		if (frame[7] != 0)
			continue;
		if (crc != load(frame + 12, 4)) {
			m->damaged_spans += load(frame + 16, 8);
			continue;
		}
		m->waiting_spans += load(frame + 16, 8);
		m->bodies = (uint32_t)crc32(m->bodies, frame + HEADER, body);
		m->frames++;
	}
	if (!frames && !is_begun(bytes, count, name))
		return true;
	m->damaged_bytes += damaged;
	return false;
}

/* ---- What is found ------------------------------------------------------- */

static void make_file(int directory, const char *name, const uint8_t *bytes,
                      size_t count)
{
	int fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL, 0600);

	check(fd >= 0 && write(fd, bytes, count) == (ssize_t)count);
	close(fd);
}

static void drain(const char *path, const struct model *m)
{
	struct gt__otlp_request *request;
	struct gt__spool *spool;
	struct gt__spool_counts counts;
	uint64_t frames = 0;
	uint32_t bodies = 0;

	check(gt__spool_open(path, NULL, 1 << 20, true, &spool) == 0);
	counts = gt__spool_counts(spool);
	check(counts.found_waiting == m->waiting_spans + m->damaged_spans);
	while ((request = gt__spool_next(spool, GT__SPOOL_OLD))) {
		bodies = (uint32_t)crc32(bodies, request->bytes,
		                         (uInt)request->count);
		gt__spool_settle(spool, request);
		free(request);
		check(++frames <= m->frames);
	}
	counts = gt__spool_counts(spool);
	check(frames == m->frames && bodies == m->bodies);
	check(counts.found_waiting == 0 && counts.own_waiting == 0);
	check(counts.damaged_spans == m->damaged_spans);
	check(counts.damaged_bytes == m->damaged_bytes);
	check(counts.unreadable_files ==
	      (uint64_t)m->stays[0] + (uint64_t)m->stays[1]);
	gt__spool_close(spool, true);
}

/* Whether the file is there; then it is removed. */
static bool is_left(int directory, const char *name)
{
	return unlinkat(directory, name, 0) == 0;
}

/* In memory where there is such a place: thousands of files are made in it. */
static const char *directory_path(void)
{
	static char in_memory[] = "/dev/shm/fuzz-spool-XXXXXX";
	static char on_disk[] = "/tmp/fuzz-spool-XXXXXX";
	static const char *path;

	if (!path)
		path = mkdtemp(in_memory);
	if (!path)
		path = mkdtemp(on_disk);
	check(path != NULL);
	return path;
}

static void remove_all(void)
{
	char lock[64];

	snprintf(lock, sizeof(lock), "%s/lock", directory_path());
	unlink(lock);
	rmdir(directory_path());
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	size_t ledger = count > 1 && bytes[1] < count - 1 ? bytes[1] : 0;
	size_t rest = count > 2 ? count - 2 : 0, segments = rest - ledger;
	uint8_t *all = malloc(rest + !rest), *copy = all + ledger;
	size_t first = segments;
	uint8_t switches = count ? bytes[0] : 0;
	struct model model = {0};
	static int directory = -1;

	check(all != NULL);
	if (directory < 0) {
		directory = open(directory_path(), O_RDONLY | O_DIRECTORY);
		atexit(remove_all);
	}
	if (rest)
		memcpy(all, bytes + 2, rest);
	if (switches & SWITCH_TWO_SEGMENTS)
		first = segments / 2;
	if (switches & SWITCH_LEDGER)
		mend_ledger(all, ledger);
	for (size_t i = 0; i < 2; i++) {
		uint8_t *segment = i ? copy + first : copy;
		size_t size = i ? segments - first : first;

		if (switches & SWITCH_MEND)
			mend(segment, size, segment_names[i]);
		model.stays[i] = walk(&model, segment, size, segment_names[i]);
		make_file(directory, segment_names[i], segment, size);
	}
	model.foreign = !is_ledger(all, ledger);
	make_file(directory, ledger_name, all, ledger);
	drain(directory_path(), &model);
	for (size_t i = 0; i < 2; i++)
		check(is_left(directory, segment_names[i]) == model.stays[i]);
	check(is_left(directory, ledger_name) ==
	      (model.foreign || model.stays[0] || model.stays[1]));
	free(all);
	return 0;
}
