/* SPDX-License-Identifier: MIT */
/*
 * Which vCPUs frames have named of late. A capture may claim a thousand of them
 * and then say little: what is to be done with each vCPU is done with those
 * that some frame has named, which has paid for it.
 */
#include "pipeline_inside.h"

#include <errno.h>

int gt__named_init(struct gt__pipeline *pipeline)
{
	const uint32_t vcpus = pipeline->trace.vcpus;

	for (unsigned i = 0; i < GT__SINCES; i++) {
		pipeline->named[i].numbers = calloc(vcpus, sizeof(uint32_t));
		if (!pipeline->named[i].numbers)
			return -ENOMEM;
	}
	return 0;
}

void gt__named_fini(struct gt__pipeline *pipeline)
{
	for (unsigned i = 0; i < GT__SINCES; i++)
		free(pipeline->named[i].numbers);
}

void gt__named_forget(struct gt__pipeline *pipeline, enum gt__since since)
{
	struct gt__named *named = &pipeline->named[since];

	for (uint32_t i = 0; i < named->count; i++)
		pipeline->vcpus[named->numbers[i]].named &= ~(1u << since);
	named->count = 0;
}

/* It lives as the guest's latest announcement says. */
static void begin_life(struct gt__pipeline *pipeline, uint32_t number)
{
	const struct gt__life *life = &pipeline->life;
	struct gt__pipeline_vcpu *vcpu = &pipeline->vcpus[number];

	gt__missing_start(pipeline, number, life->start_ns, life->is_fresh);
	if (vcpu->restores == life->restores)
		return;
	vcpu->restores = life->restores;
	if (life->restored_tick > vcpu->lower_tick)
		vcpu->lower_tick = life->restored_tick;
	vcpu->carry_tick = vcpu->lower_tick;
}

void gt__pipeline_name(struct gt__pipeline *pipeline, uint32_t number)
{
	struct gt__pipeline_vcpu *vcpu = &pipeline->vcpus[number];
	unsigned before = vcpu->named;

	if (before == (1u << GT__SINCES) - 1)
		return;
	for (unsigned i = 0; i < GT__SINCES; i++) {
		struct gt__named *named = &pipeline->named[i];

		if (!(before & 1u << i))
			named->numbers[named->count++] = number;
	}
	vcpu->named = (1u << GT__SINCES) - 1;
	if (!(before & 1u << GT__SINCE_GUEST))
		begin_life(pipeline, number);
}
