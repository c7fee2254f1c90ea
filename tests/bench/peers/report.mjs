// Every measurement of a run in tables, one per workload: median (lowest - highest) over the rounds.
import { median } from './library/statistics.mjs';
import { format } from './table.mjs';

const of = (read) => (group) => {
    const values = group.map(read).filter((x) => typeof x === 'number');
    if (values.length === 0)
        return '-';
    const low = Math.min(...values), high = Math.max(...values);
    return low === high ? format(low) : `${format(median(values))} (${format(low)} - ${format(high)})`;
};
const perProcess = (read) => (group) => Object.keys(read(group[0]))
    .map((name) => `${name} ${of((r) => read(r)[name])(group)}`).join('; ');
const peaks = perProcess((r) => Object.fromEntries(
    Object.entries(r.usage.procs).map(([name, used]) => [name, used.rss_peak_mb])));
const rounds = ['rounds', (group) => String(group.length)];
const columns = (...pairs) => [rounds, ...pairs.map(([title, key]) =>
    [title, typeof key === 'function' ? key : of((r) => r[key])])];

const STEPS = columns(['processes/s', 'processes_per_s'], ['steps/s', 'steps_per_s'], ['p50 ms', 'p50_ms'],
    ['p90 ms', 'p90_ms'], ['p99 ms', 'p99_ms'], ['CPU us/step', 'cpu_us_per_step'],
    ['disk KB/process', 'disk_kb_per_process'], ['flushes/process', 'flushes_per_process'], ['peak MB', peaks]);
const TABLES = [
    ['W1', ['c', 'engine', 'n'], STEPS],
    ['W2', ['engine', 'n'], STEPS],
    ['W3', ['n', 'sleep_ms', 'engine'], columns(['starts/s', 'starts_per_s'], ['all asleep ms', 'all_blocked_ms'],
        ['asleep before the first woke', 'blocked_before_first_wake'], ['bytes/sleeper', 'rss_bytes_per_sleeper'],
        ['by process', perProcess((r) => r.rss_bytes_by_process)], ['late p50 ms', 'late_p50_ms'],
        ['late p99 ms', 'late_p99_ms'], ['late max ms', 'late_max_ms'], ['CPU s', of((r) => r.usage.cpu_s)],
        ['data MB', 'data_directory_mb'], ['peak MB', peaks])],
    ['W4', ['mode', 'engine', 'n'], columns(['steps at the kill', 'steps_at_kill'], ['ready ms', 'ready_ms'],
        ['first step ms', 'first_step_ms'], ['all complete ms', 'all_complete_ms'], ['steps run', 'steps_executed'],
        ['expected', 'steps_expected'], ['repeated, were in flight', 'steps_repeated'],
        ['repeated after their result', 'steps_repeated_after_result'])],
    ['W5', ['engine', 'target', 'n'], columns(['p50 ms', 'p50_ms'], ['p99 ms', 'p99_ms'], ['ack p50 ms', 'ack_p50_ms'],
        ['ack p99 ms', 'ack_p99_ms'])],
    ['disk', ['mode', 'bytes', 'workload', 'engine'], columns(['fdatasync/s', 'fdatasync_per_s'], ['p50 ms', 'p50_ms'], ['p99 ms', 'p99_ms'])],
];

export function printReport(results) {
    for (const [bench, keys, cells] of TABLES) {
        const groups = new Map();
        for (const r of results.filter((one) => one.bench === bench && !one.error)) {
            const key = keys.map((name) => r[name]).join(' | ');
            groups.set(key, [...(groups.get(key) ?? []), r]);
        }
        if (groups.size === 0)
            continue;
        console.log(`\n### ${bench}\n\n| ${[...keys, ...cells.map(([title]) => title)].join(' | ')} |`);
        console.log(`|${'---|'.repeat(keys.length + cells.length)}`);
        for (const [key, group] of [...groups].sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true })))
            console.log(`| ${key} | ${cells.map(([, cell]) => cell(group)).join(' | ')} |`);
    }
}
