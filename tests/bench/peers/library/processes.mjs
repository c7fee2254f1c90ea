// Child processes and temporary directories. Only processes started here are ever signalled; all of them end and all
// directories go when this process ends in any way, and a kill -9 of it takes the engines with it (setpriv).
import { fork, spawn } from 'node:child_process';
import fs from 'node:fs';
import { createServer } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const HERE = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const started = new Set();
const directories = new Set();

/** A directory of its own, below base or PEER_TMP or the system's. */
export function temporaryDirectory(tag, base = process.env.PEER_TMP || os.tmpdir()) {
    const directory = fs.mkdtempSync(path.join(base, `pawl-peers-${tag}-`));
    directories.add(directory);
    return directory;
}

export function removeDirectory(directory) {
    if (!process.env.PEER_KEEP)
        fs.rmSync(directory, { recursive: true, force: true });
}

process.on('exit', () => {
    for (const child of started)
        child.kill('SIGKILL');
    for (const directory of directories)
        try { removeDirectory(directory); } catch { /* a child may still be writing; run.sh removes the rest */ }
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
    process.on(signal, () => process.exit(130));

/** The program's file, on PATH. */
export const onPath = (name) => (process.env.PATH || '').split(path.delimiter)
    .map((directory) => path.join(directory, name)).find((file) => fs.existsSync(file));

function track(child) {
    started.add(child);
    child.on('exit', () => started.delete(child));
    return child;
}

/** Starts a program that dies with this process; output goes to the file log. uid and gid: run it as somebody else. */
export function run(program, args, { cwd, env, log, uid, gid } = {}) {
    const fd = log ? fs.openSync(log, 'a') : 'ignore';
    const options = { cwd, env: { ...process.env, ...env }, stdio: ['ignore', fd, fd] };
    const setpriv = onPath('setpriv');
    const child = setpriv
        ? spawn(setpriv, [
            '--pdeathsig', 'KILL', ...(uid === undefined ? [] : ['--reuid', uid, '--regid', gid, '--clear-groups']),
            program, ...args,
        ].map(String), options)
        : spawn(program, args, { ...options, uid, gid });
    if (log)
        fs.closeSync(fd);
    return track(child);
}

/** A Node child that answers requests over its channel: child.call(command, args) -> result. */
export function forkServer(file, { env, log } = {}) {
    const fd = log ? fs.openSync(log, 'a') : 'ignore';
    const child = track(fork(file, [], {
        env: { ...process.env, NODE_ENV: 'production', ...env }, stdio: ['ignore', fd, fd, 'ipc'], execArgv: [],
    }));
    if (log)
        fs.closeSync(fd);
    let last = 0;
    const pending = new Map();
    child.on('message', ({ id, result, error }) => {
        const call = pending.get(id);
        pending.delete(id);
        error ? call?.reject(new Error(error)) : call?.resolve(result);
    });
    child.on('exit', (code, signal) => {
        for (const call of pending.values())
            call.reject(new Error(`${path.basename(file)} ended (${code ?? signal})`));
        pending.clear();
    });
    child.call = (command, args = {}) => new Promise((resolve, reject) => {
        const id = ++last;
        pending.set(id, { resolve, reject });
        child.send({ id, command, args }, (error) => { if (error && pending.delete(id)) reject(error); });
    });
    return child;
}

/** The child's side of forkServer. */
export function answer(commands) {
    process.on('message', async ({ id, command, args }) => {
        try {
            process.send({ id, result: (await commands[command](args)) ?? null });
        } catch (error) {
            process.send({ id, error: String(error?.stack || error) });
        }
    });
    process.on('disconnect', () => process.exit(0));
}

/** Signals a child and waits for its end; after graceMs it is killed. */
export function stop(child, signal = 'SIGTERM', graceMs = 8000) {
    return new Promise((resolve) => {
        if (!child || child.exitCode !== null || child.signalCode !== null)
            return resolve();
        const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
        child.on('exit', () => { clearTimeout(timer); resolve(); });
        child.kill(signal);
    });
}

/** Tries until it goes well, or the time is over, or the child that it depends on has ended. */
export async function retry(attempt, { timeoutMs = 60000, everyMs = 20, child } = {}) {
    const end = performance.now() + timeoutMs;
    for (;;) {
        try {
            return await attempt();
        } catch (error) {
            if (performance.now() > end || (child && (child.exitCode !== null || child.signalCode !== null)))
                throw error;
        }
        await sleep(everyMs);
    }
}

function freePort() {
    return new Promise((resolve, reject) => {
        const server = createServer();
        server.on('error', reject);
        server.listen(0, '127.0.0.1', () => {
            const { port } = server.address();
            server.close(() => resolve(port));
        });
    });
}

/** n ports of the loopback interface that nobody uses now. */
export async function freePorts(n) {
    const ports = new Set();
    while (ports.size < n)
        ports.add(await freePort());
    return [...ports];
}
