/* SPDX-License-Identifier: MIT */
/*
 * What the host did, as spans: a vCPU in the guest, out of it, the VMM's own
 * work. None of them is the parent of a guest's span, so that they can be left
 * out.
 */
#include "otlp_attributes.h"
#include "otlp_inside.h"
#include <string.h>

#define EXIT_NAME     "exit "
#define EXIT_NAME_MAX 32u

/* As the other formats call it; `room` is for EXIT_NAME_MAX bytes. */
static struct gt_text name_of(const struct gt_host_span_view *h, char *room)
{
	const size_t prefix = sizeof EXIT_NAME - 1;
	const char *word = gt__exit_word((unsigned)h->reason);
	size_t count = strlen(word);

	if (h->kind == GT_HOST_GUEST)
		return (struct gt_text){"guest", 5};
	if (h->kind != GT_HOST_EXIT)
		return h->name;
	if (count > EXIT_NAME_MAX - prefix)
		count = EXIT_NAME_MAX - prefix;
	memcpy(room, EXIT_NAME, prefix);
	memcpy(room + prefix, word, count);
	return (struct gt_text){room, prefix + count};
}

int gt__otlp_host_span(struct gt_sink *sink, const struct gt_trace *trace,
                       const struct gt_host_span_view *h)
{
	struct gt__otlp_sink *x = (struct gt__otlp_sink *)sink;
	struct gt__otlp_run *run = gt__otlp_find_run(x, trace);
	struct gt_field host[GT__OTLP_HOST_MAX];
	struct gt__out *to = &x->scratch;
	char room[EXIT_NAME_MAX];
	struct gt__otlp_span span = {
		.id = h->id,
		.parent_id = h->parent_id,
		.start_ns = h->start_ns,
		.end_ns = h->end_ns,
	};

	if (!run)
		return x->out.error;
	gt__otlp_set_trace(x, &span, trace, h->trace, false);
	if (gt__otlp_is_unsampled(x, &span))
		return gt__otlp_leave_out(x);
	if (!span.parent_id)
		span.parent_id = run->span_id;
	to->used = 0;
	x->encoding->open(to, GT__OTLP_SPAN, name_of(h, room), host,
	                  gt__otlp_stretch(host, h));
	if (to->error)
		return x->out.error = to->error;
	span.attributes.opening = (struct gt_text){to->bytes, to->used};
	return gt__otlp_put_span(x, trace, &span);
}
