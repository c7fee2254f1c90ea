/* observer.c: an observer that writes a line of JSON for each thing that it is told. Config: {"path": "events.jsonl"}.
 *
 * It is told on the worker's threads, which it may not keep: what it is told goes into a ring in memory, and a thread
 * of its own writes. When the disk is slower than the worker, lines are dropped and counted; the worker never waits. */
#include <pawl_plugin.h>

#include <pthread.h>

#define LINES     4096u
#define LINE_ROOM 1024u

struct pawl_observer {
    const pawl_core *core;
    FILE *file; /* the writer's */
    pthread_t writer;
    pthread_mutex_t lock; /* guards what follows; held for a copy, never for a write */
    pthread_cond_t changed;
    int closing;
    unsigned long long written, dropped;
    size_t first, count;
    char lines[LINES][LINE_ROOM];
};

/* ---- lines ---- */

typedef struct line {
    char text[LINE_ROOM];
    size_t size;
    int cut;
} line;

static void put(line *to, const char *format, ...) PAWL_PRINTF_(2, 3);
static void put(line *to, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int size = vsnprintf(to->text + to->size, sizeof to->text - to->size, format, args);
    va_end(args);
    if (size < 0 || (size_t)size >= sizeof to->text - to->size)
        to->cut = 1;
    else
        to->size += (size_t)size;
}

/* ,"key":"text", unless it is empty. */
static void put_text(line *to, const char *key, pawl_bytes text)
{
    const unsigned char *bytes = (const unsigned char *)text.data;
    if (text.size == 0)
        return;
    put(to, ",\"%s\":\"", key);
    for (size_t i = 0; i < text.size && !to->cut; i++) {
        if (bytes[i] == '"' || bytes[i] == '\\')
            put(to, "\\%c", bytes[i]);
        else if (bytes[i] < 0x20)
            put(to, "\\u%04x", (unsigned)bytes[i]);
        else
            put(to, "%c", bytes[i]);
    }
    put(to, "\"");
}

static void put_number(line *to, const char *key, unsigned long long number)
{
    if (number != 0)
        put(to, ",\"%s\":%llu", key, number);
}

static const char *kind_name(uint32_t kind)
{
    static const char *const names[] = {NULL,        "claimed",      "activated",    "call_began", "call_ended",
                                        "retry",     "cancel_asked", "compensating", "suspended",  "parked",
                                        "continued", "ended",        "lease_lost"};
    return kind < sizeof names / sizeof *names ? names[kind] : NULL; /* NULL: of a later host */
}

static const char *status_name(uint32_t status)
{
    return status == PAWL_COMPLETED   ? "completed"
           : status == PAWL_FAILED    ? "failed"
           : status == PAWL_CANCELLED ? "cancelled"
                                      : "terminated";
}

static void fill(line *to, const char *kind, const pawl_observation *o)
{
    put(to, "{\"time_unix_ns\":%llu,\"what\":\"%s\"", (unsigned long long)o->time_unix_ns, kind);
    put_text(to, "process", o->process);
    put_text(to, "type", o->type);
    put_text(to, "session", o->session);
    put_number(to, "run", o->run);
    put_text(to, "effect", o->effect);
    put_number(to, "ordinal", o->ordinal);
    put_number(to, "attempt", o->attempt);
    put_number(to, "duration_ns", o->duration_ns);
    put_number(to, "due_unix_ns", o->due_unix_ns);
    if (o->status < 0)
        put(to, ",\"status\":%d", (int)o->status);
    if (o->kind == PAWL_OBSERVED_ENDED)
        put(to, ",\"ended\":\"%s\"", status_name(o->process_status));
    if (o->failure != NULL)
        put_text(to, "code", o->failure->code);
    put(to, "}\n");
}

/* ---- told ---- */

static void PAWL_CALL observe(pawl_observer *own, const pawl_observation *observation)
{
    const char *kind = kind_name(observation->kind);
    line made = {.size = 0};
    if (kind == NULL)
        return;
    fill(&made, kind, observation);
    pthread_mutex_lock(&own->lock);
    if (made.cut || own->count == LINES) {
        own->dropped++;
    } else {
        memcpy(own->lines[(own->first + own->count) % LINES], made.text, made.size + 1);
        if (own->count++ == 0)
            pthread_cond_signal(&own->changed);
    }
    pthread_mutex_unlock(&own->lock);
}

