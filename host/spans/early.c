/* SPDX-License-Identifier: MIT */
#include "early.h"

#include <stdlib.h>
#include <string.h>

bool gt__earlies_add(struct gt__earlies *earlies, const struct gt__early *early)
{
	size_t bytes = early->record.body_bytes;
	struct gt__early **link = &earlies->first, *copy;

	if (earlies->count == GT__EARLY_MAX ||
	    bytes > GT__EARLY_BYTES - earlies->bytes)
		return false;
	copy = malloc(sizeof(*copy) + bytes);
	if (!copy)
		return false;
	memcpy(copy, early, sizeof(*copy));
	if (bytes > 0)
		memcpy(copy->body, early->record.body, bytes);
	copy->record.body = copy->body;
	copy->next = NULL;
	while (*link)
		link = &(*link)->next;
	*link = copy;
	earlies->count++;
	earlies->bytes += bytes;
	return true;
}

static struct gt__early *take(struct gt__earlies *earlies,
                              struct gt__early **link)
{
	struct gt__early *early = *link;

	*link = early->next;
	earlies->count--;
	earlies->bytes -= early->record.body_bytes;
	return early;
}

struct gt__early *gt__earlies_take(struct gt__earlies *earlies, uint64_t id)
{
	struct gt__early **link = &earlies->first;

	while (*link && (*link)->record.id != id)
		link = &(*link)->next;
	return *link ? take(earlies, link) : NULL;
}

struct gt__early *gt__earlies_take_any(struct gt__earlies *earlies)
{
	return earlies->first ? take(earlies, &earlies->first) : NULL;
}
