/* SPDX-License-Identifier: MIT */
/* The unit of a counter's value, which its key may say. */
#ifndef GUESTTRACE_UNIT_H
#define GUESTTRACE_UNIT_H

#include <guesttrace/export.h>

/*
 * What stands in the brackets with which a key ends, `queue [By]`; the key loses
 * them and the blank before. False, and nothing changes, of a key without.
 */
bool gt__cut_unit(struct gt_text *key, struct gt_text *ret_unit);

#endif
