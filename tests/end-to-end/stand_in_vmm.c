/* SPDX-License-Identifier: MIT */
/*
 * A VMM that knows nothing of guesttrace, whose RAM lies as that of others
 * does: private memory, 2 MiB aligned, within one mapping that holds more.
 *
 *   stand_in_vmm high|low|uffd ELF ARGUMENT...
 *
 *   high   64 MiB at 4 GiB, then 3 GiB at 0 (Firecracker, cloud-hypervisor)
 *   low    3 GiB at 0, then 64 MiB at 4 GiB
 *   uffd   64 MiB at 0. After a second all of it is taken away, and comes back
 *          page by page as it is touched, like a VM that is restored: it says
 *          `restored`. At SIGUSR1 it says how many pages came.
 *
 * Allocations of the VMM lie right before and behind RAM in the same mapping.
 * The guest is one that runs in 64-bit mode at the addresses at which it is
 * linked; it enters with page tables that nobody but a reader uses, in the last
 * bank that there is.
 */
#include <guesttrace/abi.h>

#include <elf.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unicorn/unicorn.h>
#include <unistd.h>

#define MIB         (UINT64_C(1) << 20)
#define GIB         (UINT64_C(1) << 30)
#define PAGE        UINT64_C(4096)
#define ARENA_BYTES (132 * UINT64_C(1024))
#define USED_BYTES  (64 * MIB) /* of a bank, by the guest */
#define BOOT_GPA    (1 * MIB)
#define STACK_GPA   (2 * MIB)
#define HEAP_GPA    (32 * MIB)
#define TABLES_IN   (48 * MIB) /* from the beginning of the last bank */

struct bank {
	uint64_t gpa, bytes;
	uint8_t *host;
};

static struct bank banks[2];
static unsigned bank_count;
static uc_engine *uc;
static uint8_t *snapshot; /* of the first bank's USED_BYTES */
static int faults = -1;
static volatile sig_atomic_t is_due, served;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* ---- Memory -------------------------------------------------------------- */

static void lay_out(const char *layout)
{
	bool split = strcmp(layout, "uffd") != 0;
	bool high_first = strcmp(layout, "high") == 0;
	uint64_t bytes = split ? 3 * GIB + USED_BYTES : USED_BYTES;
	uint8_t *all = mmap(NULL, bytes + 4 * MIB, PROT_NONE,
	                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	uint8_t *ram;

	if (all == MAP_FAILED)
		fail("mmap");
	ram = (uint8_t *)(((uintptr_t)all + 4 * MIB - 1) & ~(2 * MIB - 1));
	if (mprotect(ram - ARENA_BYTES, bytes + 2 * ARENA_BYTES,
	             PROT_READ | PROT_WRITE) < 0)
		fail("mprotect");
	memset(ram - ARENA_BYTES, 0x55, ARENA_BYTES);
	memset(ram + bytes, 0x55, ARENA_BYTES);
	bank_count = split ? 2 : 1;
	banks[0] = (struct bank){0, split ? 3 * GIB : bytes, ram};
	banks[1] = (struct bank){4 * GIB, USED_BYTES, ram + 3 * GIB};
	if (high_first) {
		banks[1].host = ram;
		banks[0].host = ram + USED_BYTES;
	}
}

/* One to one by pages of 1 GiB, 512 of them; the engine asks for none. */
static uint64_t write_tables(void)
{
	const struct bank *last = &banks[bank_count - 1];
	uint64_t root = last->gpa + TABLES_IN;
	uint64_t *tables = (uint64_t *)(void *)(last->host + TABLES_IN);

	tables[0] = (root + PAGE) | 3;
	for (uint64_t i = 0; i < 512; i++)
		tables[512 + i] = i * GIB | 0x83;
	return root;
}

/* ---- Like one that is restored ------------------------------------------- */

static void *serve(void *unused)
{
	struct uffd_msg message;

	while (read(faults, &message, sizeof(message)) == sizeof(message)) {
		uint64_t at = message.arg.pagefault.address & ~(PAGE - 1);
		struct uffdio_copy copy = {
			.dst = at,
			.src = (uintptr_t)snapshot +
		               (at - (uintptr_t)banks[0].host),
			.len = PAGE};

		if (ioctl(faults, UFFDIO_COPY, &copy) == 0)
			served++;
	}
	return unused;
}

/* Status 77: there is no such thing here. */
static void open_faults(void)
{
	struct uffdio_api api = {.api = UFFD_API};

	faults = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	if (faults < 0 || ioctl(faults, UFFDIO_API, &api) < 0)
		exit(77);
	snapshot = malloc(USED_BYTES);
	if (!snapshot)
		fail("malloc");
}

static void restore(void)
{
	struct uffdio_register all = {
		.range = {(uintptr_t)banks[0].host, USED_BYTES},
		.mode = UFFDIO_REGISTER_MODE_MISSING};
	pthread_t thread;

	memcpy(snapshot, banks[0].host, USED_BYTES);
	if (ioctl(faults, UFFDIO_REGISTER, &all) < 0 ||
	    madvise(banks[0].host, USED_BYTES, MADV_DONTNEED) < 0 ||
	    pthread_create(&thread, NULL, serve, NULL) != 0)
		fail("userfaultfd");
	puts("restored");
}

/* ---- The guest ----------------------------------------------------------- */

static void load(const char *path, uint64_t *ret_entry)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf64_Phdr segment;
	Elf64_Ehdr head;

	if (fd < 0 || pread(fd, &head, sizeof(head), 0) != sizeof(head))
		fail(path);
	for (unsigned i = 0; i < head.e_phnum; i++) {
		off_t at = (off_t)(head.e_phoff + i * sizeof(segment));

		if (pread(fd, &segment, sizeof(segment), at) < 0)
			fail(path);
		if (segment.p_type == PT_LOAD &&
		    pread(fd, banks[0].host + segment.p_vaddr, segment.p_filesz,
		          (off_t)segment.p_offset) < 0)
			fail(path);
	}
	close(fd);
	*ret_entry = head.e_entry;
}

