/* SPDX-License-Identifier: MIT */
/*
 * Every format, of whatever a capture holds (threats C16, C17), read by a
 * parser of that format that knows nothing else: JSON (RFC 8259), CSV (RFC
 * 4180), protobuf by OpenTelemetry's and Perfetto's messages, and text without
 * controls. The input: u8 which of them, then a capture.
 */
#include "capture_input.h"
#include "protobuf_check.h"
#include "strict_json.h"
#include "tests/support/memfile.h"

#include <errno.h>

#include <guesttrace/export_otlp.h>

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void check(bool good)
{
	if (!good)
		abort();
}

/* As many fields in each line; quotes only around whole fields, or doubled. */
static void check_csv(const uint8_t *bytes, size_t count)
{
	size_t fields = 1, first = 0;

	check(gt__utf8_is_valid(bytes, count));
	for (size_t at = 0; at < count;) {
		if (bytes[at] == '"') {
			for (at++; at < count; at++) {
				if (bytes[at] != '"')
					continue;
				if (at + 1 == count || bytes[at + 1] != '"')
					break;
				at++;
			}
			check(at++ < count);
		} else {
			while (at < count && bytes[at] != ',' &&
			       bytes[at] != '\r' && bytes[at] != '\n')
				check(bytes[at++] != '"');
		}
		check(at < count);
		if (bytes[at] == ',') {
			fields++;
			at++;
			continue;
		}
		if (bytes[at] == '\r')
			at++;
		check(at < count && bytes[at++] == '\n');
		check(first == 0 || first == fields);
		first = fields;
		fields = 1;
	}
}

/* Nothing that a terminal would act on. */
static void check_text(const uint8_t *bytes, size_t count)
{
	check(gt__utf8_is_valid(bytes, count));
	for (size_t i = 0; i < count; i++)
		check((bytes[i] >= ' ' && bytes[i] != 0x7f) ||
		      bytes[i] == '\n');
	for (size_t i = 0; i + 1 < count; i++) /* C1 */
		check(bytes[i] != 0xc2 || bytes[i + 1] >= 0xa0);
	check(count == 0 || bytes[count - 1] == '\n');
}

static int follow(const struct gt_output *output, struct gt_sink **ret_sink)
{
	return gt_follow_with(output, NULL, ret_sink);
}

static int logs_json(const struct gt_output *output, struct gt_sink **ret_sink)
{
	return gt_otlp_logs_json_with(output, NULL, ret_sink);
}

static int logs_protobuf(const struct gt_output *output,
                         struct gt_sink **ret_sink)
{
	return gt_otlp_logs_protobuf_with(output, NULL, ret_sink);
}

static int metrics_json(const struct gt_output *output,
                        struct gt_sink **ret_sink)
{
	return gt_otlp_metrics_json_with(output, NULL, ret_sink);
}

static int metrics_protobuf(const struct gt_output *output,
                            struct gt_sink **ret_sink)
{
	return gt_otlp_metrics_protobuf_with(output, NULL, ret_sink);
}

enum form { FORM_JSON, FORM_LINES, FORM_PROTOBUF, FORM_CSV, FORM_TEXT, FORM_DATABASE };

static const struct format {
	int (*make)(const struct gt_output *, struct gt_sink **);
	enum form form;
	enum protobuf_of messages;
} formats[] = {
	{.make = gt_chrome_new, .form = FORM_JSON},
	{.make = gt_otlp_json_new, .form = FORM_LINES},
	{gt_otlp_protobuf_new, FORM_PROTOBUF, PROTOBUF_TRACES},
	{.make = logs_json, .form = FORM_LINES},
	{logs_protobuf, FORM_PROTOBUF, PROTOBUF_LOGS},
	{.make = metrics_json, .form = FORM_LINES},
	{metrics_protobuf, FORM_PROTOBUF, PROTOBUF_METRICS},
	{gt_perfetto_new, FORM_PROTOBUF, PROTOBUF_PERFETTO},
	{.make = gt_report_json_new, .form = FORM_JSON},
	{.make = gt_csv_new, .form = FORM_CSV},
	{.make = gt_tree_new, .form = FORM_TEXT},
	{.make = gt_report_new, .form = FORM_TEXT},
	{.make = gt_folded_new, .form = FORM_TEXT},
	{.make = follow, .form = FORM_TEXT},
	{.make = gt_sqlite_new, .form = FORM_DATABASE},
};

static void check_output(const struct format *format, const uint8_t *bytes,
                         size_t count)
{
	switch (format->form) {
	case FORM_JSON:
		check(is_strict_json(bytes, count, false));
		break;
	case FORM_LINES:
		check(is_strict_json(bytes, count, true));
		break;
	case FORM_PROTOBUF:
		check(is_protobuf(format->messages, bytes, count));
		break;
	case FORM_CSV:
		check_csv(bytes, count);
		break;
	case FORM_TEXT:
		check_text(bytes, count);
		break;
	case FORM_DATABASE:
		check(count >= 512 && count % 512 == 0 &&
		      memcmp(bytes, "SQLite format 3", 16) == 0);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	static struct memfile file;
	const struct gt_output output = {memfile_write, &file};
	const struct format *format;
	struct gt_sink *sink;
	int r;

	if (count == 0)
		return 0;
	format = &formats[bytes[0] % (sizeof(formats) / sizeof(formats[0]))];
	file.count = 0;
	r = format->make(&output, &sink);
	if (r == -ENOTSUP)
		return 0; /* built without */
	check(r == 0);
	if (replay_capture(bytes + 1, count - 1, &sink, 1) == 0) {
		check(sink->finish(sink) == 0);
		check_output(format, file.bytes, file.count);
	}
	sink->free(sink);
	return 0;
}
