/* SPDX-License-Identifier: MIT */
/*
 * guesttrace decode: the bytes of a Hyperlight batch, or a native capture, as
 * JSON objects, one per event and line.
 */
#include "confinement.h"
#include "decode_native.h"
#include "inputs.h"
#include "json.h"
#include "options.h"
#include "places.h"
#include "streams.h"

#include <guesttrace/host.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static void put_fields(const struct gt_hyperlight_event *event)
{
	printf(",\"fields\":[");
	for (uint32_t i = 0; i < event->field_count; i++) {
		struct gt_hyperlight_field field =
			gt_hyperlight_field(event, i);

		printf(i ? ",[" : "[");
		json_text(stdout, field.key);
		putchar(',');
		json_text(stdout, field.value);
		putchar(']');
	}
	putchar(']');
}

static void put_open(const struct gt_hyperlight_event *event)
{
	printf("{\"type\":\"open\",\"id\":%" PRIu64, event->id);
	if (event->has_parent)
		json_member_u64(stdout, "parent", event->parent);
	else
		printf(",\"parent\":null");
	json_member_text(stdout, "name", event->name);
	json_member_text(stdout, "target", event->target);
	json_member_u64(stdout, "tsc", event->tsc);
	put_fields(event);
}

static void put_log(const struct gt_hyperlight_event *event)
{
	printf("{\"type\":\"log\",\"parent_id\":%" PRIu64, event->parent);
	json_member_text(stdout, "name", event->name);
	json_member_u64(stdout, "tsc", event->tsc);
	put_fields(event);
}

static int show(void *context, const struct gt_hyperlight_event *event)
{
	(void)context;
	switch (event->kind) {
	case GT_HYPERLIGHT_OPEN:
		put_open(event);
		break;
	case GT_HYPERLIGHT_CLOSE:
		printf("{\"type\":\"close\",\"id\":%" PRIu64
		       ",\"tsc\":%" PRIu64,
		       event->id, event->tsc);
		break;
	case GT_HYPERLIGHT_LOG:
		put_log(event);
		break;
	case GT_HYPERLIGHT_EDIT:
		printf("{\"type\":\"edit\",\"id\":%" PRIu64, event->id);
		put_fields(event);
		break;
	case GT_HYPERLIGHT_START:
		printf("{\"type\":\"start\",\"tsc\":%" PRIu64, event->tsc);
		break;
	}
	printf("}\n");
	return stream_error(stdout);
}

/* At most `limit` bytes; what follows them is left unread. */
static int read_all(int fd, uint8_t *bytes, size_t limit, size_t *ret_count)
{
	size_t count = 0;
	long got = 1;

	while (got > 0 && count < limit) {
		got = read_file(&fd, bytes + count, limit - count);
		if (got > 0)
			count += (size_t)got;
	}
	*ret_count = count;
	return got < 0 ? (int)got : 0;
}

static int judge(const struct gt_hyperlight_result *result, int r,
                 const char *path)
{
	if (ferror(stdout)) {
		complain_of_writing(NULL, r);
		return COMMAND_FAILED;
	}
	if (r < 0) {
		complain("%s: byte %zu: %s; %" PRIu64 " refused, %" PRIu64
		         " of an unknown kind, %" PRIu64 " good",
		         path, result->first_error_at, code_text(r),
		         result->refused, result->unknown, result->events);
		return COMMAND_FAILED;
	}
	if (result->unknown) {
		complain("%s: %" PRIu64 " events of an unknown kind", path,
		         result->unknown);
		return COMMAND_FAILED;
	}
	if (result->trailing_bytes)
		complain("%s: %" PRIu64 " bytes behind the end are ignored",
		         path, result->trailing_bytes);
	else if (result->wrong_prefixes)
		complain("%s: a wrong size prefix is ignored", path);
	return 0;
}

static int decode_batch(enum gt_wire wire, int fd, const char *path)
{
	size_t count, limit = GT_HYPERLIGHT_BATCH_BYTES + 1;
	struct gt_hyperlight_result result = {0};
	uint8_t *bytes = malloc(limit);
	int r;

	if (!bytes) {
		complain("%s: %s", path, code_text(-ENOMEM));
		return COMMAND_FAILED;
	}
	r = read_all(fd, bytes, limit, &count);
	if (r < 0) {
		complain("%s: %s", path, code_text(r));
	} else {
		r = gt_hyperlight_decode(wire, bytes, count, NULL, show, NULL,
		                         &result);
		r = judge(&result, r, path);
	}
	free(bytes);
	return r == 0 ? 0 : COMMAND_FAILED;
}

static int decode_file(enum gt_wire wire, const char *path)
{
	const char *name = place_input_name(path);
	int fd = input_open(path), status;

	if (fd < 0) {
		complain("%s: %s", name, code_text(fd));
		return COMMAND_FAILED;
	}
	status = wire == GT_WIRE_NATIVE ? decode_native(fd, name)
	                                : decode_batch(wire, fd, name);
	input_close(fd);
	return status;
}

static bool find_wire(const char *name, enum gt_wire *ret_wire)
{
	static const char *const names[] = {
		[GT_WIRE_NATIVE] = "native",
		[GT_WIRE_HYPERLIGHT_0_11] = "hyperlight-0.11",
		[GT_WIRE_HYPERLIGHT_0_12] = "hyperlight-0.12",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i], name) == 0) {
			*ret_wire = (enum gt_wire)i;
			return true;
		}
	}
	complain("no --wire '%s': native, hyperlight-0.11, hyperlight-0.12",
	         name);
	return false;
}

static const struct option_spec options[] = {
	{'w', "wire", "native|hyperlight-0.11|hyperlight-0.12",
         "what FILE holds: a capture, or one of Hyperlight's batches", NULL},
	READS_IN_SANDBOX,
	{0},
};

static int cmd_decode(int argc, char **argv)
{
	const char *wire_name = NULL;
	enum gt_wire wire;
	int id;

	while ((id = options_next(&command_decode, argc, argv)) != -1) {
		if (id != 'w')
			return options_stop(&command_decode, id);
		wire_name = optarg;
	}
	if (!wire_name)
		return options_missing(&command_decode, "--wire");
	if (!options_operands(&command_decode, argc, argv, 1, 1))
		return COMMAND_USAGE;
	if (!find_wire(wire_name, &wire))
		return COMMAND_USAGE;
	if (confinement_of_reading(&(struct reading){.paths = argv + optind,
	                                             .count = 1}) < 0 ||
	    place_is_input(NULL, argv[optind]))
		return COMMAND_FAILED;
	return decode_file(wire, argv[optind]);
}

const struct command_spec command_decode = {
	.name = "decode",
	.operands = "FILE",
	.what = "show each event of a batch or capture as JSON",
	.options = options,
	.run = cmd_decode,
	.examples = "  guesttrace decode -w native kv.gtrace\n"
		    "  guesttrace decode -w hyperlight-0.12 batch.bin\n",
	.usage_status = COMMAND_USAGE,
};
