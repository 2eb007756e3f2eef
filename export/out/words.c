/* SPDX-License-Identifier: MIT */
/* Words for enumerations, and small rules that all exporters share. */
#include "words.h"
#include <stdlib.h>
#include <string.h>

const struct gt__flag_word gt__flag_words[GT__FLAG_WORDS] = {
	{GT_SPAN_INTERRUPTED, "interrupted"},
	{GT_SPAN_CLOSE_LOST, "close_lost"},
	{GT_SPAN_ADJUSTED, "time_adjusted"},
	{GT_SPAN_CUT, "cut"},
	{GT_SPAN_EVICTED, "evicted"},
	{GT_SPAN_REPLACED, "replaced"},
	{GT_SPAN_OPEN_LOST, "open_lost"},
	{GT_SPAN_PARENT_GUESSED, "parent_guessed"},
};

const struct gt__flag_word gt__clock_words[GT__CLOCK_WORDS] = {
	{GT_CLOCK_NOT_INVARIANT, "not_invariant"},
	{GT_CLOCK_WARPED, "warped"},
	{GT_CLOCK_RATE_DIFFERS, "rate_differs"},
	{GT_CLOCK_MOVED, "moved"},
	{GT_CLOCK_OUTSIDE, "outside"},
	{GT_CLOCK_ESTIMATED, "estimated"},
};

#define LOSS(name, prose) \
	offsetof(struct gt_losses, name), #name, "guesttrace.lost." #name, prose
const struct gt__loss_word gt__loss_words[GT__LOSS_WORDS] = {
	{LOSS(records, "records for which the guest found no room")},
	{LOSS(strings_cut, "strings cut by the guest")},
	{LOSS(overwritten_bytes, "bytes overwritten before the host looked")},
	{LOSS(bad_records,
              "pieces that did not decode: records, batches, stretches")},
	{LOSS(bad_bytes, "bytes skipped to find the next block or frame")},
	{LOSS(bad_requests, "doorbells that could not be used")},
	{LOSS(unknown_spans, "records for a span that is not open")},
	{LOSS(replaced_spans, "spans opened again while open")},
	{LOSS(evicted_spans, "spans ended early: too many were open")},
	{LOSS(dropped_events, "events not kept in their span: too many")},
	{LOSS(dropped_fields, "fields not kept: too many")},
	{LOSS(adjusted_records, "times moved into the run")},
	{LOSS(late_records, "records out of order on their vCPU")},
	{LOSS(cut_bytes, "bytes behind the capture's last whole frame")},
	{LOSS(repeated_batches, "batches that came twice, shown once")},
	{LOSS(unknown_kinds, "events of an unknown kind")},
	{LOSS(crowded_names, "names over the limit, shown as a field")},
	{LOSS(bad_contexts,
              "texts that are no trace context, shown as a field")},
	{LOSS(quota_requests, "doorbells and batches over a quota")},
	{LOSS(quota_exits, "exits over a quota, not shown")},
};
#undef LOSS
_Static_assert(sizeof(struct gt_losses) == GT__LOSS_WORDS * sizeof(uint64_t),
               "each loss has a word");

uint64_t gt__loss(const struct gt_losses *losses, size_t word)
{
	uint64_t value;

	memcpy(&value, (const char *)losses + gt__loss_words[word].offset,
	       sizeof value);
	return value;
}

/* The others are of times and texts, or were shown in another way. */
bool gt__is_partial(const struct gt_losses *losses)
{
	return (losses->records | losses->overwritten_bytes |
	        losses->bad_records | losses->bad_bytes | losses->bad_requests |
	        losses->evicted_spans | losses->dropped_events |
	        losses->cut_bytes | losses->unknown_kinds |
	        losses->quota_requests | losses->quota_exits) != 0;
}

const char *gt__level_word(enum gt_level level)
{
	switch (level) {
	case GT_OFF: /* a wire that does not carry it */
		return "unknown";
	case GT_ERROR:
		return "error";
	case GT_WARN:
		return "warn";
	case GT_INFO:
		return "info";
	case GT_DEBUG:
		return "debug";
	case GT_TRACE:
		return "trace";
	}
	return "unknown";
}

const char *gt__type_word(enum gt_type type)
{
	switch (type) {
	case GT_TYPE_U64:
		return "u64";
	case GT_TYPE_I64:
		return "i64";
	case GT_TYPE_F64:
		return "f64";
	case GT_TYPE_BOOL:
		return "bool";
	case GT_TYPE_STRING:
		return "string";
	case GT_TYPE_BYTES:
		return "bytes";
	case GT_TYPE_POINTER:
		return "pointer";
	case GT_TYPE_PARENT:
	case GT_TYPE_LINK:
	case GT_TYPE_LINK_REMOTE:
	case GT_TYPE_OK:
	case GT_TYPE_FAILED:
		break; /* never among a view's fields */
	}
	return "unknown";
}

const char *gt__status_word(enum gt_status status)
{
	switch (status) {
	case GT_STATUS_UNSET:
		return "unset";
	case GT_STATUS_OK:
		return "ok";
	case GT_STATUS_ERROR:
		return "error";
	}
	return "unknown";
}

