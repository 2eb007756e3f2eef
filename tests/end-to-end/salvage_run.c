/* SPDX-License-Identifier: MIT */
/*
 * Runs a guest whose records stay in its memory, and leaves behind what the
 * guest's death leaves: MEMORY, then CAPTURE, taken from the same memory by the
 * host that was there all the time. Usage: salvage_run MEMORY CAPTURE GUEST
 */
#include "cli/vm_exit.h"

#include <stdio.h>
#include <stdlib.h>

struct run {
	struct vm *vm;
	struct gt_host *host;
	uint64_t cr3; /* of the last exit */
};

static void on_exit_of_vm(void *context, unsigned vcpu,
                          const struct vm_exit *from)
{
	struct run *run = context;
	struct gt_exit exit = exit_from_vm(from);

	run->cr3 = from->cr3;
	if ((uint32_t)exit.r10 == GT_DOORBELL_FLUSH)
		exit.r8 = 0; /* the records stay */
	gt_host_exit(run->host, vcpu, &exit);
}

static void check(int r, const char *what)
{
	if (r < 0) {
		fprintf(stderr, "%s: %d\n", what, r);
		exit(1);
	}
}

static int write_file(void *context, const void *bytes, size_t count)
{
	return fwrite(bytes, 1, count, context) == count ? 0 : -1;
}

static void keep_memory(struct vm *vm, const char *path)
{
	FILE *file = fopen(path, "wb");
	uint64_t bytes;
	const void *ram = vm_memory(vm, &bytes);

	check(file && fwrite(ram, 1, bytes, file) == bytes && fclose(file) == 0
	              ? 0
	              : -1,
	      path);
}

int main(int argc, char **argv)
{
	struct run run = {0};
	struct vm_options vm = {
		.size = sizeof(vm),
		.backend = VM_BACKEND_EMULATED,
		.callbacks = {.exit = on_exit_of_vm},
		.ctx = &run,
	};
	struct vm_boot boot = {.size = sizeof(boot), .argc = 1};
	struct gt_host_options host = {.size = sizeof(host), .memory_slots = 1};
	struct vm_outcome outcome;
	FILE *capture;
	const char *name = "guest";

	if (argc != 4 || !(capture = fopen(argv[2], "wb")))
		return 2;
	boot.argv = &name;
	check(vm_new(&run.vm, &vm, NULL), "vm_new");
	check(vm_load(run.vm, argv[3]), "vm_load");
	check(vm_boot(run.vm, &boot), "vm_boot");
	host.memory[0].host = vm_memory(run.vm, &host.memory[0].bytes);
	host.capture = (struct gt_output){write_file, capture};
	check(gt_host_new(&host, &run.host), "gt_host_new");
	check(vm_run(run.vm, &outcome), "vm_run");
	keep_memory(run.vm, argv[1]);
	check(gt_host_finish(run.host, GT_ENDING_UNKNOWN, 0, NULL), "finish");
	gt_host_free(run.host);
	vm_free(run.vm);
	printf("0x%llx\n", (unsigned long long)run.cr3);
	return fclose(capture) == 0 ? 0 : 1;
}
