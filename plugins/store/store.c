/* store.c: opening, closing and describing a store, and the numbers that only grow. */
#include "store.h"

#include "contents.h"
#include "facets.h"
#include "meta.h"
#include "registry.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

static pawl_status write_epoch(pawl_kv *kv, uint64_t epoch, pawl_fault *fault)
{
    pawl_batch batch = {0};
    pawl_store_meta_put_number(&batch, STORE_META_EPOCH, epoch);
    pawl_status status = pawl_kv_write(kv, &batch, true, fault);
    pawl_batch_finish(&batch);
    return status;
}

/* ---- the format ---- */

static pawl_status begin_store(pawl_kv *kv, pawl_fault *fault)
{
    pawl_batch batch = {0};
    pawl_store_meta_put_number(&batch, STORE_META_FORMAT, STORE_FORMAT);
    pawl_status status = pawl_store_meta_put_id(&batch, fault);
    if (status == PAWL_OK)
        status = pawl_kv_write(kv, &batch, true, fault);
    pawl_batch_finish(&batch);
    return status;
}

static pawl_status check_format(pawl_kv *kv, pawl_fault *fault)
{
    uint64_t format = 0;
    pawl_status status = pawl_store_meta_number(kv, STORE_META_FORMAT, &format, fault);
    if (status == PAWL_E_NOT_FOUND)
        return begin_store(kv, fault);
    if (status == PAWL_OK && format > STORE_FORMAT)
        return pawl_fault_set(fault, PAWL_E_UNSUPPORTED, "store.format_newer",
                              "the store has format %llu; this version knows formats up to %u: use the newer version",
                              (unsigned long long)format, STORE_FORMAT);
    return status;
}

/* ---- tickets ---- */

/* Under the tickets' lock. */
static pawl_status raise_epoch(pawl_store *store, pawl_fault *fault)
{
    pawl_store_tickets *tickets = &store->tickets;
    if (tickets->epoch == UINT32_MAX)
        return pawl_fault_set(fault, PAWL_E_LIMIT, "store.tickets_exhausted",
                              "the store has used up its fencing tokens: epoch %u is the last one", UINT32_MAX);
    pawl_status status = write_epoch(store->kv, tickets->epoch + 1ull, fault);
    if (status != PAWL_OK)
        return status;
    tickets->epoch++;
    tickets->counter = 0;
    return PAWL_OK;
}

pawl_status pawl_store_ticket(pawl_store *store, uint64_t *ticket, pawl_fault *fault)
{
    pawl_store_tickets *tickets = &store->tickets;
    pawl_status status = PAWL_OK;
    pthread_mutex_lock(&tickets->lock);
    if (tickets->counter == UINT32_MAX)
        status = raise_epoch(store, fault);
    if (status == PAWL_OK)
        *ticket = (uint64_t)tickets->epoch << 32 | ++tickets->counter;
    pthread_mutex_unlock(&tickets->lock);
    return status;
}

/* Model: lease.pml, crash. */
pawl_status pawl_store_tickets_open(pawl_store *store, pawl_fault *fault)
{
    uint64_t epoch = 0;
    pawl_status status = pawl_store_meta_number(store->kv, STORE_META_EPOCH, &epoch, fault);
    if (status != PAWL_OK && status != PAWL_E_NOT_FOUND)
        return status;
    if (epoch > UINT32_MAX)
        return pawl_row_bad(PAWL_FAMILY_META, pawl_bytes_of(STORE_META_EPOCH), "it is out of range", fault);
    store->tickets.epoch = (uint32_t)epoch;
    return raise_epoch(store, fault);
}

/* ---- checks ---- */

pawl_status pawl_store_limit(pawl_fault *fault, const char *what, uint64_t found, uint64_t allowed)
{
    return pawl_fault_set(fault, PAWL_E_LIMIT, "store.limit", "%s: found %llu, at most %llu are allowed", what,
                          (unsigned long long)found, (unsigned long long)allowed);
}

pawl_status pawl_store_check_size(const char *what, pawl_bytes bytes, uint64_t max, pawl_fault *fault)
{
    if (bytes.size > 0 && bytes.data == NULL)
        return pawl_fault_set(fault, PAWL_E_INVALID, "store.invalid", "%s has %zu bytes and no data", what, bytes.size);
    if (bytes.size > max)
        return pawl_fault_set(fault, PAWL_E_LIMIT, "store.limit", "%s has %zu bytes; at most %llu are allowed", what,
                              bytes.size, (unsigned long long)max);
    return PAWL_OK;
}

pawl_status pawl_store_check_name(const char *what, pawl_bytes bytes, uint64_t max, pawl_fault *fault)
{
    if (bytes.size == 0)
        return pawl_fault_set(fault, PAWL_E_INVALID, "store.invalid", "%s is empty; wanted 1 to %llu bytes", what,
                              (unsigned long long)max);
    return pawl_store_check_size(what, bytes, max, fault);
}

