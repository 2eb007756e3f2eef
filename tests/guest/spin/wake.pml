/* SPDX-License-Identifier: MIT */
/*
 * A host thread reads the ring while the guest runs, and sleeps until a block
 * has ended. Mirrors wake() and make_room() in guest/ring.c, gt_host_drain(),
 * gt_host_want_wake(), gt__guest_has_more() and the loop of cli/watcher.c, whose
 * sleep here has no timeout: nothing but the doorbell ends it.
 *
 * Each side's stores pass through a store buffer (x86-TSO): the own side sees
 * them at once, the other one later, in their order. A fence waits until the
 * buffer is empty, and so do a VM exit and the host's lock.
 *
 * Positions count records, BLOCK to a block. -DPLANT=... plants one bug.
 */
#define NOTHING        0
#define NO_GUEST_FENCE 1
#define NO_HOST_FENCE  2
#define NO_SECOND_LOOK 3 /* the host sleeps without looking at pos again */
#define NO_FLUSH       4 /* a full ring drops */
#define NO_LOCK        5 /* the exit and the thread drain at the same time */
#define WANT_TOO_LATE  6 /* the host looks, then says that it wants */
#ifndef PLANT
#define PLANT NOTHING
#endif

#define BLOCK 2
#define SIZE  4
#ifndef RECORDS
#define RECORDS 9 /* odd: the guest ends inside a block */
#endif

byte stored_pos; /* as the guest sees it */
byte pos;        /* in memory: never ahead of it */
byte tail;       /* in memory */
bit want;        /* in memory */
bool bell;       /* the eventfd */
bool lock;
bool done;
byte lost;

/* The host's own. */
byte host_tail;
byte taken;

/* The store buffer of the host's thread. */
mtype = { TAIL, WANT };
chan buffer = [3] of { mtype, byte };

proctype guest_buffer()
{
end:	do
	:: atomic { pos < stored_pos -> pos++ }
	od
}

proctype host_buffer()
{
	byte value;

end:	do
	:: atomic { buffer?[TAIL, value] -> buffer?TAIL, value; tail = value }
	:: atomic { buffer?[WANT, value] -> buffer?WANT, value; want = value }
	od
}

inline acquire()
{
	if
	:: PLANT == NO_LOCK
	:: else -> atomic { !lock -> lock = true }
	fi
}

inline release()
{
	if
	:: PLANT == NO_LOCK
	:: else -> lock = false
	fi
}

/* Under the lock: what was copied once is below host_tail. */
inline copy()
{
	from = host_tail;
	p = pos;
	atomic {
		taken = taken + p - from;
		host_tail = p
	}
}

/* A VM exit: the guest stands still, its stores are in memory. */
inline flush_doorbell()
{
	pos == stored_pos;
	acquire();
	copy();
	tail = host_tail;
	release()
}

proctype guest()
{
	byte from, p;

	do
	:: stored_pos + lost == RECORDS -> break
	:: else ->
		if
		:: stored_pos - tail >= SIZE && PLANT != NO_FLUSH ->
			flush_doorbell()
		:: else
		fi;
		if
		:: stored_pos - tail >= SIZE -> lost++
		:: else ->
			if
			:: stored_pos % BLOCK == 0 ->
				if
				:: PLANT == NO_GUEST_FENCE
				:: else -> pos == stored_pos
				fi;
				if
				:: want -> pos == stored_pos; bell = true
				:: else
				fi
			:: else
			fi;
			stored_pos++
		fi
	od;
	done = true
}

inline say_want(value)
{
	buffer!WANT, value
}

inline has_more()
{
	more = (pos / BLOCK != host_tail / BLOCK)
}

proctype host()
{
	byte from, p;
	bool more;

	do
	:: true ->
		acquire();
		copy();
		if
		:: p > from -> buffer!TAIL, p
		:: else
		fi;
		empty(buffer);
		release();
		if
		:: p > from
		:: p == from ->
			acquire();
			if
			:: PLANT == WANT_TOO_LATE -> has_more(); say_want(1)
			:: else ->
				say_want(1);
				if
				:: PLANT == NO_HOST_FENCE
				:: else -> empty(buffer)
				fi;
				if
				:: PLANT == NO_SECOND_LOOK -> more = false
				:: else -> has_more()
				fi
			fi;
			empty(buffer);
			release();
			if
			:: !more ->
asleep:				atomic { bell -> bell = false }
			:: else
			fi;
			acquire();
			say_want(0);
			empty(buffer);
			release()
		fi
	od
}

/* Nobody can do anything any more: the guest has ended, the host sleeps. */
proctype judge()
{
	timeout ->
	assert(done);
	assert(lost == 0);
	assert(pos / BLOCK == host_tail / BLOCK); /* no wake-up was lost */
	assert(taken == host_tail)                /* nothing is read twice */
}

init {
	atomic {
		run guest_buffer();
		run host_buffer();
		run guest();
		run host();
		run judge()
	}
}
