// Restate: the server (prebuilt binary, default configuration but for loopback ports, a directory of its own and
// telemetry off) + an endpoint with the TypeScript SDK + a load generator.
import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import path from 'node:path';

import {
    forkServer, freePorts, HERE, removeDirectory, retry, run, sleep, stop, temporaryDirectory,
} from '../library/processes.mjs';

const require = createRequire(import.meta.url);
const SERVICE = { awakeable: 'Awakeable', promise: 'Promise' };

function serverBinary() {
    const name = `@restatedev/restate-server-linux-${process.arch}/package.json`;
    const server = createRequire(require.resolve('@restatedev/restate-server/package.json'));
    return path.join(path.dirname(server.resolve(name)), 'bin', 'restate-server');
}

function serverEnvironment(ingress, admin, node) {
    return {
        RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
        RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
        RESTATE_BIND_ADDRESS: `127.0.0.1:${node}`,
        RESTATE_ADVERTISED_ADDRESS: `http://127.0.0.1:${node}/`,
        RESTATE_LISTEN_MODE: 'tcp',
        RESTATE_NODE_NAME: 'peers-bench',
        RESTATE_DISABLE_TELEMETRY: 'true',
        DO_NOT_TRACK: '1',
    };
}

async function get(url, init) {
    const response = await fetch(url, init);
    if (!response.ok)
        throw new Error(`${url}: ${response.status} ${await response.text()}`);
    return response;
}

/** Options: counting (write the side file), serverEnv, inactivityMs. */
export async function start({ counting, serverEnv, inactivityMs } = {}) {
    const directory = temporaryDirectory('restate');
    const file = (name) => path.join(directory, name);
    const binary = serverBinary();
    const [ingress, admin, node, appPort] = await freePorts(4);
    const env = { ...serverEnvironment(ingress, admin, node), ...serverEnv };
    const launch = () => run(binary, ['--no-logo', '--base-dir', file('data')],
        { cwd: directory, env, log: file('server.log') });
    const healthy = () => retry(async () => {
        await get(`http://127.0.0.1:${admin}/health`);
        await get(`http://127.0.0.1:${ingress}/restate/health`);
    }, { child: server });

    let server = launch();
    const app = forkServer(path.join(HERE, 'restate/app.mjs'), {
        log: file('app.log'),
        env: {
            PORT: String(appPort), ...(counting ? { SIDE_FILE: file('side.txt') } : {}),
            ...(inactivityMs === undefined ? {} : { INACTIVITY_MS: String(inactivityMs) }),
        },
    });
    await app.call('ready');
    await healthy();
    await retry(() => get(`http://127.0.0.1:${admin}/deployments`, {
        method: 'POST', headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ uri: `http://127.0.0.1:${appPort}/` }),
    }), { timeoutMs: 10000, everyMs: 50 });
    const load = forkServer(path.join(HERE, 'restate/load.mjs'),
        { env: { INGRESS_PORT: String(ingress) }, log: file('load.log') });
    await load.call('ready');

    const submit = (service, body) => (a) => load.call('submit', { ...a, service, body: body(a) });
    return {
        name: 'restate',
        version: execFileSync(binary, ['--version']).toString().trim(),
        config: {
            server: 'defaults (replicated loglet, one node, flushed)', ...serverEnv,
            ...(inactivityMs === undefined ? {} : { inactivityMs }),
        },
        dataDirectory: file('data'),
        sideFile: file('side.txt'),
        signalTargets: ['awakeable', 'promise'],
        groups: () => ({ server: { pid: server.pid }, app: { pid: app.pid }, load: { pid: load.pid } }),
        steps: (a) => load.call('steps', a),
        submitSleepers: submit('Sleeper', ({ sleepMs }) => ({ sleepMs })),
        submitCounted: submit('Counted', ({ pre, post, sleepMs }) => ({ pre, post, sleepMs })),
        attachCounted: (a) => load.call('attachAll', { ...a, service: 'Counted' }),
        app: (command, args) => app.call(command, args),
        async signal({ key, target, settleMs }) {
            const service = SERVICE[target];
            await load.call('signalStart', { key, service });
            const id = await app.call('signalTarget', { key });
            await sleep(settleMs);
            return load.call('signalSend', { key, service, id });
        },
        // The engine is the server; the application lives on.
        crash: () => stop(server, 'SIGKILL'),
        async restart() {
            const begun = performance.now();
            server = launch();
            await healthy();
            return { readyMs: performance.now() - begun };
        },
        async stop() {
            await Promise.all([stop(load), stop(app)]);
            await stop(server, 'SIGTERM', 4000);
            removeDirectory(directory);
        },
    };
}
