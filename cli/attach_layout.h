/* SPDX-License-Identifier: MIT */
/* Where a VM's RAM lies in its VMM, as a table. */
#ifndef GT_CLI_ATTACH_LAYOUT_H
#define GT_CLI_ATTACH_LAYOUT_H

#include "attach_find.h"

/* One bank more, of at most GT_MEMORY_SLOTS_MAX. */
void attach_layout_add(struct gt_layout *layout, int32_t pid, uint64_t gpa,
                       uint64_t address, uint64_t bytes);

/* As --memory says. */
void attach_layout_of_files(const struct attach_memory *memory,
                            struct gt_layout *layout);

/* As QEMU says; false: it did not, or names what is no memory of its own. */
bool attach_layout_of_qmp(const struct attach_memory *memory,
                          struct gt_layout *layout);

/* Of an address in the process; UINT64_MAX: it is in no bank. */
uint64_t attach_layout_gpa(const struct gt_layout *layout, uint64_t address);

/* A layout points into itself. */
void attach_layout_copy(struct gt_layout *to, const struct gt_layout *from);

#endif
