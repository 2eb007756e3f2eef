/* SPDX-License-Identifier: MIT */
/* RFC 1952, by zlib. */
#include "gzip.h"
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
