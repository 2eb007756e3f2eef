/* SPDX-License-Identifier: MIT */
/* The folder of what an endpoint has refused, for a person to look at. */
#include "spool_inside.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define FOLDER         "refused"
#define SHARE_OF_BYTES 8u
#define FILES_MAX      4096u

static int open_folder(const struct gt__spool *spool)
{
	int fd;

	if (mkdirat(spool->directory_fd, FOLDER, 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = openat(spool->directory_fd, FOLDER,
	            O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Of all files, whoever put them there; UINT64_MAX: there are too many. */
static uint64_t bytes_in(int folder)
{
	int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *files = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	uint64_t sum = 0, files_seen = 0;
	struct stat info;

	if (!files) {
		if (fd >= 0)
			close(fd);
		return 0;
	}
	while ((entry = readdir(files)))
		if (fstatat(folder, entry->d_name, &info,
		            AT_SYMLINK_NOFOLLOW) == 0 &&
		    S_ISREG(info.st_mode)) {
			sum += (uint64_t)info.st_size;
			files_seen++;
		}
	closedir(files);
	return files_seen < FILES_MAX ? sum : UINT64_MAX;
}

static bool write_all(int fd, const unsigned char *bytes, size_t count)
{
	while (count) {
		ssize_t n = write(fd, bytes, count);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		count -= (size_t)n;
	}
	return true;
}

/* Whole or not at all. Whoever made a file of that name keeps it. */
static bool write_file(int folder, const char *name,
                       const struct gt__otlp_request *request)
{
	int fd = openat(folder, name,
	                O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	                0600);
	bool written;

	if (fd < 0)
		return false;
	written = write_all(fd, request->bytes, request->count);
	if (close(fd) < 0 || !written) {
		unlinkat(folder, name, 0);
		return false;
	}
	return true;
}

void gt__spool_keep_refused(struct gt__spool *spool,
                            const struct gt__otlp_request *request)
{
	char name[GT__SPOOL_NAME_BYTES];
	uint64_t max = spool->bytes_max / SHARE_OF_BYTES;
	int folder = open_folder(spool);
	uint64_t bytes;

	if (folder < 0)
		return;
	bytes = bytes_in(folder);
	snprintf(name, sizeof name, "%s-%" PRIu64 ".%s%s", spool->writer,
	         spool->refused_number++, request->json ? "json" : "pb",
	         request->gzip ? ".gz" : "");
	if (bytes <= max && max - bytes >= request->count &&
	    write_file(folder, name, request))
		spool->counts.refused_kept += request->spans;
	close(folder);
}
