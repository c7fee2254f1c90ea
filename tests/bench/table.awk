# table.awk: the lines of run.sh, "LABEL<tab>JSON", as one table in Markdown: what was measured, what is wanted, and how it
# compares with the device and the bare group commit of the same run. With several rounds, the medians. Never guesses:
# what was not measured has a dash. Stands on numbers.awk.
BEGIN { FS = "\t" }

# Three figures that matter, thousands apart.
function figure(value,    text, cut) {
    if (value == "")
        return "-"
    if (value < 1000 && value != int(value))
        return value < 0.01 ? sprintf("%.4f", value) : value < 10 ? sprintf("%.2f", value) : sprintf("%.1f", value)
    text = sprintf("%.0f", value)
    for (cut = length(text) - 3; cut > 0; cut -= 3)
        text = substr(text, 1, cut) "," substr(text, cut + 1)
    return text
}

function over(value, base, after) {
    return value == "" || base == "" || base == 0 ? "-" : figure(value / base) after
}

# sense: "<" at most, ">" at least, "" nothing wanted
function row(work, value, unit, sense, wanted, device, group,    verdict) {
    verdict = value == "" || sense == "" ? "-" : sense == "<" ? (value <= wanted ? "yes" : "NO") : (value >= wanted ? "yes" : "NO")
    printf "| %-54s | %12s | %12s | %-5s | %11s | %12s |\n", work, figure(value) (value == "" ? "" : unit),
        sense == "" ? "-" : (sense == "<" ? "<= " : ">= ") figure(wanted) unit, verdict, device, group
}

function scaled(value, factor) { return value == "" ? "" : value * factor }

# Of what must never happen a median would hide something.
function total(key,    sum, place, part) {
    for (place in seen) {
        split(place, part, SUBSEP)
        if (part[2] == key)
            sum = (sum == "" ? 0 : sum) + seen[place]
    }
    return sum
}

# Time for one process against the time of one raw flush (medians both), and of one group commit of a single waiter.
function latency(work, label, wanted,    p50) {
    p50 = median(label, "p50_ms")
    row(work, p50, " ms", wanted == "" ? "" : "<", wanted, over(scaled(p50, 1000), flush_us, "x"), over(scaled(p50, 1000), commit_us, "x"))
}

# Work per second against raw flushes per second, and against a bare group commit of as many waiters.
function rate(work, label, key, wanted, waiters,    value) {
    value = median(label, key)
    row(work, value, "", wanted == "" ? "" : ">", wanted, over(value, flushes, "x"),
        over(value, median("registry.append." waiters, "records_per_second"), "x"))
}

function plain(work, label, key, factor, unit, sense, wanted) {
    row(work, scaled(median(label, key), factor), unit, sense, wanted, "-", "-")
}

