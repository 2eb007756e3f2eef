/* SPDX-License-Identifier: MIT */
/*
 * QEMU's machine protocol, as far as `attach` asks: one command at a time, each
 * answered by one object. What answers is not trusted: lengths, depth, the
 * number of objects and the time of all of it are bounded.
 */
#ifndef GT_CLI_QMP_H
#define GT_CLI_QMP_H

#include <guesttrace/export.h>

#include <stdbool.h>
#include <stdint.h>

#define QMP_OBJECT_BYTES_MAX (64u << 10)
#define QMP_OBJECTS_MAX      256u /* of a session, events too */
#define QMP_DEPTH_MAX        16u

struct qmp {
	int fd; /* -1: none */
	uint64_t deadline_ns;
	uint32_t objects;
	size_t have;  /* of `bytes`, that are there */
	size_t taken; /* of those, that are of the object that was read last */
	char bytes[QMP_OBJECT_BYTES_MAX];
};

/* What a command returned; texts live until the next one. */
struct qmp_answer {
	struct gt_text text;   /* it was a string */
	struct gt_text status; /* the member of that name */
	uint64_t base_memory;  /* likewise; 0: there is none */
};

/*
 * Connects and agrees on the protocol; all that follows is over by `for_ns`
 * from now. 0; -EPROTO: what answers is no QMP; -EMSGSIZE, -ETIMEDOUT, -EPIPE:
 * it ended; or the errno of the connection. Then nothing is open.
 */
int qmp_open(struct qmp *qmp, const char *path, uint64_t for_ns);
void qmp_close(struct qmp *qmp);

/*
 * `command`: the object to be sent. The same errors, after which nothing more
 * is to be asked, and -ENOTSUP: it was refused.
 */
int qmp_ask(struct qmp *qmp, const char *command,
            struct qmp_answer *ret_answer);

/* A line of the human monitor, without quotes in it. */
int qmp_human(struct qmp *qmp, const char *line, struct gt_text *ret_text);

/* What an object of so many bytes is; it is decoded in place. */
enum qmp_kind {
	QMP_OTHER = 0, /* an event, or nothing known */
	QMP_GREETING = 1,
	QMP_RETURN = 2,
	QMP_ERROR = 3,
};
/* 0 or -EPROTO. */
int qmp_read(char *bytes, size_t count, enum qmp_kind *ret_kind,
             struct qmp_answer *ret_answer);

#endif
