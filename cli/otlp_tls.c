/* SPDX-License-Identifier: MIT */
#include "otlp_tls.h"
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (16u << 20) /* bytes; authorities of a system: 0.3 MiB */

/* RFC 7468, 4 and 5.1, 10 and 11; and OpenSSL's own. */
static const char *const certificates[] = {"CERTIFICATE", "X509 CERTIFICATE",
                                           "TRUSTED CERTIFICATE", NULL};
static const char *const keys[] = {"PRIVATE KEY", "RSA PRIVATE KEY",
                                   "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY",
                                   NULL};

/* All that is there, up to a NUL, for free(); NULL after complaining. */
static char *read_all(int fd, const char *path)
{
	struct stat status;
	size_t used = 0;
	ssize_t n = 1;
	char *text;

	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ||
	    status.st_size > FILE_MAX) {
		complain("OTLP: %s: not a file of up to 16 MiB", path);
		return NULL;
	}
	text = calloc(1, (size_t)status.st_size + 1);
	while (text && n > 0 && used < (size_t)status.st_size) {
		n = read(fd, text + used, (size_t)status.st_size - used);
		if (n > 0)
			used += (size_t)n;
	}
	if (text && n >= 0)
		return text;
	complain("OTLP: %s: %s", path, strerror(errno));
	free(text);
	return NULL;
}

/* Not blocking: a pipe that nobody writes to would hold it up. */
static char *read_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	char *text;

	if (fd < 0) {
		complain("OTLP: %s: %s", path, strerror(errno));
		return NULL;
	}
	text = read_all(fd, path);
	close(fd);
	return text;
}

/* A whole one, from its begin to its end. */
static bool holds(const char *text, const char *const *labels)
{
	for (; *labels; labels++) {
		char begin[64], end[64];
		const char *found;

		snprintf(begin, sizeof(begin), "-----BEGIN %s-----", *labels);
		snprintf(end, sizeof(end), "-----END %s-----", *labels);
		found = strstr(text, begin);
		if (found && strstr(found, end))
			return true;
	}
	return false;
}

static int refuse(const char *path, const char *why)
{
	complain("OTLP: %s: %s", path, why);
	return -EINVAL;
}

/* TLS would ask a terminal for the word, in the midst of a run. */
static int check_key(const char *path, const char *text)
{
	if (!holds(text, keys))
		return refuse(path, "no private key in PEM");
	return strstr(text, "ENCRYPTED")
	               ? refuse(path,
	                        "the key is encrypted: give one that is not")
	               : 0;
}

static int check_certificate(const char *path, const char *text)
{
	return holds(text, certificates)
	               ? 0
	               : refuse(path, "no certificate in PEM");
}

static int check_file(const char *path,
                      int (*check)(const char *path, const char *text))
{
	char *text = path ? read_file(path) : NULL;
	int r = path ? -EINVAL : 0;

	if (text)
		r = check(path, text);
	free(text);
	return r;
}

/* One file may hold both. */
static int check_both(const char *path, const char *text)
{
	if (check_certificate(path, text) < 0)
		return -EINVAL;
	if (holds(text, keys))
		return check_key(path, text);
	return refuse(path, "a client's certificate needs its key: "
	                    "OTEL_EXPORTER_OTLP_CLIENT_KEY");
}

int otlp_tls_check(const struct gt_otlp_http_options *options)
{
	const char *certificate = options->certificate_file;
	const char *key = options->key_file;

	if (check_file(options->ca_file, check_certificate) < 0)
		return -EINVAL;
	if (key && !certificate)
		return refuse(key, "a client's key needs its certificate: "
		                   "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE");
	if (check_file(certificate, key ? check_certificate : check_both) < 0)
		return -EINVAL;
	return check_file(key, check_key);
}
