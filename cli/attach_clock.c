/* SPDX-License-Identifier: MIT */
#include "attach_clock.h"
#include "monotonic.h"

#include <glob.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define MEASURED_NS 10000000

/* Intel's and AMD's fixed point: Linux, kvm_caps.tsc_scaling_ratio_frac_bits.
 */
static bool read_number(const char *directory, const char *name, int64_t *ret)
{
	char path[512];
	FILE *file;
	bool good;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "re");
	if (!file)
		return false;
	good = fscanf(file, "%" SCNd64, ret) == 1;
	fclose(file);
	return good;
}

static bool read_vcpu(const char *directory, struct gt_attachment *attachment)
{
	int64_t offset, ratio = 0, bits = 0;

	if (!read_number(directory, "tsc-offset", &offset))
		return false;
	if (read_number(directory, "tsc-scaling-ratio", &ratio) &&
	    read_number(directory, "tsc-scaling-ratio-frac-bits", &bits) &&
	    bits >= 0 && bits < 64 && ratio == INT64_C(1) << bits)
		ratio = bits = 0;
	attachment->tsc_offset = offset;
	attachment->tsc_ratio = (uint64_t)ratio;
	attachment->tsc_ratio_shift = (uint32_t)bits;
	return true;
}

/* The directory is named after the thread that made the VM. */
static bool is_of(const char *path, int32_t pid)
{
	const char *name = strstr(path, "/kvm/");
	char task[64];
	struct stat info;

	if (!name)
		return false;
	snprintf(task, sizeof(task), "/proc/%" PRId32 "/task/%ld", pid,
	         strtol(name + strlen("/kvm/"), NULL, 10));
	return stat(task, &info) == 0;
}

bool attach_clock_of_kvm(int32_t pid, struct gt_attachment *attachment)
{
	bool any = false, alike = true;
	glob_t found = {0};

	if (glob("/sys/kernel/debug/kvm/[0-9]*-*/vcpu*", 0, NULL, &found) != 0)
		return false;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		struct gt_attachment one = {.size = sizeof(one)};

		if (!is_of(found.gl_pathv[i], pid) ||
		    !read_vcpu(found.gl_pathv[i], &one))
			continue;
		alike &= !any || (one.tsc_offset == attachment->tsc_offset &&
		                  one.tsc_ratio == attachment->tsc_ratio);
		attachment->tsc_offset = one.tsc_offset;
		attachment->tsc_ratio = one.tsc_ratio;
		attachment->tsc_ratio_shift = one.tsc_ratio_shift;
		any = true;
	}
	globfree(&found);
	if (any && alike)
		return true;
	attachment->tsc_offset = GT_TSC_OFFSET_UNKNOWN;
	attachment->tsc_ratio = 0;
	return false;
}

uint64_t attach_clock_hz(void)
{
	struct timespec span = {.tv_nsec = MEASURED_NS};
	uint64_t ns = monotonic_ns(), tsc = __builtin_ia32_rdtsc();

	nanosleep(&span, NULL);
	ns = monotonic_ns() - ns;
	tsc = __builtin_ia32_rdtsc() - tsc;
	return ns ? (uint64_t)((double)tsc * 1e9 / (double)ns) : 0;
}
