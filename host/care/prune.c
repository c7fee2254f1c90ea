/* prune.c: forgetting ended processes, on demand and for the upkeep of a host, some at a time. What a process
 * alone held (its attachments) goes first, so that whatever dies in between leaves a process that is pruned again,
 * never content that nobody would ask for. Never touches a process that has not ended. */
#include "host/host_internal.h"

#include "host/care/prune.h"
#include "host/view/view.h"
#include "worker/base/sink.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LIMIT_DEFAULT 1000u
#define LIMIT_MAX     10000u

typedef struct slice {
    const pawl_prune_rule *rule;
    pawl_arena arena;
    pawl_bytes ids[PAWL_PRUNE_SLICE];
    uint64_t numbers[PAWL_PRUNE_SLICE];
    size_t count;
    uint32_t looked;
    uint64_t after_unix_ns;
    uint64_t after_number;
    pawl_status status;
} slice;

static uint64_t kept_ns(const pawl_profile *profile, pawl_bytes type)
{
    for (size_t i = 0; i < profile->retention.type_count; i++) {
        const pawl_profile_keep *keep = &profile->retention.types[i];
        if (strlen(keep->name) == type.size && memcmp(keep->name, type.data, type.size) == 0)
            return keep->ended_ns;
    }
    return profile->retention.ended_ns;
}

static bool goes(const pawl_prune_rule *rule, const pawl_process_row *row)
{
    if (rule->now_unix_ns != 0) {
        uint64_t kept = kept_ns(rule->host->profile, row->type);
        return kept != 0 && kept < rule->now_unix_ns && row->updated_unix_ns < rule->now_unix_ns - kept;
    }
    return rule->type == NULL ||
           (strlen(rule->type) == row->type.size && memcmp(rule->type, row->type.data, row->type.size) == 0);
}

static int32_t PAWL_CALL take_row(void *context, const pawl_process_row *row)
{
    slice *own = context;
    own->looked++;
    own->after_unix_ns = row->updated_unix_ns;
    own->after_number = row->number;
    if (!goes(own->rule, row))
        return 0;
    if (!pawl_arena_copy(&own->arena, row->id, &own->ids[own->count])) {
        own->status = PAWL_E_NOMEM;
        return 1;
    }
    own->numbers[own->count++] = row->number;
    return own->looked == PAWL_PRUNE_SLICE;
}

/* ---- what a process alone held ---- */

typedef struct links {
    uint8_t (*digests)[32];
    size_t count, room;
    bool failed;
} links;

static int32_t PAWL_CALL take_link(void *context, const pawl_attachment_info *info)
{
    links *own = context;
    if (own->count == own->room) {
        size_t room = own->room == 0 ? 16 : own->room * 2;
        void *digests = realloc(own->digests, room * sizeof *own->digests);
        if (digests == NULL) {
            own->failed = true;
            return 1;
        }
        own->digests = digests;
        own->room = room;
    }
    memcpy(own->digests[own->count++], info->digest, 32);
    return 0;
}

pawl_status pawl_host_drop_attachments(pawl_host *host, pawl_bytes scope, uint64_t *dropped)
{
    links own = {0};
    const pawl_attachment_table *table = host->attachments.table;
    if (table == NULL || table->list == NULL || table->unlink == NULL)
        return PAWL_OK;
    pawl_status status = table->list(host->attachments.store, scope, take_link, &own, NULL);
    if (own.failed)
        status = PAWL_E_NOMEM;
    for (size_t i = 0; i < own.count && status == PAWL_OK; i++) {
        status = table->unlink(host->attachments.store, scope, own.digests[i], NULL);
        *dropped += status == PAWL_OK;
    }
    free(own.digests);
    return status == PAWL_E_NOT_FOUND ? PAWL_OK : status;
}

/* What a process alone held. */
static pawl_status drop_of_process(pawl_host *host, pawl_bytes id, uint64_t *dropped, pawl_error *error)
{
    char scope[sizeof PAWL_PROCESS_SCOPE + 256];
    int size = snprintf(scope, sizeof scope, PAWL_PROCESS_SCOPE "%.*s", (int)id.size, (const char *)id.data);
    pawl_status status = pawl_host_drop_attachments(host, (pawl_bytes){scope, (size_t)size}, dropped);
    if (status != PAWL_OK)
        return pawl_error_set(error, status, "prune_attachments",
                              "the attachments of process \"%.*s\" could not be let go (status %d)", (int)id.size,
                              (const char *)id.data, status);
    return pawl_handles_forget(host, id, error);
}

/* ---- one slice ---- */

