/* SPDX-License-Identifier: MIT */
#include "confinement.h"
#include "command.h"
#include "options.h"
#include "places.h"
#include "sandbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* What snapshots are named after: the capture, or else the guest. */
static char *snapshot_base(const struct session_options *options)
{
	static const char ending[] = ".gtrace";
	const char *guest = options->guest_argv[0], *slash = strrchr(guest, '/');
	const char *path = options->capture;
	size_t length, cut = sizeof(ending) - 1;

	if (place_is_stream(path))
		path = slash ? slash + 1 : guest;
	length = strlen(path);
	if (length > cut && strcmp(path + length - cut, ending) == 0)
		length -= cut;
	return strndup(path, length);
}

/* The guest's memory is the guest's. Else RLIMIT_CORE still holds. */
static void keep_out_of_cores(const struct vm *vm)
{
	uint64_t bytes;
	void *memory = vm_memory(vm, &bytes);

	madvise(memory, bytes, MADV_DONTDUMP);
}

static bool is_sent(const struct output *output)
{
	const struct otlp_format *otlp = otlp_format_of(output->new_sink);

	return otlp && !otlp->with;
}

static void add_file(const struct output *output, struct sandbox_plan *plan,
                     const char **written)
{
	written[plan->written_count++] = output->path;
	plan->makes_directories |= !output->new_sink && !output->new_text;
}

/* Where the outputs go: paths, or over the network. */
static void add_outputs(const struct outputs *outputs,
                        struct sandbox_plan *plan, const char **written)
{
	for (size_t i = 0; i < outputs->count; i++)
		if (is_sent(&outputs->outputs[i]))
			plan->sends = true;
		else
			add_file(&outputs->outputs[i], plan, written);
	plan->spool = outputs->otlp.spool;
	if (plan->sends && !plan->spool)
		plan->spool = getenv("GUESTTRACE_SPOOL");
}

static int begin_sandbox(const struct session_options *options,
                         const char *base)
{
	const char *written[OUTPUTS_MAX + 2];
	const char *const read[] = {options->guest_argv[0]};
	struct sandbox_plan plan = {
		.written = written,
		.read = read,
		.read_count = 1,
		.keeps_core = options->core,
		.captures = options->capture != NULL,
	};

	add_outputs(options->outputs, &plan, written);
	written[plan.written_count++] = options->capture;
	written[plan.written_count++] = base;
	return sandbox_begin(&plan);
}

int confinement_begin(const struct session_options *options,
                      const struct vm *vm, char **ret_snapshot_base)
{
	char *base = snapshot_base(options);
	int r = base ? 0 : -ENOMEM;

	if (!options->core)
		keep_out_of_cores(vm);
	if (r == 0 && !options->no_sandbox)
		r = begin_sandbox(options, base);
	if (r < 0)
		free(base);
	else
		*ret_snapshot_base = base;
	return r;
}

/* Streams take no file. */
static unsigned count_files(const char *const *written, unsigned count)
{
	unsigned files = 0;

	for (unsigned i = 0; i < count; i++)
		files += !place_is_standard_output(written[i]);
	return files;
}

int confinement_of_reading(const struct reading *reading)
{
	const char *written[OUTPUTS_MAX + 1];
	struct sandbox_plan plan = {
		.written = written,
		.read = (const char *const *)reading->paths,
		.read_count = (unsigned)reading->count,
		.is_reader = true,
		.sends = reading->sends,
	};

	if (!options_want_sandbox())
		return 0;
	if (reading->outputs)
		add_outputs(reading->outputs, &plan, written);
	if (reading->output)
		written[plan.written_count++] = reading->output;
	if (reading->spool)
		plan.spool = reading->spool;
	if (count_files(written, plan.written_count) == 0)
		plan.written_count = 0;
	return sandbox_begin(&plan);
}
