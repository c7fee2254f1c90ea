/* audit.c: see audit.h. A process is whole when it is completed, its journal holds each of its three steps once, and
 * the receiving service knows it by exactly one key. A step was repeated when a request with its key arrived after its
 * record was written. */
#include "audit.h"

#include "api.h"

#include <stdio.h>
#include <string.h>

#define STEPS_WANTED 3u

struct findings {
    size_t steps;
    int completed, twice, posted;
    uint64_t posted_unix_ns; /* when the receiver.post step was recorded */
};

static void trouble(audit *a, const char *id, const char *what)
{
    if (a->first_trouble[0] == '\0')
        snprintf(a->first_trouble, sizeof a->first_trouble, "%s: %s", id, what);
}

static void read_record(const json_t *record, struct findings *f)
{
    const char *kind = json_string_value(json_object_get(record, "kind"));
    if (kind == NULL)
        return;
    if (strcmp(kind, "ended") == 0) {
        const char *status = json_string_value(json_object_get(record, "status"));
        f->completed = status != NULL && strcmp(status, "completed") == 0;
    }
    if (strcmp(kind, "step") != 0 || json_object_get(record, "failure") != NULL)
        return;
    json_int_t ordinal = json_integer_value(json_object_get(record, "ordinal"));
    const char *name = json_string_value(json_object_get(record, "name"));
    f->steps++;
    f->twice |= ordinal != (json_int_t)f->steps; /* three calls in a row: ordinals 1, 2, 3, each once */
    if (name != NULL && strcmp(name, "receiver.post") == 0) {
        f->posted = 1;
        f->posted_unix_ns = (uint64_t)json_integer_value(json_object_get(record, "time_unix_ns"));
    }
}

static int read_journal(const char *socket, const char *id, struct findings *f)
{
    char path[1024];
    api_path(path, sizeof path, id, "/journal?limit=1000");
    json_t *journal = NULL;
    long status = api_call(socket, "GET", path, NULL, &journal);
    size_t index;
    const json_t *record;
    json_array_foreach(json_object_get(journal, "records"), index, record) read_record(record, f);
    json_decref(journal);
    return status == 200;
}

static void judge(const char *id, const struct findings *f, const receiver *r, audit *a)
{
    size_t count, arrivals = 0, late = 0, other_keys = 0;
    const delivery *deliveries = receiver_deliveries(r, &count), *first = NULL;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(deliveries[i].process, id) != 0)
            continue;
        first = first == NULL ? &deliveries[i] : first;
        arrivals++;
        other_keys += strcmp(deliveries[i].key, first->key) != 0;
        late += f->posted && deliveries[i].unix_ns > f->posted_unix_ns;
    }
    a->steps += f->steps;
    a->completed += f->completed ? 1 : 0;
    if (!f->completed || f->steps < STEPS_WANTED || !f->posted || arrivals == 0) {
        a->lost++;
        trouble(a, id, "not completed, or a step is missing");
    }
    if (f->twice || f->steps > STEPS_WANTED || late > 0 || other_keys > 0) {
        a->repeated++;
        trouble(a, id, "a recorded step was done again");
    } else if (arrivals > 1) {
        a->resent += arrivals - 1;
    }
}

void audit_run(const char *socket, char *const *ids, size_t count, const receiver *r, audit *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->processes = count;
    for (size_t i = 0; i < count; i++) {
        struct findings f = {0};
        if (!read_journal(socket, ids[i], &f)) {
            ret->lost++;
            trouble(ret, ids[i], "pawl serve does not know it");
            continue;
        }
        judge(ids[i], &f, r, ret);
    }
}
