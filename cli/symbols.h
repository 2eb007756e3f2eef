/* SPDX-License-Identifier: MIT */
/* Names for addresses that a capture has without any, from an image. */
#ifndef GT_CLI_SYMBOLS_H
#define GT_CLI_SYMBOLS_H

#include "code_names.h"

#include <guesttrace/export.h>

struct symbols {
	const char *path;
	struct code_names names;
	char build_id[CODE_BUILD_ID_ROOM];
};

/* Reads the ELF; the path stays the caller's. Complains and returns < 0. */
int symbols_open(struct symbols *symbols, const char *path);
void symbols_close(struct symbols *symbols); /* harmless on zeros */

/*
 * Before `next`, which stays the caller's: puts names into the message with
 * which a run ended. A run whose guest has another build id is refused, with a
 * complaint and -ESTALE. Returns 0 or -ENOMEM.
 */
int symbols_sink(const struct symbols *symbols, struct gt_sink *next,
                 struct gt_sink **ret_sink);

#endif
