/* narrator.c: see narrator.h. Two things make the text the same in every run: after each action an operation that does
 * nothing is run, so that every event the action set off has been delivered; and tokens are written as "epoch.n", the
 * n-th lease under that epoch, since the numbers between them are the store's own business. */
#include "narrator.h"

#include "plugins/store/facets.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS    1000000000ull
#define ACTORS_MAX   4
#define LEASES_MAX   4
#define LINES_BEFORE 3

static bool regenerating; /* set once, by main */

typedef struct actor {
    char name[16];
    uint64_t session;
    row leases[LEASES_MAX]; /* as last claimed, by id; kept when they are lost, as a worker that slept would */
    size_t lease_count;
    /* its cancel watcher */
    pawl_watch watch;
    pawl_registry_op watching;
    char watched[16];
} actor;

struct narrator {
    fixture *f;
    FILE *out;
    char *text;
    size_t size;
    uint64_t start_mono_ns;
    uint64_t start_unix_ns;
    actor actors[ACTORS_MAX];
    size_t actor_count;
    uint64_t last_token;
    uint32_t first_epoch;
    uint64_t tokens[64]; /* every token ever given, in order */
    size_t token_count;
};

/* ---- lines ---- */

static void line(narrator *n, const char *who, const char *outcome, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void line(narrator *n, const char *who, const char *outcome, const char *format, ...)
{
    char what[160];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    uint64_t tenths = (n->f->mono_ns - n->start_mono_ns) / (SECOND_NS / 10);
    fprintf(n->out, "%4" PRIu64 ".%" PRIu64 "  %-7s ", tenths / 10, tenths % 10, who);
    if (outcome == NULL)
        fprintf(n->out, "%s\n", what);
    else
        fprintf(n->out, "%-46s -> %s\n", what, outcome);
}

void remark(narrator *n, const char *text)
{
    fprintf(n->out, "        # %s\n", text);
}

static const char *kind_name(uint32_t kind)
{
    switch (kind) {
    case PAWL_RECORD_SIGNAL:
        return "signal";
    case PAWL_RECORD_CANCEL:
        return "cancel";
    case PAWL_RECORD_RESUMED:
        return "resumed";
    case PAWL_RECORD_ENDED:
        return "ended";
    default:
        return "record";
    }
}

static const char *process_status_name(uint32_t status)
{
    static const char *const names[] = {
        [PAWL_READY] = "ready",         [PAWL_RUNNING] = "running",       [PAWL_WAITING] = "waiting",
        [PAWL_STUCK] = "stuck",         [PAWL_COMPLETED] = "completed",   [PAWL_FAILED] = "failed",
        [PAWL_CANCELLED] = "cancelled", [PAWL_TERMINATED] = "terminated",
    };
    return status < sizeof names / sizeof *names && names[status] != NULL ? names[status] : "?";
}

static const char *status_text(pawl_status status)
{
    switch (status) {
    case PAWL_OK:
        return "ok";
    case PAWL_E_STALE:
        return "refused: stale";
    case PAWL_E_BUSY:
        return "refused: busy";
    case PAWL_E_TERMINAL:
        return "refused: it has ended";
    case PAWL_E_CONFLICT:
        return "refused: conflict";
    default:
        return "refused";
    }
}

/* "1.2": the second lease under the first epoch of this trace. */
static const char *token_name(narrator *n, uint64_t token, char *text, size_t room)
{
    uint32_t epoch = (uint32_t)(token >> 32);
    unsigned nth = 0;
    bool known = false;
    for (size_t i = 0; i < n->token_count && !known; i++) {
        nth += n->tokens[i] >> 32 == epoch;
        known = n->tokens[i] == token;
    }
    if (token == 0)
        snprintf(text, room, "none");
    else if (known)
        snprintf(text, room, "%u.%u", epoch - n->first_epoch + 1, nth);
    else
        snprintf(text, room, "unknown");
    return text;
}

/* ---- actors ---- */

static actor *actor_of(narrator *n, const char *name)
{
    for (size_t i = 0; i < n->actor_count; i++)
        if (strcmp(n->actors[i].name, name) == 0)
            return &n->actors[i];
    assert_true(n->actor_count < ACTORS_MAX);
    actor *made = &n->actors[n->actor_count++];
    snprintf(made->name, sizeof made->name, "%s", name);
    return made;
}

static const row *lease_of(narrator *n, const char *name, const char *id)
{
    const actor *a = actor_of(n, name);
    for (size_t i = 0; i < a->lease_count; i++)
        if (strcmp(a->leases[i].id, id) == 0)
            return &a->leases[i];
    fail_msg("%s never claimed %s", name, id);
    return NULL;
}

static void keep_lease(narrator *n, actor *a, const row *got)
{
    size_t i = 0;
    while (i < a->lease_count && strcmp(a->leases[i].id, got->id) != 0)
        i++;
    assert_true(i < LEASES_MAX);
    a->leases[i] = *got;
    a->lease_count = i < a->lease_count ? a->lease_count : i + 1;
    assert_true(got->token > n->last_token); /* tokens only grow, over every reopening */
    n->last_token = got->token;
    assert_true(n->token_count < sizeof n->tokens / sizeof *n->tokens);
    n->tokens[n->token_count++] = got->token;
}

/* ---- what an action set off ---- */

static void tell_event(narrator *n, const seen_event *event)
{
    char token[32];
    const char *who = ((const actor *)event->listener)->name;
    token_name(n, event->token, token, sizeof token);
    if (event->kind == PAWL_EVENT_WORK)
        line(n, who, NULL, "  hears: there may be work");
    else if (event->kind == PAWL_EVENT_LOST)
        line(n, who, NULL, "  hears: lease %s is lost", token);
    else
        line(n, who, NULL, "  hears: %s posted at %" PRIu64 ", under lease %s", kind_name(event->record_kind),
             event->sequence, token);
}

static void tell_watchers(narrator *n)
{
    for (size_t i = 0; i < n->actor_count; i++) {
        actor *a = &n->actors[i];
        if (a->watched[0] == '\0' || !fixture_is_done(n->f, &a->watching))
            continue;
        fixture_wait(n->f, &a->watching);
        if (a->watching.status == PAWL_OK)
            line(n, a->name, NULL, "  its watcher of %s fires: %s at %" PRIu64, a->watched,
                 kind_name(a->watching.result_kind), a->watching.sequence);
        else
            line(n, a->name, NULL, "  its watcher of %s ends with the store", a->watched);
        a->watched[0] = '\0';
    }
}

/* Tell the events of the action before this. The operation is of no known kind: nothing is written, and what was there
 * before it has been delivered when it is refused. */
static void settle(narrator *n)
{
    fixture *f = n->f;
    pawl_registry_op nothing = {.kind = 999};
    fixture_run(f, &nothing);
    pthread_mutex_lock(&f->lock);
    size_t count = f->event_count;
    f->event_count = 0; /* nothing else happens until the next action */
    pthread_mutex_unlock(&f->lock);
    for (size_t i = 0; i < count; i++)
        if (f->events[i].kind != PAWL_EVENT_WORK)
            tell_event(n, &f->events[i]);
    for (size_t i = 0; i < n->actor_count; i++) /* one action may announce work more than once, in any order */
        for (size_t j = 0; j < count; j++)
            if (f->events[j].kind == PAWL_EVENT_WORK && f->events[j].listener == &n->actors[i]) {
                tell_event(n, &f->events[j]);
                break;
            }
    tell_watchers(n);
}

/* ---- the store and its clocks ---- */

void passes(narrator *n, double seconds)
{
    fixture_advance(n->f, (uint64_t)(seconds * 10) * (SECOND_NS / 10));
    line(n, "clock", NULL, "%.1f s pass", seconds);
    settle(n);
}

void wall_clock_jumps(narrator *n, double seconds)
{
    fixture *f = n->f;
    pthread_mutex_lock(&f->lock);
    f->unix_ns = (uint64_t)((int64_t)f->unix_ns + (int64_t)seconds * (int64_t)SECOND_NS);
    pthread_mutex_unlock(&f->lock);
    pawl_store_registry_table.tick(f->store);
    line(n, "clock", NULL, "the wall clock is set %.0f s %s", seconds < 0 ? -seconds : seconds,
         seconds < 0 ? "back" : "forward");
    settle(n);
}

void reopens(narrator *n)
{
    fixture_reopen(n->f);
    line(n, "store", NULL, "is closed under everybody and opened again");
    pthread_mutex_lock(&n->f->lock);
    n->f->event_count = 0; /* whoever listened is gone */
    pthread_mutex_unlock(&n->f->lock);
    tell_watchers(n);
}

void shows(narrator *n, const char *id)
{
    row r;
    char token[32];
    assert_int_equal(do_get(n->f, id, &r, NULL), PAWL_OK);
    token_name(n, r.token, token, sizeof token);
    uint64_t left = r.lease_left_ns / (SECOND_NS / 10);
    if (r.status == PAWL_RUNNING)
        line(n, "store", NULL, "%s: %s, head %" PRIu64 ", lease %s of %s for %" PRIu64 ".%" PRIu64 " s%s", id,
             process_status_name(r.status), r.head, token, r.worker, left / 10, left % 10,
             r.cancelled ? ", cancel asked" : "");
    else
        line(n, "store", NULL, "%s: %s, head %" PRIu64 ", nobody's%s", id, process_status_name(r.status), r.head,
             r.cancelled ? ", cancel asked" : "");
}

/* ---- workers ---- */

void begins(narrator *n, const char *who, unsigned ttl_s)
{
    actor *a = actor_of(n, who);
    a->session = do_worker(n->f, who, ttl_s * SECOND_NS, a);
    line(n, who, NULL, "begins a worker session of %u s", ttl_s);
    settle(n);
}

void heartbeats(narrator *n, const char *who)
{
    pawl_status status = pawl_store_registry_table.heartbeat(n->f->store, actor_of(n, who)->session);
    line(n, who, status_text(status), "heartbeats");
    settle(n);
}

void leaves(narrator *n, const char *who)
{
    pawl_store_registry_table.worker_close(n->f->store, actor_of(n, who)->session);
    line(n, who, NULL, "ends its worker session");
    settle(n);
}

static void tell_claimed(narrator *n, actor *a, const row *got, const char *what)
{
    char token[32];
    char outcome[96];
    keep_lease(n, a, got);
    snprintf(outcome, sizeof outcome, "lease %s of %s, head %" PRIu64, token_name(n, got->token, token, sizeof token),
             got->id, got->head);
    line(n, a->name, outcome, "%s", what);
}

void claims(narrator *n, const char *who, const char *id)
{
    row got;
    failure why = {0};
    char what[64];
    char outcome[1200];
    snprintf(what, sizeof what, "claims %s", id);
    pawl_status status = do_claim_id(n->f, actor_of(n, who)->session, id, &got, &why);
    if (status == PAWL_OK) {
        tell_claimed(n, actor_of(n, who), &got, what);
    } else {
        snprintf(outcome, sizeof outcome, "%s (%s)", status_text(status), why.message);
        line(n, who, outcome, "%s", what);
    }
    settle(n);
}

void claims_any(narrator *n, const char *who)
{
    row got;
    if (do_claim(n->f, actor_of(n, who)->session, "t", &got, 1) == 1)
        tell_claimed(n, actor_of(n, who), &got, "claims what there is");
    else
        line(n, who, "nothing", "claims what there is");
    settle(n);
}

void appends(narrator *n, const char *who, const char *id)
{
    char token[32];
    char outcome[64];
    uint64_t sequence = 0;
    const row *lease = lease_of(n, who, id);
    pawl_status status = do_append(n->f, lease, "step", &sequence);
    if (status == PAWL_OK)
        snprintf(outcome, sizeof outcome, "ok, at %" PRIu64, sequence);
    else
        snprintf(outcome, sizeof outcome, "%s", status_text(status));
    line(n, who, outcome, "appends a step to %s under %s", id, token_name(n, lease->token, token, sizeof token));
    settle(n);
}

static const char *with_more(pawl_status status, uint32_t flags, const char *done)
{
    if (status != PAWL_OK)
        return status_text(status);
    return (flags & PAWL_RESULT_MORE) != 0 ? "more has come: keeps the lease" : done;
}

void suspends(narrator *n, const char *who, const char *id, uint64_t seen, double wake_s)
{
    char token[32];
    char until[32] = "";
    uint32_t flags = 0;
    const row *lease = lease_of(n, who, id);
    uint64_t wake = wake_s <= 0 ? 0 : n->start_unix_ns + (uint64_t)(wake_s * 10) * (SECOND_NS / 10);
    if (wake != 0)
        snprintf(until, sizeof until, " until %.1f", wake_s);
    pawl_status status = do_suspend(n->f, lease, seen, wake, &flags);
    line(n, who, with_more(status, flags, "ok: waiting, lease dropped"), "suspends %s%s under %s, seen %" PRIu64, id,
         until, token_name(n, lease->token, token, sizeof token), seen);
    settle(n);
}

void completes(narrator *n, const char *who, const char *id, uint64_t seen, uint32_t end)
{
    char token[32];
    uint32_t flags = 0;
    const row *lease = lease_of(n, who, id);
    pawl_status status = do_complete(n->f, lease, seen, end, &flags);
    line(n, who, with_more(status, flags, "ok: ended, lease dropped"), "ends %s as %s under %s, seen %" PRIu64, id,
         process_status_name(end), token_name(n, lease->token, token, sizeof token), seen);
    settle(n);
}

void parks(narrator *n, const char *who, const char *id, uint64_t seen)
{
    char token[32];
    const row *lease = lease_of(n, who, id);
    pawl_status status = do_park(n->f, lease, seen);
    line(n, who, status == PAWL_OK ? "ok: lease dropped" : status_text(status), "parks %s under %s, seen %" PRIu64, id,
         token_name(n, lease->token, token, sizeof token), seen);
    settle(n);
}

void releases(narrator *n, const char *who, const char *id)
{
    char token[32];
    const row *lease = lease_of(n, who, id);
    pawl_status status = pawl_store_registry_table.release(n->f->store, lease->number, lease->token);
    line(n, who, status_text(status), "releases %s under %s", id, token_name(n, lease->token, token, sizeof token));
    settle(n);
}

void watches_for_cancel(narrator *n, const char *who, const char *id, uint64_t seen)
{
    actor *a = actor_of(n, who);
    assert_int_equal(a->watched[0], '\0');
    snprintf(a->watched, sizeof a->watched, "%s", id);
    a->watch = (pawl_watch){.struct_size = sizeof a->watch,
                            .id = pawl_bytes_of(a->watched),
                            .after = seen,
                            .kinds = 1ull << (PAWL_RECORD_CANCEL - 64)};
    a->watching = (pawl_registry_op){.kind = PAWL_OP_WATCH, .request = &a->watch};
    line(n, who, NULL, "watches %s for a cancel behind %" PRIu64, id, seen);
    fixture_submit(n->f, &a->watching);
    settle(n);
}

/* ---- outside ---- */

void registers(narrator *n, const char *id)
{
    line(n, "client", status_text(do_register(n->f, id, "t", NULL)), "registers %s", id);
    settle(n);
}

void posts(narrator *n, uint32_t kind, const char *id, const char *post_id)
{
    char outcome[64];
    uint64_t sequence = 0;
    uint32_t flags = 0;
    pawl_status status = do_post(n->f, id, kind, post_id, &sequence, &flags);
    if (status == PAWL_OK)
        snprintf(outcome, sizeof outcome, "ok, at %" PRIu64 "%s", sequence,
                 (flags & PAWL_RESULT_REPLAYED) != 0 ? ", as before" : "");
    else
        snprintf(outcome, sizeof outcome, "%s", status_text(status));
    line(n, "client", outcome, "posts %s \"%s\" to %s", kind_name(kind), post_id, id);
    settle(n);
}

void terminates(narrator *n, const char *id)
{
    line(n, "client", status_text(do_end(n->f, id, "terminate", PAWL_TERMINATED, 1)), "terminates %s by force", id);
    settle(n);
}

/* ---- the golden file ---- */

void narrator_regenerate(void)
{
    regenerating = true;
}

narrator *narrator_open(bool on_disk, const char *about)
{
    narrator *n = calloc(1, sizeof *n);
    assert_non_null(n);
    n->f = fixture_open(on_disk, NULL);
    n->start_mono_ns = n->f->mono_ns;
    n->start_unix_ns = n->f->unix_ns;
    n->first_epoch = n->f->store->tickets.epoch;
    n->out = open_memstream(&n->text, &n->size);
    assert_non_null(n->out);
    fprintf(n->out, "%s\n\n", about);
    return n;
}

static char *read_golden(const char *path)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return NULL;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    for (int c = fgetc(file); c != EOF; c = fgetc(file))
        fputc(c, out);
    fclose(out);
    fclose(file);
    return text;
}

