// The workflows of every workload as a DBOS application, with the load generator in the same process: that is the shape
// of DBOS, whose engine is a library in the application. Started by engine.mjs.
import { DBOS } from '@dbos-inc/dbos-sdk';

import { openEvents } from '../library/events.mjs';
import { answer } from '../library/processes.mjs';
import { measuredLoop } from '../library/statistics.mjs';
import { value100 } from '../library/value.mjs';

const events = openEvents();

const steps = DBOS.registerWorkflow(async (k) => {
    let value = '';
    for (let i = 0; i < k; i++)
        value = await DBOS.runStep(async () => value100(), { name: 'step' });
    return value;
}, { name: 'Steps' });

const sleeper = DBOS.registerWorkflow(async (sleepMs) => {
    const id = DBOS.workflowID;
    events.blocked(id);
    await DBOS.sleepms(sleepMs);
    events.woken(id, sleepMs);
    return 'ok';
}, { name: 'Sleeper' });

const counted = DBOS.registerWorkflow(async (pre, post, sleepMs) => {
    const id = DBOS.workflowID;
    let value;
    const one = async (i) => {
        value = await DBOS.runStep(async () => {
            events.side(`E ${id} ${i}`);
            events.stepped();
            return value100();
        }, { name: 'step' });
        events.side(`A ${id} ${i}`);
    };
    for (let i = 0; i < pre; i++)
        await one(i);
    if (sleepMs > 0) {
        events.blocked(id);
        await DBOS.sleepms(sleepMs);
    }
    for (let i = pre; i < pre + post; i++)
        await one(i);
    return value;
}, { name: 'Counted' });

const signalled = DBOS.registerWorkflow(async () => {
    events.ready(DBOS.workflowID);
    return await DBOS.recv('go', { timeoutSeconds: 600 });
}, { name: 'Signalled' });

DBOS.setConfig({
    name: 'peersbench', systemDatabaseUrl: process.env.DATABASE_URL, applicationVersion: 'bench-1', logLevel: 'error',
});
await DBOS.launch();

const startWorkflow = (workflow, id, ...args) => DBOS.startWorkflow(workflow, { workflowID: id })(...args);
const signals = new Map();

answer({
    ...events.commands,
    ready: () => true,
    steps: ({ n, c, k, prefix }) => measuredLoop(n, c, async (i) => {
        const handle = await startWorkflow(steps, `${prefix}-${i}`, k);
        const value = await handle.getResult();
        if (k && value.length !== 100)
            throw new Error(`a wrong result: ${value}`);
    }),
    submitSleepers: ({ n, c, prefix, sleepMs }) =>
        measuredLoop(n, c, (i) => startWorkflow(sleeper, `${prefix}-${i}`, sleepMs)),
    submitCounted: ({ n, c, prefix, pre, post, sleepMs }) =>
        measuredLoop(n, c, (i) => startWorkflow(counted, `${prefix}-${i}`, pre, post, sleepMs)),
    signalStart: async ({ key }) => {
        const handle = await startWorkflow(signalled, key);
        const signal = { endedAt: 0 };
        signal.ended = handle.getResult().then(() => { signal.endedAt = performance.now(); });
        signals.set(key, signal);
        await events.untilReady(key);
    },
    signalSend: async ({ key }) => {
        const signal = signals.get(key);
        signals.delete(key);
        const begun = performance.now();
        const acknowledged = DBOS.send(key, 'go', 'go').then(() => performance.now() - begun);
        await signal.ended;
        return { doneMs: signal.endedAt - begun, ackMs: await acknowledged };
    },
});
