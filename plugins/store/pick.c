/* pick.c: which ready processes a claim leases. Higher priorities first, but one of each lower one for every
 * STORE_PASSED_MAX that went before it. Within a priority the keys take turns, each with an equal share of what is
 * left. A key's rows are read from where they were left, so that deleted ones are not waded through again.
 *
 * All of a scan reads one snapshot of the rows. What is published meanwhile stands in memory (pawl_store_queue_note),
 * and is never taken for absent because the scan did not see it. */
#include "claim.h"

#define KEYS_OF_ONE_LOOK 64u

typedef struct ready_scan {
    pawl_store_claiming *c;
    pawl_store_type *type;
    pawl_kv_cursor *cursor;
    uint64_t id;
    uint64_t stamp; /* the queue's writes before the snapshot */
    uint64_t now_mono_ns;
} ready_scan;

static void lock(const ready_scan *scan)
{
    pthread_mutex_lock(&scan->c->registry->lock);
}

static void unlock(const ready_scan *scan)
{
    pthread_mutex_unlock(&scan->c->registry->lock);
}

/* ---- one lane ---- */

/* Lease what stands in the lane from *at on, to the claim's limit. *end: nothing more of it is in this snapshot. */
static pawl_status read_lane(ready_scan *scan, const pawl_store_lane *lane, uint64_t *at, bool *end)
{
    pawl_store_claiming *c = scan->c;
    pawl_kv_cursor *cursor = scan->cursor;
    pawl_status status = PAWL_OK;
    pawl_key key;
    pawl_store_key_lane(&key, scan->type->id, lane->level->priority, lane->key);
    size_t lane_size = key.size;
    pawl_key_u64(&key, *at);
    const pawl_bytes prefix = {key.data, lane_size};
    for (pawl_kv_cursor_seek(cursor, pawl_key_bytes(&key)); status == PAWL_OK; pawl_kv_cursor_next(cursor)) {
        if (!cursor->valid || cursor->key.size != key.size || !pawl_bytes_start_with(cursor->key, prefix)) {
            *end = true;
            return cursor->valid ? PAWL_OK : pawl_kv_cursor_status(cursor, c->fault);
        }
        if (c->count >= c->limit || c->over)
            return PAWL_OK;
        pawl_reader row;
        pawl_reader reader = pawl_reader_of(cursor->key);
        reader.at += lane_size;
        uint64_t sequence = pawl_reader_u64(&reader);
        status = pawl_row_open(&row, PAWL_FAMILY_READY, cursor->key, cursor->value, c->fault);
        if (status == PAWL_OK) {
            status = pawl_store_claim_number(c, pawl_reader_u64(&row));
        } else if (status == PAWL_E_CORRUPT) {
            pawl_store_log(c->registry->store, PAWL_LOG_ERROR, "claim passes over a process: %s", c->fault->message);
            status = PAWL_OK;
        }
        if (status == PAWL_OK)
            *at = sequence + 1;
    }
    return status;
}

/* Where the lane goes after its turn. Under lock. */
static void put_back(ready_scan *scan, pawl_store_lane *lane, bool end)
{
    pawl_store_registry *registry = scan->c->registry;
    pawl_store_lane_leave_turn(lane);
    if (end && lane->written <= scan->stamp) {
        pawl_store_lane_drained(registry, lane);
        return;
    }
    if (!end && lane->key != 0 && pawl_store_lanes_are_full(registry)) {
        pawl_store_lane_forget(registry, lane);
        return;
    }
    if (end)
        lane->scan = scan->id;
    pawl_store_lane_join_turn(lane);
}

static pawl_status pick_lane(ready_scan *scan, pawl_store_lane *lane, size_t share)
{
    pawl_store_claiming *c = scan->c;
    size_t outer = c->limit;
    size_t before = c->count;
    bool end = false;
    lock(scan);
    size_t room = pawl_store_lane_room(c->registry, scan->type, lane, scan->now_mono_ns);
    uint64_t at = lane->cursor;
    if (room == 0)
        lane->scan = scan->id;
    unlock(scan);
    if (room == 0)
        return PAWL_OK;
    room = room < share ? room : share;
    if (room < outer - before)
        c->limit = before + room;
    pawl_status status = read_lane(scan, lane, &at, &end);
    c->limit = outer;
    lock(scan);
    if (at > lane->cursor)
        lane->cursor = at;
    pawl_store_lane_spend(c->registry, scan->type, lane, c->count - before, scan->now_mono_ns);
    put_back(scan, lane, end && status == PAWL_OK);
    unlock(scan);
    return status;
}

/* ---- one priority ---- */

/* One round of turns: what each lane may have of what is left. */
typedef struct turns {
    size_t left; /* lanes that have not had theirs */
    size_t share;
} turns;

/* The lane whose turn it is; NULL: none has anything more. */
static pawl_store_lane *next_lane(ready_scan *scan, pawl_store_level *level, turns *round)
{
    pawl_store_lane *found = NULL;
    size_t left = scan->c->limit - scan->c->count;
    lock(scan);
    if (round->left == 0 && level->turn_count > 0)
        *round = (turns){level->turn_count, left > level->turn_count ? left / level->turn_count : 1};
    for (size_t i = level->turn_count; i > 0 && found == NULL; i--) {
        pawl_store_lane *lane = TAILQ_FIRST(&level->turns);
        if (lane->scan != scan->id) {
            found = lane;
            round->left -= round->left > 0;
            break;
        }
        pawl_store_lane_leave_turn(lane);
        pawl_store_lane_join_turn(lane);
    }
    unlock(scan);
    return found;
}

/* One row was found: its key takes turns from now on. Under lock. */
static bool take_in(ready_scan *scan, pawl_store_level *level, uint64_t key)
{
    size_t count = scan->c->registry->lane_count;
    (void)pawl_store_lane_found(scan->c->registry, level, key);
    return scan->c->registry->lane_count > count;
}

