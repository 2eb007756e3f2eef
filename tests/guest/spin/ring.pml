/* SPDX-License-Identifier: MIT */
/*
 * The rings of one vCPU: a thread records, a handler interrupts it anywhere,
 * another handler interrupts that one, the host reads while they run, and the
 * machine may die at any step (threats H1, H3, H4). Mirrors guest_inline.h
 * (take, publish), ring.c (take_slow, make_room) and host/live/rings.c
 * (find_range, copy, overtaken, taken).
 *
 * A record is 2 units, a block 5, so that each block ends in a pad; a ring is 2
 * blocks. A record has two halves, each of which must hold its position. x86
 * shows one CPU's stores to another in their order, so that a late store is a
 * reader that looked early; where a store and a later load change places is the
 * subject of wake.pml.
 *
 * -DMODE=FLUSH, DROP or OVERWRITE. -DPLANT=... plants one bug.
 */
#define FLUSH     1
#define DROP      2
#define OVERWRITE 3

#define NOTHING         0
#define PUBLISH_FIRST   1 /* pos is stored before the record is written */
#define NO_TAKE         2 /* limit stays what it was */
#define POS_BEFORE_TAKE 3 /* pos is read, then the ring is taken */
#define UNCOUNTED       4 /* a full ring loses silently */
#define TAIL_FIRST      5 /* the host gives room back, then copies */
#define KEEP_TAIL       6 /* the host forgets how far it has read */
#define NO_SECOND_LOOK  7 /* the host does not ask what was overtaken */
#define BLIND           8 /* the guest does not look at tail */
#ifndef PLANT
#define PLANT NOTHING
#endif

#define RECORD 2
#define BLOCK  5
#define SIZE   10
#define LEVELS 2
#define FAR    250 /* above any position */

#ifndef THREAD_RECORDS
#define THREAD_RECORDS 3
#endif
#ifndef HANDLER_RECORDS
#define HANDLER_RECORDS 1
#endif
#ifndef NESTED_RECORDS
#define NESTED_RECORDS 1
#endif
#ifndef LIVE_READS
#define LIVE_READS 1
#endif

typedef ring_t {
	byte pos;
	byte limit;
	byte tail; /* as the host has told the guest */
	byte lost;
	byte first[SIZE];
	byte second[SIZE];
};

ring_t ring[LEVELS];
byte lost; /* no level was free */
byte attempts, done;
byte depth; /* who runs: thread, handler, nested handler */
byte finished;
bool dead;
bool bell;  /* the vCPU has left the guest and stands still */

/* The host's own. */
byte tail[LEVELS];
byte taken, overwritten; /* records */
byte copy_first[SIZE];
byte copy_second[SIZE];

#define runs(at) (!dead && !bell && depth == at)
#define records_below(p) (((p) / BLOCK) * 2 + ((p) % BLOCK) / RECORD)
#define block_end(p) (((p) / BLOCK + 1) * BLOCK)
#define oldest_whole(p) (block_end(p) > SIZE -> block_end(p) - SIZE : 0)

/* ---- Guest --------------------------------------------------------------- */

inline end_of_room()
{
	if
	:: MODE == OVERWRITE || PLANT == BLIND -> room = FAR
	:: else -> room = ring[l].tail + SIZE
	fi
}

inline doorbell(now)
{
	atomic { runs(now) -> bell = true };
	!bell
}

/* Leaves l: the level, pos, limit: what to put back; or took == false. */
inline take(now)
{
	l = 0;
	took = true;
	if
	:: PLANT == POS_BEFORE_TAKE -> atomic { runs(now) -> pos = ring[0].pos }
	:: else
	fi;
	atomic { runs(now) -> limit = ring[0].limit };
	if
	:: PLANT == NO_TAKE
	:: else -> atomic { runs(now) -> ring[0].limit = 0 }
	fi;
	if
	:: PLANT == POS_BEFORE_TAKE
	:: else -> atomic { runs(now) -> pos = ring[0].pos }
	fi;
	if
	:: pos + RECORD <= limit
	:: else ->
		do
		:: limit != 0 -> break
		:: limit == 0 && l + 1 == LEVELS ->
			atomic { runs(now) -> lost++ };
			took = false;
			break
		:: else ->
			l++;
			atomic { runs(now) -> limit = ring[l].limit };
			atomic { runs(now) -> ring[l].limit = 0 }
		od;
		if
		:: took -> make_room(now)
		:: else
		fi
	fi
}

inline make_room(now)
{
	atomic { runs(now) ->
		pos = ring[l].pos;
		left = block_end(pos) - pos;
		need = (left >= RECORD -> RECORD : left + RECORD);
		end_of_room()
	}
	if
	:: pos + need > room && MODE == FLUSH ->
		doorbell(now);
		atomic { runs(now) -> end_of_room() }
	:: else
	fi;
	if
	:: pos + need > room ->
		if
		:: PLANT == UNCOUNTED
		:: else -> atomic { runs(now) -> ring[l].lost++ }
		fi;
		atomic { runs(now) -> ring[l].limit = limit };
		took = false
	:: else ->
		if
		:: left < RECORD -> /* a pad */
			atomic { runs(now) -> ring[l].pos = pos + left };
			pos = pos + left
		:: else
		fi;
		atomic { runs(now) ->
			end_of_room();
			limit = (room < block_end(pos) -> room : block_end(pos))
		}
	fi
}

