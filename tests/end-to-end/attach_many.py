# SPDX-License-Identifier: MIT
"""attach_many.py GUESTTRACE PID CONSOLE COUNT KILLS SEED

Attaches to guests/attached.c, which was started with `off`, COUNT times at random
moments for as long as it happens, and KILLS times more is killed in the middle. The
guest's result is what it would be without: a model of it is computed here. It prints
a line each so many ticks: the longest round between, and what it recorded.
"""
import random, re, signal, subprocess, sys, time

guesttrace, pid, console = sys.argv[1:4]
count, kills, seed = map(int, sys.argv[4:7])
chance = random.Random(seed)
LINE = re.compile(r"counted rounds=(\d+) spans=(\d+) steps=\d+ events=(\d+) lost=(\d+) "
                  r"longest=(\d+) result=(\d+) changed=0\r?\n")


def lines():
    """All of them; the last may be a part."""
    with open(console) as file:
        return [tuple(map(int, m.groups())) for m in LINE.finditer(file.read())]


def attach(seconds, kill):
    reader = subprocess.Popen(
        [guesttrace, "attach", "--pid", pid, "--export", "csv=/dev/null"],
        stderr=subprocess.PIPE, text=True)
    time.sleep(seconds)
    reader.send_signal(signal.SIGKILL if kill else signal.SIGTERM)
    said = reader.communicate(timeout=60)[1]
    # The signal may come before there is anything to end.
    if not kill and (reader.returncode not in (0, -signal.SIGTERM) or said):
        sys.exit(f"attach ended with {reader.returncode}: {said}")


def new_lines(number):
    before = len(lines())
    until = time.monotonic() + 120
    while len(lines()) < before + number:
        if time.monotonic() > until:
            sys.exit("the guest has stopped")
        time.sleep(0.01)
    return lines()[before:]


def is_off(why):
    """Nothing is recorded from one line to the next."""
    got = new_lines(3)
    if got[-1][1] != got[0][1]:
        sys.exit(f"sites are on {why}: {got}")


before = new_lines(10)[-1]
order = [False] * count + [True] * kills
chance.shuffle(order)
for kill in order:
    attach(chance.uniform(0, 0.4), kill)
    if kill:
        # The lease is a second; it is looked at where a block ends.
        time.sleep(1.2)
        is_off("after the lease")
    elif chance.random() < 0.05:
        is_off("after detaching")
    time.sleep(chance.uniform(0, 0.05))
is_off("at the end")

result = rounds = 0
all_lines = lines()
for line in all_lines:
    while rounds <= line[0]:
        result = (result ^ rounds) * 6364136223846793005 & (1 << 64) - 1
        rounds += 1
    if result != line[5]:
        sys.exit(f"after {line[0]} rounds the result is {line[5]}, not {result}")
last = all_lines[-1]
print(f"{count} times attached and {kills} times killed, {last[1]} spans recorded;",
      f"{len(all_lines)} results right, the last of {last[0]} rounds;",
      f"longest round {last[4]} ticks, {before[4]} before")
sys.exit(last[1] == 0)
