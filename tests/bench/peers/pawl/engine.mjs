// Pawl: `pawl serve` with a plugin of its own (peer_plugin.c), a durable store and the defaults of a profile, + a load
// generator that talks to its socket. PAWL_BUILD is the build directory that both come from.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import {
    forkServer, HERE, removeDirectory, retry, run, sleep, stop, temporaryDirectory,
} from '../library/processes.mjs';
import { openBoard } from './board.mjs';
import { PawlClient } from './client.mjs';

function profileText(directory, plugin) {
    return JSON.stringify({ // JSON is YAML
        profile: 'peers', tier: 'durable', data: path.join(directory, 'data'), log: { level: 'warn' },
        stores: { main: { provider: 'rocksdb' } }, plugins: [{ path: plugin, dev: true }],
    });
}

/** Options: counting (write the side file). */
export async function start({ counting } = {}) {
    const build = path.resolve(process.env.PAWL_BUILD ?? path.join(HERE, '../../../build/release'));
    const program = path.join(build, 'host/cli/pawl');
    const directory = temporaryDirectory('pawl');
    const file = (name) => path.join(directory, name);
    const socket = file('data/pawl.sock');
    const board = openBoard();
    const env = { PAWL_PEERS_BOARD: board.file, ...(counting ? { PAWL_PEERS_SIDE: file('side.txt') } : {}) };
    fs.writeFileSync(file('profile.yaml'), profileText(directory, path.join(build, 'plugins/peers_plugin.so')));
    const launch = () => run(program, ['serve', '--profile', file('profile.yaml')],
        { cwd: directory, env, log: file('serve.log') });
    const healthy = () => retry(() => {
        const client = new PawlClient(socket);
        return client.request('GET', '/v1/health').finally(() => client.close());
    }, { everyMs: 2, child: server });

    let server = launch();
    await healthy().catch((error) => {
        throw new Error(`pawl serve did not start: ${error.message}\n${fs.readFileSync(file('serve.log'), 'utf8')}`);
    });
    const load = forkServer(path.join(HERE, 'pawl/load.mjs'), { env: { PAWL_SOCKET: socket }, log: file('load.log') });
    await load.call('ready');

    const marking = (command) => (args) => {
        board.expect(args.n);
        return load.call(command, args);
    };
    return {
        name: 'pawl',
        version: execFileSync(program, ['--version']).toString().trim(),
        config: { profile: 'defaults, tier durable, one rocksdb store' },
        dataDirectory: file('data'),
        sideFile: file('side.txt'),
        signalTargets: ['signal'],
        groups: () => ({ server: { pid: server.pid }, load: { pid: load.pid } }),
        steps: (a) => load.call('steps', a),
        submitSleepers: marking('submitSleepers'),
        submitCounted: marking('submitCounted'),
        attachCounted: (a) => load.call('attachCounted', a),
        app: async (command, args) => board.commands[command](args),
        async signal({ key, settleMs }) {
            await load.call('signalStart', { key });
            await sleep(settleMs);
            return load.call('signalSend', { key });
        },
        crash: () => stop(server, 'SIGKILL'),
        async restart() {
            const begun = performance.now();
            server = launch();
            await healthy();
            await load.call('reconnect');
            return { readyMs: performance.now() - begun };
        },
        async stop() {
            await stop(load);
            await stop(server, 'SIGTERM', 30000);
            const ending = server.exitCode === 0 ? null : `pawl serve ended with ${server.exitCode ?? server.signalCode}`;
            const log = fs.readFileSync(file('serve.log'), 'utf8');
            board.close();
            removeDirectory(directory);
            removeDirectory(board.directory);
            if (ending)
                throw new Error(`${ending}: ${log.slice(-2000)}`);
        },
    };
}