/* All keys of this priority have been seen since looking began at the first. Under lock. */
static void end_look(pawl_store_level *level)
{
    level->whole = level->missed == level->look_missed;
    level->look_from = 0;
    level->look_missed = level->missed;
}

/* Look for keys that have rows and no lane in memory, until there are some, or all have been seen. */
static pawl_status look_for_keys(ready_scan *scan, pawl_store_level *level, bool *found)
{
    pawl_store_registry *registry = scan->c->registry;
    pawl_kv_cursor *cursor = scan->cursor;
    *found = false;
    lock(scan);
    bool wanted = !level->whole && !pawl_store_lanes_are_full(registry);
    uint64_t from = level->look_from;
    unlock(scan);
    for (uint32_t i = 0; wanted && (!*found || i < KEYS_OF_ONE_LOOK); i++) {
        pawl_key key;
        uint32_t type;
        uint32_t priority;
        uint64_t lane;
        uint64_t sequence;
        pawl_store_key_lane(&key, scan->type->id, level->priority, from == 0 ? 1 : from);
        pawl_kv_cursor_seek(cursor, pawl_key_bytes(&key));
        pawl_status status = cursor->valid ? PAWL_OK : pawl_kv_cursor_status(cursor, scan->c->fault);
        if (status != PAWL_OK)
            return status;
        bool more = cursor->valid && pawl_store_read_ready_key(cursor->key, &type, &priority, &lane, &sequence) &&
                    priority == level->priority && lane != 0;
        lock(scan);
        if (more)
            *found = take_in(scan, level, lane) || *found;
        if (more && lane != UINT64_MAX)
            level->look_from = from = lane + 1;
        else
            end_look(level);
        wanted = !level->whole && level->look_from != 0 && !pawl_store_lanes_are_full(registry);
        unlock(scan);
    }
    return PAWL_OK;
}

/* At most so many of one priority. */
static pawl_status pick_level(ready_scan *scan, pawl_store_level *level, size_t most)
{
    pawl_store_claiming *c = scan->c;
    size_t outer = c->limit;
    pawl_status status = PAWL_OK;
    bool more = true;
    turns round = {0};
    if (most < outer - c->count)
        c->limit = c->count + most;
    while (status == PAWL_OK && more && c->count < c->limit && !c->over) {
        pawl_store_lane *lane = next_lane(scan, level, &round);
        if (lane != NULL)
            status = pick_lane(scan, lane, round.share);
        else
            status = look_for_keys(scan, level, &more);
    }
    c->limit = outer;
    return status;
}

/* ---- all ---- */

static bool has_something(const pawl_store_level *level)
{
    return level->turn_count > 0 || !level->whole;
}

/* Those that higher ones have gone before for long enough. */
static pawl_status pick_passed(ready_scan *scan)
{
    pawl_status status = PAWL_OK;
    for (uint32_t i = STORE_PRIORITY_COUNT - 1; i > 0 && status == PAWL_OK; i--) {
        pawl_store_level *level = &scan->type->queue.levels[i];
        uint64_t due = level->passed / STORE_PASSED_MAX;
        if (due == 0)
            continue;
        size_t before = scan->c->count;
        status = pick_level(scan, level, (size_t)due);
        level->passed -= (scan->c->count - before) * STORE_PASSED_MAX;
    }
    return status;
}

static pawl_status pick_in_order(ready_scan *scan)
{
    pawl_store_claiming *c = scan->c;
    pawl_status status = PAWL_OK;
    size_t above = 0;
    for (uint32_t i = 0; i < STORE_PRIORITY_COUNT && status == PAWL_OK; i++) {
        pawl_store_level *level = &scan->type->queue.levels[i];
        size_t before = c->count;
        lock(scan);
        bool any = has_something(level);
        unlock(scan);
        if (any)
            status = pick_level(scan, level, SIZE_MAX);
        lock(scan);
        level->passed = has_something(level) ? level->passed + above : 0;
        unlock(scan);
        above += c->count - before;
    }
    return status;
}

/* Is there anything to look at, and how many may be taken? */
static size_t begin(ready_scan *scan)
{
    pawl_store_claiming *c = scan->c;
    pawl_store_type *type = scan->type;
    bool any = false;
    size_t room = 0;
    lock(scan);
    if (type->queue.limited) {
        scan->now_mono_ns = pawl_store_mono_now(c->registry->store);
        pawl_store_queue_let_due_go(c->registry, type, scan->now_mono_ns);
    }
    for (uint32_t i = 0; i < STORE_PRIORITY_COUNT; i++)
        any = any || has_something(&type->queue.levels[i]);
    if (any)
        room = pawl_store_queue_rate_room(type, scan->now_mono_ns);
    scan->stamp = type->queue.writes;
    scan->id = ++c->registry->scans;
    unlock(scan);
    return room;
}

pawl_status pawl_store_claim_ready(pawl_store_claiming *c, pawl_store_type *type)
{
    ready_scan scan = {.c = c, .type = type};
    size_t outer = c->limit;
    if (c->count >= c->limit)
        return PAWL_OK;
    size_t room = begin(&scan);
    if (room == 0)
        return PAWL_OK;
    if (room < outer - c->count)
        c->limit = c->count + room;
    scan.cursor = pawl_store_claim_cursor(c, PAWL_FAMILY_READY, type->id);
    if (scan.cursor == NULL)
        return pawl_fault_nomem(c->fault);
    pawl_status status = pick_passed(&scan);
    if (status == PAWL_OK)
        status = pick_in_order(&scan);
    pawl_kv_cursor_close(scan.cursor);
    c->limit = outer;
    return status;
}
