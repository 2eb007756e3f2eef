/* SPDX-License-Identifier: MIT */
/* The spool: opened, appended to, read in two places, settled, closed. */
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

#define SEGMENTS_OF_CAP 8u /* at least so many fit under the cap */

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* ---- Segments ------------------------------------------------------------ */

static int segment_fd(struct gt__spool *spool, struct gt__spool_segment *s)
{
	if (s->fd < 0)
		s->fd = gt__spool_open_file(spool, s->name, O_RDWR);
	return s->fd;
}

/* No cursor is in it and nothing is appended: it need not stay open. */
static void rest(struct gt__spool *spool, struct gt__spool_segment *s)
{
	if (s->fd < 0 || s == spool->current ||
	    s == spool->cursors[GT__SPOOL_OLD].segment ||
	    s == spool->cursors[GT__SPOOL_NEW].segment)
		return;
	close(s->fd);
	s->fd = -1;
}

/* Takes a segment in which nothing waits off the disk. */
static void remove_segment(struct gt__spool *spool, struct gt__spool_segment *s)
{
	struct gt__spool_segment **at = &spool->segments;
	size_t i;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	if (spool->last == &s->next)
		spool->last = at;
	if (spool->current == s)
		spool->current = NULL;
	for (i = 0; i < GT__SPOOL_CURSORS; i++)
		if (spool->cursors[i].segment == s)
			spool->cursors[i] =
				(struct gt__spool_position){s->next, 0};
	if (unlinkat(spool->directory_fd, s->name, 0) == 0)
		spool->bytes -= s->end < spool->bytes ? s->end : spool->bytes;
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}

static uint64_t segment_bytes_max(const struct gt__spool *spool)
{
	uint64_t part = spool->bytes_max / SEGMENTS_OF_CAP;

	return part < GT__SPOOL_SEGMENT_BYTES ? part : GT__SPOOL_SEGMENT_BYTES;
}

static int new_segment(struct gt__spool *spool)
{
	struct gt__spool_segment *s = calloc(1, sizeof *s);
	size_t i;

	if (!s)
		return -ENOMEM;
	s->number = spool->next_number++;
	snprintf(s->name, sizeof s->name, "%s-%06" PRIu64 ".gtspool",
	         spool->writer, s->number);
	s->seed = gt__spool_seed(s->name);
	s->fd = gt__spool_open_file(spool, s->name, O_RDWR | O_CREAT | O_EXCL);
	if (s->fd < 0) {
		int rc = s->fd;

		free(s);
		return rc;
	}
	*spool->last = s;
	spool->last = &s->next;
	for (i = 0; i < GT__SPOOL_CURSORS; i++)
		if (!spool->cursors[i].segment)
			spool->cursors[i].segment = s;
	spool->current = s;
	gt__spool_syncer_add(&spool->syncer, spool->directory_fd);
	return 0;
}

static void end_current(struct gt__spool *spool)
{
	struct gt__spool_segment *s = spool->current;

	if (!s)
		return;
	s->whole = true;
	spool->current = NULL;
	if (!s->waiting_frames) {
		remove_segment(spool, s);
		return;
	}
	gt__spool_syncer_add(&spool->syncer, s->fd);
	rest(spool, s);
}

/* ---- Opening ------------------------------------------------------------- */

