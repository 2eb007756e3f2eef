/* SPDX-License-Identifier: MIT */
/* The guests that record in the memory of a VM that runs. */
#ifndef GT_CLI_ATTACH_FIND_H
#define GT_CLI_ATTACH_FIND_H

#include "attach_qmp.h"

#include <guesttrace/attach.h>

#define ATTACH_MAPPINGS_MAX 1024u
#define ATTACH_GUESTS_MAX   16u

/* Where a guest's page tables are known from. */
enum attach_root {
	ATTACH_ROOT_GUEST = 0,  /* it says so itself */
	ATTACH_ROOT_FOUND = 1,  /* the tables under which all is right */
	ATTACH_ROOT_QMP = 2,    /* QEMU says so */
};

struct attach_guest {
	struct gt_layout layout;
	struct gt_found_control found;
	uint64_t root, control_gva, control_gpa;
	enum attach_root from;
	bool is_laid_out_by_qmp;
	struct gt_owner owner;
};

struct attach_memory {
	int32_t pid; /* of the VMM; 0: files alone */
	struct gt_mapping mappings[ATTACH_MAPPINGS_MAX];
	uint64_t gpas[GT_MEMORY_SLOTS_MAX]; /* of files: where each is */
	size_t count;
	struct attach_qmp qmp;
	uint64_t image_gpa; /* of a control block; 0: not known */
	struct attach_guest *guests; /* ATTACH_GUESTS_MAX of them */
	size_t guest_count;
	/* Control blocks that do not say where page tables are, or to which
	 * those do not lead. */
	struct gt_found_control silent[ATTACH_GUESTS_MAX];
	size_t silent_count;
	uint32_t looks; /* at pages that look like one */
};

/* Complain and return < 0. */
int attach_memory_of(struct attach_memory *memory, int32_t pid);
/* FILE[@GPA[:OFFSET[:LENGTH]]]; several times. */
int attach_memory_add(struct attach_memory *memory, const char *text);
/* An ELF file that names the address of its control block. */
int attach_memory_image(struct attach_memory *memory, const char *path);
void attach_memory_close(struct attach_memory *memory);

/*
 * Looks for guests anew, in their order; `progress` as of gt_process_scan().
 * 0 or a negative errno, also when there are none.
 */
int attach_find(struct attach_memory *memory,
                void (*progress)(void *context, uint64_t bytes, uint64_t of));

#endif
