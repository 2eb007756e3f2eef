/* SPDX-License-Identifier: MIT */
/* Stands for sqlite.c where there is no SQLite. */
#include <errno.h>
#include <guesttrace/export.h>

int gt_sqlite_with(const struct gt_output *output, const char *const *labels,
                   uint32_t label_count, struct gt_sink **ret_sink)
{
	(void)output;
	(void)labels;
	(void)label_count;
	(void)ret_sink;
	return -ENOTSUP;
}

int gt_sqlite_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	return gt_sqlite_with(output, NULL, 0, ret_sink);
}