/* One that is to be emptied is there already. */
static int open_directory(struct gt__spool *spool, const char *directory)
{
	struct stat info;

	if (!spool->must_drain && mkdir(directory, 0700) < 0 && errno != EEXIST)
		return -errno;
	spool->directory_fd = open(directory, O_RDONLY | O_DIRECTORY |
	                                              O_NOFOLLOW | O_CLOEXEC);
	if (spool->directory_fd < 0 || fstat(spool->directory_fd, &info) < 0)
		return -errno;
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

int gt__spool_open(const char *directory, uint64_t bytes_max, bool must_drain,
                   struct gt__spool **ret_spool)
{
	struct gt__spool *spool = calloc(1, sizeof *spool);
	int rc;

	if (!spool)
		return -ENOMEM;
	spool->directory_fd = spool->lock_fd = spool->ledger_fd = -1;
	spool->bytes_max = bytes_max;
	spool->last = &spool->segments;
	spool->must_drain = must_drain;
	gt__spool_syncer_init(&spool->syncer);
	rc = open_directory(spool, directory);
	if (!rc)
		rc = take_lock(spool, must_drain);
	if (!rc)
		rc = name_writer(spool);
	if (!rc && spool->drains)
		rc = gt__spool_scan(spool);
	if (!rc && spool->drains)
		gt__spool_ledgers_collect(spool, false);
	if (!rc)
		rc = gt__spool_ledger_open(spool);
	if (rc) {
		gt__spool_close(spool, true);
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
	bool all = true;

	if (!spool)
		return;
	end_current(spool);
	while ((s = spool->segments)) {
		if (!s->waiting_frames) {
			remove_segment(spool, s);
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

struct gt__spool_ledger *gt__spool_ledger(struct gt__spool *spool)
{
	return spool->ledger;
}

/* ---- Appending ----------------------------------------------------------- */

/* Other processes fill and empty the directory too: looks again now and then.
 */
static bool has_room(struct gt__spool *spool, uint64_t count)
{
	int64_t now_s = (int64_t)(now_ns(CLOCK_MONOTONIC) / 1000000000);

	if (spool->bytes <= spool->bytes_max &&
	    spool->bytes_max - spool->bytes >= count)
		return true;
	if (spool->current && !spool->current->waiting_frames)
		remove_segment(spool, spool->current);
	if (now_s != spool->looked_s)
		spool->bytes = gt__spool_bytes(spool);
	spool->looked_s = now_s;
	return spool->bytes <= spool->bytes_max &&
	       spool->bytes_max - spool->bytes >= count;
}

static bool is_full(const struct gt__spool *spool,
                    const struct gt__spool_segment *s, uint64_t bytes)
{
	uint64_t max = segment_bytes_max(spool);

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
	spool->counts.own_waiting += request->spans;
	gt__spool_ledger_append(spool->ledger, s, request->spans);
	return 0;
}

int gt__spool_append(struct gt__spool *spool,
                     const struct gt__otlp_request *request)
{
	uint64_t bytes = GT__SPOOL_HEADER_BYTES + request->count;
	int rc = 0;

	if (!has_room(spool, bytes))
		return -EDQUOT;
	if (is_full(spool, spool->current, bytes))
		end_current(spool);
	if (!spool->current)
		rc = new_segment(spool);
	if (!rc)
		rc = write_current(spool, request);
	/* On a full disk it gives back what it holds for nothing. */
	if (rc && spool->current && !spool->current->waiting_frames)
		remove_segment(spool, spool->current);
	return rc;
}

bool gt__spool_is_roomy(const struct gt__spool *spool, size_t count)
{
	uint64_t half = spool->bytes_max / 2;

	return spool->bytes <= half && half - spool->bytes >= count;
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

/* ---- Reading ------------------------------------------------------------- */

static void settle_frame(struct gt__spool *spool, struct gt__spool_segment *s,
                         uint64_t offset, uint64_t spans,
                         enum gt__spool_state state)
{
	uint64_t *waiting = s->found ? &spool->counts.found_waiting
	                             : &spool->counts.own_waiting;

	/* Where even this fails the request comes again after a restart. */
	if (segment_fd(spool, s) >= 0)
		gt__spool_mark(s->fd, offset, state);
	*waiting -= spans < *waiting ? spans : *waiting;
	s->waiting_spans -= spans < s->waiting_spans ? spans : s->waiting_spans;
	s->waiting_frames -= s->waiting_frames > 0;
}

static void settle_damaged(struct gt__spool *spool, struct gt__spool_segment *s,
                           const struct gt__spool_frame *frame)
{
	if (s->found)
		spool->counts.damaged_spans += frame->spans;
	else
		spool->counts.own_damaged += frame->spans;
	settle_frame(spool, s, frame->offset, frame->spans, GT__SPOOL_DAMAGED);
}

/*
 * What the segment still counts as waiting cannot be found any more: damage in
 * headers, or a file that is unreadable or gone. It stays only if it may be
 * read one day.
 */
static void leave(struct gt__spool *spool, struct gt__spool_position *at,
                  bool readable)
{
	struct gt__spool_segment *s = at->segment;
	bool is_old = at == &spool->cursors[GT__SPOOL_OLD];

	*at = (struct gt__spool_position){s->next, 0};
	if (is_old && readable && s->waiting_frames) {
		uint64_t spans = s->waiting_spans;
		uint64_t *waiting = s->found ? &spool->counts.found_waiting
		                             : &spool->counts.own_waiting;

		*waiting -= spans < *waiting ? spans : *waiting;
		if (s->found)
			spool->counts.damaged_spans += spans;
		else
			spool->counts.own_damaged += spans;
		s->waiting_frames = s->waiting_spans = 0;
	}
	if (is_old && !s->waiting_frames)
		remove_segment(spool, s);
	else
		rest(spool, s);
}

/* The next waiting request of the cursor's segment: 1, 0 or < 0. */
static int next_in_segment(struct gt__spool *spool,
                           struct gt__spool_position *at, bool count_damage,
                           struct gt__otlp_request **ret_request)
{
	struct gt__spool_segment *s = at->segment;
	struct gt__spool_frame frame;
	uint64_t skipped;
	int rc = segment_fd(spool, s);

	while (rc >= 0) {
		rc = gt__spool_find(s->fd, s->seed, at->offset, s->end, &frame,
		                    &skipped);
		if (count_damage && rc >= 0)
			spool->counts.damaged_bytes += skipped;
		if (rc != 1) {
			at->offset = rc ? at->offset : s->end;
			break;
		}
		at->offset = frame.offset;
		if (frame.state == GT__SPOOL_WAITING) {
			rc = gt__spool_read(s->fd, &frame, ret_request);
			if (rc != -EBADMSG)
				break;
			settle_damaged(spool, s, &frame);
		}
		at->offset = gt__spool_frame_end(&frame);
		rc = 0;
	}
	if (rc == 0 && at->offset < s->end) {
		(*ret_request)->segment = s;
		(*ret_request)->found = s->found;
		return 1;
	}
	return rc;
}

struct gt__otlp_request *gt__spool_next(struct gt__spool *spool,
                                        enum gt__spool_cursor cursor)
{
	struct gt__spool_position *at = &spool->cursors[cursor];
	struct gt__otlp_request *request = NULL;

	while (at->segment) {
		int rc = next_in_segment(spool, at, cursor == GT__SPOOL_OLD,
		                         &request);

		if (rc == 1)
			return request;
		if (rc == -ENOMEM || !at->segment->whole)
			return NULL;
		leave(spool, at, rc == 0 || rc == -ENOENT);
	}
	return NULL;
}

void gt__spool_settle(struct gt__spool *spool,
                      const struct gt__otlp_request *request)
{
	settle_frame(spool, request->segment, request->offset, request->spans,
	             GT__SPOOL_SETTLED);
	/* Of one that was found, the end is looked at first: it may be torn. */
	if (!request->found && request->segment->whole &&
	    !request->segment->waiting_frames)
		remove_segment(spool, request->segment);
}

void gt__spool_skip(struct gt__spool *spool)
{
	struct gt__spool_segment *current = spool->current;

	spool->cursors[GT__SPOOL_NEW] = (struct gt__spool_position){
		current, current ? current->end : 0};
}

struct gt__spool_counts gt__spool_counts(const struct gt__spool *spool)
{
	return spool->counts;
}
