/* SPDX-License-Identifier: MIT */
/* guesttrace sites: the call sites of a guest's ELF file or of a capture. */
#include "command.h"
#include "confinement.h"
#include "elf_sites.h"
#include "inputs.h"
#include "options.h"
#include "places.h"

#include <guesttrace/host.h>

#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

static void print_text(struct gt_text text)
{
	for (size_t i = 0; i < text.count; i++) {
		char byte = text.bytes[i];

		putchar(byte < 0x20 || byte > 0x7e ? '?' : byte);
	}
}

static int show(void *context, const struct gt_site_view *site,
                enum gt_site_kind kind)
{
	static const char levels[][6] = {"-",    "error", "warn",
	                                 "info", "debug", "trace"};
	static const char kinds[][8] = {"", "event", "span", "fields",
	                                "counter"};
	unsigned *count = context;

	++*count;
	printf("%-5s  %-7s  ", levels[site->level], kinds[kind]);
	print_text(site->target);
	printf("  ");
	print_text(site->name.count ? site->name : (struct gt_text){"-", 1});
	printf("  ");
	print_text(site->file);
	printf(":%u", site->line);
	if (site->function.count) {
		printf("  ");
		print_text(site->function);
	}
	printf("\n");
	return 0;
}

static int list_sites(const char *path)
{
	unsigned count = 0;
	int fd, r;

	if (place_is_input(NULL, path))
		return COMMAND_FAILED;
	fd = input_open_whole(path);
	path = place_input_name(path);
	r = fd < 0 ? fd : elf_sites(fd, show, &count);
	if (r == 1) {
		lseek(fd, 0, SEEK_SET);
		r = gt_capture_sites(read_file, &fd, show, &count);
		if (r == -GT_ERROR_NOT_A_CAPTURE)
			complain("%s is neither an ELF file nor a capture",
			         path);
	}
	if (r < 0 && r != -GT_ERROR_NOT_A_CAPTURE)
		complain("%s: %s", path, code_text(r));
	if (r == 0 && count == 0)
		complain("%s has no call sites", path);
	input_close(fd);
	return r < 0 ? COMMAND_FAILED : 0;
}

static const struct option_spec options[] = {
	READS_IN_SANDBOX,
	{0},
};

static int cmd_sites(int argc, char **argv)
{
	int id = options_next(&command_sites, argc, argv);

	if (id != -1)
		return options_stop(&command_sites, id);
	if (!options_operands(&command_sites, argc, argv, 1, 1))
		return COMMAND_USAGE;
	if (confinement_of_reading(
		    &(struct reading){.paths = argv + optind, .count = 1}) < 0)
		return COMMAND_FAILED;
	return list_sites(argv[optind]);
}

const struct command_spec command_sites = {
	.name = "sites",
	.operands = "GUEST|CAPTURE",
	.what = "list the call sites of a guest or capture",
	.options = options,
	.run = cmd_sites,
	.examples = "  guesttrace sites kv.elf\n"
		    "  guesttrace sites kv.gtrace\n",
	.usage_status = COMMAND_USAGE,
};