static pawl_status remove_all(pawl_host *host, slice *own, pawl_prune_tally *ret, pawl_error *error)
{
    for (size_t i = 0; i < own->count; i++) {
        pawl_status status = drop_of_process(host, own->ids[i], &ret->attachments, error);
        if (status != PAWL_OK)
            return status;
    }
    const pawl_prune body = {
        .struct_size = sizeof body, .limit = PAWL_PRUNE_SLICE, .numbers = own->numbers, .number_count = own->count};
    pawl_registry_op op = {.struct_size = sizeof op};
    pawl_status status = pawl_registry_call(&host->registry, &op, PAWL_OP_PRUNE, &body, error);
    if (status == PAWL_OK)
        ret->pruned += op.count;
    return status;
}

/* From the cursor on; it moves behind what was looked at. */
pawl_status pawl_prune_slice(const pawl_prune_rule *rule, pawl_ended *from, bool dry_run, pawl_prune_tally *ret,
                             pawl_error *error)
{
    pawl_host *host = rule->host;
    slice *own = calloc(1, sizeof *own);
    if (own == NULL)
        return pawl_error_set(error, PAWL_E_NOMEM, "out_of_memory", "out of memory while pruning");
    own->rule = rule;
    pawl_failure_slot why;
    pawl_failure_init(&why);
    pawl_host_entered(host);
    pawl_status status = host->registry.table.ended(host->registry.store, from, take_row, own, &why);
    if (status != PAWL_OK)
        (void)pawl_failure_error(&why, status, error);
    else if (own->status != PAWL_OK)
        status = pawl_error_set(error, own->status, "out_of_memory", "out of memory while pruning");
    if (status == PAWL_OK && own->count > 0 && !dry_run)
        status = remove_all(host, own, ret, error);
    else if (status == PAWL_OK)
        ret->pruned += own->count;
    pawl_host_left(host);
    if (status == PAWL_OK) {
        ret->looked += own->looked;
        ret->more = own->looked == from->limit;
        from->after_unix_ns = own->looked == 0 ? from->after_unix_ns : own->after_unix_ns;
        from->after_number = own->looked == 0 ? from->after_number : own->after_number;
    }
    pawl_failure_finish(&why);
    pawl_arena_finish(&own->arena);
    free(own);
    return status;
}

pawl_status pawl_prune_offered(const pawl_host *host, pawl_error *error)
{
    if ((host->registry.table.features & PAWL_REGISTRY_ENDED) != 0 && host->registry.table.ended != NULL)
        return PAWL_OK;
    const pawl_profile_store *store = host->profile->facets[PAWL_FACET_REGISTRY].store;
    return pawl_error_set(error, PAWL_E_UNSUPPORTED, "store.not_offered",
                          "store \"%s\" cannot be pruned: its provider, %s, does not offer it", store->name,
                          store->provider);
}

/* ---- on demand ---- */

pawl_status pawl_host_prune(pawl_host *host, const pawl_prune_options *given, pawl_text *ret_json, pawl_error *error)
{
    pawl_prune_options options;
    pawl_prune_tally all = {0};
    pawl_status status = pawl_host_usable(host, error);
    if (status == PAWL_OK && !pawl_take_struct(&options, sizeof options, given))
        status = pawl_error_set(error, PAWL_E_INVALID, "invalid_argument", "options.struct_size is not set");
    if (status == PAWL_OK)
        status = pawl_prune_offered(host, error);
    if (status == PAWL_OK && options.before_unix_ns == 0)
        status = pawl_error_set(error, PAWL_E_INVALID, "invalid_argument",
                                "prune needs a moment: processes that ended before it go");
    if (status == PAWL_OK && options.limit > LIMIT_MAX)
        status = pawl_error_set(error, PAWL_E_LIMIT, "limit", "prune looks at %u processes in one call; at most %u fit",
                                options.limit, LIMIT_MAX);
    if (status != PAWL_OK)
        return status;
    const pawl_prune_rule which = {.host = host, .type = options.type};
    pawl_ended from = {.struct_size = sizeof from,
                       .before_unix_ns = options.before_unix_ns,
                       .after_unix_ns = options.after_unix_ns,
                       .after_number = options.after_number};
    uint64_t limit = options.limit == 0 ? LIMIT_DEFAULT : options.limit;
    do {
        from.limit = limit - all.looked < PAWL_PRUNE_SLICE ? (uint32_t)(limit - all.looked) : PAWL_PRUNE_SLICE;
        status = pawl_prune_slice(&which, &from, options.dry_run != 0, &all, error);
    } while (status == PAWL_OK && all.more && all.looked < limit && pawl_host_usable(host, NULL) == PAWL_OK);
    if (status != PAWL_OK)
        return status;
    return pawl_view_give(json_pack("{s:I, s:I, s:I, s:b, s:I, s:I}", "pruned", (json_int_t)all.pruned, "attachments",
                                    (json_int_t)all.attachments, "looked", (json_int_t)all.looked, "more",
                                    (int)all.more, "after_unix_ns", (json_int_t)from.after_unix_ns, "after_number",
                                    (json_int_t)from.after_number),
                          ret_json, error);
}
