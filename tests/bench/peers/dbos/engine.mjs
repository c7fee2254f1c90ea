// DBOS: PostgreSQL with its defaults (fsync, synchronous_commit and full_page_writes on) in a directory of its own, on
// a loopback port or a Unix socket, + an application process with the DBOS SDK.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

import pg from 'pg';

import {
    forkServer, freePorts, HERE, onPath, removeDirectory, retry, run, sleep, stop, temporaryDirectory,
} from '../library/processes.mjs';

const SHOWN = ['fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method', 'shared_buffers', 'max_wal_size'];
const ENV = { LC_ALL: 'C', TZ: 'UTC' };

function postgresTool(name) {
    if (process.env.PEER_PG_BIN)
        return path.join(process.env.PEER_PG_BIN, name);
    const file = onPath(name);
    if (!file)
        throw new Error(`${name} not found: put it on PATH or set PEER_PG_BIN`);
    return file;
}

// PostgreSQL refuses to run as root: then it runs as an unprivileged user, whose data directory this becomes.
function owner(directory, data) {
    if (process.getuid() !== 0)
        return {};
    const user = process.env.PEER_PG_USER || 'postgres';
    const [uid, gid] = ['-u', '-g'].map((option) => +execFileSync('id', [option, user]));
    fs.chmodSync(directory, 0o755);
    fs.chownSync(data, uid, gid);
    return { uid, gid };
}

async function startPostgres(directory, data) {
    const ids = owner(directory, data);
    execFileSync(postgresTool('initdb'),
        ['-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--locale=C'],
        { ...ids, env: { ...process.env, ...ENV }, cwd: data, stdio: 'ignore' });
    const [port] = await freePorts(1);
    const settings = [`listen_addresses=127.0.0.1`, `port=${port}`, `unix_socket_directories=${data}`];
    const server = run(postgresTool('postgres'), ['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
        { ...ids, env: ENV, cwd: data, log: path.join(directory, 'postgres.log') });
    return { server, port };
}

function openPool(port, database) {
    const pool = new pg.Pool({ host: '127.0.0.1', port, user: 'bench', database, max: 1 });
    pool.on('error', () => {});
    return pool;
}

async function describe(admin) {
    const settings = {};
    for (const name of SHOWN)
        settings[name] = (await admin.query(`show ${name}`)).rows[0][name];
    const sdk = JSON.parse(fs.readFileSync(path.join(HERE, 'node_modules/@dbos-inc/dbos-sdk/package.json'), 'utf8'));
    const version = (await admin.query('show server_version')).rows[0].server_version;
    return { settings, version: `dbos-sdk ${sdk.version}, PostgreSQL ${version}` };
}

/** Options: counting (write the side file), unixSocket. */
export async function start({ counting, unixSocket } = {}) {
    const directory = temporaryDirectory('dbos');
    const file = (name) => path.join(directory, name);
    const data = file('postgres');
    fs.mkdirSync(data);
    const { server, port } = await startPostgres(directory, data);
    const admin = openPool(port, 'postgres');
    await retry(() => admin.query('select 1'), { everyMs: 50, child: server });
    await admin.query('create database dbos_sys');
    const { settings, version } = await describe(admin);
    const database = openPool(port, 'dbos_sys');
    const host = unixSocket ? encodeURIComponent(data) : '127.0.0.1';
    const startApp = () => forkServer(path.join(HERE, 'dbos/app.mjs'), {
        log: file('app.log'),
        env: {
            DATABASE_URL: `postgresql://bench@${host}:${port}/dbos_sys`,
            ...(counting ? { SIDE_FILE: file('side.txt') } : {}),
        },
    });
    let app = startApp();
    await app.call('ready');

    const forward = (command) => (args) => app.call(command, args);
    return {
        name: 'dbos',
        version,
        config: { postgres: settings, unixSocket: !!unixSocket },
        dataDirectory: data,
        sideFile: file('side.txt'),
        signalTargets: ['recv'],
        groups: () => ({ postgres: { pid: server.pid, isTree: true }, app: { pid: app.pid } }),
        steps: forward('steps'),
        submitSleepers: forward('submitSleepers'),
        submitCounted: forward('submitCounted'),
        // Completion as the database has it: every row of this workload has the status SUCCESS.
        async attachCounted({ n, prefix }) {
            const query = `select count(*)::int as n from dbos.workflow_status
                           where status = 'SUCCESS' and workflow_uuid like $1`;
            while ((await database.query(query, [`${prefix}-%`])).rows[0].n < n)
                await sleep(50);
        },
        app: (command, args) => app.call(command, args),
        async signal({ key, settleMs }) {
            await app.call('signalStart', { key });
            await sleep(settleMs);
            return app.call('signalSend', { key });
        },
        // The engine is in the application; PostgreSQL lives on.
        crash: () => stop(app, 'SIGKILL'),
        async restart() {
            const begun = performance.now();
            app = startApp();
            await app.call('ready');
            return { readyMs: performance.now() - begun };
        },
        async stop() {
            await stop(app);
            await Promise.allSettled([database.end(), admin.end()]);
            await stop(server, 'SIGINT'); // PostgreSQL's fast shutdown
            removeDirectory(directory);
        },
    };
}
