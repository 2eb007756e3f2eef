/* SPDX-License-Identifier: MIT */
/* Frames of a spool: written, found again among damage, read. */
#include "spool_frame.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>
#include <libdeflate.h>

#define FRAME_MAGIC   0x70735447u /* "GTsp" */
#define FRAME_VERSION 1u
#define STATE_AT      7u
#define CONTENT_MAX   (GT_OTLP_LOGS << 1 | 1)
#define HEADER_CRC_AT 32u
#define SEARCH_BYTES  (64u << 10)

static void put32(unsigned char *to, uint32_t value)
{
	unsigned i;

	for (i = 0; i < 4; i++)
		to[i] = (unsigned char)(value >> 8 * i);
}

static void put64(unsigned char *to, uint64_t value)
{
	put32(to, (uint32_t)value);
	put32(to + 4, (uint32_t)(value >> 32));
}

static uint32_t get32(const unsigned char *from)
{
	return (uint32_t)from[0] | (uint32_t)from[1] << 8 |
	       (uint32_t)from[2] << 16 | (uint32_t)from[3] << 24;
}

static uint64_t get64(const unsigned char *from)
{
	return get32(from) | (uint64_t)get32(from + 4) << 32;
}

static uint32_t crc_of(const void *bytes, size_t count)
{
	return libdeflate_crc32(0, bytes, count);
}

/* Of a header as it was when its frame waited. */
static uint32_t header_crc(const unsigned char *header, uint32_t seed)
{
	unsigned char fresh[HEADER_CRC_AT];

	memcpy(fresh, header, sizeof fresh);
	fresh[STATE_AT] = GT__SPOOL_WAITING;
	return libdeflate_crc32(seed, fresh, sizeof fresh);
}

uint32_t gt__spool_seed(const char *name)
{
	return crc_of(name, strlen(name));
}

/* ---- Writing ------------------------------------------------------------- */

static void make_header(unsigned char *header, uint32_t seed,
                        uint64_t created_ns,
                        const struct gt__otlp_request *request)
{
	put32(header, FRAME_MAGIC);
	header[4] = FRAME_VERSION;
	header[5] = (unsigned char)(request->signal << 1 | request->json);
	header[6] = request->gzip;
	header[STATE_AT] = GT__SPOOL_WAITING;
	put32(header + 8, (uint32_t)request->count);
	put32(header + 12, crc_of(request->bytes, request->count));
	put64(header + 16, request->spans);
	put64(header + 24, created_ns);
	put32(header + HEADER_CRC_AT, header_crc(header, seed));
}

