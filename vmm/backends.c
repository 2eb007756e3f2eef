/* SPDX-License-Identifier: MIT */
/*
 * Which backends there are, and which one a new VM gets. The only file that
 * knows all of them, and that none of them knows.
 */
#include "vm_internal.h"

#include <errno.h>

static const struct candidate {
	const struct vm__backend *backend;
	int (*usable)(char error[VM_ERROR_BYTES]);
} candidates[] = {
	[VM_BACKEND_KVM] = {&vm__kvm, vm__kvm_usable},
#ifdef HAVE_EMULATED
	[VM_BACKEND_EMULATED] = {&vm__emulated, vm__emulated_usable},
#else
	[VM_BACKEND_EMULATED] = {NULL, NULL},
#endif
};

/* One backend, not AUTO; NULL with an error if it cannot run here. */
static const struct vm__backend *pick_one(enum vm_backend wanted,
                                          char error[VM_ERROR_BYTES], int *code)
{
	const struct candidate *candidate = &candidates[wanted];

	if (!candidate->backend) {
		*code = vm__fail(error, -ENOTSUP,
		                 "the emulated backend is not built in");
		return NULL;
	}
	*code = candidate->usable(error);
	return *code < 0 ? NULL : candidate->backend;
}

static const struct vm__backend *pick(enum vm_backend wanted,
                                      char error[VM_ERROR_BYTES], int *ret_code)
{
	char first[VM_ERROR_BYTES] = "", second[VM_ERROR_BYTES] = "";
	const struct vm__backend *backend;
	int code;

	if (wanted != VM_BACKEND_AUTO)
		return pick_one(wanted, error, ret_code);
	backend = pick_one(VM_BACKEND_KVM, first, ret_code);
	if (!backend)
		backend = pick_one(VM_BACKEND_EMULATED, second, &code);
	if (!backend)
		vm__fail(error, 0, "%.120s; %.120s", first, second);
	return backend;
}

static int check_options(const struct vm_options *options,
                         char error[VM_ERROR_BYTES])
{
	uint64_t memory = options->memory_bytes;

	if (options->size != sizeof *options)
		return vm__fail(error, -EINVAL, "options of another version");
	if ((unsigned)options->backend > VM_BACKEND_EMULATED)
		return vm__fail(error, -EINVAL, "no such backend");
	if (options->vcpus > VM_VCPUS_MAX)
		return vm__fail(error, -EINVAL, "at most %u vCPUs, not %u",
		                VM_VCPUS_MAX, options->vcpus);
	if (memory != 0 &&
	    (memory < VM_MEMORY_BYTES_MIN || memory > VM_MEMORY_BYTES_MAX))
		return vm__fail(error, -EINVAL,
		                "memory must be from 2 MiB to 64 GiB");
	if (memory % VM__PAGE_BYTES != 0)
		return vm__fail(error, -EINVAL,
		                "memory must be a multiple of 4 KiB");
	return 0;
}

/* Asked for several vCPUs, AUTO means what can have them. */
static const struct vm__backend *pick_for(const struct vm_options *options,
                                          char error[VM_ERROR_BYTES],
                                          int *ret_code)
{
	enum vm_backend wanted = options->backend;
	const struct vm__backend *backend;
	char why[VM_ERROR_BYTES] = "";

	if (options->vcpus <= 1)
		return pick(wanted, error, ret_code);
	if (wanted == VM_BACKEND_AUTO)
		wanted = VM_BACKEND_KVM;
	backend = pick_one(wanted, why, ret_code);
	if (!backend) {
		vm__fail(error, 0, "%u vCPUs need KVM; %.200s", options->vcpus,
		         why);
	} else if (options->vcpus > backend->vcpus_max) {
		*ret_code = vm__fail(error, -ENOTSUP,
		                     "%u vCPUs need KVM; the %s backend has %u",
		                     options->vcpus, backend->name,
		                     backend->vcpus_max);
		backend = NULL;
	}
	return backend;
}

bool vm_backend_usable(enum vm_backend backend, char error[VM_ERROR_BYTES])
{
	int code;

	if ((unsigned)backend > VM_BACKEND_EMULATED) {
		vm__fail(error, 0, "no such backend");
		return false;
	}
	return pick(backend, error, &code) != NULL;
}

int vm_new(struct vm **ret_vm, const struct vm_options *options,
           char error[VM_ERROR_BYTES])
{
	int result = check_options(options, error);
	const struct vm__backend *backend;

	if (result < 0)
		return result;
	backend = pick_for(options, error, &result);
	return backend ? vm__new_on(ret_vm, backend, options, error) : result;
}