inline put(now)
{
	if
	:: PLANT == PUBLISH_FIRST ->
		atomic { runs(now) -> ring[l].pos = pos + RECORD }
	:: else
	fi;
	atomic { runs(now) -> ring[l].first[pos % SIZE] = pos + 1 };
	atomic { runs(now) -> ring[l].second[pos % SIZE] = pos + 1 };
	if
	:: PLANT == PUBLISH_FIRST
	:: else -> atomic { runs(now) -> ring[l].pos = pos + RECORD }
	fi;
	atomic { runs(now) -> ring[l].limit = limit }
}

inline record_some(now, count)
{
	i = 0;
	do
	:: i < count ->
		atomic { runs(now) -> attempts++ };
		take(now);
		if
		:: took -> put(now)
		:: else
		fi;
		atomic { runs(now) -> done++; i++; pos = 0; limit = 0;
		                        left = 0; need = 0; room = 0; l = 0 }
	:: else -> break
	od
}

proctype thread()
{
	byte l, pos, limit, left, need, room, i;
	bool took;

	record_some(0, THREAD_RECORDS);
	atomic { runs(0) -> finished++ }
}

proctype handler()
{
	byte l, pos, limit, left, need, room, i;
	bool took;

	if
	:: atomic { runs(0) -> depth = 1 }
		record_some(1, HANDLER_RECORDS);
		atomic { runs(1) -> depth = 0; finished++ }
	:: atomic { true -> finished++ } /* none comes */
	fi
}

proctype nested()
{
	byte l, pos, limit, left, need, room, i;
	bool took;

	if
	:: atomic { runs(1) -> depth = 2 }
		record_some(2, NESTED_RECORDS);
		atomic { runs(2) -> depth = 1; finished++ }
	:: atomic { true -> finished++ }
	fi
}

/* ---- Host ---------------------------------------------------------------- */

inline tell_tail()
{
	ring[h].tail = end
}

inline read_level()
{
	end = ring[h].pos;
	from = tail[h];
	if
	:: MODE == OVERWRITE && oldest_whole(end) > from ->
		from = oldest_whole(end)
	:: else
	fi;
	if
	:: PLANT == TAIL_FIRST -> tell_tail()
	:: else
	fi;
	at = from;
	do
	:: at >= end -> break
	:: at < end && at % BLOCK == BLOCK - 1 -> at++
	:: else ->
		copy_first[at % SIZE] = ring[h].first[at % SIZE];
		copy_second[at % SIZE] = ring[h].second[at % SIZE];
		at = at + RECORD
	od;
	/* The second look at pos. */
	atomic {
		if
		:: MODE == OVERWRITE && PLANT != NO_SECOND_LOOK ->
			at = oldest_whole(ring[h].pos);
			if
			:: at > end -> from = end
			:: at > from && at <= end -> from = at
			:: else
			fi
		:: else
		fi;
		overwritten = overwritten + records_below(from) -
		              records_below(tail[h]);
		at = from;
		do
		:: at >= end -> break
		:: at < end && at % BLOCK == BLOCK - 1 -> at++
		:: else ->
			/* whole, and what was recorded there last */
			assert(copy_first[at % SIZE] == at + 1);
			assert(copy_second[at % SIZE] == at + 1);
			taken++;
			at = at + RECORD
		od;
		at = 0;
		do
		:: at < SIZE -> copy_first[at] = 0; copy_second[at] = 0; at++
		:: else -> break
		od;
		if
		:: PLANT == KEEP_TAIL
		:: else -> tail[h] = end
		fi
	}
	if
	:: PLANT == TAIL_FIRST
	:: else -> tell_tail()
	fi;
	at = 0; end = 0; from = 0
}

inline drain()
{
	h = 0;
	do
	:: h < LEVELS -> read_level(); h++
	:: else -> break
	od
}

proctype host()
{
	byte h, end, from, at, live;

	do
	:: bell -> drain(); bell = false
	:: live < LIVE_READS -> live++; drain()
	:: atomic { finished == 3 -> break }
	:: atomic { finished < 3 -> dead = true; break }
	od;
	drain();
	assert(taken + overwritten == records_below(ring[0].pos) +
	                              records_below(ring[1].pos));
	at = taken + overwritten + lost + ring[0].lost + ring[1].lost;
	assert(done <= at && at <= attempts);
	assert(dead || at == attempts);
	assert(MODE != FLUSH || ring[0].lost + ring[1].lost == 0)
}

init {
	atomic {
		ring[0].limit = 1; /* free, and the first opens a block */
		ring[1].limit = 1;
		run thread();
		run handler();
		run nested();
		run host()
	}
}
