/* SPDX-License-Identifier: MIT */
/* RFC 1952, by libdeflate: requests are in one piece, which is what it is for. */
#include "gzip.h"
#include <errno.h>
#include <libdeflate.h>
#include <stdlib.h>

#define FASTEST 1

struct gt__otlp_request *gt__gzip(struct gt__otlp_request *request)
{
	struct libdeflate_compressor *z = libdeflate_alloc_compressor(FASTEST);
	struct gt__otlp_request *small =
		z ? malloc(sizeof *small + request->count) : NULL;
	size_t count = 0;

	if (small)
		count = libdeflate_gzip_compress(z, request->bytes,
		                                 request->count, small->bytes,
		                                 request->count);
	if (count) {
		*small = *request;
		small->gzip = true;
		small->count = count;
		free(request);
		request = small;
	} else { /* it would not be smaller */
		free(small);
	}
	libdeflate_free_compressor(z);
	return request;
}

/* Of a request that expands to `count` bytes or fewer. */
static int expand(const struct gt__otlp_request *request, size_t count,
                  struct gt__otlp_request **ret_plain)
{
	struct libdeflate_decompressor *z = libdeflate_alloc_decompressor();
	struct gt__otlp_request *plain =
		z ? malloc(sizeof *plain + count) : NULL;
	enum libdeflate_result result;
	size_t expanded = 0;

	if (!plain) {
		libdeflate_free_decompressor(z);
		return -ENOMEM;
	}
	result = libdeflate_gzip_decompress_ex(z, request->bytes,
	                                       request->count, plain->bytes,
	                                       count, NULL, &expanded);
	libdeflate_free_decompressor(z);
	if (result != LIBDEFLATE_SUCCESS) {
		free(plain);
		return result == LIBDEFLATE_INSUFFICIENT_SPACE ? -ENOSPC
		                                               : -EBADMSG;
	}
	*plain = *request;
	plain->gzip = false;
	plain->count = expanded;
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