static void write_boot(int count, char **words)
{
	char *to = (char *)banks[0].host + BOOT_GPA + sizeof(struct gt_boot);
	struct gt_boot boot = {
		.magic = GT_BOOT_MAGIC,
		.size = sizeof(boot),
		.vcpus = 1,
		.ring_mode = GT_RING_OVERWRITE,
		.args_count = (uint32_t)count,
		.args_gva = BOOT_GPA + sizeof(boot),
		.heap_gva = HEAP_GPA,
		.heap_bytes = TABLES_IN - HEAP_GPA,
		.memory_bytes = USED_BYTES,
	};

	for (int i = 0; i < count; i++)
		to = stpcpy(to, words[i]) + 1;
	boot.args_bytes = (uint64_t)(to - (char *)banks[0].host) - BOOT_GPA -
	                  sizeof(boot);
	memcpy(banks[0].host + BOOT_GPA, &boot, sizeof(boot));
}

static void on_out(uc_engine *engine, uint32_t port, int size, uint32_t value,
                   void *unused)
{
	(void)size;
	(void)unused;
	if (port == GT_PORT_PRINT)
		putchar((int)(value & 0xff));
	else if (port != GT_PORT_TRACE)
		uc_emu_stop(engine);
}

static void open_engine(uint64_t entry)
{
	void (*out)(uc_engine *, uint32_t, int, uint32_t, void *) = on_out;
	uint64_t root = write_tables(), rsp = STACK_GPA - 8, rdi = BOOT_GPA;
	uc_hook hook;
	bool good = uc_open(UC_ARCH_X86, UC_MODE_64, &uc) == UC_ERR_OK;

	for (unsigned i = 0; i < bank_count; i++)
		good = good && !uc_mem_map_ptr(uc, banks[i].gpa, USED_BYTES,
		                               UC_PROT_ALL, banks[i].host);
	good = good && !uc_reg_write(uc, UC_X86_REG_CR3, &root) &&
	       !uc_reg_write(uc, UC_X86_REG_RSP, &rsp) &&
	       !uc_reg_write(uc, UC_X86_REG_RDI, &rdi) &&
	       !uc_reg_write(uc, UC_X86_REG_RIP, &entry) &&
	       !uc_hook_add(uc, &hook, UC_HOOK_INSN, *(void **)&out, NULL, 1, 0,
	                    UC_X86_INS_OUT);
	if (!good)
		fail("unicorn");
}

static void on_alarm(int number)
{
	(void)number;
	is_due = 1;
	uc_emu_stop(uc);
}

static void on_user(int number)
{
	char text[40];

	(void)number;
	if (write(1, text,
	          (size_t)snprintf(text, sizeof(text), "served=%d\n",
	                           (int)served)) < 0)
		_exit(1);
}

int main(int argc, char **argv)
{
	bool is_restored = argc > 2 && strcmp(argv[1], "uffd") == 0;
	uint64_t rip;

	if (argc < 3)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	lay_out(argv[1]);
	if (is_restored)
		open_faults();
	load(argv[2], &rip);
	write_boot(argc - 2, argv + 2);
	open_engine(rip);
	signal(SIGALRM, on_alarm);
	signal(SIGUSR1, on_user);
	if (is_restored)
		alarm(1);
	do {
		is_due = 0;
		if (uc_emu_start(uc, rip, 0, 0, 0) != UC_ERR_OK)
			return 1;
		uc_reg_read(uc, UC_X86_REG_RIP, &rip);
		if (is_due)
			restore();
	} while (is_due);
	return 0;
}
