/* read.c: get, journal, list and count. Reads see what is durable, with leases laid over it, and hold no lock while
 * they call a visitor. */
#include "filter.h"
#include "view.h"

#include <stdlib.h>

static pawl_status emit(pawl_store *store, pawl_failure_sink *why, const pawl_fault *fault, pawl_status status)
{
    if (status != PAWL_OK && fault->status != PAWL_OK)
        pawl_fault_emit(&store->core, why, fault);
    return status;
}

/* ---- get ---- */

pawl_status pawl_store_get(pawl_store *store, pawl_bytes id, pawl_row_visit visit, void *context,
                           pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    pawl_store_view view = {0};
    uint64_t number;
    pawl_status status = pawl_store_check_name("a process id", id, PAWL_STORE_ID_BYTES_MAX, &fault);
    if (status == PAWL_OK)
        status = pawl_store_read_ident(store->kv, id, &number, &fault);
    while (status == PAWL_OK) {
        const uint64_t before = number;
        status = pawl_store_view_read(&view, store->registry, number, &fault);
        if (status == PAWL_OK)
            status = pawl_store_view_count_ahead(&view, store->registry, &fault);
        if (status == PAWL_OK && visit != NULL)
            visit(context, &view.row);
        if (status != PAWL_E_NOT_FOUND)
            break;
        const pawl_fault missing = fault;
        status = pawl_store_read_ident(store->kv, id, &number, &fault); /* pruned or replaced: the id says so now */
        if (status == PAWL_OK && number == before) {
            fault = missing;
            status = PAWL_E_NOT_FOUND;
        }
    }
    pawl_store_view_finish(&view);
    return emit(store, why, &fault, status);
}

/* ---- journal ---- */

#define FEW 4u /* so many records are read one by one for less than a cursor costs */

typedef struct reading {
    pawl_store *store;
    uint64_t number;
    uint64_t next; /* the sequence that is read next */
    uint64_t left; /* how many may still be visited */
    bool shown;    /* something was visited */
    pawl_record_visit visit;
    void *context;
    pawl_fault *fault;
} reading;

/* @return false when nothing more is wanted */
static bool show(reading *r, const pawl_store_record *stored)
{
    const pawl_record record = {
        .struct_size = sizeof record,
        .kind = stored->kind,
        .sequence = stored->sequence,
        .time_unix_ns = stored->time_unix_ns,
        .body = stored->body,
    };
    r->next = stored->sequence + 1;
    r->shown = true;
    r->left--;
    return r->visit(r->context, &record) == 0 && r->left > 0;
}

static pawl_status show_from_cursor(reading *r, pawl_kv_cursor *cursor)
{
    pawl_key key;
    pawl_store_key_journal(&key, r->number, r->next);
    for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&key)); cursor->valid; pawl_kv_cursor_next(cursor)) {
        pawl_store_record stored;
        pawl_status status = pawl_store_decode_record(cursor->key, cursor->value, &stored, r->fault);
        if (status != PAWL_OK)
            return status;
        /* A run begins with STARTED, and nothing stands before it: what was asked for belongs to an earlier run, or
         * went with it while it was read. */
        if (stored.sequence != r->next && stored.kind == PAWL_RECORD_STARTED && r->shown)
            return PAWL_OK;
        if (stored.sequence != r->next && stored.kind != PAWL_RECORD_STARTED)
            return pawl_row_bad(PAWL_FAMILY_JOURNAL, cursor->key, "the record in front of it is missing", r->fault);
        if (!show(r, &stored))
            return PAWL_OK;
    }
    return pawl_kv_cursor_status(cursor, r->fault);
}

static pawl_status show_range(reading *r)
{
    pawl_key prefix;
    pawl_store_key_number(&prefix, r->number);
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(r->store->kv, PAWL_FAMILY_JOURNAL, &prefix);
    if (cursor == NULL)
        return pawl_fault_nomem(r->fault);
    pawl_status status = show_from_cursor(r, cursor);
    pawl_kv_cursor_close(cursor);
    if (status == PAWL_OK && !r->shown && !pawl_store_has_header(r->store->kv, r->number))
        status = pawl_fault_set(r->fault, PAWL_E_NOT_FOUND, "registry.not_found", "there is no process number %llu",
                                (unsigned long long)r->number);
    return status;
}

