/* budget.c: middleware that gives each process so many attempts of the calls that it stands in front of; what comes
 * beyond fails as budget.spent. What undoes a step is free. Config: {"calls": 100}.
 *
 * Counts are in memory and of one host. Those of the last MANY processes are kept: whoever comes back after so many
 * others begins anew, as everybody does when the host starts again. */
#include <pawl_plugin.h>

#include <pthread.h>

#define MANY    10000u
#define BUCKETS 4096u

typedef struct entry {
    struct entry *next;  /* in its bucket */
    struct entry *later; /* in the order in which processes came */
    unsigned long spent;
    size_t size;
    char id[]; /* of the process */
} entry;

struct pawl_middleware {
    const pawl_core *core;
    unsigned long calls;
    pthread_mutex_t lock; /* guards what follows; never held while anything is waited for */
    unsigned long refused;
    unsigned long count;
    entry *oldest, *newest;
    entry *buckets[BUCKETS];
};

static entry **place_of(pawl_middleware *own, pawl_bytes id)
{
    const unsigned char *bytes = (const unsigned char *)id.data;
    uint32_t hash = 2166136261u;
    for (size_t i = 0; i < id.size; i++)
        hash = (hash ^ bytes[i]) * 16777619u;
    entry **link = &own->buckets[hash % BUCKETS];
    while (*link != NULL && !pawl_bytes_equal(pawl_bytes_of((*link)->id, (*link)->size), id))
        link = &(*link)->next;
    return link;
}

static void forget_oldest(pawl_middleware *own)
{
    entry *old = own->oldest;
    entry **link = place_of(own, pawl_bytes_of(old->id, old->size));
    *link = old->next;
    own->oldest = old->later;
    if (own->oldest == NULL)
        own->newest = NULL;
    own->count--;
    free(old);
}

/* NULL: no memory. */
static entry *entry_of(pawl_middleware *own, pawl_bytes id)
{
    entry *found = *place_of(own, id);
    if (found != NULL)
        return found;
    if (own->count == MANY)
        forget_oldest(own);
    found = (entry *)calloc(1, sizeof *found + id.size);
    if (found == NULL)
        return NULL;
    if (id.size > 0)
        memcpy(found->id, id.data, id.size);
    found->size = id.size;
    *place_of(own, id) = found;
    if (own->newest == NULL)
        own->oldest = found;
    else
        own->newest->later = found;
    own->newest = found;
    own->count++;
    return found;
}

static pawl_status PAWL_CALL before(pawl_middleware *own, const pawl_attempt *attempt, uint64_t *ticket,
                                    uint64_t *wait_ns, pawl_failure_sink *why)
{
    (void)ticket;
    (void)wait_ns;
    if ((attempt->flags & PAWL_ATTEMPT_UNDOES) != 0)
        return PAWL_OK;
    pthread_mutex_lock(&own->lock);
    entry *of = entry_of(own, attempt->process);
    int spent = of != NULL && of->spent >= own->calls;
    if (spent)
        own->refused++;
    else if (of != NULL)
        of->spent++;
    pthread_mutex_unlock(&own->lock);
    return spent ? pawl_fail_with(own->core, why, PAWL_TERMINAL, "budget.spent", "its %lu calls are spent", own->calls)
                 : PAWL_OK;
}

/* One that did not begin costs nothing. */
static int32_t PAWL_CALL after(pawl_middleware *own, const pawl_attempt *attempt, uint64_t ticket,
                               const pawl_attempt_end *end)
{
    (void)ticket;
    if (end->begun != 0 || (attempt->flags & PAWL_ATTEMPT_UNDOES) != 0)
        return 0;
    pthread_mutex_lock(&own->lock);
    entry *of = *place_of(own, attempt->process);
    if (of != NULL && of->spent > 0)
        of->spent--;
    pthread_mutex_unlock(&own->lock);
    return 0;
}

static pawl_status PAWL_CALL describe(pawl_middleware *own, pawl_sink *json)
{
    pthread_mutex_lock(&own->lock);
    unsigned long count = own->count, refused = own->refused;
    pthread_mutex_unlock(&own->lock);
    return pawl_writef(own->core, json, "{\"calls\":%lu,\"processes\":%lu,\"refused\":%lu}", own->calls, count,
                       refused);
}

/* The whole of {"calls": N}, N from 1 to 999999999; 0: it is something else. */
static unsigned long calls_of(pawl_bytes config_json)
{
    char text[64];
    unsigned long calls = 0;
    int end = 0;
    if (config_json.size >= sizeof text)
        return 0;
    memcpy(text, config_json.data, config_json.size);
    text[config_json.size] = '\0';
    if (sscanf(text, " { \"calls\" : %9lu } %n", &calls, &end) != 1 || (size_t)end != config_json.size)
        return 0;
    return calls;
}

static pawl_status PAWL_CALL create(const pawl_host_root *host, pawl_bytes name, pawl_bytes config_json,
                                    pawl_middleware **instance, pawl_failure_sink *why)
{
    const pawl_core *core = pawl_core_of(host);
    unsigned long calls = calls_of(config_json);
    if (calls == 0)
        return pawl_fail_with(core, why, PAWL_TERMINAL, "budget.config",
                              "the config of %.*s is not {\"calls\": N} with N from 1 to 999999999", (int)name.size,
                              (const char *)name.data);
    pawl_middleware *own = (pawl_middleware *)calloc(1, sizeof *own);
    if (own == NULL)
        return pawl_fail_with(core, why, PAWL_RETRYABLE, "budget.memory", "no memory");
    own->core = core;
    own->calls = calls;
    pthread_mutex_init(&own->lock, NULL);
    *instance = own;
    return PAWL_OK;
}

static void PAWL_CALL destroy(pawl_middleware *own)
{
    if (own == NULL)
        return;
    while (own->oldest != NULL)
        forget_oldest(own);
    pthread_mutex_destroy(&own->lock);
    free(own);
}

#define MANIFEST                                                                                                       \
    "{\"manifest_version\":1,\"id\":\"com.example.budget\",\"version\":\"1.0.0\",\"abi\":{\"major\":1,\"minor\":0},"   \
    "\"kinds\":[\"middleware\"],\"middleware\":{\"config_schema\":{\"type\":\"object\",\"required\":[\"calls\"],"      \
    "\"properties\":{\"calls\":{\"type\":\"integer\",\"minimum\":1,\"maximum\":999999999}}}}}"

PAWL_MIDDLEWARE_TABLE(table, create, destroy, before, after, describe);
PAWL_FACTORY_OF(get_factory, PAWL_FACTORY_MIDDLEWARE, &table);
PAWL_PLUGIN("com.example.budget", "1.0.0", "Example", MANIFEST, pawl_plain_init, pawl_plain_deinit, get_factory);
