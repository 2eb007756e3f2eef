/* SPDX-License-Identifier: MIT */
#include "code_names.h"

#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGE_BYTES_MAX ((size_t)64 << 20)
#define ADDRESSES_MAX   4u  /* of a text that are looked up */
#define CALLERS_MAX     16u /* more, of one that has them */
#define CALLED_FROM     ", called from "
#define NAME_MAX_BYTES  80 /* of a function, and of a file */

static bool read_all(int fd, char *to, size_t count)
{
	while (count > 0) {
		ssize_t n = read(fd, to, count);

		if (n <= 0)
			return false;
		to += n;
		count -= (size_t)n;
	}
	return true;
}

void code_names_open(struct code_names *names, const char *path)
{
	struct stat info;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*names = (struct code_names){0};
	if (fd < 0)
		return;
	if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode) &&
	    info.st_size > 0 && (size_t)info.st_size <= IMAGE_BYTES_MAX)
		names->image = malloc((size_t)info.st_size);
	if (names->image) {
		names->bytes = (size_t)info.st_size;
		if (!read_all(fd, names->image, names->bytes))
			code_names_close(names);
	}
	close(fd);
}

void code_names_close(struct code_names *names)
{
	free(names->image);
	*names = (struct code_names){0};
}

/* ---- One address --------------------------------------------------------- */

static bool is_function_at(const GElf_Sym *symbol, uint64_t address)
{
	return GELF_ST_TYPE(symbol->st_info) == STT_FUNC &&
	       address - symbol->st_value < symbol->st_size;
}

/* Where it begins goes to *ret_start. */
static const char *function_in(Elf *elf, Elf_Scn *section, uint64_t address,
                               uint64_t *ret_start)
{
	GElf_Shdr head;
	Elf_Data *data;
	GElf_Sym symbol;

	if (!gelf_getshdr(section, &head) || head.sh_type != SHT_SYMTAB ||
	    !(data = elf_getdata(section, NULL)))
		return NULL;
	for (int i = 0; gelf_getsym(data, i, &symbol); i++)
		if (is_function_at(&symbol, address)) {
			*ret_start = symbol.st_value;
			return elf_strptr(elf, head.sh_link, symbol.st_name);
		}
	return NULL;
}

static const char *function_at(Elf *elf, uint64_t address, uint64_t *ret_start)
{
	const char *name = NULL;

	for (Elf_Scn *section = NULL;
	     !name && (section = elf_nextscn(elf, section));)
		name = function_in(elf, section, address, ret_start);
	return name && *name ? name : NULL;
}

/* The unit that the address is of, with .debug_aranges or without. */
static Dwarf_Die *unit_at(Dwarf *dwarf, uint64_t address, Dwarf_Die *unit)
{
	Dwarf_CU *cu = NULL;

	if (dwarf_addrdie(dwarf, address, unit))
		return unit;
	while (dwarf_get_units(dwarf, cu, &cu, NULL, NULL, unit, NULL) == 0)
		if (dwarf_haspc(unit, address) == 1)
			return unit;
	return NULL;
}

static Dwarf_Line *line_at(Dwarf *dwarf, uint64_t address)
{
	Dwarf_Die unit;

	return unit_at(dwarf, address, &unit) ? dwarf_getsrc_die(&unit, address)
	                                      : NULL;
}

