/* SPDX-License-Identifier: MIT */
/* The spool: opened, appended to, closed. */
#include "spool_inside.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/*
 * Of the cap, what is appended between two looks at what the others have; they
 * do the same. A small part of it may go over.
 */
#define LOOKS_OF_CAP 256u
#define TURN_TRIES   100u /* each a ms */

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- Opening ------------------------------------------------------------- */

/* A slash, or "/.", behind the name of a link would have it followed. */
static size_t length_of_name(const char *path)
{
	size_t count = strlen(path);

	while (count > 1)
		if (path[count - 1] == '/')
			count--;
		else if (path[count - 1] == '.' && path[count - 2] == '/')
			count--;
		else
			break;
	return count;
}

static int make_directory(const char *name)
{
	return mkdir(name, 0700) < 0 && errno != EEXIST ? -errno : 0;
}

/* Of the folder the directory above it, too. */
static int make_directories(char *name, size_t directory)
{
	char end = name[directory];
	int rc;

	if (!end)
		return make_directory(name);
	name[directory] = '\0';
	rc = make_directory(name);
	name[directory] = end;
	return rc ? rc : make_directory(name);
}

/* One that is to be emptied is there already. */
static int open_directory(struct gt__spool *spool, const char *path,
                          const char *folder)
{
	int length = (int)length_of_name(path);
	char *name = NULL;
	struct stat info;
	int rc = 0;

	if (asprintf(&name, "%.*s%s%s", length, path, folder ? "/" : "",
	             folder ? folder : "") < 0)
		return -ENOMEM;
	if (!spool->must_drain)
		rc = make_directories(name, (size_t)length);
	if (!rc)
		spool->directory_fd = open(
			name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (!rc &&
	    (spool->directory_fd < 0 || fstat(spool->directory_fd, &info) < 0))
		rc = -errno;
	free(name);
	if (rc)
		return rc;
	return info.st_uid == geteuid() && !(info.st_mode & 022) ? 0 : -EPERM;
}

/* Whoever holds the lock reads what dead processes have left. */
static int take_lock(struct gt__spool *spool, bool must_drain)
{
	spool->lock_fd = gt__spool_open_file(spool, "lock", O_RDWR | O_CREAT);
	if (spool->lock_fd < 0)
		return spool->lock_fd;
	spool->drains = flock(spool->lock_fd, LOCK_EX | LOCK_NB) == 0;
	return spool->drains || !must_drain ? 0 : -EBUSY;
}

static int name_writer(struct gt__spool *spool)
{
	uint64_t random;

	if (getrandom(&random, sizeof random, 0) != sizeof random)
		return -EIO;
	snprintf(spool->writer, sizeof spool->writer,
	         "%016" PRIx64 "-%016" PRIx64, now_ns(CLOCK_REALTIME), random);
	return 0;
}

int gt__spool_open(const char *directory, const char *folder,
                   uint64_t bytes_max, bool must_drain,
                   struct gt__spool **ret_spool)
{
	struct gt__spool *spool = calloc(1, sizeof *spool);
	int rc;

	if (!spool)
		return -ENOMEM;
	spool->directory_fd = spool->lock_fd = spool->ledger_fd = -1;
	spool->bytes_max = spool->own_bytes_max = bytes_max;
	spool->last = &spool->segments;
	spool->must_drain = must_drain;
	gt__spool_syncer_init(&spool->syncer);
	rc = open_directory(spool, directory, folder);
	if (!rc)
		rc = take_lock(spool, must_drain);
	if (!rc)
		rc = name_writer(spool);
	if (!rc && spool->drains)
		rc = gt__spool_scan(spool);
	if (!rc && spool->drains)
		rc = gt__spool_ledgers_collect(spool, false);
	if (!rc)
		rc = gt__spool_ledger_open(spool);
	if (rc) {
		gt__spool_close(spool, false);
		return rc;
	}
	spool->cursors[GT__SPOOL_OLD].segment = spool->segments;
	spool->bytes = gt__spool_bytes(spool);
	*ret_spool = spool;
	return 0;
}

void gt__spool_close(struct gt__spool *spool, bool complete)
{
	struct gt__spool_segment *s;
	bool all;

	if (!spool)
		return;
	gt__spool_end_current(spool);
	all = !spool->counts.unreadable_files;
	while ((s = spool->segments)) {
		if (complete && gt__spool_is_settled(s)) {
			gt__spool_remove(spool, s);
			continue;
		}
		all = false;
		spool->segments = s->next;
		if (s->fd >= 0)
			close(s->fd);
		free(s);
	}
	gt__spool_syncer_fini(&spool->syncer);
	gt__spool_ledger_close(spool, complete);
	if (spool->must_drain && complete && all)
		gt__spool_ledgers_collect(spool, true);
	if (spool->lock_fd >= 0)
		close(spool->lock_fd);
	if (spool->directory_fd >= 0)
		close(spool->directory_fd);
	free(spool);
}

void gt__spool_set_share(struct gt__spool *spool, uint64_t own_bytes_max)
{
	if (own_bytes_max && own_bytes_max < spool->bytes_max)
		spool->own_bytes_max = own_bytes_max;
}

struct gt__spool_ledger *gt__spool_ledger(struct gt__spool *spool)
{
	return spool->ledger;
}

/* ---- Appending ----------------------------------------------------------- */

/* Its share of the cap: who comes next has the rest. */
static bool is_in_share(const struct gt__spool *spool, uint64_t count)
{
	return spool->own_bytes <= spool->own_bytes_max &&
	       spool->own_bytes_max - spool->own_bytes >= count;
}

static bool fits(const struct gt__spool *spool, uint64_t count)
{
	return spool->bytes <= spool->bytes_max &&
	       spool->bytes_max - spool->bytes >= count;
}

/*
 * Other processes fill and empty the directory too. While it is full, one look
 * a second is enough.
 */
static bool must_look(struct gt__spool *spool, uint64_t count)
{
	int64_t now_s = (int64_t)(now_ns(CLOCK_MONOTONIC) / 1000000000);

	if (!fits(spool, count)) {
		bool due = now_s != spool->looked_s;

		spool->looked_s = now_s;
		return due;
	}
	return spool->bytes_unseen + count > spool->bytes_max / LOOKS_OF_CAP;
}

/*
 * Who looks keeps the others from it until its frame is written: else all would
 * fill the same room. It does not wait long for one that is stopped.
 */
static bool take_turn(const struct gt__spool *spool)
{
	static const struct timespec pause = {.tv_nsec = 1000000};
	unsigned i;

	for (i = 0; i < TURN_TRIES; i++) {
		if (flock(spool->directory_fd, LOCK_EX | LOCK_NB) == 0)
			return true;
		if (errno != EWOULDBLOCK)
			return false;
		nanosleep(&pause, NULL);
	}
	return false;
}

static void look(struct gt__spool *spool)
{
	spool->bytes = gt__spool_bytes(spool);
	spool->bytes_unseen = 0;
}

static bool is_full(const struct gt__spool *spool,
                    const struct gt__spool_segment *s, uint64_t bytes)
{
	uint64_t max = gt__spool_segment_bytes_max(spool);

	return s && s->end && (s->end >= max || max - s->end < bytes);
}

static int write_current(struct gt__spool *spool,
                         const struct gt__otlp_request *request)
{
	struct gt__spool_segment *s = spool->current;
	uint64_t bytes = GT__SPOOL_HEADER_BYTES + request->count;
	int rc = gt__spool_write(s->fd, s->seed, s->end, now_ns(CLOCK_REALTIME),
	                         request);

	if (rc)
		return rc;
	s->end += bytes;
	s->waiting_frames++;
	s->waiting_spans += request->spans;
	spool->bytes += bytes;
	spool->own_bytes += bytes;
	spool->bytes_unseen += bytes;
	spool->counts.own_waiting += request->spans;
	gt__spool_ledger_append(spool->ledger, s, request->spans);
	return 0;
}

static int append(struct gt__spool *spool,
                  const struct gt__otlp_request *request)
{
	uint64_t bytes = GT__SPOOL_HEADER_BYTES + request->count;
	int rc = 0;

	if (!fits(spool, bytes) || !is_in_share(spool, bytes))
		return -EDQUOT;
	if (is_full(spool, spool->current, bytes))
		gt__spool_end_current(spool);
	if (!spool->current)
		rc = gt__spool_new_segment(spool);
	if (!rc)
		rc = write_current(spool, request);
	/* On a full disk it gives back what it holds for nothing. */
	if (rc && spool->current && !spool->current->waiting_frames)
		gt__spool_remove(spool, spool->current);
	return rc;
}

int gt__spool_append(struct gt__spool *spool,
                     const struct gt__otlp_request *request)
{
	uint64_t bytes = GT__SPOOL_HEADER_BYTES + request->count;
	bool has_turn = false;
	int rc;

	if (!(fits(spool, bytes) && is_in_share(spool, bytes)) &&
	    spool->current && !spool->current->waiting_frames)
		gt__spool_remove(spool, spool->current);
	if (must_look(spool, bytes)) {
		has_turn = take_turn(spool);
		look(spool);
	}
	rc = append(spool, request);
	if (has_turn)
		flock(spool->directory_fd, LOCK_UN);
	return rc;
}

bool gt__spool_is_roomy(const struct gt__spool *spool, size_t count)
{
	uint64_t half = spool->bytes_max / 2, own = spool->own_bytes_max / 2;

	return spool->bytes <= half && half - spool->bytes >= count &&
	       spool->own_bytes <= own && own - spool->own_bytes >= count;
}

/* Somebody has removed it, or the directory. */
static bool is_gone(int fd)
{
	struct stat info;

	return fstat(fd, &info) == 0 && info.st_nlink == 0;
}

int gt__spool_sync(struct gt__spool *spool)
{
	int rc = gt__spool_syncer_result(&spool->syncer);

	if (!spool->current)
		return rc;
	if (!rc && is_gone(spool->current->fd))
		rc = -ENOENT;
	if (rc) {
		/* Asked again, the disk would say 0: nothing more in there. */
		spool->current->whole = true;
		spool->current = NULL;
		return rc;
	}
	if (!gt__spool_syncer_is_idle(&spool->syncer))
		return 1;
	gt__spool_syncer_add(&spool->syncer, spool->current->fd);
	return 0;
}
