/* SPDX-License-Identifier: MIT */
/* Stands for html.c where the page could not be bundled. */
#include <errno.h>
#include <guesttrace/export.h>

int gt_html_new(const struct gt_output *output, struct gt_sink **ret_sink)
{
	(void)output;
	(void)ret_sink;
	return -ENOTSUP;
}
