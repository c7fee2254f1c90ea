# growth.awk: the lines of growth.sh, "PROCESSES<tab>JSON", as one row of a table for each size: medians over the rounds.
# Stands on numbers.awk. What was not measured is "nan", which gnuplot leaves out.
BEGIN { FS = "\t" }

function shown(size, name, key, factor,    value) {
    value = median(size " " name, key)
    return value == "" ? "nan" : sprintf("%.6g", value * factor)
}

{
    if (!($1 in known)) {
        known[$1] = 1
        sizes[++size_count] = $1
    }
    match($2, /"bench":"[^"]*"/)
    label = $1 " " substr($2, RSTART + 9, RLENGTH - 10)
    key_count = split("steps_per_s starts_per_s p50_ms p99_ms rss_bytes cpu_us_per_step bytes_written_per_process open_ms" \
        " bytes_per_sleeper store_bytes fdatasync_per_s", keys, " ")
    for (k = 1; k <= key_count; k++)
        note(label, $2, keys[k])
}

END {
    print "processes\tsteps_per_s\tp50_ms\tp99_ms\trss_mb\tbytes_per_step\topen_ms\tcpu_us_per_step\tstarts_per_s" \
        "\tbytes_per_sleeper\tstore_mb\tdevice_flushes_per_s"
    for (i = 1; i <= size_count; i++) {
        n = sizes[i]
        printf "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", n, shown(n, "bench.steps", "steps_per_s", 1),
            shown(n, "bench.steps", "p50_ms", 1), shown(n, "bench.steps", "p99_ms", 1),
            shown(n, "bench.steps", "rss_bytes", 1e-6), shown(n, "bench.steps", "bytes_written_per_process", 0.1),
            shown(n, "bench.steps", "open_ms", 1), shown(n, "bench.steps", "cpu_us_per_step", 1),
            shown(n, "bench.start", "starts_per_s", 1), shown(n, "bench.start", "bytes_per_sleeper", 1),
            shown(n, "store", "store_bytes", 1e-6), shown(n, "disk", "fdatasync_per_s", 1)
    }
}
