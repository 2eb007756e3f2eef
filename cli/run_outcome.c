/* SPDX-License-Identifier: MIT */
#include "run_outcome.h"
#include "command.h"
#include "errands.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define CALLERS_MAX 16u

enum gt_ending ending_of(enum vm_end end)
{
	switch (end) {
	case VM_HALTED:
		return GT_ENDING_HALTED;
	case VM_ABORTED:
		return GT_ENDING_ABORTED;
	case VM_SHUTDOWN:
		return GT_ENDING_SHUTDOWN;
	case VM_TIMEOUT:
		return GT_ENDING_TIMEOUT;
	case VM_INTERRUPTED:
		return GT_ENDING_INTERRUPTED;
	case VM_FAILED:
		return GT_ENDING_FAILED;
	case VM_PAUSED: /* nobody here does that */
		break;
	}
	return GT_ENDING_UNKNOWN;
}

struct naming {
	const struct code_names *names;
	struct vm_outcome *outcome;
	uint64_t callers[CALLERS_MAX];
	size_t count;
	uint64_t rip;
	uint64_t function; /* that the first one calls, or 0 */
};

/* Without what is a caller only if that is so. */
static size_t uncertain(const struct naming *naming)
{
	return naming->function &&
	       !code_names_is_in(naming->names, naming->function, naming->rip);
}

static int name_code(void *context)
{
	struct naming *naming = context;
	size_t first = uncertain(naming);

	code_names_put(naming->names, naming->outcome->message,
	               sizeof(naming->outcome->message));
	code_names_put_callers(naming->names, naming->callers + first,
	                       naming->count - first, naming->outcome->message,
	                       sizeof(naming->outcome->message));
	return 0;
}

void outcome_name_code(const struct code_names *names, const struct vm *vm,
                       struct vm_outcome *outcome)
{
	struct naming naming = {.names = names, .outcome = outcome};
	const char *rip = strstr(outcome->message, "0x");

	if (rip) {
		naming.rip = strtoull(rip, NULL, 16);
		naming.count = vm_callers(vm, naming.rip, naming.callers,
		                          CALLERS_MAX, &naming.function);
	}
	if (outcome->end == VM_ABORTED)
		errand(name_code, &naming);
}

int outcome_status(const struct session_options *options,
                   const struct vm_outcome *outcome)
{
	switch (outcome->end) {
	case VM_HALTED:
		if (outcome->status <= RUN_STATUS_MAX)
			return (int)outcome->status;
		complain("the guest's exit status was %" PRIu32,
		         outcome->status);
		return RUN_STATUS_MAX;
	case VM_ABORTED:
		complain("the guest died: %s", outcome->message);
		return RUN_GUEST_DIED;
	case VM_SHUTDOWN:
		complain("the guest died: triple fault");
		return RUN_GUEST_DIED;
	case VM_TIMEOUT:
		complain("the guest was stopped after %.3g s",
		         (double)options->timeout_ns / 1e9);
		return RUN_TIMEOUT;
	case VM_INTERRUPTED:
		complain("interrupted");
		return RUN_INTERRUPTED;
	case VM_FAILED:
		complain("%s", outcome->message);
		return RUN_FAILED;
	case VM_PAUSED:
		break;
	}
	return RUN_FAILED;
}