/* PAWL_E_NOT_FOUND: the next record is not there. */
static pawl_status show_one_by_one(reading *r, uint64_t count)
{
    pawl_buffer buffer = {0};
    pawl_status status = PAWL_OK;
    for (bool more = true; more && count > 0 && status == PAWL_OK; count--) {
        pawl_store_record stored;
        status = pawl_store_read_record(r->store->kv, r->number, r->next, &buffer, &stored, r->fault);
        more = status == PAWL_OK && show(r, &stored);
    }
    pawl_buffer_finish(&buffer);
    return status;
}

/* What a header says of where the journal begins; 0: there is none that can be read. */
static uint64_t stored_base(const reading *r)
{
    pawl_buffer buffer = {0};
    pawl_store_header header;
    pawl_status status = pawl_store_read_header(r->store->kv, r->number, &buffer, &header, NULL);
    pawl_buffer_finish(&buffer);
    return status == PAWL_OK ? header.state.base : 0;
}

/* How many records surely are there from r->next on, as far as memory tells. Moves next to the first that there is: to
 * look for it from the start of the number would be to wade through what earlier runs have left. */
static uint64_t known(reading *r)
{
    pawl_store_registry *registry = r->store->registry;
    pthread_mutex_lock(&registry->lock);
    const pawl_store_entry *entry = pawl_store_entry_find(registry, r->number);
    /* What the running round writes of it may be there already, and was shown by a header: then memory is too old. */
    bool current = entry != NULL && !entry->fresh && entry->stage == NULL;
    uint64_t head = current ? entry->state.head : 0;
    uint64_t base = entry != NULL && !entry->fresh ? entry->state.base : 0;
    pthread_mutex_unlock(&registry->lock);
    if (base == 0)
        base = stored_base(r);
    r->next = r->next < base ? base : r->next;
    return head < r->next ? 0 : head - r->next + 1;
}

pawl_status pawl_store_journal(pawl_store *store, uint64_t number, uint64_t from, uint64_t limit,
                               pawl_record_visit visit, void *context, pawl_failure_sink *why)
{
    pawl_fault fault;
    fault.status = PAWL_OK;
    reading r = {
        .store = store,
        .number = number,
        .next = from == 0 ? 1 : from,
        .left = limit == 0 ? UINT64_MAX : limit,
        .visit = visit,
        .context = context,
        .fault = &fault,
    };
    uint64_t count = known(&r);
    if (count > r.left || r.left == 1)
        count = r.left;
    pawl_status status = PAWL_E_NOT_FOUND;
    if (count > 0 && count <= FEW)
        status = show_one_by_one(&r, count);
    if (status == PAWL_E_NOT_FOUND) /* unknown, many, or gone: whole, or with the reason why not */
        status = show_range(&r);
    return emit(store, why, &fault, status);
}

/* ---- list ---- */

/* Rows of one index, all with the same prefix and the number last. */
typedef struct source {
    pawl_kv_cursor *cursor;
    pawl_key prefix;
} source;

#define SOURCES_MAX PAWL_STORE_CONDITION_VALUES_MAX /* more than there are statuses */

typedef struct listing {
    pawl_store_registry *registry;
    const pawl_list *list;
    source sources[SOURCES_MAX];
    size_t source_count;
    uint64_t *numbers; /* sorted: the source when it is in memory, of leases or of an index in another order */
    size_t number_count;
    bool only_numbers;
    pawl_store_filter *filter; /* NULL: all */
    pawl_store_range ranges[PAWL_STORE_CONDITION_VALUES_MAX];
    const pawl_store_type *type;
    pawl_fault *fault;
} listing;

static uint64_t source_number(const source *from)
{
    pawl_bytes key = from->cursor->key;
    pawl_reader reader = pawl_reader_of(key);
    reader.at = reader.end - (key.size < 8 ? key.size : 8);
    return pawl_reader_u64(&reader);
}

/* Stand on the first row of the page. */
static void source_start(source *from, const pawl_list *list)
{
    pawl_key key;
    key.size = from->prefix.size;
    memcpy(key.data, from->prefix.data, key.size);
    if (list->descending == 0) {
        pawl_key_u64(&key, list->after_number + 1);
        pawl_kv_cursor_seek(from->cursor, pawl_key_bytes(&key));
    } else if (list->after_number == 0) {
        pawl_kv_cursor_last(from->cursor);
    } else {
        pawl_key_u64(&key, list->after_number);
        pawl_kv_cursor_before(from->cursor, pawl_key_bytes(&key));
    }
}

