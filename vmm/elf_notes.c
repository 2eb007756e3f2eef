/* SPDX-License-Identifier: MIT */
/*
 * The build id of an ELF file: the note of type NT_GNU_BUILD_ID and owner "GNU"
 * in a PT_NOTE segment (System V gABI, "Note Section"; GNU ld, --build-id). An
 * image without one, or with notes that are no notes, has none.
 */
#include "elf_image.h"

#include <elf.h>
#include <string.h>

#define NOTES_BYTES_MAX 2048u /* looked at, of a segment */

static uint64_t padded(uint64_t bytes, uint64_t align)
{
	return (bytes + align - 1) & ~(align - 1);
}

static bool is_build_id(const Elf64_Nhdr *note, const unsigned char *name)
{
	return note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
	       memcmp(name, "GNU", 4) == 0 && note->n_descsz > 0 &&
	       note->n_descsz <= VM__BUILD_ID_MAX;
}

/* Looks through `left` bytes of notes. */
static bool find(const unsigned char *at, uint64_t left, uint64_t align,
                 struct vm__elf *elf)
{
	Elf64_Nhdr note;

	while (left >= sizeof note) {
		uint64_t name_bytes, bytes;

		memcpy(&note, at, sizeof note);
		at += sizeof note;
		left -= sizeof note;
		name_bytes = padded(note.n_namesz, align);
		if (name_bytes > left || left - name_bytes < note.n_descsz)
			return false;
		if (is_build_id(&note, at)) {
			memcpy(elf->build_id, at + name_bytes, note.n_descsz);
			elf->build_id_bytes = note.n_descsz;
			return true;
		}
		bytes = name_bytes + padded(note.n_descsz, align);
		if (bytes > left)
			return false;
		at += bytes;
		left -= bytes;
	}
	return false;
}

void vm__elf_find_build_id(const struct vm__elf_source *source,
                           const Elf64_Phdr *headers, unsigned count,
                           struct vm__elf *elf)
{
	unsigned char notes[NOTES_BYTES_MAX];

	for (unsigned i = 0; i < count; i++) {
		uint64_t bytes = headers[i].p_filesz;

		if (headers[i].p_type != PT_NOTE)
			continue;
		if (bytes > sizeof notes)
			bytes = sizeof notes;
		if (vm__elf_read(source, headers[i].p_offset, notes,
		                 (size_t)bytes) == 0 &&
		    find(notes, bytes, headers[i].p_align == 8 ? 8 : 4, elf))
			return;
	}
}
