/* resident/load.c: how a claimed process comes into memory: its facts, its journal, its place in the shard. What cannot
 * be read is the store's failure or the process's damage, and the two are never taken for one another. */
#include "internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define JOURNAL_WARN_RECORDS 10000u /* to live a longer one again takes a noticeable time */
#define LOAD_RETRY_NS        PAWL_NS_PER_SECOND

static int32_t load_record(void *context, const pawl_record *record)
{
    return pawl_resident_feed(context, record) ? 0 : 1;
}

static void log_line(void *context, pawl_bytes process, uint32_t level, pawl_bytes message, pawl_bytes fields_json)
{
    char id[257];
    snprintf(id, sizeof id, "%.*s", (int)process.size, (const char *)process.data);
    pawl_log_plugin(context, level, id, message, fields_json);
}

/* Read the journal. A failure of the store is not the process's: it is given back and comes again. */
static bool load(pawl_resident *r)
{
    const pawl_worker_config *config = &r->worker->config;
    pawl_resident_find_code(r);
    pawl_activation_config activation = {
        .id = r->id,
        .session = r->session,
        .document = r->document,
        .schema = config->attributes,
        .attributes_known = r->attributes_known,
        .attributes = r->attributes,
        .type = r->type,
        .revision = r->code == NULL ? r->revision : r->code->revision,
        .run = r->run,
        .program = r->code == NULL ? NULL : r->code->program,
        .contract = r->code == NULL ? NULL : r->code->contract,
        .value_bytes_max = config->value_bytes_max,
        .commands_max = 10000,
        .warn_bytes = config->journal_warn_bytes,
        .warn_records = JOURNAL_WARN_RECORDS,
        .keep_from = PAWL_KEEP_FROM,
        .keeps_left = &r->worker->keeps_left,
        .log = {log_line, config->log},
    };
    pawl_error error = {0};
    if (pawl_activation_create(&activation, &r->activation, &error) != PAWL_OK)
        return false;
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_status status =
        config->registry->table.journal(config->registry->store, r->number, 1, 0, load_record, r, &why);
    pawl_failure_error(&why, status, &error);
    pawl_failure_finish(&why);
    if (status == PAWL_E_CORRUPT)
        pawl_resident_park(r, "journal_corrupt", "%s", error.message);
    else if (status != PAWL_OK)
        pawl_log_write(config->log, PAWL_LOG_ERROR, "cannot read a journal", "process", (const char *)r->id.data,
                       "error", error.message, (char *)NULL);
    if (!r->parking && status == PAWL_OK && pawl_activation_head(r->activation) == 0)
        pawl_resident_park(r, "journal_corrupt", "the journal is empty; it begins with a started record");
    return status == PAWL_OK || status == PAWL_E_CORRUPT;
}

/* Load and go on; when the store fails, later, and the lease is held: nobody is to run into it at full speed. */
void pawl_resident_start(pawl_resident *r)
{
    if (r->foreign) {
        pawl_log_write(r->worker->config.log, PAWL_LOG_WARN, "a process of another host profile is left alone",
                       "process", (const char *)r->id.data, "profile", (const char *)r->profile.data, (char *)NULL);
        if (atomic_load(&r->worker->stop_mode) != 0)
            pawl_resident_release(r);
        return;
    }
    r->journal_bytes = 0;
    pthread_mutex_lock(&r->shard->table_lock); /* someone may be looking */
    r->recovery = (pawl_recovery){0};
    pthread_mutex_unlock(&r->shard->table_lock);
    atomic_store_explicit(&r->paused, false, memory_order_relaxed);
    atomic_store_explicit(&r->asked_to_stop, false, memory_order_relaxed);
    r->load_again = !load(r);
    if (!r->load_again) {
        if (pawl_activation_ended(r->activation)) {
            pawl_resident_lose(r); /* over its head, after it was claimed */
            return;
        }
        pawl_resident_recover(r);
        pawl_resident_advance(r);
        return;
    }
    pawl_activation_destroy(r->activation);
    r->activation = NULL;
    if (atomic_load(&r->worker->stop_mode) != 0 ||
        !pawl_timer_set(&r->shard->timers, &r->timer, resident_mono_now(r) + LOAD_RETRY_NS))
        pawl_resident_release(r);
}

