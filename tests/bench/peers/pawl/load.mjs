// The load generator for Pawl: everything goes through the socket, as any other program's requests would.
import { answer } from '../library/processes.mjs';
import { closedLoop, measuredLoop } from '../library/statistics.mjs';
import { PawlClient } from './client.mjs';

const VALUE_CHARACTERS = 100;
let client = new PawlClient(process.env.PAWL_SOCKET);

function completed(outcome, id) {
    if (outcome.status !== 'completed')
        throw new Error(`${id} ended as ${JSON.stringify(outcome)}`);
    return outcome.output;
}

const submit = (type, input) => ({ n, c, prefix, ...shape }) => measuredLoop(n, c, (i) =>
    client.start({ type, id: `${prefix}-${i}`, input_text: input(i, shape) }));
const submitCounted = submit('peers.counted', (i, { pre, post, sleepMs }) => `${i} ${pre} ${post} ${sleepMs}`);
const signals = new Map();

answer({
    ready: () => true,
    // After a restart of the server the connections to the last one are of no use.
    reconnect: () => { client.close(); client = new PawlClient(process.env.PAWL_SOCKET); },
    steps: async ({ n, c, k, prefix }) => {
        const ends = await client.endsOf('peers.steps');
        return measuredLoop(n, c, async (i) => {
            const id = `${prefix}-${i}`;
            const [outcome] = await Promise.all([
                ends.of(id), client.start({ type: 'peers.steps', id, input_text: `${k}` }),
            ]);
            const value = completed(outcome, id);
            if (k && value.length !== VALUE_CHARACTERS)
                throw new Error(`a wrong result: ${value}`);
        });
    },
    submitSleepers: submit('peers.sleeper', (i, { sleepMs }) => `${i} ${sleepMs}`),
    // All at once: the first must not be done before the last has begun, or little is in flight at the kill.
    submitCounted: (a) => submitCounted({ ...a, c: a.n }),
    attachCounted: async ({ n, c, prefix }) => {
        await closedLoop(n, c, async (i) => completed(await client.ended(`${prefix}-${i}`), `${prefix}-${i}`));
    },
    signalStart: async ({ key }) => {
        const signal = { endedAt: 0 };
        signal.ended = (await client.endsOf('peers.signalled')).of(key).then((outcome) => {
            signal.endedAt = performance.now();
            completed(outcome, key);
        });
        signals.set(key, signal);
        await client.start({ type: 'peers.signalled', id: key, input_text: '' });
    },
    signalSend: async ({ key }) => {
        const signal = signals.get(key);
        signals.delete(key);
        const begun = performance.now();
        const acknowledged = client.signal(key, 'go', 'go').then(() => performance.now() - begun);
        await signal.ended;
        return { doneMs: signal.endedAt - begun, ackMs: await acknowledged };
    },
});