const char *gt__ending_word(enum gt_ending ending)
{
	switch (ending) {
	case GT_ENDING_UNKNOWN:
		return "unknown";
	case GT_ENDING_HALTED:
		return "halted";
	case GT_ENDING_ABORTED:
		return "aborted";
	case GT_ENDING_SHUTDOWN:
		return "shutdown";
	case GT_ENDING_TIMEOUT:
		return "timeout";
	case GT_ENDING_INTERRUPTED:
		return "interrupted";
	case GT_ENDING_FAILED:
		return "failed";
	case GT_ENDING_SNAPSHOT:
		return "snapshot";
	}
	return "unknown";
}

const char *gt__clock_source_word(enum gt_clock_source source)
{
	switch (source) {
	case GT_CLOCK_READINGS:
		return "readings";
	case GT_CLOCK_HYPERVISOR:
		return "hypervisor";
	case GT_CLOCK_CPUID:
		return "cpuid";
	case GT_CLOCK_KERNEL:
		return "kernel";
	}
	return "unknown";
}

const char *gt__exit_word(unsigned reason)
{
	/* By enum gt_exit_reason of host.h, which exporters may not include. */
	static const char *const words[GT_EXIT_REASONS] = {
		"other",     "io",        "mmio",        "halt",
		"shutdown",  "exception", "interrupted", "timeout",
		"error",     "reason_9",  "reason_10",   "reason_11",
		"reason_12", "reason_13", "reason_14",   "reason_15",
	};

	return reason < GT_EXIT_REASONS ? words[reason] : "unknown";
}

/* Of a literal: its length is known, so that comparing is no call. */
#define BEGINS(key, prefix)                   \
	((key).count >= sizeof(prefix) - 1 && \
	 !memcmp((key).bytes, prefix, sizeof(prefix) - 1))

bool gt__is_host_key_slowly(struct gt_text key)
{
	switch (key.bytes[0]) {
	case 'c':
		return BEGINS(key, "code.");
	case 'g':
		return BEGINS(key, GT__GUEST) || BEGINS(key, "guesttrace.");
	case 'h':
		return BEGINS(key, "host.");
	case 'o':
		return BEGINS(key, "otel.");
	case 'p':
		return BEGINS(key, "process.");
	case 's':
		return BEGINS(key, "service.");
	case 't':
		return BEGINS(key, "telemetry.");
	default:
		return false;
	}
}

uint64_t gt__monotonic_ns(const struct gt_trace *trace, uint64_t time_ns)
{
	uint64_t offset = (uint64_t)trace->monotonic_offset_ns;

	if (trace->monotonic_offset_ns > 0 && time_ns < offset)
		return 0;
	return time_ns - offset;
}

#define PID_STRIDE 4096u
_Static_assert(PID_STRIDE > GT__THREADS_PER_VCPU * GT_VCPUS_MAX +
                                    GT__LOSS_THREADS + 1,
               "ids of threads are their own");

uint32_t gt__pid(const struct gt_trace *trace)
{
	/* Viewers take pids for int32; the index starts again before that. */
	return (trace->index % ((1u << 18) - 1) + 1) * PID_STRIDE;
}

uint32_t gt__tid(const struct gt_trace *trace, uint32_t vcpu)
{
	return gt__pid(trace) + 1 + vcpu;
}

uint64_t gt__hash(uint64_t hash, const void *bytes, size_t count)
{
	const unsigned char *from = bytes;
	size_t i;

	for (i = 0; i < count; i++)
		hash = (hash ^ from[i]) * UINT64_C(0x100000001b3);
	return hash;
}

bool gt__field_holds(const struct gt_field *fields, size_t count, size_t i)
{
	size_t later;

	for (later = i + 1; later < count; later++)
		if (gt__same_text(fields[i].key, fields[later].key))
			return false;
	return true;
}

/* By key, and of one key the last one first. */
static int compare_fields(const void *left, const void *right)
{
	const struct gt_field *const *a = left, *const *b = right;
	size_t least = (*a)->key.count < (*b)->key.count ? (*a)->key.count
	                                                 : (*b)->key.count;
	int order = least ? memcmp((*a)->key.bytes, (*b)->key.bytes, least) : 0;

	if (order)
		return order;
	if ((*a)->key.count != (*b)->key.count)
		return (*a)->key.count < (*b)->key.count ? -1 : 1;
	return *a < *b ? 1 : -1;
}

bool *gt__fields_that_hold(const struct gt_field *fields, size_t count)
{
	const struct gt_field **sorted = calloc(count + 1, sizeof *sorted);
	bool *holds = calloc(count + 1, sizeof *holds);
	size_t i;

	for (i = 0; sorted && i < count; i++)
		sorted[i] = &fields[i];
	if (sorted && holds)
		qsort(sorted, count, sizeof *sorted, compare_fields);
	for (i = 0; sorted && holds && i < count; i++)
		holds[sorted[i] - fields] =
			!i ||
			!gt__same_text(sorted[i - 1]->key, sorted[i]->key);
	if (!sorted) {
		free(holds);
		holds = NULL;
	}
	free(sorted);
	return holds;
}
