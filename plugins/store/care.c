/* care.c: see care.h. A check opens the engine alone, without a store over it: a store that is damaged may not open,
 * and opening one raises its epoch. */
#include "care.h"

#include "audit.h"
#include "copy.h"
#include "meta.h"

#include <stdlib.h>
#include <unistd.h>

/* 2024-01-01T00:00Z. Seconds since then are the least epoch of a restored store. */
#define EPOCH_ZERO_UNIX_S 1704067200ull
#define SECOND_NS         1000000000ull

static pawl_status give(const pawl_core *core, json_t *facts, pawl_sink *sink, pawl_fault *fault)
{
    char *text = facts == NULL ? NULL : json_dumps(facts, JSON_COMPACT | JSON_PRESERVE_ORDER);
    json_decref(facts);
    if (text == NULL)
        return pawl_fault_nomem(fault);
    pawl_status status = sink == NULL ? PAWL_OK : core->sink_write(sink, text, strlen(text));
    free(text);
    return status;
}

static pawl_status begin(const pawl_store_engine *engine, const pawl_host_root *host, pawl_bytes config_json,
                         pawl_core *core, pawl_store_config *config, pawl_fault *fault)
{
    pawl_registry_host registry_host;
    pawl_status status = pawl_store_take_host(host, core, &registry_host, fault);
    if (status == PAWL_OK && !engine->on_disk)
        status = pawl_fault_set(fault, PAWL_E_UNSUPPORTED, "store.no_files", "this store has no files to look after");
    return status == PAWL_OK ? pawl_store_config_read(config, config_json, engine->on_disk, fault) : status;
}

/* ---- check ---- */

static pawl_status check_engine(const pawl_store_engine *engine, const pawl_store_config *config, pawl_audit *audit,
                                pawl_fault *fault)
{
    pawl_status status = engine->open(config, &audit->kv, fault);
    if (status != PAWL_OK)
        return status;
    status = pawl_store_audit_run(audit, fault);
    audit->kv->table->close(audit->kv);
    audit->kv = NULL;
    return status;
}

pawl_status pawl_store_care_check(const pawl_store_engine *engine, const pawl_host_root *host, pawl_bytes config_json,
                                  uint32_t flags, pawl_care_visit visit, void *context, pawl_sink *facts_json,
                                  pawl_failure_sink *why)
{
    pawl_core core = {0};
    pawl_fault fault = {0};
    pawl_store_config config = {0};
    pawl_audit audit = {.repair = (flags & PAWL_CARE_REPAIR) != 0, .visit = visit, .context = context};
    pawl_status status = begin(engine, host, config_json, &core, &config, &fault);
    if (status == PAWL_OK) {
        config.access = audit.repair ? PAWL_STORE_EXISTING : PAWL_STORE_READ;
        status = check_engine(engine, &config, &audit, &fault);
        pawl_store_config_finish(&config);
    }
    if (status == PAWL_OK)
        status = give(&core, pawl_store_audit_facts(&audit), facts_json, &fault);
    pawl_store_audit_finish(&audit);
    return status == PAWL_OK ? status : pawl_fault_emit(&core, why, &fault);
}

/* ---- backup ---- */

static char *path_of(pawl_bytes directory)
{
    if (directory.size == 0 || memchr(directory.data, '\0', directory.size) != NULL)
        return NULL;
    return strndup(directory.data, directory.size);
}

static json_t *facts_of(pawl_kv *kv, pawl_fault *fault)
{
    char id[2 * STORE_ID_BYTES + 1];
    uint64_t epoch = 0;
    uint64_t next_number = 1;
    uint64_t total = 0;
    uint64_t live = 0;
    uint64_t counts[STORE_STATUS_COUNT] = {0};
    pawl_status status = pawl_store_meta_id(kv, id, fault);
    if (status == PAWL_OK)
        status = pawl_store_meta_number(kv, STORE_META_EPOCH, &epoch, fault);
    if (status == PAWL_OK)
        status = pawl_store_meta_counters(kv, &next_number, counts, fault);
    if (status != PAWL_OK && status != PAWL_E_NOT_FOUND)
        return NULL;
    for (uint32_t i = 0; i < STORE_STATUS_COUNT; i++) {
        total += counts[i];
        live += PAWL_IS_TERMINAL(i) ? 0 : counts[i];
    }
    return json_pack("{s:s, s:i, s:I, s:{s:I, s:I}}", "id", id, "format", STORE_FORMAT, "epoch", (json_int_t)epoch,
                     "processes", "all", (json_int_t)total, "live", (json_int_t)live);
}

pawl_status pawl_store_care_backup(pawl_store *store, pawl_bytes directory, pawl_sink *facts_json,
                                   pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    char *path = path_of(directory);
    pawl_status status = PAWL_OK;
    if (path == NULL)
        status = pawl_fault_set(&fault, PAWL_E_INVALID, "store.backup", "the directory of a backup has no usable name");
    else if (store->kv->table->checkpoint == NULL)
        status = pawl_fault_set(&fault, PAWL_E_UNSUPPORTED, "store.no_files", "this store has no files to copy");
    else if (access(path, F_OK) == 0)
        status =
            pawl_fault_set(&fault, PAWL_E_CONFLICT, "store.exists", "%.400s is there; nothing is overwritten", path);
    if (status == PAWL_OK)
        status = store->kv->table->checkpoint(store->kv, path, &fault);
    if (status == PAWL_OK)
        status = pawl_store_copy_flush(path, &fault);
    json_t *facts = status == PAWL_OK ? facts_of(store->kv, &fault) : NULL;
    if (status == PAWL_OK && facts == NULL && fault.status != PAWL_OK)
        status = fault.status;
    if (status == PAWL_OK)
        status = give(&store->core, facts, facts_json, &fault);
    if (status != PAWL_OK && path != NULL && status != PAWL_E_CONFLICT)
        pawl_store_copy_remove(path);
    free(path);
    return status == PAWL_OK ? status : pawl_fault_emit(&store->core, why, &fault);
}

