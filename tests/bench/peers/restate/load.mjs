// The load generator for Restate: node:http with keep-alive against the ingress.
import http from 'node:http';

import { answer, retry } from '../library/processes.mjs';
import { closedLoop, measuredLoop } from '../library/statistics.mjs';

const port = +process.env.INGRESS_PORT;
const agent = new http.Agent({ keepAlive: true, maxSockets: 1024, scheduling: 'lifo' });

function request(method, path, body) {
    return new Promise((resolve, reject) => {
        const data = body === undefined ? undefined : JSON.stringify(body);
        const headers = data === undefined
            ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(data) };
        const call = http.request({ host: '127.0.0.1', port, method, path, agent, headers }, (response) => {
            const chunks = [];
            response.on('data', (chunk) => chunks.push(chunk));
            response.on('end', () => {
                const text = Buffer.concat(chunks).toString();
                if (response.statusCode >= 300)
                    reject(new Error(`${method} ${path}: ${response.statusCode} ${text.slice(0, 200)}`));
                else
                    resolve(text);
            });
        });
        call.on('error', reject);
        call.setNoDelay(true);
        call.end(data);
    });
}

const signals = new Map();

answer({
    ready: () => true,
    // Call and wait for the result: latency is request to response.
    steps: ({ n, c, k, prefix }) => measuredLoop(n, c, async (i) => {
        const text = await request('POST', `/Steps/${prefix}-${i}/run`, { k });
        if (k && text.length !== 102)
            throw new Error(`a wrong result: ${text}`);
    }),
    // One-way starts: acknowledged when the invocation is durable in the log.
    submit: ({ n, c, prefix, service, body }) =>
        measuredLoop(n, c, (i) => request('POST', `/${service}/${prefix}-${i}/run/send`, body)),
    // Attach to every workflow until it has completed; the server may still be starting.
    attachAll: ({ n, c, prefix, service }) => closedLoop(n, c, (i) =>
        retry(() => request('GET', `/restate/workflow/${service}/${prefix}-${i}/attach`), { everyMs: 10 }))
        .then(() => true),
    // In two parts, so that the driver can learn the awakeable's id from the application in between.
    signalStart: ({ key, service }) => {
        const signal = { endedAt: 0 };
        signal.ended = request('POST', `/${service}/${key}/run`).then(() => { signal.endedAt = performance.now(); });
        signals.set(key, signal);
    },
    signalSend: async ({ key, service, id }) => {
        const signal = signals.get(key);
        signals.delete(key);
        const begun = performance.now();
        const path = service === 'Awakeable' ? `/restate/awakeables/${id}/resolve` : `/Promise/${key}/signal`;
        const acknowledged = request('POST', path, 'go').then(() => performance.now() - begun);
        await signal.ended;
        return { doneMs: signal.endedAt - begun, ackMs: await acknowledged };
    },
});
