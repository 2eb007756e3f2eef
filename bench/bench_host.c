/* SPDX-License-Identifier: MIT */
/*
 * What the host library does with what guests recorded.
 *
 *   bench_host [--vectors DIR] [OPTION]... [NAME]...
 */
#include "harness.h"
#include "host_samples.h"

#include <string.h>

static const struct bench benches[] = {
	{"decode_native", "events/s", BENCH_RATE, sample_decode_native},
	{"decode_hyperlight11_mix30", "events/s", BENCH_RATE,
         sample_decode_hyperlight11},
	{"decode_hyperlight12_mix30", "events/s", BENCH_RATE,
         sample_decode_hyperlight12},
	{"spans_to_otlp", "spans/s", BENCH_RATE, sample_spans_to_otlp},
	{"spans_to_otlp_json", "spans/s", BENCH_RATE,
         sample_spans_to_otlp_json},
	{"spans_to_perfetto", "spans/s", BENCH_RATE, sample_spans_to_perfetto},
	{"capture_to_nothing", "records/s", BENCH_RATE,
         sample_capture_to_nothing},
	{"capture_to_report_100mb", "MB/s", BENCH_COUNT,
         sample_capture_to_report},
};

int main(int argc, char **argv)
{
	if (argc > 2 && strcmp(argv[1], "--vectors") == 0) {
		vectors = argv[2];
		argv += 2;
		argc -= 2;
	}
	return bench_main(argc, argv, benches,
	                  sizeof(benches) / sizeof(benches[0]));
}