static void on_admit(pawl_shard *shard, pawl_message *message)
{
    pawl_resident *r = (pawl_resident *)((char *)message - offsetof(pawl_resident, admit));
    pawl_resident **link = pawl_resident_find(shard, r->number);
    if (*link != NULL) { /* an older lease of the same process: the newer token is the true one */
        if ((*link)->token >= r->token) {
            pawl_resident_leave(r);
            return;
        }
        pawl_resident_lose(*link);
        link = pawl_resident_find(shard, r->number);
    }
    pthread_mutex_lock(&shard->table_lock);
    r->next = *link;
    *link = r;
    shard->count++;
    pthread_mutex_unlock(&shard->table_lock);
    r->loaded_unix_ns = resident_unix_now(r);
    pawl_resident_tell_plain(r, PAWL_OBSERVED_CLAIMED);
    pawl_resident_start(r);
}

bool pawl_resident_admit(pawl_worker *worker, const pawl_claimed *claimed)
{
    size_t text = claimed->id.size + claimed->type.size + claimed->plugin.size + claimed->digest.size +
                  claimed->session.size + claimed->profile.size + claimed->document.size + claimed->attributes.size +
                  claimed->key.size + 9;
    pawl_resident *r = calloc(1, sizeof *r + text);
    if (r == NULL) {
        worker->config.registry->table.release(worker->config.registry->store, claimed->number, claimed->token);
        return false;
    }
    char *copy = (char *)(r + 1);
    const pawl_bytes *from[] = {&claimed->id,       &claimed->type,       &claimed->plugin,
                                &claimed->digest,   &claimed->session,    &claimed->profile,
                                &claimed->document, &claimed->attributes, &claimed->key};
    pawl_bytes *to[] = {&r->id,      &r->type,     &r->plugin,     &r->digest, &r->session,
                        &r->profile, &r->document, &r->attributes, &r->key};
    for (size_t i = 0; i < sizeof from / sizeof *from; i++) {
        if (from[i]->size > 0)
            memcpy(copy, from[i]->data, from[i]->size);
        *to[i] = (pawl_bytes){copy, from[i]->size};
        copy += from[i]->size + 1; /* NUL-terminated, for logs */
    }
    r->worker = worker;
    r->shard = pawl_worker_shard(worker, claimed->number);
    r->number = claimed->number;
    r->token = claimed->token;
    r->revision = claimed->revision;
    r->priority = claimed->priority;
    r->run = claimed->run == 0 ? 1 : claimed->run;
    pawl_child_note note;
    if (pawl_child_note_decode(claimed->parent_note, &note))
        r->depth = note.depth;
    r->attributes_known = true;
    r->dirty = true;
    r->returning = claimed->returning;
    const char *profile = worker->config.profile;
    r->foreign = profile != NULL && r->profile.size > 0 && strcmp(profile, r->profile.data) != 0;
    r->admit.handle = on_admit;
    r->committed.handle = pawl_resident_committed;
    atomic_fetch_add(&worker->resident, 1);
    atomic_fetch_add_explicit(&worker->claimed, 1, memory_order_relaxed);
    pawl_shard_send(r->shard, &r->admit);
    return true;
}

void pawl_worker_adopt(pawl_worker *worker, uint64_t number, uint64_t token, uint32_t run,
                       const pawl_register *registered)
{
    if (atomic_load(&worker->stop_mode) != 0) {
        worker->config.registry->table.release(worker->config.registry->store, number, token);
        return;
    }
    pawl_claimed claimed = {.number = number,
                            .token = token,
                            .revision = registered->revision,
                            .run = run,
                            .id = registered->id,
                            .type = registered->type,
                            .plugin = registered->plugin,
                            .digest = registered->digest,
                            .session = registered->session,
                            .parent_note = registered->parent_note,
                            .key = registered->key,
                            .priority = registered->priority,
                            .attributes = registered->attributes};
    (void)pawl_resident_admit(worker, &claimed);
}
