// The table of a comparison: one row per promise, one column per engine, medians over the rounds. Ratios are what counts:
// the last columns say how many times better Pawl is than the best of the others.
import { median } from './library/statistics.mjs';

const steps = (c, k = 10) => (r) => r.bench === (k === 1 ? 'W2' : 'W1') && r.c === c && r.k === k;
const bench = (name) => (r) => r.bench === name;
const rawDisk = (mode) => (r) => r.bench === 'disk' && r.mode === mode;
const allProcesses = (r) => r.usage.rss_peak_mb;
const engineAlone = (r) => r.usage.rss_peak_mb - (r.usage.procs.load?.rss_peak_mb ?? 0);

// [what, unit, which measurements, value, true when more is better, null when nobody is better]
const ROWS = [
    ['10 steps, C=1: p50 per process', 'ms', steps(1), (r) => r.p50_ms],
    ['10 steps, C=16: steps/s', '', steps(16), (r) => r.steps_per_s, true],
    ['10 steps, C=64: steps/s', '', steps(64), (r) => r.steps_per_s, true],
    ['10 steps, C=64: p99 per process', 'ms', steps(64), (r) => r.p99_ms],
    ['10 steps, C=256: steps/s', '', steps(256), (r) => r.steps_per_s, true],
    ['1 step, C=1: p50', 'ms', steps(1, 1), (r) => r.p50_ms],
    ['CPU per step at C=64', 'us', steps(64), (r) => r.cpu_us_per_step],
    ['  without a load generator of its own', 'us', steps(64), (r) => r.engine_cpu_us_per_step],
    ['memory at C=64, all processes', 'MB', steps(64), allProcesses],
    ['  without a load generator of its own', 'MB', steps(64), engineAlone],
    ['memory per sleeping process', 'B', bench('W3'), (r) => Math.max(1, r.rss_bytes_per_sleeper)],
    ['durable starts of sleepers per s', '', bench('W3'), (r) => r.starts_per_s, true],
    ['wake-up lateness p99', 'ms', bench('W3'), (r) => r.late_p99_ms],
    ['kill -9 in flight, restart to all complete', 's', (r) => r.mode === 'inflight', (r) => r.all_complete_ms / 1e3],
    ['kill -9 asleep, restart to all complete', 's', (r) => r.mode === 'asleep', (r) => r.all_complete_ms / 1e3],
    ['signal to completion seen, p50', 'ms', bench('W5'), (r) => r.p50_ms],
    ['bytes written per 10-step process, C=64', 'KB', steps(64), (r) => r.disk_kb_per_process],
    ['raw fdatasync just before, p50', 'us', rawDisk('append'), (r) => r.p50_ms * 1e3, null],
    ['  in a file written before', 'us', rawDisk('prealloc'), (r) => r.p50_ms * 1e3, null],
];
const TITLES = {
    restate: 'Restate', 'restate-1p': 'Restate, 1 partition', dbos: 'DBOS + PostgreSQL', pawl: 'Pawl',
};

export function format(x) {
    if (x === null || x === undefined || Number.isNaN(x))
        return '-';
    const size = Math.abs(x);
    return size >= 1000 ? Math.round(x).toLocaleString('en') : x.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

// Where an engine has several ways (Restate's signals), its best one counts.
function value(results, engine, [, , which, read, more]) {
    const ways = new Map();
    for (const r of results)
        if (r.engine === engine && !r.error && which(r))
            ways.set(r.target, [...(ways.get(r.target) ?? []), read(r)]);
    const medians = [...ways.values()].map(median);
    return medians.length === 0 ? null : more ? Math.max(...medians) : Math.min(...medians);
}

function ratio(row, pawl, others) {
    const known = others.filter((x) => x !== null);
    if (row[4] === null || pawl === null || known.length === 0)
        return '-';
    return row[4] ? pawl / Math.max(...known) : Math.min(...known) / pawl;
}

function printMarkdown(head, rows) {
    const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i].length)));
    const line = (cells) => `| ${cells.map((cell, i) => i ? cell.padStart(widths[i]) : cell.padEnd(widths[i])).join(' | ')} |`;
    console.log(line(head));
    console.log(`|${widths.map((width, i) => i ? `${'-'.repeat(width + 1)}:` : '-'.repeat(width + 2)).join('|')}|`);
    for (const row of rows)
        console.log(line(row));
}

export function printTable(results) {
    const measured = [...new Set(results.map((r) => r.engine).filter(Boolean))];
    const others = measured.filter((engine) => engine !== 'pawl');
    const engines = [...others, ...measured.filter((engine) => engine === 'pawl')];
    const compared = others.length > 0 && engines.includes('pawl');
    const head = ['work', ...engines.map((engine) => TITLES[engine] ?? engine), ...(compared ? ['Pawl is better by'] : [])];
    const rows = [];
    for (const row of ROWS) {
        const values = engines.map((engine) => value(results, engine, row));
        if (values.every((x) => x === null))
            continue;
        const times = compared ? ratio(row, values.at(-1), values.slice(0, -1)) : '-';
        rows.push([
            row[1] ? `${row[0]} (${row[1]})` : row[0], ...values.map(format),
            ...(compared ? [times === '-' ? '-' : `${format(times)} x`] : []),
        ]);
    }
    printMarkdown(head, rows);
    printFaults(results);
}

function printFaults(results) {
    for (const r of results.filter((one) => one.error))
        console.log(`\nFAILED: ${r.bench}, ${r.engine}, round ${r.round}: ${r.error}`);
    for (const r of results.filter((one) => one.ok === false))
        console.log(`\nWRONG: ${r.bench} ${r.mode}, ${r.engine}, round ${r.round}: ${r.steps_repeated_after_result} steps ` +
            `repeated after their result was known, ${r.steps_executed - r.steps_repeated} of ${r.steps_expected} run`);
}
