/* SPDX-License-Identifier: MIT */
/*
 * A machine that is not that of `guesttrace run`: what the VMM says at the
 * start becomes boot information; a console; an end.
 *
 * Nobody serves doorbells there, so rings overwrite their oldest blocks:
 * whoever looks into the memory later finds the newest records.
 */
#include "runtime.h"
#include "runtime_cpu.h"

#define MAPPED_BYTES   (UINT64_C(4) << 30) /* what pvh.S maps */
#define LINE_BYTES_MAX 4096u
#define MEMORY_IS_RAM  1u

#define PORT_SERIAL        0x3f8u
#define PORT_SERIAL_STATUS 0x3fdu
#define SERIAL_CAN_SEND    0x20u
#define SERIAL_LOOKS_MAX   100000u

/* Xen's struct hvm_start_info, and an entry of its memory map. */
struct start_info {
	uint32_t magic;
	uint32_t version; /* from 1 on there is a memory map */
	uint32_t flags;
	uint32_t modules;
	uint64_t modules_gpa;
	uint64_t line_gpa;
	uint64_t rsdp_gpa;
	uint64_t map_gpa;
	uint32_t map_entries;
	uint32_t reserved;
};

struct map_entry {
	uint64_t gpa;
	uint64_t bytes;
	uint32_t type;
	uint32_t reserved;
};

extern char runtime_image_end[];
struct gt_boot *runtime_pvh_boot(const struct start_info *info);

bool runtime_is_elsewhere;
static struct gt_boot boot;
static char line[LINE_BYTES_MAX] = "guest";

static void out8(unsigned port, unsigned value)
{
	__asm__ volatile("outb %0, %1"
	                 :
	                 : "a"((uint8_t)value), "d"((uint16_t)port)
	                 : "memory");
}

static uint8_t in8(unsigned port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0"
	                 : "=a"(value)
	                 : "d"((uint16_t)port)
	                 : "memory");
	return value;
}

/* Where there is no such port it reads as ones. */
void runtime_pvh_print(char byte)
{
	for (unsigned i = 0; i < SERIAL_LOOKS_MAX; i++)
		if (in8(PORT_SERIAL_STATUS) & SERIAL_CAN_SEND)
			break;
	out8(PORT_SERIAL, (unsigned char)byte);
}

/*
 * Each VMM has its own end: the first write is that of cloud-hypervisor, which
 * would reboot at the third; the second is ACPI's in QEMU; the third, a reset,
 * ends Firecracker. The triple fault ends what is left.
 */
_Noreturn void runtime_pvh_end(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) no_handlers;

	out8(0x600, 0x34);
	__asm__ volatile("outw %0, %1"
	                 :
	                 : "a"((uint16_t)0x2000), "d"((uint16_t)0x604));
	out8(0x64, 0xfe);
	__asm__ volatile("lidt %0\n\tud2" ::"m"(no_handlers));
	__builtin_unreachable();
}

/* The end of the RAM that the image lies in; 0: the VMM does not say. */
static uint64_t end_of_memory(const struct start_info *info)
{
	const struct map_entry *map =
		(const struct map_entry *)(uintptr_t)info->map_gpa;
	uint64_t image_end = (uintptr_t)runtime_image_end;

	for (uint32_t i = 0; info->version >= 1 && i < info->map_entries; i++)
		if (map[i].type == MEMORY_IS_RAM && map[i].gpa < image_end &&
		    map[i].bytes >= image_end - map[i].gpa) {
			uint64_t end = map[i].gpa + map[i].bytes;

			return end < MAPPED_BYTES ? end : MAPPED_BYTES;
		}
	return 0;
}

/*
 * Words between blanks; what stands between double quotes is one. They follow
 * the guest's name in `line`. A line with no room there has more words than
 * anybody takes.
 */
static void split(const char *from)
{
	bool is_quoted = false, is_word = false;
	uint32_t n = sizeof("guest");

	boot.args_count = 1;
	for (; from && *from; from++) {
		if (n + 2 > sizeof(line)) {
			boot.args_count = UINT32_MAX;
			return;
		}
		if (*from == ' ' && !is_quoted) {
			if (is_word)
				line[n++] = '\0';
			is_word = false;
			continue;
		}
		boot.args_count += !is_word;
		is_word = true;
		if (*from == '"')
			is_quoted = !is_quoted;
		else
			line[n++] = *from;
	}
	if (is_word)
		line[n++] = '\0';
	boot.args_bytes = n;
}

/* Nothing of `info` and what it names is kept: it lies in memory that is free.
 */
struct gt_boot *runtime_pvh_boot(const struct start_info *info)
{
	uint64_t from = (uintptr_t)runtime_image_end;
	uint64_t end = end_of_memory(info);

	runtime_is_elsewhere = true;
	boot.magic = GT_BOOT_MAGIC;
	boot.size = sizeof(boot);
	boot.vcpus = 1;
	boot.ring_mode = GT_RING_OVERWRITE;
	split((const char *)(uintptr_t)info->line_gpa);
	boot.args_gva = (uintptr_t)line;
	boot.heap_gva = from;
	boot.heap_bytes = end > from ? end - from : 0;
	boot.memory_bytes = end;
	return &boot;
}
