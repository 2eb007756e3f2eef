/* SPDX-License-Identifier: MIT */
/* A guest that is written in C++. */
#define GT_TARGET "words"
#include <guesttrace/guest.h>

static uint64_t ring[(64 << 10) / 8];

static size_t length_of(const char *text)
{
	size_t length = 0;

	while (text[length])
		length++;
	return length;
}

static void look_at(const char *text)
{
	GT_SPAN(word, GT_INFO, "word", gt_str("text", text));
	size_t length = length_of(text);
	struct gt_span parts;

	if (length > 5)
		GT_EVENT(GT_WARN, "long", gt_u64("length", length));
	GT_COUNTER(GT_INFO, "letters", gt_f64("ratio", 0.5),
	           gt_bool("is_long", length > 5));
	GT_OPEN(parts, GT_INFO, "parts", gt_parent(word), gt_link(word),
	        gt_i64("sign", -1), gt_ptr("text", text),
	        gt_bytes("bytes", text, length));
	gt_close(&parts);
	GT_RECORD(word, gt_u64("length", length), gt_ok());
}

extern "C" int guest_main(int argc, char **argv)
{
	struct gt_options options = {};

	options.size = sizeof(options);
	options.ring = ring;
	options.ring_bytes = sizeof(ring);
	gt_init(&options);
	for (int i = 1; i < argc; i++)
		look_at(argv[i]);
	gt_flush();
	return 0;
}