static const char *behind_slash(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Returns how many bytes the name takes, without the NUL; 0: it has none. */
static size_t name_address(Elf *elf, Dwarf *dwarf, uint64_t address, char *to,
                           size_t room)
{
	uint64_t start;
	const char *function = function_at(elf, address, &start), *file;
	Dwarf_Line *line = function && dwarf ? line_at(dwarf, address) : NULL;
	int number = 0, count;

	if (!function)
		return 0;
	file = line ? dwarf_linesrc(line, NULL, NULL) : NULL;
	if (file && dwarf_lineno(line, &number) == 0)
		count = snprintf(to, room, " (%.*s, %.*s:%d)", NAME_MAX_BYTES,
		                 function, NAME_MAX_BYTES, behind_slash(file),
		                 number);
	else
		count = snprintf(to, room, " (%.*s)", NAME_MAX_BYTES, function);
	return count > 0 && (size_t)count < room ? (size_t)count : 0;
}

/* ---- A text -------------------------------------------------------------- */

/* The call is before the address of a caller: its line is that one's. */
static bool is_caller(const char *text, const char *at)
{
	const char *from = strstr(text, CALLED_FROM "0x");

	return from && from < at;
}

/* `again`: those that have a name keep it. */
static void name_all(Elf *elf, Dwarf *dwarf, char *text, size_t room,
                     unsigned max, bool again)
{
	char *at = text;

	for (unsigned i = 0; i < max && (at = strstr(at, "0x")); i++) {
		char name[2 * NAME_MAX_BYTES + 32], *end;
		uint64_t address = strtoull(at, &end, 16) - is_caller(text, at);
		size_t used = strlen(text), count = 0;

		if (!again || strncmp(end, " (", 2) != 0)
			count = name_address(elf, dwarf, address, name,
			                     sizeof(name));
		if (count > 0 && used + count < room) {
			memmove(end + count, end, strlen(end) + 1);
			memcpy(end, name, count);
			end += count;
		}
		at = end > at + 1 ? end : at + 2;
	}
}

/* An image while it is looked at; zeros: it is none. */
struct opened {
	Elf *elf;
	Dwarf *dwarf;
};

static struct opened open_image(const struct code_names *names)
{
	struct opened opened = {0};

	if (!names->image)
		return opened;
	elf_version(EV_CURRENT);
	opened.elf = elf_memory(names->image, names->bytes);
	if (opened.elf)
		opened.dwarf = dwarf_begin_elf(opened.elf, DWARF_C_READ, NULL);
	return opened;
}

static void close_image(struct opened *opened)
{
	dwarf_end(opened->dwarf);
	elf_end(opened->elf);
}

void code_names_put(const struct code_names *names, char *text, size_t room)
{
	struct opened opened = open_image(names);

	if (opened.elf)
		name_all(opened.elf, opened.dwarf, text, room, ADDRESSES_MAX,
		         false);
	close_image(&opened);
}

void code_names_complete(const struct code_names *names, char *text,
                         size_t room)
{
	struct opened opened = open_image(names);

	if (opened.elf)
		name_all(opened.elf, opened.dwarf, text, room,
		         ADDRESSES_MAX + CALLERS_MAX, true);
	close_image(&opened);
}

/* ---- Which image it is --------------------------------------------------- */

static bool is_build_id(const GElf_Nhdr *note, const char *name)
{
	return note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
	       memcmp(name, "GNU", 4) == 0 && note->n_descsz > 0 &&
	       note->n_descsz <= CODE_BUILD_ID_MAX;
}

/* Among the notes; false: it is not there. */
static bool find_build_id(Elf_Data *notes, char *to)
{
	size_t at = 0, name, bytes;
	GElf_Nhdr note;

	while (notes && (at = gelf_getnote(notes, at, &note, &name, &bytes))) {
		const unsigned char *from =
			(const unsigned char *)notes->d_buf + bytes;

		if (!is_build_id(&note, (const char *)notes->d_buf + name))
			continue;
		for (size_t i = 0; i < note.n_descsz; i++)
			sprintf(to + 2 * i, "%02x", from[i]);
		return true;
	}
	return false;
}

bool code_names_build_id(const struct code_names *names,
                         char to[CODE_BUILD_ID_ROOM])
{
	struct opened opened = open_image(names);
	bool is_elf = opened.elf && elf_kind(opened.elf) == ELF_K_ELF;
	size_t count = 0;
	GElf_Phdr head;

	*to = '\0';
	if (is_elf && elf_getphdrnum(opened.elf, &count) < 0)
		count = 0;
	for (size_t i = 0; i < count && i < INT_MAX; i++)
		if (gelf_getphdr(opened.elf, (int)i, &head) &&
		    head.p_type == PT_NOTE &&
		    find_build_id(elf_getdata_rawchunk(
					  opened.elf, (int64_t)head.p_offset,
					  head.p_filesz, ELF_T_NHDR),
		                  to))
			break;
	close_image(&opened);
	return is_elf;
}

/* ---- Callers ------------------------------------------------------------- */

bool code_names_is_in(const struct code_names *names, uint64_t start,
                      uint64_t address)
{
	struct opened opened = open_image(names);
	uint64_t found = 0;
	bool is_in = opened.elf && function_at(opened.elf, address, &found) &&
	             found == start;

	close_image(&opened);
	return is_in;
}

void code_names_put_callers(const struct code_names *names,
                            const uint64_t *callers, size_t count, char *text,
                            size_t room)
{
	struct opened opened = open_image(names);

	for (size_t i = 0; i < count; i++) {
		char name[2 * NAME_MAX_BYTES + 32] = "";
		size_t used = strlen(text);
		int more;

		/* The call is before the address: its line is that one's. */
		if (opened.elf &&
		    !name_address(opened.elf, opened.dwarf, callers[i] - 1,
		                  name, sizeof(name)))
			name[0] = '\0';
		more = snprintf(text + used, room - used, "%s0x%llx%s",
		                i ? ", " : CALLED_FROM,
		                (unsigned long long)callers[i], name);
		if (more < 0 || (size_t)more >= room - used) {
			text[used] = '\0'; /* not a part of one */
			break;
		}
	}
	close_image(&opened);
}
