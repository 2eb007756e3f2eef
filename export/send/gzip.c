/* SPDX-License-Identifier: MIT */
/* RFC 1952, by zlib. */
#include "gzip.h"
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#define GZIP_WINDOW (15 + 16) /* + 16: a gzip header */

struct gt__otlp_request *gt__gzip(struct gt__otlp_request *request)
{
	z_stream z = {.next_in = request->bytes,
	              .avail_in = (uInt)request->count,
	              .avail_out = (uInt)request->count};
	struct gt__otlp_request *small;
	int rc = Z_BUF_ERROR;

	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, 8,
	                 Z_DEFAULT_STRATEGY) != Z_OK)
		return request;
	small = malloc(sizeof *small + request->count);
	if (small) {
		z.next_out = small->bytes;
		rc = deflate(&z, Z_FINISH);
	}
	if (rc == Z_STREAM_END) {
		*small = *request;
		small->gzip = true;
		small->count = z.total_out;
		free(request);
		request = small;
	} else {
		free(small);
	}
	deflateEnd(&z);
	return request;
}

/* Of a request that expands to `count` bytes or fewer. */
static int expand(const struct gt__otlp_request *request, size_t count,
                  struct gt__otlp_request **ret_plain)
{
	struct gt__otlp_request *plain = malloc(sizeof *plain + count);
	z_stream z = {.next_in = (Bytef *)(uintptr_t)request->bytes,
	              .avail_in = (uInt)request->count,
	              .avail_out = (uInt)count};
	int rc;

	if (!plain || inflateInit2(&z, GZIP_WINDOW) != Z_OK) {
		free(plain);
		return -ENOMEM;
	}
	z.next_out = plain->bytes;
	rc = inflate(&z, Z_FINISH);
	inflateEnd(&z);
	if (rc != Z_STREAM_END) {
		free(plain);
		return rc == Z_BUF_ERROR && !z.avail_out ? -ENOSPC : -EBADMSG;
	}
	*plain = *request;
	plain->gzip = false;
	plain->count = z.total_out;
	*ret_plain = plain;
	return 0;
}

int gt__gunzip(const struct gt__otlp_request *request,
               struct gt__otlp_request **ret_plain)
{
	size_t count = request->count < 1024 ? 8192 : 8 * request->count;
	int rc;

	do {
		if (count > GT__REQUEST_BYTES_MAX)
			count = GT__REQUEST_BYTES_MAX;
		rc = expand(request, count, ret_plain);
		count *= 2;
	} while (rc == -ENOSPC && count < 2 * (size_t)GT__REQUEST_BYTES_MAX);
	return rc == -ENOSPC ? -EBADMSG : rc;
}