static void write_golden(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (file == NULL || fputs(text, file) == EOF || fclose(file) != 0)
        fail_msg("cannot write %s", path);
}

static size_t line_size(const char *text)
{
    const char *end = strchr(text, '\n');
    return end == NULL ? strlen(text) : (size_t)(end - text) + 1;
}

static void print_lines(const char *mark, const char *text, const char *until)
{
    while (*text != '\0' && text != until) {
        size_t size = line_size(text);
        print_message("%s%.*s", mark, (int)size, text);
        text += size;
    }
}

/* Lines that both have, up to the first that differs; then the rest of each. */
static void print_difference(const char *golden, const char *found)
{
    const char *shown[LINES_BEFORE] = {found, found, found};
    while (*golden != '\0' && line_size(golden) == line_size(found) && strncmp(golden, found, line_size(golden)) == 0) {
        shown[0] = shown[1];
        shown[1] = shown[2];
        shown[2] = found;
        size_t size = line_size(golden);
        golden += size;
        found += size;
    }
    print_lines("  ", shown[0], found);
    print_lines("- ", golden, NULL);
    print_lines("+ ", found, NULL);
}

void narrator_close(narrator *n, const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.txt", PAWL_GOLDEN_DIRECTORY, name);
    fclose(n->out);
    fixture_close(n->f);
    char *golden = regenerating ? NULL : read_golden(path);
    bool same = golden != NULL && strcmp(golden, n->text) == 0;
    if (regenerating) {
        write_golden(path, n->text);
        print_message("%s is written: read what changed, and run the test without --regenerate\n", path);
    } else if (!same) {
        print_message("%s says (-), the store did (+), from the first difference on:\n\n", path);
        print_difference(golden == NULL ? "" : golden, n->text);
        print_message("\nIf the protocol was changed on purpose: unit-store-lease-trace --regenerate, then read the "
                      "difference that git shows, line by line.\n");
    }
    free(golden);
    free(n->text);
    free(n);
    if (regenerating)
        fail_msg("golden file %s was written, not compared", name);
    if (!same)
        fail_msg("the trace %s is not what its golden file says", name);
}
