/* SPDX-License-Identifier: MIT */
#include "free_memory.h"

#include <inttypes.h>
#include <stdio.h>

/* proc(5), "/proc/meminfo". */
uint64_t free_memory(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	uint64_t kib = UINT64_MAX / 1024;
	char line[256];

	if (!file)
		return UINT64_MAX;
	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "MemAvailable: %" SCNu64 " kB", &kib) == 1)
			break;
	fclose(file);
	return kib > UINT64_MAX / 1024 ? UINT64_MAX : kib * 1024;
}
