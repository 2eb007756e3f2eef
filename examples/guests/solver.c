/* SPDX-License-Identifier: MIT */
/*
 * Solves sudokus by backtracking.
 *
 *   solver.elf [PUZZLE]...
 *
 * A puzzle is 81 characters, row by row, digits and '.' for an empty cell.
 * Without any, those of data/puzzles.txt are solved.
 *
 * In the trace: a span per node of the search, one below the other as deep as
 * the puzzle has empty cells; an event for each conflict; the status of the
 * outermost span says whether there is a solution. Nodes are GT_DEBUG: with
 * --filter info only the puzzles remain, and cost nothing inside.
 */
#define GT_TARGET "solver"

#include <guesttrace/guest.h>

#include "../runtime/runtime.h"
#include "embed.h"
#include "result.h"
#include "trace.h"

EMBED(puzzles, "puzzles.txt");

#define CELLS      81u
#define ALL_DIGITS 0x3feu /* bits 1 to 9 */

/* A set of digits is a word with the bits 1 to 9. */
struct grid {
	uint8_t digit[CELLS]; /* 0: empty */
	uint16_t row[9];      /* digits in use */
	uint16_t column[9];
	uint16_t box[9];
};

struct search {
	struct grid grid;
	uint64_t nodes;
	uint64_t conflicts;
	uint32_t deepest;
};

struct choice {
	uint32_t cell; /* CELLS: none is empty */
	uint32_t digits;
	uint32_t count;
};

static uint32_t box_of(uint32_t cell)
{
	return cell / 27 * 3 + cell % 9 / 3;
}

static uint32_t candidates(const struct grid *grid, uint32_t cell)
{
	return ALL_DIGITS &
	       ~(uint32_t)(grid->row[cell / 9] | grid->column[cell % 9] |
	                   grid->box[box_of(cell)]);
}

/* Puts a digit into an empty cell, or takes it out again. */
static void flip(struct grid *grid, uint32_t cell, uint32_t digit)
{
	uint16_t bit = (uint16_t)(1u << digit);

	grid->digit[cell] ^= (uint8_t)digit;
	grid->row[cell / 9] ^= bit;
	grid->column[cell % 9] ^= bit;
	grid->box[box_of(cell)] ^= bit;
}

static uint32_t count_digits(uint32_t digits)
{
	uint32_t count = 0;

	for (; digits; digits &= digits - 1)
		count++;
	return count;
}

/* The empty cell that leaves the fewest digits to choose from. */
static struct choice most_constrained(const struct grid *grid)
{
	struct choice best = {.cell = CELLS, .count = 10};

	for (uint32_t cell = 0; cell < CELLS && best.count > 1; cell++) {
		uint32_t digits = candidates(grid, cell);
		uint32_t count = count_digits(digits);

		if (grid->digit[cell] == 0 && count < best.count)
			best = (struct choice){cell, digits, count};
	}
	return best;
}

static bool solve(struct search *search, uint32_t depth);

static bool try_digits(struct search *search, struct choice choice,
                       uint32_t depth)
{
	for (uint32_t digit = 1; digit <= 9; digit++) {
		if (!(choice.digits >> digit & 1))
			continue;
		flip(&search->grid, choice.cell, digit);
		if (solve(search, depth + 1))
			return true;
		flip(&search->grid, choice.cell, digit);
	}
	return false;
}

/* One node: fills the rest of the grid, or leaves it as it was. */
static bool solve(struct search *search, uint32_t depth)
{
	struct choice choice = most_constrained(&search->grid);
	GT_SPAN(node, GT_DEBUG, "node", gt_u64("depth", depth),
	        gt_u64("cell", choice.cell), gt_u64("choices", choice.count));
	bool solved = choice.cell == CELLS;

	search->nodes++;
	if (search->deepest < depth)
		search->deepest = depth;
	if (!solved && choice.count == 0) {
		search->conflicts++;
		GT_EVENT(GT_DEBUG, "conflict", gt_u64("row", choice.cell / 9),
		         gt_u64("column", choice.cell % 9));
	} else if (!solved) {
		solved = try_digits(search, choice, depth);
	}
	GT_RECORD(node, gt_bool("solved", solved));
	return solved;
}

