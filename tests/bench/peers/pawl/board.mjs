// The driver's side of the board: a file in memory that peer_plugin.c maps and writes marks to. Its layout is there:
// three counters and a reserve, then for each slot when its process fell asleep and when it woke, in Unix nanoseconds.
import fs from 'node:fs';
import path from 'node:path';

import { retry, temporaryDirectory } from '../library/processes.mjs';

const HEADER_BYTES = 32;
const SLOT_BYTES = 16;
const SLOTS = 1 << 20; // the file is sparse
const FOREVER_MS = 1e9;

export function openBoard() {
    const directory = temporaryDirectory('board', process.env.PEER_MEMORY);
    const file = path.join(directory, 'board');
    const fd = fs.openSync(file, 'w+', 0o600);
    fs.ftruncateSync(fd, HEADER_BYTES + SLOTS * SLOT_BYTES);

    const read = (at, bytes) => {
        const buffer = Buffer.alloc(bytes);
        fs.readSync(fd, buffer, 0, bytes, at);
        return new BigUint64Array(buffer.buffer, buffer.byteOffset, bytes / 8);
    };
    const stats = () => {
        const [blocked, woken, steps] = read(0, HEADER_BYTES);
        return { blocked: Number(blocked), woken: Number(woken), steps: Number(steps), replays: 0 };
    };
    let used = 0; // slots that may hold marks
    const slots = () => read(HEADER_BYTES, used * SLOT_BYTES);
    const reach = (name, n) => retry(() => {
        if (stats()[name] < n)
            throw new Error(`${n} should be ${name}`);
    }, { timeoutMs: FOREVER_MS, everyMs: 10 });
    const blockedTimes = () => slots().filter((_, i) => i % 2 === 0).filter((time) => time > 0n);

    return {
        directory,
        file,
        /** Slots 0 to n - 1 are going to be used; late needs to know how long their processes sleep. */
        expect(n) { used = Math.max(used, n); },
        close() { fs.closeSync(fd); },
        commands: {
            reset: () => {
                fs.writeSync(fd, Buffer.alloc(HEADER_BYTES + used * SLOT_BYTES), 0, undefined, 0);
                used = 0;
            },
            stats,
            waitBlocked: ({ n }) => reach('blocked', n),
            waitWoken: ({ n }) => reach('woken', n),
            late: ({ sleepMs }) => {
                const times = slots(), late = [];
                for (let i = 0; i < times.length; i += 2)
                    if (times[i + 1] > 0n)
                        late.push(Number(times[i + 1] - times[i]) / 1e6 - sleepMs);
                return late;
            },
            dueRange: ({ sleepMs }) => {
                const times = Array.from(blockedTimes(), (time) => Number(time / 1000n) / 1e3);
                const [first, last] = times.reduce(([low, high], t) => [Math.min(low, t), Math.max(high, t)],
                    [Infinity, -Infinity]);
                return { first: first + sleepMs, last: last + sleepMs };
            },
        },
    };
}
