/* SPDX-License-Identifier: MIT */
/* What a dump says of the registers. */
#include "dump.h"

#include <elf.h>
#include <string.h>

/*
 * A note "QEMU" of type 0, one for each vCPU: two words of 32 bits, 18
 * registers, ten segments of 24 bytes, CR0 to CR4, the kernel's GS base. QEMU's
 * own dumps have it, and those of cloud-hypervisor.
 */
#define QEMU_NOTE_BYTES  440u
#define QEMU_NOTE_CR3_AT (8u + 18u * 8u + 10u * 24u + 3u * 8u)

/* System V ABI, note section: a name and its text begin at words. */
static uint64_t padded(uint32_t count)
{
	return ((uint64_t)count + 3) & ~UINT64_C(3);
}

int dump_add_notes(struct dump *dump, const uint8_t *bytes, size_t count)
{
	int r = 0;

	while (r == 0 && count >= sizeof(Elf64_Nhdr)) {
		const uint8_t *name = bytes + sizeof(Elf64_Nhdr), *text;
		Elf64_Nhdr note;
		uint64_t cr3, length;

		memcpy(&note, bytes, sizeof(note));
		length = sizeof(note) + padded(note.n_namesz) +
		         padded(note.n_descsz);
		if (length > count)
			break;
		text = name + padded(note.n_namesz);
		bytes += length;
		count -= length;
		if (note.n_type != 0 || note.n_namesz != sizeof("QEMU") ||
		    memcmp(name, "QEMU", sizeof("QEMU")) != 0 ||
		    note.n_descsz < QEMU_NOTE_BYTES)
			continue;
		memcpy(&cr3, text + QEMU_NOTE_CR3_AT, sizeof(cr3));
		if (cr3 != 0)
			r = dump_add_root(dump, cr3);
	}
	return r;
}
