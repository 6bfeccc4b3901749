"""The matrix as it is printed in docs/faults.md."""

from pathlib import Path

from tests.faults.cases import LISTED, ROWS, Case

DOCUMENT = Path(__file__).parents[2] / "docs" / "faults.md"
CHANNELS = {"http": "HTTP: chains, candles, polled prices", "ws": "WebSocket: pushed prices"}
ABOUT = """\
# Faults

What the program does when one venue fails and the others go on: each fault that the simulator
knows, at each venue, on its HTTP interface and on its WebSocket. `make faults` plays every cell
and writes this file. In each, collector, streams and ticker speak with the simulator over real
sockets; time alone is simulated, so that a venue may hang for minutes.

A fault begins after two cycles with every venue. On HTTP it lasts until the venue's last answer
is more than three minutes old, on WebSockets for two cycles; then the venue is waited for.
A cell without the word BROKEN has kept all of this:

- every cycle stores a snapshot, with every other venue;
- the failing venue is among its sources with an answer of the last three minutes, or is named
  with the reason why not; one that says nothing usable does not stay;
- what rings is a crossing that the true price made, and no spot price is more than 0.5 % off;
- a level that moves because a venue went or came says how much of the move that was;
- spot goes on, without a gap of more than 5 seconds;
- the venue is heard within one cycle of the end of the fault, or of the pause that it asked for;
- at most five lines of warning, no error.

In the cells, a cycle being 30 seconds:

| words | mean |
|---|---|
| last answer | the answer of before the fault serves |
| heard | new answers serve; *in part* with fewer rows; *a cycle late* if slow |
| out | not among the sources, named with the reason; after so many minutes of the fault |
| pushed | the stream tells the price |
| polled | the price is asked for every second, because the stream does not tell it |
| outvoted | the price is heard and does not count: the other venues agree on another |
| 2 without | in two cycles of the fault the venue had no part |
| back in 2 | heard anew in the second cycle after the fault; without a word in the first |

403 and 451 mean a blocked country, which is asked again after half an hour; 418 and 429 name the
seconds to wait. Before connections are refused, the open one is cut.
"""


def page(outcomes):
    """The whole file, given the outcome of every cell."""
    tables = (
        f"## {symbol}, {CHANNELS[channel]}\n\n{table(symbol, channel, outcomes)}"
        for symbol in LISTED
        for channel in CHANNELS
    )
    return "\n".join((ABOUT, *tables))


def table(symbol, channel, outcomes):
    """The faults of a channel by venue."""
    venues = LISTED[symbol]
    lines = [["fault", *venues], ["---"] * (len(venues) + 1)]
    for row in ROWS:
        if row.channel == channel:
            cells = [str(outcomes[Case(row, venue, symbol)]) for venue in venues]
            lines.append([str(row), *cells])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