static pawl_status add_source(listing *l, pawl_family family, const pawl_key *prefix)
{
    source *made = &l->sources[l->source_count];
    made->prefix.size = prefix->size;
    memcpy(made->prefix.data, prefix->data, prefix->size);
    made->cursor = prefix->size == 0 ? pawl_kv_cursor_open(l->registry->store->kv, family, (pawl_bytes){NULL, 0},
                                                           (pawl_bytes){NULL, 0})
                                     : pawl_kv_cursor_prefix(l->registry->store->kv, family, prefix);
    if (made->cursor == NULL)
        return pawl_fault_nomem(l->fault);
    l->source_count++;
    source_start(made, l->list);
    return pawl_kv_cursor_status(made->cursor, l->fault);
}

static void relation_prefix(pawl_key *prefix, uint8_t relation, uint64_t value)
{
    pawl_key_start(prefix);
    pawl_key_u8(prefix, relation);
    pawl_key_u64(prefix, value);
}

static pawl_status add_relation(listing *l, uint8_t relation, uint64_t value)
{
    pawl_key prefix;
    relation_prefix(&prefix, relation, value);
    return add_source(l, PAWL_FAMILY_RELATION, &prefix);
}

/* There are so few of the type that each is looked at sooner than all of a status. */
static pawl_status is_rare(const listing *l, bool *rare)
{
    pawl_key prefix;
    size_t count = 0;
    relation_prefix(&prefix, 't', l->type->id);
    pawl_kv_cursor *cursor = pawl_kv_cursor_prefix(l->registry->store->kv, PAWL_FAMILY_RELATION, &prefix);
    if (cursor == NULL)
        return pawl_fault_nomem(l->fault);
    for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&prefix)); cursor->valid && count <= PAWL_STORE_LIST_RARE_MAX;
         pawl_kv_cursor_next(cursor))
        count++;
    *rare = count <= PAWL_STORE_LIST_RARE_MAX;
    pawl_status status = pawl_kv_cursor_status(cursor, l->fault);
    pawl_kv_cursor_close(cursor);
    return status;
}

