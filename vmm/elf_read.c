/* SPDX-License-Identifier: MIT */
/* Bytes of an ELF file, which may be shorter than it was. */
#include "elf_image.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

int vm__elf_read(const struct vm__elf_source *source, uint64_t offset, void *to,
                 size_t n)
{
	unsigned char *bytes = to;

	if (offset > source->n || source->n - offset < n)
		return -ENOEXEC;
	if (source->fd < 0) {
		memcpy(to, source->bytes + offset, n);
		return 0;
	}
	while (n > 0) {
		ssize_t part = pread(source->fd, bytes, n, (off_t)offset);

		if (part < 0 && errno == EINTR)
			continue;
		if (part < 0)
			return -errno;
		if (part == 0)
			return -ENOEXEC;
		bytes += part;
		offset += (uint64_t)part;
		n -= (size_t)part;
	}
	return 0;
}
