/* SPDX-License-Identifier: MIT */
/* Requests in memory, first in, first out. */
#ifndef GUESTTRACE_OTLP_QUEUE_H
#define GUESTTRACE_OTLP_QUEUE_H

#include "export/spool/otlp_request.h"

struct gt__otlp_queue {
	struct gt__otlp_request *first;
	struct gt__otlp_request *last;
};

static inline void gt__queue_append(struct gt__otlp_queue *queue,
                                    struct gt__otlp_request *request)
{
	request->next = NULL;
	if (queue->first)
		queue->last->next = request;
	else
		queue->first = request;
	queue->last = request;
}

static inline void gt__queue_prepend(struct gt__otlp_queue *queue,
                                     struct gt__otlp_request *request)
{
	request->next = queue->first;
	if (!queue->first)
		queue->last = request;
	queue->first = request;
}

static inline struct gt__otlp_request *
gt__queue_take(struct gt__otlp_queue *queue)
{
	struct gt__otlp_request *request = queue->first;

	if (request)
		queue->first = request->next;
	return request;
}

#endif
