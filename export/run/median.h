/* SPDX-License-Identifier: MIT */
#ifndef GUESTTRACE_MEDIAN_H
#define GUESTTRACE_MEDIAN_H

#include <stdint.h>

/* Of rank ceil(count / 2), from 1, in time linear in `count`; 0 of none. Their
 * order is another one then. */
uint64_t gt__median_of(uint64_t *times, uint32_t count);

#endif
