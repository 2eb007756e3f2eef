/* SPDX-License-Identifier: MIT */
#include "symbols.h"
#include "command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_BYTES 4096u /* of a message, over what it has */

int symbols_open(struct symbols *symbols, const char *path)
{
	*symbols = (struct symbols){.path = path};
	code_names_open(&symbols->names, path);
	if (!symbols->names.image)
		complain("--symbols: cannot read %s, or it is over 64 MiB",
		         path);
	else if (!code_names_build_id(&symbols->names, symbols->build_id))
		complain("--symbols: %s is no ELF", path);
	else
		return 0;
	symbols_close(symbols);
	return -EINVAL;
}

void symbols_close(struct symbols *symbols)
{
	code_names_close(&symbols->names);
}

/* ---- The sink ------------------------------------------------------------ */

struct naming {
	struct gt_sink sink;
	struct gt_sink *next;
	const struct symbols *symbols;
};

static struct gt_sink *next_of(struct gt_sink *sink)
{
	return ((struct naming *)sink)->next;
}

/* Names of another image would be wrong, and not look it. */
static int check(const struct symbols *symbols, const struct gt_trace *trace)
{
	const struct gt_text id = trace->guest_build_id;

	if (id.count == 0 ||
	    (id.count == strlen(symbols->build_id) &&
	     memcmp(id.bytes, symbols->build_id, id.count) == 0))
		return 0;
	complain("--symbols: the guest's build id is %.*s, that of %s %s%s",
	         (int)(id.count < 2 * CODE_BUILD_ID_MAX
	                       ? id.count
	                       : 2 * CODE_BUILD_ID_MAX),
	         id.bytes, symbols->path,
	         *symbols->build_id ? "is " : "not there", symbols->build_id);
	return -ESTALE;
}

static int begin(struct gt_sink *sink, const struct gt_trace *trace)
{
	int r = check(((struct naming *)sink)->symbols, trace);

	return r == 0 && next_of(sink)->begin
	               ? next_of(sink)->begin(next_of(sink), trace)
	               : r;
}

static int open_span(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_span_view *span)
{
	return next_of(sink)->open(next_of(sink), trace, span);
}

static int close_span(struct gt_sink *sink, const struct gt_trace *trace,
                      const struct gt_span_view *span)
{
	return next_of(sink)->close(next_of(sink), trace, span);
}

static int put_event(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_event_view *event)
{
	return next_of(sink)->event(next_of(sink), trace, event);
}

static int put_counter(struct gt_sink *sink, const struct gt_trace *trace,
                       const struct gt_event_view *counter)
{
	return next_of(sink)->counter(next_of(sink), trace, counter);
}

static int put_host_span(struct gt_sink *sink, const struct gt_trace *trace,
                         const struct gt_host_span_view *span)
{
	return next_of(sink)->host_span(next_of(sink), trace, span);
}

static int put_loss(struct gt_sink *sink, const struct gt_trace *trace,
                    const struct gt_loss_view *loss)
{
	return next_of(sink)->loss(next_of(sink), trace, loss);
}

static int end_named(struct gt_sink *sink, const struct gt_trace *trace,
                     const struct gt_summary *summary)
{
	const struct symbols *symbols = ((struct naming *)sink)->symbols;
	size_t count = summary->message.count, room = count + NAMES_BYTES;
	struct gt_summary named = *summary;
	char *text = malloc(room);
	int r;

	if (!text)
		return -ENOMEM;
	memcpy(text, summary->message.bytes, count);
	text[count] = '\0';
	if (strlen(text) == count) { /* else it is not one of ours */
		code_names_complete(&symbols->names, text, room);
		named.message = (struct gt_text){text, strlen(text)};
	}
	r = next_of(sink)->end(next_of(sink), trace, &named);
	free(text);
	return r;
}

static int end(struct gt_sink *sink, const struct gt_trace *trace,
               const struct gt_summary *summary)
{
	if (!next_of(sink)->end)
		return 0;
	return summary->message.count
	               ? end_named(sink, trace, summary)
	               : next_of(sink)->end(next_of(sink), trace, summary);
}

static void free_naming(struct gt_sink *sink)
{
	free(sink);
}

int symbols_sink(const struct symbols *symbols, struct gt_sink *next,
                 struct gt_sink **ret_sink)
{
	struct naming *naming = malloc(sizeof(*naming));

	if (!naming)
		return -ENOMEM;
	/* What nobody wants is not made. */
	*naming = (struct naming){
		.sink = {.begin = begin,
	                 .open = next->open ? open_span : NULL,
	                 .close = next->close ? close_span : NULL,
	                 .event = next->event ? put_event : NULL,
	                 .counter = next->counter ? put_counter : NULL,
	                 .host_span = next->host_span ? put_host_span : NULL,
	                 .loss = next->loss ? put_loss : NULL,
	                 .end = end,
	                 .free = free_naming},
		.next = next,
		.symbols = symbols,
	};
	*ret_sink = &naming->sink;
	return 0;
}
