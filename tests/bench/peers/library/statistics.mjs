// Numbers: rounding, quantiles, and the closed loop that every load is driven with.

export const round1 = (x) => Math.round(x * 10) / 10;
export const round2 = (x) => Math.round(x * 100) / 100;
export const round3 = (x) => Math.round(x * 1000) / 1000;
export const megabytes = (bytes) => round2(bytes / 1e6);

export function median(values) {
    const sorted = [...values].sort((a, b) => a - b);
    const middle = sorted.length >> 1;
    return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** Of latencies in milliseconds. */
export function latencySummary(values) {
    const sorted = Float64Array.from(values).sort();
    const at = (q) => round3(sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]);
    const sum = sorted.reduce((a, b) => a + b, 0);
    return {
        n: sorted.length, mean: round3(sum / sorted.length), min: at(0), p50: at(0.5), p90: at(0.9), p99: at(0.99),
        max: at(1),
    };
}

/** Runs task(i) for i below n, c at a time, the next one when one is done: {elapsedMs, latencies}. */
export async function closedLoop(n, c, task) {
    const latencies = new Float64Array(n);
    let next = 0;
    const begun = performance.now();
    const lane = async () => {
        while (next < n) {
            const i = next++;
            const from = performance.now();
            await task(i);
            latencies[i] = performance.now() - from;
        }
    };
    await Promise.all(Array.from({ length: Math.min(c, n) }, lane));
    return { elapsedMs: performance.now() - begun, latencies };
}

/** The same, condensed: what a load generator answers. */
export async function measuredLoop(n, c, task) {
    const { elapsedMs, latencies } = await closedLoop(n, c, task);
    return { elapsedMs, latency: latencySummary(latencies) };
}
