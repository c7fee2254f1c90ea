// The five workloads, the same for every engine: each starts an instance, drives it and emits one measurement per case.
// README.md says what each one is. No engine is known here, only the interface that README.md describes.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';

import { sleep } from './library/processes.mjs';
import { directoryBytes, residentBytes, sampler } from './library/sampling.mjs';
import { latencySummary, megabytes, round1, round2, round3 } from './library/statistics.mjs';

const WARM_CONCURRENCY = 64;
const INFLIGHT_STEPS = 10;

const loadAverage = () => +fs.readFileSync('/proc/loadavg', 'utf8').split(' ')[0];

/** The workloads over settings (see driver.mjs) and emit(measurement). */
export function makeWorkloads(settings, emit) {
    let sequence = 0;
    const prefix = (tag) => `${tag}${process.pid}x${sequence++}`;
    const scaled = (n) => Math.max(20, Math.round(n * settings.scale));
    const sync = () => settings.sync && execFileSync('sync');
    const settle = (ms) => sleep(ms * settings.settle);

    // What is measured lies between two syncs, so that the device's counters hold all of it and nothing else.
    async function measured(engine, task) {
        sync();
        const sampling = sampler(engine.groups());
        const result = await task();
        sync();
        return { result, usage: sampling.stop() };
    }

    async function withEngine(start, options, task) {
        const engine = await start(options);
        try {
            await task(engine);
        } finally {
            await engine.stop();
        }
    }

    async function warm(engine, k) {
        await engine.steps({ n: scaled(300), c: 1, k, prefix: prefix('w') });
        await engine.steps({ n: scaled(2000), c: WARM_CONCURRENCY, k, prefix: prefix('w') });
    }

    async function stepsCase(engine, bench, about, { n, c, k }) {
        const { result: { elapsedMs, latency }, usage } =
            await measured(engine, () => engine.steps({ n, c, k, prefix: prefix('s') }));
        const seconds = elapsedMs / 1e3;
        const engineCpu = usage.cpu_s - (usage.procs.load?.cpu_s ?? 0);
        emit({
            ...about, bench, c, k, n,
            processes_per_s: round1(n / seconds), steps_per_s: round1(n * k / seconds),
            p50_ms: latency.p50, p90_ms: latency.p90, p99_ms: latency.p99, max_ms: latency.max,
            cpu_us_per_step: round1(usage.cpu_s / n / k * 1e6), engine_cpu_us_per_step: round1(engineCpu / n / k * 1e6),
            disk_kb_per_process: round2(usage.disk_write_bytes / n / 1e3),
            flushes_per_process: round2(usage.disk_flushes / n),
            usage, load_average: loadAverage(),
        });
    }

    const manySteps = (start, about) => withEngine(start, {}, async (engine) => {
        await warm(engine, 10);
        emit({ ...about, bench: 'config', version: engine.version, config: engine.config });
        for (const c of settings.concurrency)
            await stepsCase(engine, 'W1', about, { n: scaled(c === 1 ? 600 : c <= 16 ? 3000 : 5000), c, k: 10 });
    });

    const oneStep = (start, about) => withEngine(start, {}, async (engine) => {
        await warm(engine, 1);
        await stepsCase(engine, 'W2', about, { n: scaled(1500), c: 1, k: 1 });
    });

    // Resident size is sampled while all of them sleep, before the first one wakes.
    const sleepers = (start, about) => withEngine(start, {}, async (engine) => {
        const { sleepers: n, sleepMs } = settings;
        await engine.submitSleepers({ n: scaled(1000), c: WARM_CONCURRENCY, prefix: prefix('w'), sleepMs: 50 });
        await engine.app('waitWoken', { n: scaled(1000) });
        await engine.app('reset');
        await settle(3000);
        const groups = Object.entries(engine.groups());
        const resident = () => Object.fromEntries(groups.map(([name, group]) => [name, residentBytes(group)]));
        const before = resident();
        sync();
        const sampling = sampler(engine.groups(), 500);
        const begun = performance.now();
        const submitted = await engine.submitSleepers({ n, c: WARM_CONCURRENCY, prefix: prefix('f'), sleepMs });
        const blockedMs = await Promise.race([
            engine.app('waitBlocked', { n }).then(() => performance.now() - begun), sleep(sleepMs * 0.95),
        ]);
        const { blocked } = await engine.app('stats');
        const roomMs = (await engine.app('dueRange', { sleepMs })).first - Date.now() - 1500 * settings.settle;
        if (blockedMs !== undefined && roomMs > 0)
            await sleep(Math.min(roomMs, 8000));
        const after = resident();
        const { woken } = await engine.app('stats');
        await Promise.race([
            engine.app('waitWoken', { n }),
            sleep(sleepMs * 20).then(() => { throw new Error('not all of them woke'); }),
        ]);
        const wallMs = performance.now() - begun;
        const late = latencySummary(await engine.app('late', { sleepMs }));
        const { replays } = await engine.app('stats');
        sync();
        const usage = sampling.stop();
        const grown = Object.fromEntries(groups.map(([name]) => [name, round1((after[name] - before[name]) / n)]));
        emit({
            ...about, bench: 'W3', n, sleep_ms: sleepMs, starts_per_s: round1(n / submitted.elapsedMs * 1e3),
            all_blocked_ms: blockedMs === undefined ? null : round1(blockedMs), blocked_before_first_wake: blocked,
            woken_at_rss_sample: woken, replays, rss_bytes_by_process: grown,
            rss_bytes_per_sleeper: round1(Object.values(grown).reduce((a, b) => a + b, 0)),
            late_p50_ms: late.p50, late_p99_ms: late.p99, late_max_ms: late.max, late_min_ms: late.min,
            wall_ms: round1(wallMs), data_directory_mb: megabytes(directoryBytes(engine.dataDirectory)),
            usage, load_average: loadAverage(),
        });
    });

    // E: the body of a step ran; A: its result reached the process. E after A of one step breaks the promise.
    function countSteps(sideFile, wanted) {
        const runs = new Map(), acknowledged = new Set();
        let executed = 0, repeatedAfterResult = 0;
        for (const line of fs.readFileSync(sideFile, 'utf8').split('\n')) {
            const [kind, id, index] = line.split(' ');
            if (!id?.startsWith(`${wanted}-`))
                continue;
            const step = `${id} ${index}`;
            if (kind === 'A') {
                acknowledged.add(step);
                continue;
            }
            executed++;
            runs.set(step, (runs.get(step) ?? 0) + 1);
            if (acknowledged.has(step))
                repeatedAfterResult++;
        }
        return { executed, distinct: runs.size, repeatedAfterResult };
    }

    // Either all are asleep at the kill and overdue at the restart, or half of all steps have run at the kill.
    async function untilTheKill(engine, mode, n, shape) {
        if (mode === 'inflight') {
            while ((await engine.app('stats')).steps < n * INFLIGHT_STEPS / 2)
                await sleep(2);
            return 1000;
        }
        await engine.app('waitBlocked', { n });
        const due = await engine.app('dueRange', { sleepMs: shape.sleepMs });
        await settle(1000);
        if (Date.now() > due.first)
            throw new Error('some woke before the kill: raise --recovery-sleep-ms');
        return due.last + 500 - Date.now();
    }

    const recovery = (mode) => (start, about) => withEngine(start, { counting: true }, async (engine) => {
        const { recovery: n } = settings, id = prefix('r');
        const shape = mode === 'asleep'
            ? { pre: 3, post: 2, sleepMs: settings.recoverySleepMs } : { pre: INFLIGHT_STEPS, post: 0, sleepMs: 0 };
        await engine.submitCounted({
            n: scaled(500), c: WARM_CONCURRENCY, prefix: prefix('w'), pre: 2, post: 1, sleepMs: 10,
        });
        await engine.app('waitBlocked', { n: scaled(500) });
        await settle(1500);
        await engine.app('reset');
        await engine.submitCounted({ n, c: WARM_CONCURRENCY, prefix: id, ...shape });
        const pauseMs = await untilTheKill(engine, mode, n, shape);
        const stepsAtKill = (await engine.app('stats')).steps;
        await engine.crash();
        const sideBytes = fs.statSync(engine.sideFile).size;
        await sleep(Math.max(0, pauseMs));
        const begun = performance.now();
        const { readyMs } = await engine.restart();
        const sampling = sampler(engine.groups());
        let completeMs = null;
        const firstStep = (async () => {
            while (fs.statSync(engine.sideFile).size <= sideBytes) {
                if (completeMs !== null)
                    throw new Error('all steps had run before the kill: raise --recovery');
                await sleep(2);
            }
            return performance.now() - begun;
        })();
        firstStep.catch(() => {}); // looked at below
        await engine.attachCounted({ n, c: WARM_CONCURRENCY, prefix: id });
        completeMs = performance.now() - begun;
        const usage = sampling.stop();
        await settle(500);
        const expected = n * (shape.pre + shape.post);
        const counted = countSteps(engine.sideFile, id);
        emit({
            ...about, bench: 'W4', mode, n, steps_at_kill: stepsAtKill, ready_ms: round1(readyMs),
            first_step_ms: round1(await firstStep), all_complete_ms: round1(completeMs), steps_expected: expected,
            steps_executed: counted.executed, steps_repeated: counted.executed - counted.distinct,
            steps_repeated_after_result: counted.repeatedAfterResult,
            ok: counted.distinct === expected && counted.repeatedAfterResult === 0,
            usage, load_average: loadAverage(),
        });
    });

    const signals = (start, about) => withEngine(start, {}, async (engine) => {
        for (const target of engine.signalTargets) {
            const many = async (n) => {
                const all = [];
                for (let i = 0; i < n; i++)
                    all.push(await engine.signal({ key: prefix('g'), target, settleMs: settings.signalSettleMs }));
                return all;
            };
            await many(scaled(150));
            const { result, usage } = await measured(engine, () => many(scaled(400)));
            const done = latencySummary(result.map(({ doneMs }) => doneMs));
            const acknowledged = latencySummary(result.map(({ ackMs }) => ackMs));
            emit({
                ...about, bench: 'W5', target, n: result.length, p50_ms: done.p50, p90_ms: done.p90, p99_ms: done.p99,
                max_ms: done.max, ack_p50_ms: acknowledged.p50, ack_p99_ms: acknowledged.p99,
                usage, load_average: loadAverage(),
            });
        }
    });

    return {
        W1: [manySteps], W2: [oneStep], W3: [sleepers], W4: [recovery('asleep'), recovery('inflight')], W5: [signals],
    };
}
