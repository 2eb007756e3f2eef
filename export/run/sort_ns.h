/* SPDX-License-Identifier: MIT */
#ifndef GUESTTRACE_SORT_NS_H
#define GUESTTRACE_SORT_NS_H

#include <stdint.h>

/* Numbers in rising order, in time linear in their count where there is memory
 * for as many more. */
void gt__sort_ns(uint64_t *numbers, uint32_t count);

#endif
