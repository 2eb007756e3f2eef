/* SPDX-License-Identifier: MIT */
/* What kvm_probe.c and its guest agree on. */
#ifndef PROBE_GUEST_H
#define PROBE_GUEST_H

#define VM__PROBE_STATUS     42  /* the guest's own, when all went well */
#define VM__PROBE_PORT_PRINT 103 /* of abi.h, for the assembler */
#define VM__PROBE_PORT_HALT  108

#ifndef __ASSEMBLER__
/* An ELF file, and its end. */
extern const unsigned char vm__probe_guest[], vm__probe_guest_end[];
#endif

#endif