/* ---- restore ---- */

/* The life that a backup was taken from may have gone on, and its epoch with it; and the same backup may be restored
 * more than once. Seconds tell these lives apart, and the jump keeps the promise should the clock be wrong. */
static pawl_status raise_epoch(pawl_kv *kv, uint64_t unix_now_ns, uint64_t *next, pawl_fault *fault)
{
    uint64_t epoch = 0;
    pawl_batch batch = {0};
    pawl_status status = pawl_store_meta_number(kv, STORE_META_EPOCH, &epoch, fault);
    if (status != PAWL_OK && status != PAWL_E_NOT_FOUND && status != PAWL_E_CORRUPT)
        return status;
    if (status == PAWL_E_CORRUPT) { /* the audit that follows tells, and repairing rebuilds it */
        *fault = (pawl_fault){0};
        return PAWL_OK;
    }
    uint64_t seconds = unix_now_ns / SECOND_NS;
    uint64_t by_clock = seconds > EPOCH_ZERO_UNIX_S ? seconds - EPOCH_ZERO_UNIX_S : 0;
    *next = epoch + PAWL_STORE_EPOCH_JUMP > by_clock ? epoch + PAWL_STORE_EPOCH_JUMP : by_clock;
    if (*next >= UINT32_MAX)
        return pawl_fault_set(fault, PAWL_E_LIMIT, "store.tickets_exhausted",
                              "the store has used up its fencing tokens: epoch %llu leaves no room for another life",
                              (unsigned long long)epoch);
    pawl_store_meta_put_number(&batch, STORE_META_EPOCH, *next);
    status = pawl_kv_write(kv, &batch, true, fault);
    pawl_batch_finish(&batch);
    return status;
}

/* Fill the partial directory and look at what it has become. */
static pawl_status fill(const pawl_store_engine *engine, pawl_store_config *config, const pawl_copy *copy,
                        const char *from, uint64_t unix_now_ns, pawl_audit *audit, uint64_t *epoch, pawl_fault *fault)
{
    char *path = config->path;
    pawl_status status = pawl_store_copy_files(from, copy->partial, fault);
    if (status != PAWL_OK)
        return status;
    config->path = copy->partial;
    config->access = PAWL_STORE_EXISTING;
    status = engine->open(config, &audit->kv, fault);
    if (status == PAWL_OK) {
        status = raise_epoch(audit->kv, unix_now_ns, epoch, fault);
        if (status == PAWL_OK)
            status = pawl_store_audit_run(audit, fault);
        audit->kv->table->close(audit->kv);
        audit->kv = NULL;
    }
    config->path = path;
    return status;
}

static pawl_status judge(const pawl_audit *audit, uint32_t flags, pawl_fault *fault)
{
    if (audit->problems == 0 || (flags & PAWL_CARE_ACCEPT_DAMAGE) != 0)
        return PAWL_OK;
    return pawl_fault_set(fault, PAWL_E_CORRUPT, "store.damaged",
                          "the backup has %llu problems; nothing was restored. Take another one, or accept the damage "
                          "and repair what can be repaired",
                          (unsigned long long)audit->problems);
}

pawl_status pawl_store_care_restore(const pawl_store_engine *engine, const pawl_host_root *host, pawl_bytes config_json,
                                    pawl_bytes directory, uint32_t flags, pawl_care_visit visit, void *context,
                                    pawl_sink *facts_json, pawl_failure_sink *why)
{
    pawl_core core = {0};
    pawl_fault fault = {0};
    pawl_copy copy = {0};
    pawl_store_config config = {0};
    uint64_t epoch = 0;
    pawl_audit audit = {.visit = visit, .context = context};
    char *from = path_of(directory);
    pawl_status status = begin(engine, host, config_json, &core, &config, &fault);
    if (status == PAWL_OK && from == NULL)
        status = pawl_fault_set(&fault, PAWL_E_INVALID, "store.backup", "the directory of a backup has no usable name");
    if (status == PAWL_OK)
        status = pawl_store_copy_begin(&copy, config.path, &fault);
    if (status == PAWL_OK)
        status = fill(engine, &config, &copy, from, core.unix_now_ns(host), &audit, &epoch, &fault);
    if (status == PAWL_OK)
        status = judge(&audit, flags, &fault);
    if (status == PAWL_OK)
        status = pawl_store_copy_place(&copy, &fault);
    json_t *facts = status == PAWL_OK ? pawl_store_audit_facts(&audit) : NULL;
    if (status == PAWL_OK) {
        json_object_set_new(facts, "path", json_string(config.path));
        json_object_set_new(facts, "epoch", json_integer((json_int_t)epoch));
        status = give(&core, facts, facts_json, &fault);
    }
    pawl_store_copy_finish(&copy);
    pawl_store_audit_finish(&audit);
    pawl_store_config_finish(&config);
    free(from);
    return status == PAWL_OK ? status : pawl_fault_emit(&core, why, &fault);
}
