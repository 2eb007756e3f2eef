/* SPDX-License-Identifier: MIT */
#include "spans_inside.h"

#include <string.h>

void gt__spans_restart(struct gt__spans *spans, uint64_t id_base, uint64_t ns,
                       const uint32_t *vcpus, uint32_t count)
{
	gt__spans_interrupt(spans, ns);
	gt__traces_forget(&spans->traces);
	spans->names.id_base = id_base;
	for (uint32_t i = 0; i < count; i++) {
		struct gt__vcpu_spans *vcpu = &spans->vcpus[vcpus[i]];

		gt__spans_set_context(spans, vcpus[i], 0);
		vcpu->context->unseen_parent = 0;
		vcpu->context->doubtful = false;
		gt__seen_restart(&vcpu->seen);
		vcpu->lost = vcpu->lost_by_now = 0;
		vcpu->realign = false;
		memset(vcpu->before, 0, sizeof(vcpu->before));
	}
}
