/* soak_look.c: does it move? When processes should end and none does for long, everything that can tell why is printed
 * before the run fails: what is live and why it waits, journals, the server's own words and the stacks of its threads.
 * It must never change anything. */
#include "soak.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_SECONDS 10.0

static void show(const soak *s, const char *what, const char *path)
{
    json_t *answer = NULL;
    long status = api_call(s->y, "GET", path, NULL, &answer);
    char *text = json_dumps(answer, JSON_INDENT(1));
    (void)fprintf(stderr, "---- %s: HTTP status %ld\n%.12000s\n", what, status, text == NULL ? "" : text);
    free(text);
    json_decref(answer);
}

static void show_journals(const soak *s)
{
    json_t *page = NULL;
    size_t i;
    json_t *row;
    (void)api_call(s->y, "GET", "/v1/processes?status=live&limit=5", NULL, &page);
    json_array_foreach(json_object_get(page, "processes"), i, row)
    {
        char path[200];
        const char *id = json_string_value(json_object_get(row, "id"));
        snprintf(path, sizeof path, "/v1/processes/%s/journal", id == NULL ? "" : id);
        show(s, path, path);
    }
    json_decref(page);
}

/* A program of the machine, whose words go to stderr; never mind when there is none. */
static void run(const char *line)
{
    (void)fflush(stderr);
    if (system(line) != 0) // NOLINT(cert-env33-c): a number and a path of our own making
        (void)fprintf(stderr, "(no more to say)\n");
}

static void show_server(const soak *s)
{
    char line[400];
    snprintf(line, sizeof line, "tail -n 40 %s/serve.err >&2", s->y->directory);
    (void)fprintf(stderr, "---- the end of what the server said\n");
    run(line);
    snprintf(
        line, sizeof line,
        "command -v gdb >/dev/null && gdb -p %d -batch -nx -ex 'thread apply all bt 12' 2>&1 | grep -v '^\\[New' | "
        "head -n 400 >&2",
        (int)s->y->server);
    (void)fprintf(stderr, "---- its threads\n");
    run(line);
}

static void fail_stuck(soak *s)
{
    (void)fprintf(stderr, "stuck: no process has ended for %.0f s, and %zu should\n", s->patience,
                  s->started - (size_t)s->ended);
    show(s, "live processes", "/v1/processes?status=live&limit=20");
    show(s, "the host", "/v1/host");
    show_journals(s);
    show_server(s);
    fail_msg("stuck (all there is to know stands above)");
}

/* Of those that live, are there any that wait for nothing from us? */
static bool should_move(const soak *s)
{
    size_t waiting = 0;
    for (size_t i = s->first; i < s->count; i++) {
        const soak_process *process = &s->processes[i];
        waiting += process->started && (process->to_cancel || process->signals < soak_plan_of(process)->signals);
    }
    return (json_int_t)(s->started - waiting) > s->ended;
}

static void print_line(const soak *s)
{
    const soak_numbers *n = &s->numbers;
    print_message(
        "%5.0f s: %zu started, %lld ended, %lld in flight (%lld stuck); %u kills, %u stops, %u spells, %u lives; "
        "%u signals, %u cancels, %u resumed, %u duplicates; %u refused, %u unanswered\n",
        seconds_now() - s->began, s->started, (long long)s->ended, (long long)s->started - s->ended,
        (long long)s->stuck, n->kills, n->stops, n->spells, n->lives, n->signals, n->cancels, n->resumed, n->duplicates,
        n->refused, n->unanswered);
    (void)fflush(stdout);
}

static bool read_counts(soak *s)
{
    static const char *const ends[] = {"completed", "failed", "cancelled", "terminated"};
    json_t *host = NULL;
    if (api_call(s->y, "GET", "/v1/host", NULL, &host) != 200) {
        json_decref(host);
        return false;
    }
    json_int_t ended = 0;
    const json_t *counts = json_object_get(host, "counts");
    for (size_t i = 0; i < 4; i++)
        ended += json_integer_value(json_object_get(counts, ends[i]));
    if (ended < s->ended)
        fail_msg("%lld processes had ended, and now %lld", (long long)s->ended, (long long)ended);
    if (ended != s->ended || s->spell)
        s->moved = seconds_now();
    s->ended = ended;
    s->stuck = json_integer_value(json_object_get(counts, "stuck"));
    json_decref(host);
    return true;
}

void soak_look(soak *s)
{
    static double last_line, last_look;
    double now = seconds_now();
    if (now - last_look < 0.25)
        return;
    last_look = now;
    bool answered = read_counts(s);
    if (answered && !should_move(s))
        s->moved = now;
    if (now - s->moved > s->patience)
        fail_stuck(s);
    if (now - last_line < LINE_SECONDS && last_line > 0)
        return;
    last_line = now;
    print_line(s);
}
