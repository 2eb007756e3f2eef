/* SPDX-License-Identifier: MIT */
#include "settled.h"
#include "command.h"
#include "inputs.h"
#include "monotonic.h"
#include "places.h"

#include <guesttrace/host.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>

/* Far more than completing the largest ring takes. */
#define PATIENCE_NS   (10 * NS_PER_S)
#define LOOK_AGAIN_NS 20000000L

/* destination.h: who writes a capture locks it. */
static bool has_writer(int fd)
{
	struct flock whole = {.l_type = F_RDLCK};

	return fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type == F_WRLCK;
}

static int wait_for_writer(int fd)
{
	const uint64_t end_ns = monotonic_ns() + PATIENCE_NS;

	while (has_writer(fd)) {
		if (monotonic_ns() > end_ns)
			return -EBUSY;
		nap_ns(LOOK_AGAIN_NS);
	}
	return 0;
}

struct look {
	struct gt_sink sink; /* first */
	const char *name;
	bool is_whole;
};

static int see_end(struct gt_sink *sink, const struct gt_trace *trace,
                   const struct gt_summary *summary)
{
	struct look *look = (struct look *)sink;
	const struct gt_losses *lost = &summary->losses;
	const struct gt_text message = summary->message;
	bool has_end = summary->ending != GT_ENDING_UNKNOWN;

	(void)trace;
	look->is_whole = has_end && lost->cut_bytes + lost->bad_bytes +
	                                            lost->bad_records ==
	                                    0;
	if (look->is_whole)
		complain("%s: complete: %" PRIu64 " records%s%.*s", look->name,
		         summary->records, message.count ? ": " : "",
		         (int)message.count, message.bytes);
	else
		complain("%s: INCOMPLETE: %" PRIu64
		         " records%s; %" PRIu64
		         " bytes cut behind the last frame, %" PRIu64
		         " bad records or frames",
		         look->name, summary->records,
		         has_end ? "" : "; end not captured", lost->cut_bytes,
		         lost->bad_records);
	return 0;
}

int settled_look(const char *path)
{
	struct look look = {.sink = {.end = see_end},
	                    .name = place_input_name(path)};
	struct gt_sink *const sinks[] = {&look.sink};
	int fd = input_open(path), r = fd < 0 ? fd : wait_for_writer(fd);
	const struct gt_replay_options options = {
		.size = sizeof(options),
		.read = read_file,
		.context = &fd,
		.sinks = sinks,
		.sink_count = 1,
	};

	if (r == -EBUSY)
		complain("%s: it is still being written", look.name);
	else if (r == 0)
		r = gt_replay(&options);
	if (r < 0 && r != -EBUSY)
		complain("%s: %s", look.name, code_text(r));
	if (fd >= 0)
		input_close(fd);
	return r < 0 ? -1 : look.is_whole;
}
