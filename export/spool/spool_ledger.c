/* SPDX-License-Identifier: MIT */
/* What became of the spans of each process that used a spool. */
#include "spool_inside.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LEDGER_BYTES sizeof(struct gt__spool_ledger)

#define LEDGER_MAGIC UINT64_C(0x74635447) /* "GTct" */

static void ledger_name(char *to, const char *writer)
{
	snprintf(to, GT__SPOOL_NAME_BYTES, "%s" GT__SPOOL_LEDGER, writer);
}

static uint64_t magic_of(const char *name)
{
	return LEDGER_MAGIC | (uint64_t)gt__spool_seed(name) << 32;
}

/*
 * On a full disk it is in memory only: a store into a hole of a file that
 * cannot grow would end the process.
 */
static struct gt__spool_ledger *map(int fd)
{
	void *at = MAP_FAILED;

	if (posix_fallocate(fd, 0, LEDGER_BYTES) == 0)
		at = mmap(NULL, LEDGER_BYTES, PROT_READ | PROT_WRITE,
		          MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		at = mmap(NULL, LEDGER_BYTES, PROT_READ | PROT_WRITE,
		          MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	return at == MAP_FAILED ? NULL : at;
}

int gt__spool_ledger_open(struct gt__spool *spool)
{
	char name[GT__SPOOL_NAME_BYTES];

	/* It gets its name when it is locked: nobody takes it for a dead one.
	 */
	spool->ledger_fd = gt__spool_open_file(spool, spool->writer,
	                                       O_RDWR | O_CREAT | O_EXCL);
	if (spool->ledger_fd < 0)
		return spool->ledger_fd;
	if (flock(spool->ledger_fd, LOCK_EX | LOCK_NB) < 0)
		return -errno;
	spool->ledger = map(spool->ledger_fd);
	if (!spool->ledger)
		return -ENOMEM;
	ledger_name(name, spool->writer);
	spool->ledger->magic = magic_of(name);
	if (renameat(spool->directory_fd, spool->writer, spool->directory_fd,
	             name) < 0)
		return -errno;
	return 0;
}

void gt__spool_ledger_close(struct gt__spool *spool, bool remove)
{
	char name[GT__SPOOL_NAME_BYTES];

	if (spool->ledger)
		munmap(spool->ledger, LEDGER_BYTES);
	ledger_name(name, spool->writer);
	if (spool->ledger_fd >= 0 && remove)
		unlinkat(spool->directory_fd, name, 0);
	if (spool->ledger_fd >= 0)
		close(spool->ledger_fd);
}

bool gt__spool_writer_lives(const struct gt__spool *spool, const char *writer)
{
	char name[GT__SPOOL_NAME_BYTES];
	bool lives;
	int fd;

	ledger_name(name, writer);
	fd = gt__spool_open_file(spool, name, O_RDONLY);
	if (fd < 0)
		return false;
	lives = flock(fd, LOCK_EX | LOCK_NB) < 0;
	close(fd);
	return lives;
}

void gt__spool_ledger_append(struct gt__spool_ledger *ledger,
                             const struct gt__spool_segment *segment,
                             uint64_t spans)
{
	uint64_t turn = ledger->turn;

	ledger->appends[(turn + 1) & 1] = (struct gt__spool_appends){
		.spans = ledger->appends[turn & 1].spans + spans,
		.segment = segment->number,
		.segment_end = segment->end,
	};
	__atomic_store_n(&ledger->turn, turn + 1, __ATOMIC_RELEASE);
}

/* ---- Of processes that are gone ------------------------------------------ */

/* Adds the whole frames of a segment behind the last that is counted. */
static void count_more(const struct gt__spool *spool,
                       const struct gt__spool_segment *s,
                       struct gt__spool_appends *last)
{
	struct gt__spool_frame frame;
	uint64_t skipped, at = 0;
	int fd = gt__spool_open_file(spool, s->name, O_RDONLY);

	if (s->number == last->segment)
		at = last->segment_end;
	while (fd >= 0 && at <= s->end &&
	       gt__spool_find(fd, s->seed, at, s->end, &frame, &skipped) == 1) {
		at = gt__spool_frame_end(&frame);
		*last = (struct gt__spool_appends){last->spans + frame.spans,
		                                   s->number, at};
	}
	if (fd >= 0)
		close(fd);
}

static void count_rest(const struct gt__spool *spool, const char *writer,
                       struct gt__spool_appends *last)
{
	const struct gt__spool_segment *s;

	for (s = spool->segments; s; s = s->next)
		if (strncmp(s->name, writer, GT__SPOOL_WRITER_BYTES) == 0 &&
		    s->number >= last->segment)
			count_more(spool, s, last);
}

struct collector {
	struct gt__spool *spool;
	bool remove;
};

/*
 * Whether a spool has made it. One of a full disk has no bytes, and of one
 * whose bytes a power failure took there are zeros left: nothing is known then.
 */
static bool read_ledger(int fd, const char *name, struct gt__spool_ledger *to)
{
	static const struct gt__spool_ledger zeros;
	struct stat info;

	*to = zeros;
	if (fstat(fd, &info) < 0 ||
	    (info.st_size != 0 && (uint64_t)info.st_size != sizeof *to))
		return false;
	if (info.st_size && pread(fd, to, sizeof *to, 0) != (ssize_t)sizeof *to)
		return false;
	return to->magic == magic_of(name) ||
	       memcmp(to, &zeros, sizeof zeros) == 0;
}

static void collect_one(struct gt__spool *spool, const char *writer, int fd,
                        struct gt__spool_ledger *l)
{
	struct gt__spool_appends *last = &l->appends[l->turn & 1];
	uint64_t known;
	ssize_t done;

	if (!l->magic)
		return;
	count_rest(spool, writer, last);
	/* Fails: those frames look lost once they are sent. */
	done = pwrite(fd, l, sizeof *l, 0);
	(void)done;
	known = last->spans + l->settled;
	if (l->seen > known)
		spool->counts.found_lost += l->seen - known;
}

static void collect(void *context, const char *name)
{
	const struct collector *c = context;
	struct gt__spool *spool = c->spool;
	char writer[GT__SPOOL_WRITER_BYTES + 1] = "";
	struct gt__spool_ledger ledger;
	int fd = gt__spool_open_file(spool, name, O_RDWR);

	if (fd < 0)
		return;
	memcpy(writer, name, GT__SPOOL_WRITER_BYTES);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	    read_ledger(fd, name, &ledger)) {
		collect_one(spool, writer, fd, &ledger);
		if (c->remove)
			unlinkat(spool->directory_fd, name, 0);
	}
	close(fd);
}

int gt__spool_ledgers_collect(struct gt__spool *spool, bool remove)
{
	struct collector c = {spool, remove};

	spool->counts.found_lost = 0;
	return gt__spool_each(spool, GT__SPOOL_LEDGER, collect, &c);
}
