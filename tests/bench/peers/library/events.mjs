// What the workflows of a JavaScript engine report to the driver: who sleeps, who woke how late, how many steps ran.
// Kept in the memory of the application; a side file holds what must survive a kill.
import fs from 'node:fs';

export function openEvents() {
    const sideFd = process.env.SIDE_FILE ? fs.openSync(process.env.SIDE_FILE, 'a') : -1;
    const waiting = [];
    let state;

    const changed = () => {
        for (let i = waiting.length - 1; i >= 0; i--)
            if (waiting[i].done())
                waiting.splice(i, 1)[0].resolve();
    };
    const until = (done) => done() ? undefined : new Promise((resolve) => waiting.push({ done, resolve }));
    const reset = () => {
        state = { blocked: new Map(), woken: 0, late: [], replays: 0, steps: 0, ready: new Map() };
    };
    reset();

    return {
        until,
        // Written with O_APPEND: survives kill -9 of any process; not flushed, since only processes are killed.
        side: (line) => { if (sideFd >= 0) fs.writeSync(sideFd, line + '\n'); },
        stepped: () => { state.steps++; },
        // At a durable sleep; the first call counts, so that a replay does not move the due time.
        blocked: (key) => {
            if (state.blocked.has(key))
                state.replays++;
            else
                state.blocked.set(key, Date.now());
            changed();
        },
        woken: (key, sleepMs) => {
            state.late.push(Date.now() - (state.blocked.get(key) + sleepMs));
            state.woken++;
            changed();
        },
        // A workflow stands where its signal is waited for; what the sender needs to know goes with it.
        ready: (key, detail = true) => { state.ready.set(key, detail); changed(); },
        untilReady: async (key) => { await until(() => state.ready.has(key)); return state.ready.get(key); },
        commands: {
            reset,
            stats: () => ({
                blocked: state.blocked.size, woken: state.woken, replays: state.replays, steps: state.steps,
            }),
            waitBlocked: ({ n }) => until(() => state.blocked.size >= n),
            waitWoken: ({ n }) => until(() => state.woken >= n),
            late: () => state.late,
            dueRange: ({ sleepMs }) => {
                let first = Infinity, last = -Infinity;
                for (const t of state.blocked.values()) {
                    first = Math.min(first, t);
                    last = Math.max(last, t);
                }
                return { first: first + sleepMs, last: last + sleepMs };
            },
        },
    };
}
