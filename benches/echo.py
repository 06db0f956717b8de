"""Round trips under the Python package aioisotp, beside which ours are judged: see src/echoes.rs.

python echo.py SIZE ROUND_TRIPS BATCHES prints the microseconds of a round trip in each batch.
"""

import asyncio
import sys
import time

import aioisotp


class Echo(asyncio.Protocol):
    """Sends back what it receives."""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)


async def measure(size, round_trips, batches):
    """Two connections of one network, as in aioisotp's front page; block size and STmin are 0."""
    message = b"\x55" * size
    with aioisotp.ISOTPNetwork(
        "bench", interface="virtual", receive_own_messages=True, block_size=0, st_min=0
    ).open() as network:
        await network.create_connection(Echo, 0x7E0, 0x7E8)
        reader, writer = await network.open_connection(0x7E8, 0x7E0)
        for batch in range(batches + 1):
            begin = time.perf_counter()
            for _ in range(round_trips):
                writer.write(message)
                if await reader.readexactly(size) != message:
                    sys.exit("another message came back")
            micros = (time.perf_counter() - begin) * 1e6 / round_trips
            if batch:  # the first is for warming up
                print(micros)


async def main():
    # aioisotp has no timers: what it lost it would await for ever
    await asyncio.wait_for(measure(*map(int, sys.argv[1:])), 120)


asyncio.run(main())
