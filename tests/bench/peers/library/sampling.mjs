// What a run costs, from /proc: processor time, resident memory, bytes written, for the processes that an engine names;
// flushes and bytes for all block devices of the machine.
import fs from 'node:fs';
import path from 'node:path';

import { megabytes, round3 } from './statistics.mjs';

const TICKS_PER_SECOND = 100; // USER_HZ of Linux
const SECTOR_BYTES = 512;
const VIRTUAL_DEVICE = /^(loop|ram|zram|dm-|sr)/;
const PARTITION = /^(sd[a-z]+|vd[a-z]+)\d+$|^nvme\d+n\d+p\d+$/;

const read = (file) => { try { return fs.readFileSync(file, 'utf8'); } catch { return ''; } };
const field = (text, name) => +(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);

function processStat(pid) {
    const text = read(`/proc/${pid}/stat`);
    if (!text)
        return null;
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ').map(Number);
    return { parent: fields[1], ticks: fields[11] + fields[12], childTicks: fields[13] + fields[14] };
}

/** A process and its descendants. */
function tree(root) {
    const children = new Map();
    for (const name of fs.readdirSync('/proc')) {
        const stat = /^\d+$/.test(name) ? processStat(name) : null;
        if (stat)
            children.set(stat.parent, [...(children.get(stat.parent) ?? []), +name]);
    }
    const found = [root];
    for (let i = 0; i < found.length; i++)
        found.push(...(children.get(found[i]) ?? []));
    return found;
}

/** Processor seconds and written bytes of a process, or of it and its descendants, reaped ones included. */
function usage({ pid, isTree }) {
    let ticks = 0, writtenBytes = 0;
    for (const one of isTree ? tree(pid) : [pid]) {
        const stat = processStat(one);
        if (!stat)
            continue;
        ticks += stat.ticks + (one === pid ? stat.childTicks : 0);
        writtenBytes += field(read(`/proc/${one}/io`), 'write_bytes');
    }
    return { cpuS: ticks / TICKS_PER_SECOND, writtenBytes };
}

/** Resident bytes of a process; for a tree the proportional share, so that shared memory counts once. */
export function residentBytes({ pid, isTree }) {
    const resident = (one) => field(read(`/proc/${one}/status`), 'VmRSS') * 1024;
    if (!isTree)
        return resident(pid);
    return tree(pid).reduce((sum, one) => {
        const rollup = read(`/proc/${one}/smaps_rollup`);
        return sum + (rollup ? field(rollup, 'Pss') * 1024 : resident(one));
    }, 0);
}

/** Of every real block device, since boot. */
function deviceCounters() {
    let bytes = 0, flushes = 0;
    for (const line of read('/proc/diskstats').split('\n')) {
        const fields = line.trim().split(/\s+/);
        if (fields.length < 14 || VIRTUAL_DEVICE.test(fields[2]) || PARTITION.test(fields[2]))
            continue;
        bytes += +fields[9] * SECTOR_BYTES;
        flushes += +(fields[18] ?? 0);
    }
    return { bytes, flushes };
}

function machineBusySeconds() {
    const fields = read('/proc/stat').split('\n')[0].trim().split(/\s+/).slice(1).map(Number);
    return (fields.slice(0, 8).reduce((a, b) => a + b, 0) - fields[3] - fields[4]) / TICKS_PER_SECOND;
}

/** Samples {name: {pid, isTree}} until stop() is called, which gives what was used and the highest resident sizes. */
export function sampler(groups, everyMs = 250) {
    const names = Object.keys(groups);
    const all = (measure) => Object.fromEntries(names.map((name) => [name, measure(groups[name])]));
    const begun = performance.now();
    const usedBefore = all(usage), residentBefore = all(residentBytes);
    const deviceBefore = deviceCounters(), busyBefore = machineBusySeconds();
    const peak = { ...residentBefore };
    const tick = () => { for (const name of names) peak[name] = Math.max(peak[name], residentBytes(groups[name])); };
    const interval = setInterval(tick, everyMs);
    return {
        stop() {
            clearInterval(interval);
            tick();
            const device = deviceCounters(), used = all(usage);
            const procs = Object.fromEntries(names.map((name) => [name, {
                cpu_s: round3(used[name].cpuS - usedBefore[name].cpuS),
                rss_start_mb: megabytes(residentBefore[name]),
                rss_peak_mb: megabytes(peak[name]),
                write_mb: megabytes(used[name].writtenBytes - usedBefore[name].writtenBytes),
            }]));
            const sum = (key) => round3(Object.values(procs).reduce((total, one) => total + one[key], 0));
            return {
                wall_s: round3((performance.now() - begun) / 1e3), procs, cpu_s: sum('cpu_s'),
                rss_peak_mb: sum('rss_peak_mb'), write_mb: sum('write_mb'),
                disk_write_bytes: device.bytes - deviceBefore.bytes,
                disk_flushes: device.flushes - deviceBefore.flushes,
                system_cpu_busy_s: round3(machineBusySeconds() - busyBefore),
            };
        },
    };
}

/** Bytes that the files below a directory take on the device. */
export function directoryBytes(directory) {
    let bytes = 0;
    try {
        for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
            const file = path.join(directory, entry.name);
            if (entry.isDirectory())
                bytes += directoryBytes(file);
            else if (entry.isFile())
                bytes += fs.statSync(file).blocks * SECTOR_BYTES;
        }
    } catch { /* files come and go under a running engine */ }
    return bytes;
}
