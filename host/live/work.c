/* SPDX-License-Identifier: MIT */
/* The VMM's own work, until it is over and becomes a frame. */
#include "host_inside.h"

#include <errno.h>

static struct host_work *find(struct gt_host *host, uint64_t number)
{
	for (uint32_t i = 0; host->work && i < WORK_MAX; i++)
		if (host->work[i].number == number)
			return &host->work[i];
	return NULL;
}

/* The latest that is open on this vCPU; 0: none. */
static uint64_t innermost(const struct gt_host *host, uint32_t vcpu)
{
	uint64_t number = 0;

	for (uint32_t i = 0; i < WORK_MAX; i++)
		if (host->work[i].vcpu == vcpu && host->work[i].number > number)
			number = host->work[i].number;
	return number;
}

static uint64_t begin(struct gt_host *host, uint32_t vcpu, const char *name)
{
	struct host_work *work;

	if (!host->work)
		host->work = calloc(WORK_MAX, sizeof(*host->work));
	work = find(host, 0);
	if (!work)
		return 0;
	gt__outbox_read(host);
	*work = (struct host_work){
		.parent = innermost(host, vcpu),
		.start_tsc = host->reading.tsc,
		.vcpu = vcpu,
	};
	strncpy(work->name, name, sizeof(work->name) - 1);
	work->number = ++host->work_count;
	return work->number;
}

uint64_t gt_host_work_begin(struct gt_host *host, uint32_t vcpu,
                            const char *name)
{
	uint64_t number = 0;

	pthread_mutex_lock(&host->lock);
	if (!host->finished && vcpu < host->options.vcpus)
		number = begin(host, vcpu, name);
	pthread_mutex_unlock(&host->lock);
	return number;
}

int gt_host_work_end(struct gt_host *host, uint64_t number)
{
	struct host_work *work;
	int r = -EINVAL;

	if (number == 0)
		return 0;
	pthread_mutex_lock(&host->lock);
	work = host->finished ? NULL : find(host, number);
	if (work) {
		gt__outbox_work(host, work);
		work->number = 0;
		r = 0;
	}
	pthread_mutex_unlock(&host->lock);
	return r;
}