{
    label = $1
    if (label == "registry" && match($2, /"bench":"[^"]*"/))
        label = substr($2, RSTART + 9, RLENGTH - 10) "." field($2, "waiters")
    if (label == "isolated" && match($2, /"effect":"[^"]*"/))
        label = substr($2, RSTART + 10, RLENGTH - 11)
    if (label ~ /^device\./ || label ~ /^fdatasync/) {
        value = label ~ /^device/ ? field($2, "fdatasync_per_s") : field($2, "per_second")
        slowest = slowest == "" || value + 0 < slowest ? value + 0 : slowest
        fastest = fastest == "" || value + 0 > fastest ? value + 0 : fastest
        label = "device"
    }
    keys = "fdatasync_per_s records_per_second p50_ms p99_ms steps_per_s starts_per_s rss_bytes rss_peak_bytes" \
        " cpu_us_per_step bytes_written bytes_written_per_process bytes_per_sleeper open_ms late_p50_ms late_p99_ms" \
        " added_us isolated_calls_per_s first_ms all_ms repeated wakeups_per_s first_us_per_step last_us_per_step"
    key_count = split(keys, key_list, " ")
    for (k = 1; k <= key_count; k++)
        note(label, $2, key_list[k])
}

END {
    flushes = median("device", "fdatasync_per_s")
    flush_us = scaled(median("device", "p50_ms"), 1000)
    one_waiter = median("registry.append.1", "records_per_second")
    commit_us = one_waiter == "" ? "" : 1e6 / one_waiter
    split("1 16 64 256", waiters_list, " ")
    printf "Raw device: %s flushes of 100 bytes a second (median %s us)", figure(flushes), figure(flush_us)
    if (slowest != "")
        printf "; %s to %s over the run", figure(slowest), figure(fastest)
    printf ".\nBare group commit, records a second:"
    for (w = 1; w <= 4; w++)
        printf "%s %s with %s at once", w == 1 ? "" : ";", figure(median("registry.append." waiters_list[w], "records_per_second")), waiters_list[w]
    printf ".\n\n"
    printf "| %-54s | %12s | %12s | %-5s | %11s | %12s |\n", "work", "measured", "wanted", "met", "raw device", "group commit"
    print "|---|--:|--:|---|--:|--:|"
    latency("10 steps, C=1: p50 of a process", "c1", 2)
    latency("1 step, C=1: p50 of a process", "one", 0.5)
    rate("10 steps, C=16: steps/s", "c16", "steps_per_s", 50000, 16)
    rate("10 steps, C=64: steps/s", "c64", "steps_per_s", 98000, 64)
    plain("10 steps, C=64: p99 of a process", "c64", "p99_ms", 1, " ms", "<", 15)
    rate("10 steps, C=256: steps/s", "c256", "steps_per_s", 150000, 256)
    plain("CPU per step, C=64", "c64", "cpu_us_per_step", 1, " us", "<", 15)
    plain("memory under that load", "c64", "rss_peak_bytes", 1e-6, " MB", "<", 100)
    plain("bytes written per process of 10 steps, C=64", "c64", "bytes_written_per_process", 1, " B", "<", 4096)
    latency("through the socket: 10 steps, C=1: p50", "socket1", "")
    rate("through the socket: 10 steps, C=64: steps/s", "socket64", "steps_per_s", "", 64)
    embedded = median("c64", "steps_per_s")
    through = median("socket64", "steps_per_s")
    row("through the socket / embedded, C=64", embedded == "" || through == "" ? "" : through / embedded, "", ">", 0.5, "-", "-")
    latency("signal to completion seen: p50", "signal", 0.6)
    rate("durable starts of sleepers per s", "start", "starts_per_s", 40000, 64)
    plain("memory per sleeping process", "start", "bytes_per_sleeper", 1, " B", "<", 300)
    plain("wake-up lateness, 10,000 due at once: p99", "sleep", "late_p99_ms", 1, " ms", "<", 10)
    plain("kill -9 with 2,000 in flight: restart to all complete", "recover", "all_ms", 1e-3, " s", "<", 0.4)
    plain("the same with 100,000 asleep: to the first activation", "recover.sleeping", "first_ms", 1e-3, " s", "<", 0.5)
    row("recorded steps that ran again, in all rounds", total("repeated"), "", "<", 0, "-", "-")
    first = median("long", "first_us_per_step")
    last = median("long", "last_us_per_step")
    row("10,000 steps in one process: last / first tenth", first == "" || last == "" || first == 0 ? "" : last / first, "", "<", 1.5, "-", "-")
    plain("idle host: bytes written", "idle", "bytes_written", 1, " B", "<", 0)
    plain("idle pawl serve: memory", "idle.serve", "rss_bytes", 1e-6, " MB", "<", 30)
    plain("idle pawl serve: bytes written", "idle.serve", "bytes_written", 1, " B", "<", 0)
    plain("idle pawl serve: wake-ups per s", "idle.serve", "wakeups_per_s", 1, "", "", 0)
    plain("a call in a process of its own: time added, p50", "echo.pool", "added_us", 1, " us", "<", 50)
    plain("such calls per s, 64 at once", "echo.pool", "isolated_calls_per_s", 1, "", ">", 20000)
    print ""
    if (fastest != "" && slowest * 1.5 < fastest)
        print "The device was not the same all the time (above): the machine did something else, too. Run it again."
}