static int compare_numbers(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static pawl_status collect_leased(listing *l)
{
    pawl_store_registry *registry = l->registry;
    pawl_status status = PAWL_OK;
    pthread_mutex_lock(&registry->lock);
    pawl_store_workers_expire(registry);
    size_t count = 0;
    pawl_store_worker *worker;
    pawl_store_entry *entry;
    LIST_FOREACH(worker, &registry->workers, link)
    LIST_FOREACH(entry, &worker->leases, lease_link)
    count++;
    l->numbers = malloc((count + 1) * sizeof *l->numbers);
    if (l->numbers == NULL)
        status = pawl_fault_nomem(l->fault);
    else
        LIST_FOREACH(worker, &registry->workers, link)
    LIST_FOREACH(entry, &worker->leases, lease_link)
    l->numbers[l->number_count++] = entry->number;
    pthread_mutex_unlock(&registry->lock);
    l->only_numbers = true;
    if (status == PAWL_OK)
        qsort(l->numbers, l->number_count, sizeof *l->numbers, compare_numbers);
    return status;
}

static bool is_behind(const pawl_list *list, uint64_t number)
{
    if (list->after_number == 0)
        return true;
    return list->descending ? number < list->after_number : number > list->after_number;
}

/* The numbers of a range that is not in their order. *whole is false, and nothing is kept, when there are too many. */
static pawl_status collect_range(listing *l, const pawl_store_range *range, bool *whole)
{
    source one = {.cursor = pawl_kv_cursor_open(l->registry->store->kv, PAWL_FAMILY_RELATION,
                                                pawl_key_bytes(&range->lower), pawl_key_bytes(&range->upper))};
    *whole = true;
    l->numbers = malloc(PAWL_STORE_LIST_COLLECT_MAX * sizeof *l->numbers);
    if (one.cursor == NULL || l->numbers == NULL) {
        pawl_kv_cursor_close(one.cursor);
        return pawl_fault_nomem(l->fault);
    }
    for (pawl_kv_cursor_seek(one.cursor, pawl_key_bytes(&range->lower)); one.cursor->valid && *whole;
         pawl_kv_cursor_next(one.cursor)) {
        uint64_t number = source_number(&one);
        if (!is_behind(l->list, number))
            continue;
        *whole = l->number_count < PAWL_STORE_LIST_COLLECT_MAX;
        if (*whole)
            l->numbers[l->number_count++] = number;
    }
    pawl_status status = pawl_kv_cursor_status(one.cursor, l->fault);
    pawl_kv_cursor_close(one.cursor);
    if (status == PAWL_OK && *whole)
        qsort(l->numbers, l->number_count, sizeof *l->numbers, compare_numbers);
    else
        l->number_count = 0;
    l->only_numbers = *whole;
    return status;
}

/* By search attributes. *found: they lead to everything that is wanted. few_only: no, if that is much. */
static pawl_status add_attributes(listing *l, bool few_only, bool *found)
{
    bool few = false;
    size_t count = 0;
    pawl_status status = pawl_store_filter_plan(l->filter, l->registry->store->kv, l->ranges, &count, &few, l->fault);
    *found = false;
    if (status != PAWL_OK || count == 0 || (few_only && !few))
        return status;
    if (!l->ranges[0].equal)
        return collect_range(l, &l->ranges[0], found);
    *found = true;
    for (size_t i = 0; i < count && status == PAWL_OK; i++)
        status = add_source(l, PAWL_FAMILY_RELATION, &l->ranges[i].lower);
    return status;
}

static pawl_status add_statuses(listing *l)
{
    uint64_t mask = l->list->status_mask;
    if (mask == 1u << PAWL_RUNNING)
        return collect_leased(l);
    if ((mask & 1u << PAWL_RUNNING) != 0) /* a lease is in memory; what is durable of it is one of these */
        mask |= 1u << PAWL_READY | 1u << PAWL_WAITING;
    pawl_status status = PAWL_OK;
    for (uint32_t i = 1; i < STORE_STATUS_COUNT && status == PAWL_OK; i++) {
        pawl_key prefix;
        if ((mask >> i & 1) == 0 || i == PAWL_RUNNING)
            continue;
        pawl_key_start(&prefix);
        pawl_key_u32(&prefix, i);
        status = add_source(l, PAWL_FAMILY_STATUS, &prefix);
    }
    return status;
}

/* The index that narrows most; the other wishes are checked row by row. */
static pawl_status add_sources(listing *l)
{
    const pawl_list *list = l->list;
    pawl_key all = {.size = 0};
    bool found = false;
    bool related = list->session.size > 0 || list->parent.size > 0 || list->status_mask == 1u << PAWL_RUNNING;
    pawl_status status = l->filter == NULL ? PAWL_OK : add_attributes(l, related, &found);
    if (status != PAWL_OK || found)
        return status;
    if (list->session.size > 0)
        return add_relation(l, 's', pawl_store_hash(list->session));
    if (list->parent.size > 0)
        return add_relation(l, 'p', pawl_store_hash(list->parent));
    if (list->type.size > 0 && l->type == NULL)
        return PAWL_OK;
    if (list->status_mask != 0 && list->type.size > 0)
        status = is_rare(l, &found);
    if (status == PAWL_OK && list->status_mask != 0 && !found)
        return add_statuses(l);
    if (status == PAWL_OK && list->type.size > 0)
        return add_relation(l, 't', l->type->id);
    if (status != PAWL_OK)
        return status;
    return add_source(l, PAWL_FAMILY_PROCESS, &all);
}

/* The next number in order from all sources; 0: no more. */
static uint64_t next_in_memory(const listing *l, uint64_t after)
{
    size_t from = 0; /* the first behind after, or not in front of it */
    size_t to = l->number_count;
    bool descending = l->list->descending != 0;
    if (descending && after == 0)
        from = to;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (descending ? l->numbers[middle] < after : l->numbers[middle] <= after)
            from = middle + 1;
        else
            to = middle;
    }
    if (descending)
        return from == 0 ? 0 : l->numbers[from - 1];
    return from == l->number_count ? 0 : l->numbers[from];
}

