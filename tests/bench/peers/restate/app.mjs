// The workflows of every workload as a Restate service endpoint. Started by engine.mjs.
import * as restate from '@restatedev/restate-sdk';

import { openEvents } from '../library/events.mjs';
import { answer } from '../library/processes.mjs';
import { value100 } from '../library/value.mjs';

const events = openEvents();
const inactivity = process.env.INACTIVITY_MS === undefined ? {} : { inactivityTimeout: +process.env.INACTIVITY_MS };

const steps = restate.workflow({
    name: 'Steps',
    handlers: {
        run: async (context, { k }) => {
            let value = '';
            for (let i = 0; i < k; i++)
                value = await context.run('step', async () => value100());
            return value;
        },
    },
});

const sleeper = restate.workflow({
    name: 'Sleeper', options: inactivity,
    handlers: {
        run: async (context, { sleepMs }) => {
            events.blocked(context.key);
            await context.sleep(sleepMs);
            events.woken(context.key, sleepMs);
            return 'ok';
        },
    },
});

const counted = restate.workflow({
    name: 'Counted', options: inactivity,
    handlers: {
        run: async (context, { pre, post, sleepMs }) => {
            let value;
            const one = async (i) => {
                value = await context.run('step', async () => {
                    events.side(`E ${context.key} ${i}`);
                    events.stepped();
                    return value100();
                });
                events.side(`A ${context.key} ${i}`);
            };
            for (let i = 0; i < pre; i++)
                await one(i);
            if (sleepMs > 0) {
                events.blocked(context.key);
                await context.sleep(sleepMs);
            }
            for (let i = pre; i < pre + post; i++)
                await one(i);
            return value;
        },
    },
});

// Two ways to wait for the world: an awakeable resolved from outside, a promise resolved by a shared handler.
const awakeable = restate.workflow({
    name: 'Awakeable', options: inactivity,
    handlers: {
        run: async (context) => {
            const { id, promise } = context.awakeable();
            events.ready(context.key, id);
            return await promise;
        },
    },
});
const promise = restate.workflow({
    name: 'Promise', options: inactivity,
    handlers: {
        run: async (context) => {
            events.ready(context.key);
            return await context.promise('signal');
        },
        signal: async (context, value) => { await context.promise('signal').resolve(value); },
    },
});

const endpoint = restate.endpoint();
for (const service of [steps, sleeper, counted, awakeable, promise])
    endpoint.bind(service);
endpoint.setLogger((meta, ...rest) => { if (meta.level === 'error') console.error(...rest); });
await endpoint.listen(+process.env.PORT);

answer({
    ...events.commands,
    ready: () => true,
    signalTarget: ({ key }) => events.untilReady(key),
});
