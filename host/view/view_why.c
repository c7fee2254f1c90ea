/* view_why.c: the one line that answers "why is it not running?", for every status that is not the last one: what it
 * waits for and until when, which limit it stands behind, who runs it, or why it is stuck and what to do about it. */
#include "host/view/view.h"

#include "worker/base/sink.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

typedef struct line {
    char *text;
    size_t room;
    size_t used;
} line;

static void add(line *to, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(line *to, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int written = vsnprintf(to->text + to->used, to->room - to->used, format, args);
    va_end(args);
    if (written > 0)
        to->used += (size_t)written;
    if (to->used >= to->room)
        to->used = to->room - 1;
}

/* Text of a process or plugin: cut, and kept on one line. */
static void add_text(line *to, pawl_bytes text, size_t max)
{
    size_t from = to->used;
    bool cut = text.size > max;
    add(to, "%.*s%s", (int)(cut ? max : text.size), text.size == 0 ? "" : (const char *)text.data, cut ? "..." : "");
    for (size_t i = from; i < to->used; i++)
        if ((unsigned char)to->text[i] < 0x20)
            to->text[i] = ' ';
}

static void add_span(line *to, uint64_t span_ns)
{
    uint64_t seconds = span_ns / PAWL_NS_PER_SECOND;
    if (seconds < 1)
        add(to, "%" PRIu64 " ms", span_ns / PAWL_NS_PER_MS);
    else if (seconds < 120)
        add(to, "%" PRIu64 " s", seconds);
    else if (seconds < 2 * 3600)
        add(to, "%" PRIu64 " min", seconds / 60);
    else if (seconds < 2 * 86400)
        add(to, "%" PRIu64 " h", seconds / 3600);
    else
        add(to, "%" PRIu64 " days", seconds / 86400);
}

/* "2026-11-21T08:00:00Z" */
static void add_time(line *to, uint64_t unix_ns)
{
    time_t seconds = (time_t)(unix_ns / PAWL_NS_PER_SECOND);
    struct tm parts;
    char text[32];
    gmtime_r(&seconds, &parts);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    add(to, "%s", text);
}

static void add_until(line *to, const pawl_host *host, uint64_t wake_unix_ns)
{
    uint64_t now = host->clock->unix_ns(host->clock);
    add(to, " until ");
    add_time(to, wake_unix_ns);
    add(to, " (");
    if (wake_unix_ns > now) {
        add(to, "in ");
        add_span(to, wake_unix_ns - now);
    } else {
        add(to, "due");
    }
    add(to, ")");
}

static void add_pause(line *to, uint64_t since_unix_ns, pawl_bytes reason)
{
    add(to, "paused by an operator since ");
    add_time(to, since_unix_ns);
    if (reason.size > 0) {
        add(to, ": ");
        add_text(to, reason, 200);
    }
}

/* It, or all of its type, is to keep still. False: nobody says so. */
static bool why_paused(line *to, pawl_host *host, const pawl_process_row *row)
{
    uint64_t since;
    char reason[256];
    if (row->paused_unix_ns != 0) {
        add_pause(to, row->paused_unix_ns, pawl_view_pause_reason(row));
        return true;
    }
    if (row->external != 0 ||
        !pawl_pauses_look(&host->pauses, PAWL_PAUSE_TYPE, row->type.data, row->type.size, &since, reason))
        return false;
    add(to, "its type is ");
    add_pause(to, since, pawl_bytes_text(reason));
    return true;
}

static bool offered(const pawl_host *host, const pawl_process_row *row)
{
    return pawl_catalog_type(host->assembly.catalog, row->type) != NULL;
}

static void add_not_offered(line *to, const pawl_process_row *row)
{
    add(to, "no plugin of this host offers its type ");
    add_text(to, row->type, 100);
}

/* What keeps this host's worker from taking what is ready. False: nothing. */
static bool add_worker_limit(line *to, const pawl_host *host)
{
    if (host->worker == NULL) {
        add(to, "%s", host->no_worker_because);
        return true;
    }
    pawl_worker_stats stats;
    pawl_worker_get_stats(host->worker, &stats);
    if (stats.stop_mode != 0)
        add(to, "this host's worker is stopping");
    else if (stats.resident >= host->profile->limits.resident)
        add(to, "this host's worker is full: it holds %u processes (limits.resident)", stats.resident);
    else if (stats.effects_queued >= host->profile->limits.effects_queued)
        add(to, "this host's worker is full: %u calls wait for a thread (limits.effects_queued)", stats.effects_queued);
    else
        return false;
    return true;
}

static void add_key(line *to, const pawl_process_row *row)
{
    add(to, row->key.size > 0 ? "key " : "session ");
    add_text(to, row->key.size > 0 ? row->key : row->session, 100);
}

/* Which limit of its type holds it. False: none. */
static bool add_limit(line *to, const pawl_process_row *row)
{
    bool of_key = row->held == PAWL_HELD_KEY_CONCURRENCY || row->held == PAWL_HELD_KEY_RATE;
    if (row->held == 0)
        return false;
    if (of_key) {
        add_key(to, row);
        add(to, " of ");
    }
    add(to, "type ");
    add_text(to, row->type, 100);
    if (row->held == PAWL_HELD_TYPE_CONCURRENCY || row->held == PAWL_HELD_KEY_CONCURRENCY)
        add(to, " is at its concurrency limit of %" PRIu64, row->held_limit);
    else if (row->held_limit < PAWL_NS_PER_SECOND)
        add(to, " is at its rate limit of %.6g a second", 1e9 / (double)row->held_limit);
    else
        add(to, " is at its rate limit of one in %.6g s", (double)row->held_limit / 1e9);
    return true;
}

/* How many stand in front of it, as far as they were counted. */
static void add_ahead(line *to, const pawl_process_row *row)
{
    if (row->ahead == 0)
        return;
    add(to, "; %s%" PRIu64 " before it", row->ahead >= 1000 ? "at least " : "", row->ahead);
    if (row->key.size > 0 || row->session.size > 0) {
        add(to, " under ");
        add_key(to, row);
    }
}

static void why_ready(line *to, const pawl_host *host, const pawl_process_row *row)
{
    add(to, "ready");
    if (!offered(host, row)) {
        add(to, ", but ");
        add_not_offered(to, row);
        return;
    }
    line before = *to;
    add(to, ", but ");
    if (!add_worker_limit(to, host) && !add_limit(to, row)) {
        *to = before;
        add(to, row->ahead > 0 ? ": it waits for its turn" : ": a worker takes it next");
    }
    add_ahead(to, row);
}

static void why_waiting(line *to, const pawl_host *host, const pawl_process_row *row)
{
    if (row->external != 0) {
        add(to, "external: waits to be completed from outside");
        return;
    }
    add(to, "waits");
    if (row->reason.size > 0) {
        add(to, " for ");
        add_text(to, row->reason, 300);
    }
    if (row->wake_unix_ns != 0)
        add_until(to, host, row->wake_unix_ns);
    if (!offered(host, row)) {
        add(to, "; ");
        add_not_offered(to, row);
    }
}

static void why_running(line *to, const pawl_host *host, const pawl_process_row *row)
{
    char doing[256];
    add(to, "running");
    if (row->worker.size > 0) {
        add(to, " on ");
        add_text(to, row->worker, 100);
    }
    if (host->worker != NULL && pawl_worker_explain(host->worker, row->number, doing, sizeof doing)) {
        add(to, ": ");
        add_text(to, pawl_bytes_text(doing), sizeof doing);
    }
    add(to, " (lease left: ");
    add_span(to, row->lease_left_ns);
    add(to, ")");
}

/* Leased or not: which step it undoes, and how far that is. */
static void why_compensating(line *to, const pawl_host *host, const pawl_process_row *row)
{
    char doing[256];
    bool held = row->worker.size > 0;
    if (held && host->worker != NULL && pawl_worker_explain(host->worker, row->number, doing, sizeof doing)) {
        add_text(to, pawl_bytes_text(doing), sizeof doing);
    } else if (row->reason.size > 0 && !held) {
        add_text(to, row->reason, 300);
        if (row->wake_unix_ns != 0)
            add_until(to, host, row->wake_unix_ns);
    } else {
        add(to, "undoes its steps");
    }
    if (held) {
        add(to, " (on ");
        add_text(to, row->worker, 100);
        add(to, ", lease left: ");
        add_span(to, row->lease_left_ns);
        add(to, ")");
    } else if (!offered(host, row)) {
        add(to, "; ");
        add_not_offered(to, row);
    } else if (row->wake_unix_ns == 0) {
        line before = *to;
        add(to, ", but ");
        if (!add_worker_limit(to, host))
            *to = before;
    }
}

static void why_stuck(line *to, const pawl_process_row *row)
{
    add(to, "stuck");
    if (row->reason_code.size > 0) {
        add(to, " (");
        add_text(to, row->reason_code, 64);
        add(to, ")");
    }
    add(to, ": ");
    add_text(to, row->reason, 300);
    add(to, "; mend the cause and resume it, or terminate it");
}

void pawl_view_why(pawl_host *host, const pawl_process_row *row, char *text, size_t room)
{
    line to = {text, room, 0};
    text[0] = '\0';
    bool live = !PAWL_IS_TERMINAL(row->status) && row->status != PAWL_STUCK;
    if (live && why_paused(&to, host, row)) {
        if (row->status == PAWL_RUNNING)
            add(&to, "; what runs ends first");
        return;
    }
    switch (row->status) {
    case PAWL_READY:
        why_ready(&to, host, row);
        break;
    case PAWL_RUNNING:
        why_running(&to, host, row);
        break;
    case PAWL_COMPENSATING:
        why_compensating(&to, host, row);
        break;
    case PAWL_WAITING:
        why_waiting(&to, host, row);
        break;
    case PAWL_STUCK:
        why_stuck(&to, row);
        break;
    default:
        return;
    }
    if (row->cancelled != 0)
        add(&to, "; it was asked to stop");
}
