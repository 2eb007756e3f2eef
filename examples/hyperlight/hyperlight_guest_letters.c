/* SPDX-License-Identifier: MIT */
/*
 * A Hyperlight guest in C, on hyperlight_guest_capi, that hands its trace to
 * the host function GtBatch: any Hyperlight host can take it, as
 * examples/hyperlight/host does. With neither GT_BATCH_EXIT nor gt_batch_exit()
 * the same guest is traced by a host with cargo feature `trace_guest`. Built
 * by:
 *
 *   clang --target=x86_64-unknown-linux-none -U__linux__ -O2 -std=gnu11 \
 *       -fPIC -ffreestanding -nostdlibinc -mno-red-zone \
 *       -fno-stack-protector -fstack-clash-protection \
 *       -mstack-probe-size=4096 -DGT_BATCH_EXIT=gt_batch_exit \
 *       -Iinclude -I"$capi/include" -c guest/[a-z]*.c \
 *       examples/hyperlight/hyperlight_guest_letters.c
 *   ld.lld -o letters --entry entrypoint --nostdlib -pie \
 *       --no-dynamic-linker -z nostart-stop-gc \
 *       *.o libhyperlight_guest_capi.a
 */
#define GT_TARGET "letters"
#include <guesttrace/guest.h>
#include <hyperlight_guest.h>

void gt_batch_exit(const void *bytes, size_t count);
void gt_batch_exit(const void *bytes, size_t count)
{
	hl_Parameter both[2] = {
		{.tag = hl_ParameterType_VecBytes,
	         .value = {.VecBytes = {(uint8_t *)bytes, count}}},
		{.tag = hl_ParameterType_ULong,
	         .value = {.ULong = __builtin_ia32_rdtsc()}}};
	hl_FunctionCall call = {.function_name = "GtBatch",
	                        .parameters = both,
	                        .parameters_len = 2,
	                        .return_type = hl_ReturnType_Int};

	hl_call_host_function(&call);
	hl_get_host_return_value_as_Int();
}

static int find(const char *text, char letter)
{
	GT_SPAN(span, GT_INFO, "find", gt_str("text", text));
	int found = 0;

	for (; *text; text++)
		found += *text == letter;
	GT_RECORD(span, gt_i64("found", found));
	return found; /* the span ends here */
}

static int count(const char *text)
{
	int found;

	gt_call_begin();
	found = find(text, 'e');
	gt_call_end(); /* what was recorded leaves the guest */
	return found;
}
HYPERLIGHT_WRAP_FUNCTION(count, Int, 1, String)

void hyperlight_main(void)
{
	gt_init(&(struct gt_options){.size = sizeof(struct gt_options),
	                             .encoder = &gt_hyperlight_0_12,
	                             .level = GT_TRACE});
	HYPERLIGHT_REGISTER_FUNCTION("Count", count);
}

hl_Vec *c_guest_dispatch_function(const hl_FunctionCall *call)
{
	(void)call;
	return NULL;
}
