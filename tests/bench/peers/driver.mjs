// The driver: workloads against engines, round after round; one JSON line per measurement goes to the result file, the
// table of all to the standard output. run.sh prepares what it needs and removes what it leaves.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

import { HERE, removeDirectory, temporaryDirectory } from './library/processes.mjs';
import { readOptions } from './options.mjs';
import { printReport } from './report.mjs';
import { printTable } from './table.mjs';
import { makeWorkloads } from './workloads.mjs';

const ALL = ['W1', 'W2', 'W3', 'W4', 'W5'];
const options = readOptions(process.argv.slice(2), {
    engines: 'list', workloads: 'list', rounds: 'number', quick: 'flag', brief: 'flag', out: 'text', scale: 'number',
    concurrency: 'list', sleepers: 'number', 'sleep-ms': 'number', recovery: 'number', 'recovery-sleep-ms': 'number',
    'engine-module': 'texts', details: 'flag', report: 'texts',
});

// --quick: minutes, to see that everything runs. --brief: seconds, for the test suite. Neither says anything about speed.
const size = (full, quick, brief) => options.brief ? brief : options.quick ? quick : full;
const settings = {
    scale: options.scale ?? size(1, 0.1, 0.02),
    settle: size(1, 1, 0.05), // how long to wait for rest, as a part of what a full run waits
    sync: !options.brief,
    concurrency: (options.concurrency ?? ['1', '16', '64', '256']).map(Number),
    sleepers: options.sleepers ?? size(10000, 1000, 100),
    sleepMs: options['sleep-ms'] ?? size(60000, 10000, 2000),
    recovery: options.recovery ?? size(2000, 200, 50),
    recoverySleepMs: options['recovery-sleep-ms'] ?? size(20000, 20000, 2000),
    signalSettleMs: size(30, 30, 5),
};
const rounds = options.rounds ?? size(3, 1, 1);
const workloads = options.workloads ?? ALL;
const engines = options.engines ?? ['restate', 'restate-1p', 'dbos', 'pawl'];

const modules = {
    restate: path.join(HERE, 'restate/engine.mjs'), dbos: path.join(HERE, 'dbos/engine.mjs'),
    pawl: path.join(HERE, 'pawl/engine.mjs'),
};
for (const given of options['engine-module'] ?? []) {
    const [name, file] = given.split('=');
    modules[name] = path.resolve(file);
}
// Restate's limit of invocations is per partition: 24 times 1000 as shipped, so that one partition gets 24000.
const ONE_PARTITION = {
    RESTATE_DEFAULT_NUM_PARTITIONS: '1', RESTATE_WORKER__INVOKER__CONCURRENT_INVOCATIONS_LIMIT: '24000',
};
// Names of engines with settings of their own: name -> [module, options].
const variants = {
    'restate-1p': ['restate', { serverEnv: ONE_PARTITION }],
    'restate-susp': ['restate', { inactivityMs: 0 }],
    'dbos-uds': ['dbos', { unixSocket: true }],
};

const results = [];
function emit(measurement) {
    results.push(measurement);
    if (options.out)
        fs.appendFileSync(options.out, JSON.stringify(measurement) + '\n');
}

function progress(text) {
    process.stderr.write(`peers: ${text}\n`);
}

function starterOf(engine) {
    const [name, variant] = variants[engine] ?? [engine, {}];
    if (!modules[name]) {
        progress(`unknown engine "${engine}"; known: ${[...Object.keys(modules), ...Object.keys(variants)].join(' ')}`);
        process.exit(2);
    }
    return async (more) => (await import(pathToFileURL(modules[name]).href)).start({ ...variant, ...more });
}

// The device by itself, just before an engine uses it: on a machine that others use, too, it changes by the minute.
function measureDisk(workload, about) {
    const directory = temporaryDirectory('disk');
    for (const mode of ['append', 'prealloc']) {
        const args = [directory, mode, '256', String(size(1, 0.5, 0.05))];
        const line = execFileSync(path.join(process.env.PAWL_BUILD, 'tests/bench/peers/fdatasync_loop'), args);
        emit({ ...JSON.parse(line), ...about, workload });
    }
    removeDirectory(directory);
}

async function runAll() {
    for (const name of workloads)
        if (!ALL.includes(name)) {
            progress(`unknown workload "${name}"; known: ${ALL.join(' ')}`);
            process.exit(2);
        }
    const starters = engines.map((engine) => [engine, starterOf(engine)]);
    const parts = makeWorkloads(settings, emit);
    // Rounds go over all engines, so that a slow drift of the machine hits all of them.
    for (let round = 1; round <= rounds; round++) {
        for (const name of workloads)
            for (const part of parts[name])
                for (const [engine, start] of starters) {
                    progress(`round ${round} of ${rounds}, ${name}, ${engine}`);
                    measureDisk(name, { engine, round });
                    await part(start, { engine, round }).catch((error) => {
                        progress(`${name}, ${engine}: ${error.stack}`);
                        emit({ bench: name, engine, round, error: error.message });
                    });
                }
    }
}

if (options.report) {
    for (const file of options.report)
        results.push(...fs.readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line)));
} else {
    await runAll();
}
printTable(results);
if (options.details || options.report)
    printReport(results);
process.exit(results.some(({ error, ok }) => error || ok === false) ? 1 : 0);