/* ---- the writer ---- */

static void *write_lines(void *context)
{
    pawl_observer *own = (pawl_observer *)context;
    char text[LINE_ROOM];
    pthread_mutex_lock(&own->lock);
    for (;;) {
        while (own->count == 0 && !own->closing)
            pthread_cond_wait(&own->changed, &own->lock);
        if (own->count == 0)
            break;
        snprintf(text, sizeof text, "%s", own->lines[own->first]);
        own->first = (own->first + 1) % LINES;
        int last = --own->count == 0;
        pthread_mutex_unlock(&own->lock);
        int good = fputs(text, own->file) >= 0;
        if (last)
            good = fflush(own->file) == 0 && good;
        pthread_mutex_lock(&own->lock);
        own->written += good ? 1 : 0;
        own->dropped += good ? 0 : 1;
    }
    pthread_mutex_unlock(&own->lock);
    return NULL;
}

static pawl_status PAWL_CALL describe(pawl_observer *own, pawl_sink *json)
{
    pthread_mutex_lock(&own->lock);
    unsigned long long written = own->written, dropped = own->dropped;
    size_t waiting = own->count;
    pthread_mutex_unlock(&own->lock);
    return pawl_writef(own->core, json, "{\"written\":%llu,\"waiting\":%llu,\"dropped\":%llu}", written,
                       (unsigned long long)waiting, dropped);
}

/* ---- coming and going ---- */

/* The whole of {"path": "..."} without escapes. */
static int path_of(pawl_bytes config_json, char path[512])
{
    char text[600];
    int end = 0;
    if (config_json.size >= sizeof text)
        return 0;
    memcpy(text, config_json.data, config_json.size);
    text[config_json.size] = '\0';
    return sscanf(text, " { \"path\" : \"%511[^\"\\]\" } %n", path, &end) == 1 && (size_t)end == config_json.size;
}

static void PAWL_CALL destroy(pawl_observer *own)
{
    if (own == NULL)
        return;
    pthread_mutex_lock(&own->lock);
    own->closing = 1;
    pthread_cond_signal(&own->changed);
    pthread_mutex_unlock(&own->lock);
    pthread_join(own->writer, NULL); /* what was told before is written */
    fclose(own->file);
    pthread_cond_destroy(&own->changed);
    pthread_mutex_destroy(&own->lock);
    free(own);
}

static pawl_status PAWL_CALL create(const pawl_host_root *host, pawl_bytes config_json, uint64_t *kinds,
                                    pawl_observer **observer, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(host);
    char path[512];
    if (!path_of(config_json, path))
        return pawl_fail_with(core, why, PAWL_TERMINAL, "observer.config", "the config is not {\"path\": \"FILE\"}");
    pawl_observer *own = (pawl_observer *)calloc(1, sizeof *own);
    if (own == NULL)
        return pawl_fail_with(core, why, PAWL_RETRYABLE, "observer.memory", "no memory");
    own->core = core;
    own->file = fopen(path, "ae");
    if (own->file == NULL) {
        free(own);
        return pawl_fail_with(core, why, PAWL_TERMINAL, "observer.file", "%s cannot be opened", path);
    }
    pthread_mutex_init(&own->lock, NULL);
    pthread_cond_init(&own->changed, NULL);
    if (pthread_create(&own->writer, NULL, write_lines, own) != 0) {
        fclose(own->file);
        free(own);
        return pawl_fail_with(core, why, PAWL_RETRYABLE, "observer.thread", "no thread");
    }
    *kinds &= ~(UINT64_C(1) << PAWL_OBSERVED_ACTIVATED); /* the most frequent, and of no interest here */
    *observer = own;
    return PAWL_OK;
}

#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"com.example.observer\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0}," \
    "\"kinds\":[\"observer\"],\"observer\":{\"config_schema\":{\"type\":\"object\",\"required\":[\"path\"],"           \
    "\"properties\":{\"path\":{\"type\":\"string\"}}}}}"

PAWL_OBSERVER_TABLE(table, create, destroy, observe, describe);
PAWL_FACTORY_OF(get_factory, PAWL_FACTORY_OBSERVER, &table);
PAWL_PLUGIN("com.example.observer", "1.0.0", "Example", MANIFEST, pawl_plain_init, pawl_plain_deinit, get_factory);