static uint64_t next_number(listing *l, uint64_t after)
{
    if (l->only_numbers)
        return next_in_memory(l, after);
    source *best = NULL;
    uint64_t best_number = 0;
    for (size_t i = 0; i < l->source_count; i++) {
        source *from = &l->sources[i];
        if (!from->cursor->valid)
            continue;
        uint64_t number = source_number(from);
        if (best == NULL || (l->list->descending ? number > best_number : number < best_number)) {
            best = from;
            best_number = number;
        }
    }
    if (best != NULL && l->list->descending)
        pawl_kv_cursor_previous(best->cursor);
    else if (best != NULL)
        pawl_kv_cursor_next(best->cursor);
    return best_number;
}

static bool matches(const pawl_list *list, const pawl_process_row *row)
{
    return (list->status_mask == 0 || (list->status_mask >> row->status & 1) != 0) &&
           (list->type.size == 0 || pawl_bytes_equal(list->type, row->type)) &&
           (list->session.size == 0 || pawl_bytes_equal(list->session, row->session)) &&
           (list->parent.size == 0 || pawl_bytes_equal(list->parent, row->parent)) &&
           pawl_bytes_start_with(row->id, list->id_prefix);
}

static pawl_status fits(const listing *l, const pawl_process_row *row, bool *wanted)
{
    *wanted = matches(l->list, row);
    return *wanted ? pawl_store_filter_fits(l->filter, row, wanted, l->fault) : PAWL_OK;
}

static pawl_status visit_page(listing *l, pawl_row_visit visit, void *context, uint64_t *next)
{
    const pawl_list *list = l->list;
    pawl_store_view view = {0};
    pawl_status status = PAWL_OK;
    uint64_t limit = list->limit == 0 ? PAWL_STORE_LIST_PAGE_MAX : list->limit;
    uint64_t visited = 0;
    uint64_t looks = 0;
    uint64_t last = 0;
    bool wanted = false;
    uint64_t seen = list->after_number;
    *next = 0;
    for (uint64_t number; status == PAWL_OK && (number = next_number(l, seen)) != 0; seen = number) {
        if (number == seen && seen != 0)
            continue; /* it moved from one index to another meanwhile */
        status = pawl_store_view_read(&view, l->registry, number, l->fault);
        if (status == PAWL_E_NOT_FOUND) { /* pruned meanwhile */
            status = PAWL_OK;
            continue;
        }
        if (status == PAWL_OK)
            status = fits(l, &view.row, &wanted);
        if (l->filter != NULL && looks++ == PAWL_STORE_LIST_LOOKS_MAX) { /* enough work for one page */
            *next = seen;
            break;
        }
        if (status != PAWL_OK || !wanted)
            continue;
        if (visited == limit) { /* there is another page */
            *next = last;
            break;
        }
        visited++;
        last = number;
        if (visit(context, &view.row) != 0) {
            *next = last;
            break;
        }
    }
    for (size_t i = 0; i < l->source_count && status == PAWL_OK; i++)
        status = pawl_kv_cursor_status(l->sources[i].cursor, l->fault);
    pawl_store_view_finish(&view);
    return status;
}

pawl_status pawl_store_list(pawl_store *store, const pawl_list *list, pawl_row_visit visit, void *context,
                            uint64_t *next, pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    if (list == NULL || list->struct_size < sizeof *list || visit == NULL || next == NULL) {
        pawl_fault_set(&fault, PAWL_E_INVALID, "registry.invalid", "LIST is too small");
        return emit(store, why, &fault, PAWL_E_INVALID);
    }
    if (list->limit > PAWL_STORE_LIST_PAGE_MAX) {
        pawl_store_limit(&fault, "the rows of one page", list->limit, PAWL_STORE_LIST_PAGE_MAX);
        return emit(store, why, &fault, PAWL_E_LIMIT);
    }
    listing *l = calloc(1, sizeof *l);
    if (l == NULL)
        return emit(store, why, &fault, pawl_fault_nomem(&fault));
    l->registry = store->registry;
    l->list = list;
    l->fault = &fault;
    if (list->type.size > 0) {
        pthread_mutex_lock(&store->registry->lock);
        l->type = pawl_store_type_find(store->registry, list->type);
        pthread_mutex_unlock(&store->registry->lock);
    }
    pawl_status status = pawl_store_filter_make(list, &l->filter, &fault);
    if (status == PAWL_OK)
        status = add_sources(l);
    if (status == PAWL_OK)
        status = visit_page(l, visit, context, next);
    for (size_t i = 0; i < l->source_count; i++)
        pawl_kv_cursor_close(l->sources[i].cursor);
    pawl_store_filter_free(l->filter);
    free(l->numbers);
    free(l);
    return emit(store, why, &fault, status);
}

