/* SPDX-License-Identifier: MIT */
/*
 * What an OTLP endpoint may answer (threat F6): bodies in JSON and in protobuf,
 * Retry-After, and the status of gRPC, whose message and details a header has.
 * The input: u8 which of them, then the text.
 */
#include "export/send/otlp_grpc.h"
#include "export/send/otlp_reply.h"
#include "export/send/protobuf_cursor.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

static void check(bool good)
{
	if (!good)
		abort();
}

static void check_inside(struct gt_text text, const uint8_t *bytes,
                         size_t count)
{
	const char *from = (const char *)bytes;

	check(text.count == 0 ||
	      (text.bytes >= from && text.count <= count &&
	       text.bytes - from <= (ptrdiff_t)(count - text.count)));
}

static void judge_body(const uint8_t *bytes, size_t count)
{
	for (unsigned i = 0; i < 3; i++)
		check(gt__otlp_rejected_json(
			      gt__otlp_signal((enum gt_otlp_signal)i), bytes,
			      count) <= INT64_MAX);
	check(gt__otlp_rejected_protobuf(bytes, count) <= INT64_MAX);
	for (unsigned taken = 0; taken < 2; taken++) {
		check_inside(gt__otlp_message_json(bytes, count, taken), bytes,
		             count);
		check_inside(gt__otlp_message_protobuf(bytes, count, taken),
		             bytes, count);
	}
}

/* As long as the message says, and one field behind the other. */
static void walk(const uint8_t *bytes, size_t count)
{
	struct gt__cursor c = {bytes, count, false};

	while (c.left && !c.bad) {
		size_t before = c.left;
		uint64_t tag = gt__take_varint(&c), value = 0;
		struct gt__cursor part = gt__take_value(&c, tag, &value);

		check(c.left < before && part.left <= before);
		check(c.at + c.left == bytes + count);
		check(c.bad || part.left == 0 ||
		      part.at + part.left == c.at);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct gt_text text;
	uint32_t ms = 0;
	char *words;

	if (count == 0)
		return 0;
	words = malloc(count);
	check(words != NULL);
	memcpy(words, bytes + 1, count - 1);
	words[count - 1] = '\0';
	text = (struct gt_text){words, strlen(words)};
	switch (bytes[0] % 4) {
	case 0:
		judge_body(bytes + 1, count - 1);
		walk(bytes + 1, count - 1);
		break;
	case 1:
		if (gt__otlp_retry_after(words, 1795420800, &ms))
			check(ms <= GT__RETRY_AFTER_MAX_MS);
		break;
	case 2:
		if (gt__otlp_grpc_retry(words, &ms))
			check(ms <= GT__RETRY_AFTER_MAX_MS);
		break;
	case 3:
		for (unsigned long status = 0; status < 20; status++) {
			check(gt__otlp_grpc_verdict(status, text, false) <=
			      GT__OTLP_TURNED_AWAY);
			check(strlen(gt__otlp_grpc_name(status)) < 20);
		}
		break;
	}
	free(words);
	return 0;
}