/* NULL, or what is wrong with the puzzle. */
static const char *load(struct grid *grid, const char *puzzle, size_t length)
{
	if (length != CELLS)
		return "a puzzle has 81 characters";
	for (uint32_t cell = 0; cell < CELLS; cell++) {
		uint32_t digit = (uint32_t)(puzzle[cell] - '0');

		if (puzzle[cell] == '.')
			continue;
		if (digit < 1 || digit > 9)
			return "a puzzle consists of digits and dots";
		if (!(candidates(grid, cell) >> digit & 1))
			return "a digit stands twice in a row, column or box";
		flip(grid, cell, digit);
	}
	return NULL;
}

/* Starts from nothing: a full grid of which each digit is allowed is right. */
static bool verify(const struct grid *solution, const char *puzzle)
{
	struct grid again = {.digit = {0}};

	for (uint32_t cell = 0; cell < CELLS; cell++) {
		uint32_t digit = solution->digit[cell];

		if (!(candidates(&again, cell) >> digit & 1))
			return false;
		if (puzzle[cell] != '.' && puzzle[cell] != (char)('0' + digit))
			return false;
		flip(&again, cell, digit);
	}
	return true;
}

static void print_grid(const struct grid *grid)
{
	char text[CELLS + 1];

	for (uint32_t cell = 0; cell < CELLS; cell++)
		text[cell] = (char)('0' + grid->digit[cell]);
	text[CELLS] = '\0';
	runtime_print(text);
}

static void print_search(const struct search *search, const char *error)
{
	runtime_print("solver: ");
	if (error)
		runtime_print(error);
	else
		print_grid(&search->grid);
	result_u64("nodes", search->nodes);
	result_u64("conflicts", search->conflicts);
	result_u64("depth", search->deepest);
	runtime_print("\n");
}

static void count_search(const struct search *search)
{
	double nodes = (double)search->nodes;

	if (search->nodes)
		GT_COUNTER(GT_INFO, "search", gt_u64("nodes", search->nodes),
		           gt_f64("conflict_ratio",
		                  (double)search->conflicts / nodes));
}

static const char *search_solution(struct search *search, const char *puzzle,
                                   size_t length)
{
	const char *error = load(&search->grid, puzzle, length);

	if (error)
		return error;
	if (!solve(search, 0))
		return "no solution";
	if (!verify(&search->grid, puzzle))
		return "the solution is wrong";
	return NULL;
}

static bool solve_puzzle(const char *puzzle, size_t length)
{
	struct search search = {.nodes = 0};
	const char *error;
	GT_SPAN(span, GT_INFO, "puzzle", gt_strn("given", puzzle, length));

	error = search_solution(&search, puzzle, length);
	GT_RECORD(span, gt_u64("nodes", search.nodes),
	          gt_u64("depth", search.deepest));
	if (error)
		GT_RECORD(span, gt_error(error));
	else
		GT_EVENT(GT_INFO, "solution",
		         gt_bytes("digits", search.grid.digit, CELLS));
	count_search(&search);
	print_search(&search, error);
	return !error;
}

static bool solve_embedded(void)
{
	const char *at = puzzles;
	bool all = true;

	while (at < puzzles_end) {
		const char *line = at;

		while (at < puzzles_end && *at != '\n')
			at++;
		all &= solve_puzzle(line, (size_t)(at++ - line));
	}
	return all;
}

int guest_main(int argc, char **argv)
{
	bool all = true;

	trace_start();
	if (argc < 2)
		all = solve_embedded();
	for (int i = 1; i < argc; i++)
		all &= solve_puzzle(argv[i], strlen(argv[i]));
	trace_stop();
	return all ? 0 : 1;
}