pawl_status pawl_store_check_fingerprint(pawl_bytes fingerprint, pawl_fault *fault)
{
    if (fingerprint.size < PAWL_STORE_FINGERPRINT_BYTES_MIN || fingerprint.size > PAWL_STORE_FINGERPRINT_BYTES_MAX ||
        fingerprint.data == NULL)
        return pawl_fault_set(fault, PAWL_E_INVALID, "store.invalid", "a fingerprint has %zu bytes; wanted %u to %u",
                              fingerprint.size, PAWL_STORE_FINGERPRINT_BYTES_MIN, PAWL_STORE_FINGERPRINT_BYTES_MAX);
    return PAWL_OK;
}

void pawl_store_log(const pawl_store *store, uint32_t level, const char *format, ...)
{
    char text[1024];
    va_list args;
    if (store->core.log == NULL)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    store->core.log(store->host, level, pawl_bytes_of(text), (pawl_bytes){NULL, 0});
}

/* ---- open and close ---- */

static void take_table(void *to, size_t size, const void *from, uint32_t from_size)
{
    memset(to, 0, size);
    memcpy(to, from, from_size < size ? from_size : size);
}

pawl_status pawl_store_take_host(const pawl_host_root *host, pawl_core *core, pawl_registry_host *registry_host,
                                 pawl_fault *fault)
{
    const pawl_core *theirs = host->get_extension(host, PAWL_EXT_CORE);
    if (theirs != NULL)
        take_table(core, sizeof *core, theirs, theirs->struct_size);
    if (theirs == NULL || core->sink_write == NULL || core->fail == NULL || core->mono_now_ns == NULL ||
        core->unix_now_ns == NULL)
        return pawl_fault_set(fault, PAWL_E_UNSUPPORTED, "store.host", "the host does not offer all of %s",
                              PAWL_EXT_CORE);
    const pawl_registry_host *registry = host->get_extension(host, PAWL_EXT_REGISTRY_HOST);
    if (registry != NULL)
        take_table(registry_host, sizeof *registry_host, registry, registry->struct_size);
    if (registry == NULL || registry_host->completed == NULL || registry_host->event == NULL)
        return pawl_fault_set(fault, PAWL_E_UNSUPPORTED, "store.host", "the host does not offer all of %s",
                              PAWL_EXT_REGISTRY_HOST);
    return PAWL_OK;
}

pawl_status pawl_store_open(const pawl_host_root *host, const pawl_store_config *config, pawl_kv *kv,
                            pawl_store **store, pawl_fault *fault)
{
    pawl_store *made = calloc(1, sizeof *made);
    if (made == NULL) {
        kv->table->close(kv);
        return pawl_fault_nomem(fault);
    }
    made->host = host;
    made->kv = kv;
    made->value_bytes_max = config->value_bytes_max;
    made->journal_bytes_max = config->journal_bytes_max;
    pthread_mutex_init(&made->tickets.lock, NULL);
    for (size_t i = 0; i < STORE_STRIPES; i++)
        pthread_mutex_init(&made->session_locks[i], NULL);
    pawl_status status = pawl_store_take_host(host, &made->core, &made->registry_host, fault);
    if (status == PAWL_OK)
        status = check_format(kv, fault);
    if (status == PAWL_OK)
        status = pawl_store_tickets_open(made, fault);
    if (status == PAWL_OK)
        status = pawl_store_contents_open(made, fault);
    if (status == PAWL_OK)
        status = pawl_store_registry_open(made, fault);
    if (status != PAWL_OK) {
        pawl_store_close(made);
        return status;
    }
    *store = made;
    return PAWL_OK;
}

void pawl_store_close(pawl_store *store)
{
    if (store == NULL)
        return;
    pawl_store_registry_close(store);
    pawl_store_contents_close(store);
    store->kv->table->close(store->kv);
    for (size_t i = 0; i < STORE_STRIPES; i++)
        pthread_mutex_destroy(&store->session_locks[i]);
    pthread_mutex_destroy(&store->tickets.lock);
    free(store);
}

pawl_status pawl_store_describe(pawl_store *store, pawl_sink *json, pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    json_t *facts = json_object();
    pthread_mutex_lock(&store->tickets.lock);
    uint32_t epoch = store->tickets.epoch;
    pthread_mutex_unlock(&store->tickets.lock);
    json_object_set_new(facts, "format", json_integer(STORE_FORMAT));
    json_object_set_new(facts, "epoch", json_integer(epoch));
    json_object_set_new(facts, "value_bytes_max", json_integer((json_int_t)store->value_bytes_max));
    json_object_set_new(facts, "journal_bytes_max", json_integer((json_int_t)store->journal_bytes_max));
    store->kv->table->describe(store->kv, facts);
    pawl_store_registry_describe(store->registry, facts);
    char *text = json_dumps(facts, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(facts);
    if (text == NULL) {
        pawl_fault_nomem(&fault);
        return pawl_fault_emit(&store->core, why, &fault);
    }
    pawl_status status = store->core.sink_write(json, text, strlen(text));
    free(text);
    return status;
}
