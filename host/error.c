/* SPDX-License-Identifier: MIT */
/* One list of the library's own codes; the rest is errno. */
#include <guesttrace/host.h>

#include <errno.h>

const char *gt_error_text(int code)
{
	switch (-code) {
#define X(name, number, text) \
	case GT_ERROR_##name: \
		return text;
		GT_ERRORS_(X)
#undef X
	case 0:
		return "success";
	case EINVAL:
		return "invalid argument";
	case ENOMEM:
		return "out of memory";
	case ENOSPC:
		return "no space left";
	case EIO:
		return "input/output error";
	default:
		return "system error";
	}
}