/* ---- ended ---- */

static pawl_status visit_ended(pawl_store *store, const pawl_ended *ended, pawl_kv_cursor *cursor, pawl_row_visit visit,
                               void *context, pawl_fault *fault)
{
    pawl_key from;
    pawl_store_view view = {0};
    pawl_status status = PAWL_OK;
    uint32_t left = ended->limit == 0 ? PAWL_STORE_LIST_PAGE_MAX : ended->limit;
    pawl_store_key_ended(&from, ended->after_unix_ns, ended->after_number + (ended->after_unix_ns != 0));
    for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&from)); cursor->valid && left > 0; pawl_kv_cursor_next(cursor)) {
        pawl_reader key = pawl_reader_of(cursor->key);
        if (pawl_reader_u64(&key) >= ended->before_unix_ns)
            break;
        pawl_fault bad = {0};
        status = pawl_store_view_read(&view, store->registry, pawl_reader_u64(&key), &bad);
        if (status == PAWL_E_NOT_FOUND || status == PAWL_E_CORRUPT)
            continue; /* pruned meanwhile; or damaged, and then it stays */
        if (status != PAWL_OK)
            *fault = bad;
        if (status != PAWL_OK || visit(context, &view.row) != 0)
            break;
        left--;
    }
    if (status == PAWL_OK || status == PAWL_E_NOT_FOUND || status == PAWL_E_CORRUPT)
        status = pawl_kv_cursor_status(cursor, fault);
    pawl_store_view_finish(&view);
    return status;
}

pawl_status pawl_store_ended(pawl_store *store, const pawl_ended *ended, pawl_row_visit visit, void *context,
                             pawl_failure_sink *why)
{
    pawl_fault fault = {0};
    const pawl_bytes none = {NULL, 0};
    if (ended == NULL || ended->struct_size < sizeof *ended || visit == NULL) {
        pawl_fault_set(&fault, PAWL_E_INVALID, "registry.invalid", "ENDED is too small");
        return emit(store, why, &fault, PAWL_E_INVALID);
    }
    if (ended->limit > PAWL_STORE_LIST_PAGE_MAX) {
        pawl_store_limit(&fault, "the rows of one page", ended->limit, PAWL_STORE_LIST_PAGE_MAX);
        return emit(store, why, &fault, PAWL_E_LIMIT);
    }
    pawl_kv_cursor *cursor = pawl_kv_cursor_open(store->kv, PAWL_FAMILY_ENDED, none, none);
    if (cursor == NULL)
        return emit(store, why, &fault, pawl_fault_nomem(&fault));
    pawl_status status = visit_ended(store, ended, cursor, visit, context, &fault);
    pawl_kv_cursor_close(cursor);
    return emit(store, why, &fault, status);
}

/* ---- count ---- */

pawl_status pawl_store_count(pawl_store *store, uint64_t *counts, size_t count, pawl_failure_sink *why)
{
    (void)why;
    pawl_store_registry *registry = store->registry;
    pthread_mutex_lock(&registry->lock);
    pawl_store_workers_expire(registry);
    uint64_t running = 0;
    for (size_t i = 0; i < STORE_STATUS_COUNT; i++)
        running += i == PAWL_COMPENSATING ? 0 : registry->leased[i];
    for (size_t i = 0; i < count; i++)
        counts[i] = i < STORE_STATUS_COUNT ? registry->counts[i] - registry->leased[i] : 0;
    if (count > PAWL_COMPENSATING)
        counts[PAWL_COMPENSATING] = registry->counts[PAWL_COMPENSATING];
    if (count > PAWL_RUNNING)
        counts[PAWL_RUNNING] = running;
    pthread_mutex_unlock(&registry->lock);
    return PAWL_OK;
}