static int write_at(int fd, const void *bytes, size_t count, uint64_t at)
{
	const char *from = bytes;

	while (count) {
		ssize_t done = pwrite(fd, from, count, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EIO;
		from += done;
		at += (uint64_t)done;
		count -= (size_t)done;
	}
	return 0;
}

int gt__spool_write(int fd, uint32_t seed, uint64_t end, uint64_t created_ns,
                    const struct gt__otlp_request *request)
{
	unsigned char header[GT__SPOOL_HEADER_BYTES];
	int rc;

	make_header(header, seed, created_ns, request);
	/* The header last: what a crash leaves in front of it is no frame. */
	rc = write_at(fd, request->bytes, request->count, end + sizeof header);
	if (!rc)
		rc = write_at(fd, header, sizeof header, end);
	if (rc && ftruncate(fd, (off_t)end) < 0)
		return rc;
	return rc;
}

int gt__spool_mark(int fd, uint64_t offset, enum gt__spool_state state)
{
	unsigned char byte = (unsigned char)state;

	return write_at(fd, &byte, 1, offset + STATE_AT);
}

/* ---- Reading ------------------------------------------------------------- */

/* All of it, or -EBADMSG at the end of the file. */
static int read_at(int fd, void *bytes, size_t count, uint64_t at)
{
	char *to = bytes;

	while (count) {
		ssize_t done = pread(fd, to, count, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return done < 0 ? -errno : -EBADMSG;
		to += done;
		at += (uint64_t)done;
		count -= (size_t)done;
	}
	return 0;
}

static bool parse_header(const unsigned char *header, uint32_t seed,
                         uint64_t offset, struct gt__spool_frame *ret_frame)
{
	struct gt__spool_frame frame = {
		.offset = offset,
		.spans = get64(header + 16),
		.created_ns = get64(header + 24),
		.body_bytes = get32(header + 8),
		.body_crc = get32(header + 12),
		.signal = (enum gt_otlp_signal)(header[5] >> 1),
		.json = header[5] & 1,
		.gzip = header[6] == 1,
		.state = header[STATE_AT],
	};

	if (get32(header) != FRAME_MAGIC || header[4] != FRAME_VERSION ||
	    header[5] > CONTENT_MAX || header[6] > 1 ||
	    frame.body_bytes > GT__REQUEST_BYTES_MAX ||
	    frame.spans > UINT32_MAX ||
	    get32(header + HEADER_CRC_AT) != header_crc(header, seed))
		return false;
	*ret_frame = frame;
	return true;
}

/* There is a header's worth of bytes at `offset`. */
static bool parse(const unsigned char *header, uint32_t seed, uint64_t offset,
                  uint64_t end, struct gt__spool_frame *ret_frame)
{
	struct gt__spool_frame frame;

	if (!parse_header(header, seed, offset, &frame) ||
	    end - offset - GT__SPOOL_HEADER_BYTES < frame.body_bytes)
		return false;
	*ret_frame = frame;
	return true;
}

/* Where the next header may be: at the letters of the magic. */
static size_t next_candidate(const unsigned char *bytes, size_t from,
                             size_t count)
{
	const unsigned char *at;

	if (from >= count)
		return count;
	at = memchr(bytes + from, FRAME_MAGIC & 0xff, count - from);
	return at ? (size_t)(at - bytes) : count;
}

/* Looks through one piece; *offset ends at the frame or behind the piece. */
static int find_in_piece(int fd, uint32_t seed, uint64_t *offset, uint64_t end,
                         struct gt__spool_frame *ret_frame)
{
	static const size_t header_bytes = GT__SPOOL_HEADER_BYTES;
	size_t count = end - *offset < SEARCH_BYTES ? (size_t)(end - *offset)
	                                            : SEARCH_BYTES;
	unsigned char *piece = malloc(count);
	int rc = piece ? read_at(fd, piece, count, *offset) : -ENOMEM;
	size_t at = 0;

	for (; !rc && count - at >= header_bytes;
	     at = next_candidate(piece, at + 1, count - header_bytes + 1))
		if (parse(piece + at, seed, *offset + at, end, ret_frame)) {
			rc = 1;
			break;
		}
	free(piece);
	*offset += at;
	return rc;
}

int gt__spool_find(int fd, uint32_t seed, uint64_t offset, uint64_t end,
                   struct gt__spool_frame *ret_frame, uint64_t *ret_skipped)
{
	unsigned char header[GT__SPOOL_HEADER_BYTES];
	uint64_t from = offset;
	int rc = 0;

	if (end - offset >= sizeof header) {
		rc = read_at(fd, header, sizeof header, offset);
		if (!rc && parse(header, seed, offset, end, ret_frame))
			rc = 1;
	}
	while (!rc && end - offset >= sizeof header)
		rc = find_in_piece(fd, seed, &offset, end, ret_frame);
	*ret_skipped = (rc == 1 ? offset : end) - from;
	return rc;
}

bool gt__spool_is_broken_off(int fd, uint32_t seed, uint64_t end)
{
	static const unsigned char unwritten[GT__SPOOL_HEADER_BYTES];
	unsigned char header[GT__SPOOL_HEADER_BYTES];
	struct gt__spool_frame frame;

	if (end < sizeof header)
		return true;
	if (read_at(fd, header, sizeof header, 0) < 0)
		return false;
	return memcmp(header, unwritten, sizeof header) == 0 ||
	       parse_header(header, seed, 0, &frame);
}

int gt__spool_read(int fd, const struct gt__spool_frame *frame,
                   struct gt__otlp_request **ret_request)
{
	struct gt__otlp_request *request;
	int rc;

	/* The file is at least as long: gt__spool_find() has looked. */
	request = malloc(sizeof *request + frame->body_bytes);
	if (!request)
		return -ENOMEM;
	*request = (struct gt__otlp_request){
		.spans = frame->spans,
		.signal = frame->signal,
		.json = frame->json,
		.gzip = frame->gzip,
		.offset = frame->offset,
		.count = frame->body_bytes,
	};
	rc = read_at(fd, request->bytes, request->count,
	             frame->offset + GT__SPOOL_HEADER_BYTES);
	if (!rc && crc_of(request->bytes, request->count) != frame->body_crc)
		rc = -EBADMSG;
	if (rc) {
		free(request);
		return rc;
	}
	*ret_request = request;
	return 0;
}
