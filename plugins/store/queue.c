/* queue.c: see queue.h. A lane is in turn, or hangs at an account, or (key 0 alone) is known to have no rows. */
#include "registry.h"

#include <stdlib.h>

static int compare_lanes(const pawl_store_lane *a, const pawl_store_lane *b)
{
    return a->key < b->key ? -1 : a->key > b->key;
}

// NOLINTNEXTLINE(clang-analyzer-unix.Malloc): free_lane() takes a lane out of the tree before
RB_GENERATE_INTERNAL(pawl_store_lane_tree, pawl_store_lane, link, compare_lanes, static __attribute__((unused)))

/* ---- lanes ---- */

bool pawl_store_lanes_are_full(const pawl_store_registry *registry)
{
    return registry->lane_count >= PAWL_STORE_LANES_MAX;
}

void pawl_store_lane_join_turn(pawl_store_lane *lane)
{
    if (lane->in_turn)
        return;
    lane->in_turn = true;
    TAILQ_INSERT_TAIL(&lane->level->turns, lane, turn_link);
    lane->level->turn_count++;
}

void pawl_store_lane_leave_turn(pawl_store_lane *lane)
{
    if (!lane->in_turn)
        return;
    lane->in_turn = false;
    TAILQ_REMOVE(&lane->level->turns, lane, turn_link);
    lane->level->turn_count--;
}

static pawl_store_lane *find_lane(pawl_store_level *level, uint64_t key)
{
    if (key == 0)
        return &level->base;
    pawl_store_lane wanted = {.key = key};
    return RB_FIND(pawl_store_lane_tree, &level->lanes, &wanted);
}

static pawl_store_lane *make_lane(pawl_store_registry *registry, pawl_store_level *level, uint64_t key)
{
    pawl_store_lane *lane = pawl_store_lanes_are_full(registry) ? NULL : calloc(1, sizeof *lane);
    if (lane == NULL) {
        level->missed++;
        level->whole = false;
        return NULL;
    }
    lane->level = level;
    lane->key = key;
    RB_INSERT(pawl_store_lane_tree, &level->lanes, lane);
    registry->lane_count++;
    pawl_store_lane_join_turn(lane);
    return lane;
}

static void free_lane(pawl_store_registry *registry, pawl_store_lane *lane)
{
    RB_REMOVE(pawl_store_lane_tree, &lane->level->lanes, lane);
    registry->lane_count--;
    free(lane);
}

void pawl_store_lane_drained(pawl_store_registry *registry, pawl_store_lane *lane)
{
    if (lane->key != 0)
        free_lane(registry, lane);
}

void pawl_store_lane_forget(pawl_store_registry *registry, pawl_store_lane *lane)
{
    lane->level->missed++;
    lane->level->whole = false;
    free_lane(registry, lane);
}

pawl_store_lane *pawl_store_lane_found(pawl_store_registry *registry, pawl_store_level *level, uint64_t key)
{
    if (key == 0) /* is always there */
        return &level->base;
    pawl_store_lane *lane = find_lane(level, key);
    return lane != NULL ? lane : make_lane(registry, level, key);
}

/* ---- rates: as if each one taken had moved a mark by the interval; the mark may be ahead of the clock by as much as
 * the burst allows ---- */

static uint64_t span_of(uint32_t burst, uint64_t interval_ns)
{
    uint64_t count = burst == 0 ? 1 : burst;
    return interval_ns > UINT64_MAX / 4 / count ? UINT64_MAX / 4 : interval_ns * count;
}

static size_t rate_room(uint64_t next, uint32_t burst, uint64_t interval_ns, uint64_t now)
{
    if (interval_ns == 0)
        return SIZE_MAX;
    uint64_t limit = now + span_of(burst, interval_ns);
    uint64_t from = next > now ? next : now;
    return limit > from ? (size_t)((limit - from) / interval_ns) : 0;
}

/* When one more may be taken. */
static uint64_t rate_until(uint64_t next, uint32_t burst, uint64_t interval_ns)
{
    uint64_t span = span_of(burst, interval_ns) - interval_ns;
    return next > span ? next - span : 0;
}

static void rate_spend(uint64_t *next, uint64_t interval_ns, size_t count, uint64_t now)
{
    uint64_t from = *next > now ? *next : now;
    *next = from + interval_ns * count;
}

static void look_at(pawl_store_queue *queue, uint64_t mono_ns)
{
    if (mono_ns < queue->look_mono_ns)
        queue->look_mono_ns = mono_ns;
}

/* ---- accounts ---- */

static int compare_accounts(const pawl_store_account *a, const pawl_store_account *b)
{
    return a->key < b->key ? -1 : a->key > b->key;
}

static int compare_timed(const pawl_store_account *a, const pawl_store_account *b)
{
    if (a->until_mono_ns != b->until_mono_ns)
        return a->until_mono_ns < b->until_mono_ns ? -1 : 1;
    return compare_accounts(a, b);
}

RB_GENERATE_INTERNAL(pawl_store_account_tree, pawl_store_account, link, compare_accounts,
                     static __attribute__((unused)))
// NOLINTNEXTLINE(clang-analyzer-unix.Malloc): an account leaves this tree before it is freed
RB_GENERATE_INTERNAL(pawl_store_timed_tree, pawl_store_account, timed_link, compare_timed,
                     static __attribute__((unused)))

static bool counts_keys(const pawl_store_queue *queue)
{
    return queue->limits.key_concurrency != 0 || queue->limits.key_rate_interval_ns != 0;
}

static pawl_store_account *find_account(const pawl_store_queue *queue, uint64_t key)
{
    pawl_store_account wanted = {.key = key};
    /* The macros of RB take a tree that may be changed; finding changes nothing. */
    struct pawl_store_account_tree tree = queue->accounts;
    return RB_FIND(pawl_store_account_tree, &tree, &wanted);
}

static void set_timed(pawl_store_account *account, struct pawl_store_timed_tree *timed, uint64_t until_mono_ns)
{
    if (account->timed != NULL)
        RB_REMOVE(pawl_store_timed_tree, account->timed, account);
    account->timed = timed;
    account->until_mono_ns = until_mono_ns;
    if (timed != NULL)
        RB_INSERT(pawl_store_timed_tree, timed, account);
}

static void free_account(pawl_store_registry *registry, pawl_store_account *account)
{
    set_timed(account, NULL, 0);
    RB_REMOVE(pawl_store_account_tree, &account->type->queue.accounts, account);
    registry->account_count--;
    free(account);
}

/* Free it, if there is nothing left to count. */
static void settle_account(pawl_store_registry *registry, pawl_store_account *account)
{
    if (account->leased > 0 || !TAILQ_EMPTY(&account->lanes) || !TAILQ_EMPTY(&account->entries))
        return;
    if (account->next_mono_ns > pawl_store_mono_now(registry->store))
        set_timed(account, &account->type->queue.refilling, account->next_mono_ns);
    else
        free_account(registry, account);
}

static pawl_store_account *account_of(pawl_store_registry *registry, pawl_store_type *type, uint64_t key)
{
    pawl_store_account *account = find_account(&type->queue, key);
    if (account != NULL)
        return account;
    if (registry->account_count >= PAWL_STORE_ACCOUNTS_MAX && !RB_EMPTY(&type->queue.refilling))
        free_account(registry, RB_MIN(pawl_store_timed_tree, &type->queue.refilling));
    account = calloc(1, sizeof *account);
    if (account == NULL)
        return NULL;
    account->type = type;
    account->key = key;
    TAILQ_INIT(&account->lanes);
    TAILQ_INIT(&account->entries);
    RB_INSERT(pawl_store_account_tree, &type->queue.accounts, account);
    registry->account_count++;
    return account;
}

static bool account_has_room(const pawl_store_queue *queue, const pawl_store_account *account)
{
    return queue->limits.key_concurrency == 0 || account == NULL || account->leased < queue->limits.key_concurrency;
}

/* Its lanes take turns again, and as many of its entries are claimable as it has room for. */
static void let_go(pawl_store_registry *registry, pawl_store_account *account)
{
    pawl_store_queue *queue = &account->type->queue;
    pawl_store_lane *lane;
    pawl_store_entry *entry;
    uint32_t allowed = queue->limits.key_concurrency;
    size_t room = allowed == 0 ? SIZE_MAX : allowed > account->leased ? allowed - account->leased : 0;
    bool any = !TAILQ_EMPTY(&account->lanes) || !TAILQ_EMPTY(&account->entries);
    set_timed(account, NULL, 0);
    while ((lane = TAILQ_FIRST(&account->lanes)) != NULL) {
        TAILQ_REMOVE(&account->lanes, lane, turn_link);
        lane->held = NULL;
        lane->level->held_count--;
        pawl_store_lane_join_turn(lane);
    }
    while (room-- > 0 && (entry = TAILQ_FIRST(&account->entries)) != NULL) {
        TAILQ_REMOVE(&account->entries, entry, returned_link);
        entry->held = NULL;
        queue->held_entries--;
        TAILQ_INSERT_TAIL(&account->type->returned, entry, returned_link);
    }
    if (any)
        pawl_store_announce_work(registry);
    settle_account(registry, account);
}

bool pawl_store_queue_hold_entry(pawl_store_registry *registry, pawl_store_entry *entry)
{
    if (entry->held != NULL)
        return true;
    pawl_store_returned_remove(registry, entry);
    pawl_store_account *account = account_of(registry, entry->type, entry->identity.lane);
    if (account == NULL)
        return false;
    if (account->timed == &entry->type->queue.refilling)
        set_timed(account, NULL, 0);
    entry->returned = true;
    entry->held = account;
    entry->type->queue.held_entries++;
    TAILQ_INSERT_TAIL(&account->entries, entry, returned_link);
    return true;
}

void pawl_store_queue_drop_entry(pawl_store_registry *registry, pawl_store_entry *entry)
{
    pawl_store_account *account = entry->held;
    bool crowded = pawl_store_queue_is_crowded(entry->type);
    TAILQ_REMOVE(&account->entries, entry, returned_link);
    entry->held = NULL;
    entry->type->queue.held_entries--;
    if (crowded)
        pawl_store_announce_work(registry);
    settle_account(registry, account);
}

bool pawl_store_queue_is_crowded(const pawl_store_type *type)
{
    return type->queue.held_entries >= PAWL_STORE_HELD_ENTRIES_MAX;
}

/* ---- leases ---- */

void pawl_store_queue_took(pawl_store_registry *registry, pawl_store_entry *entry)
{
    pawl_store_queue *queue = &entry->type->queue;
    queue->leased++;
    if (entry->identity.lane == 0 || !counts_keys(queue))
        return;
    entry->account = account_of(registry, entry->type, entry->identity.lane);
    if (entry->account == NULL)
        return; /* out of memory: it is not counted */
    entry->account->leased++;
    if (entry->account->timed == &queue->refilling)
        set_timed(entry->account, NULL, 0);
}

void pawl_store_queue_left(pawl_store_registry *registry, pawl_store_entry *entry)
{
    pawl_store_queue *queue = &entry->type->queue;
    pawl_store_account *account = entry->account;
    if (pawl_store_queue_room(entry->type) == 0)
        pawl_store_announce_work(registry);
    queue->leased--;
    if (account == NULL)
        return;
    bool crowded = pawl_store_queue_is_crowded(entry->type);
    entry->account = NULL;
    account->leased--;
    if (account->timed == NULL && account_has_room(queue, account))
        let_go(registry, account);
    if (crowded && !pawl_store_queue_is_crowded(entry->type))
        pawl_store_announce_work(registry);
}

size_t pawl_store_queue_room(const pawl_store_type *type)
{
    const pawl_store_queue *queue = &type->queue;
    if (queue->limits.concurrency == 0)
        return SIZE_MAX;
    return queue->limits.concurrency > queue->leased ? queue->limits.concurrency - queue->leased : 0;
}

bool pawl_store_queue_key_has_room(const pawl_store_type *type, uint64_t key)
{
    const pawl_store_queue *queue = &type->queue;
    return key == 0 || queue->limits.key_concurrency == 0 || account_has_room(queue, find_account(queue, key));
}

/* ---- for the scan of ready rows ---- */

size_t pawl_store_queue_rate_room(pawl_store_type *type, uint64_t now_mono_ns)
{
    pawl_store_queue *queue = &type->queue;
    const pawl_type_limits *limits = &queue->limits;
    size_t room = rate_room(queue->next_mono_ns, limits->rate_burst, limits->rate_interval_ns, now_mono_ns);
    if (room == 0)
        look_at(queue, rate_until(queue->next_mono_ns, limits->rate_burst, limits->rate_interval_ns));
    return room;
}

static void hold_lane(pawl_store_account *account, pawl_store_lane *lane)
{
    pawl_store_lane_leave_turn(lane);
    TAILQ_INSERT_TAIL(&account->lanes, lane, turn_link);
    lane->held = account;
    lane->level->held_count++;
}

size_t pawl_store_lane_room(pawl_store_registry *registry, pawl_store_type *type, pawl_store_lane *lane,
                            uint64_t now_mono_ns)
{
    pawl_store_queue *queue = &type->queue;
    const pawl_type_limits *limits = &queue->limits;
    if (lane->key == 0 || !counts_keys(queue))
        return SIZE_MAX;
    pawl_store_account *account = account_of(registry, type, lane->key);
    if (account == NULL)
        return 0;
    size_t room = rate_room(account->next_mono_ns, limits->key_rate_burst, limits->key_rate_interval_ns, now_mono_ns);
    if (!account_has_room(queue, account)) {
        hold_lane(account, lane);
        return 0;
    }
    if (room == 0) {
        set_timed(account, &queue->rated,
                  rate_until(account->next_mono_ns, limits->key_rate_burst, limits->key_rate_interval_ns));
        look_at(queue, account->until_mono_ns);
        hold_lane(account, lane);
        return 0;
    }
    size_t free_places = limits->key_concurrency == 0 ? SIZE_MAX : limits->key_concurrency - account->leased;
    settle_account(registry, account);
    return room < free_places ? room : free_places;
}

void pawl_store_lane_spend(pawl_store_registry *registry, pawl_store_type *type, const pawl_store_lane *lane,
                           size_t count, uint64_t now_mono_ns)
{
    pawl_store_queue *queue = &type->queue;
    const pawl_type_limits *limits = &queue->limits;
    if (count == 0)
        return;
    if (limits->rate_interval_ns != 0)
        rate_spend(&queue->next_mono_ns, limits->rate_interval_ns, count, now_mono_ns);
    if (lane->key == 0 || limits->key_rate_interval_ns == 0)
        return;
    pawl_store_account *account = account_of(registry, type, lane->key);
    if (account == NULL)
        return;
    rate_spend(&account->next_mono_ns, limits->key_rate_interval_ns, count, now_mono_ns);
    settle_account(registry, account);
}

void pawl_store_queue_let_due_go(pawl_store_registry *registry, pawl_store_type *type, uint64_t now_mono_ns)
{
    pawl_store_queue *queue = &type->queue;
    pawl_store_account *account;
    while ((account = RB_MIN(pawl_store_timed_tree, &queue->refilling)) != NULL &&
           account->until_mono_ns <= now_mono_ns) {
        set_timed(account, NULL, 0);
        settle_account(registry, account);
    }
    while ((account = RB_MIN(pawl_store_timed_tree, &queue->rated)) != NULL && account->until_mono_ns <= now_mono_ns)
        let_go(registry, account);
    queue->look_mono_ns = account == NULL ? STORE_NEVER : account->until_mono_ns;
}

/* ---- what others tell ---- */

void pawl_store_queue_note(pawl_store_registry *registry, const pawl_store_entry *entry)
{
    pawl_store_queue *queue = &entry->type->queue;
    pawl_store_level *level = &queue->levels[pawl_store_priority_of(&entry->identity)];
    uint64_t sequence = entry->state.ready_sequence;
    pawl_store_lane *lane = find_lane(level, entry->identity.lane);
    queue->writes++;
    if (lane == NULL) {
        lane = make_lane(registry, level, entry->identity.lane);
        if (lane == NULL)
            return;
        lane->cursor = level->whole ? sequence : 0;
    } else if ((!lane->in_turn && lane->held == NULL) || sequence < lane->cursor) {
        /* Those of one round come in the order of its stages, not of their sequences: a later call may lie before. */
        lane->cursor = sequence;
    }
    lane->written = queue->writes;
    if (lane->held == NULL)
        pawl_store_lane_join_turn(lane);
}

bool pawl_store_queue_is_clear(const pawl_store_type *type, uint32_t priority)
{
    const pawl_store_queue *queue = &type->queue;
    if (queue->limited)
        return false;
    for (uint32_t i = 0; i <= priority; i++) {
        const pawl_store_level *level = &queue->levels[i];
        if (level->turn_count > 0 || level->held_count > 0 || !level->whole)
            return false;
    }
    return true;
}

static bool is_same(const pawl_type_limits *a, const pawl_type_limits *b)
{
    return a->concurrency == b->concurrency && a->key_concurrency == b->key_concurrency &&
           a->rate_interval_ns == b->rate_interval_ns && a->key_rate_interval_ns == b->key_rate_interval_ns &&
           a->rate_burst == b->rate_burst && a->key_rate_burst == b->key_rate_burst;
}

void pawl_store_queue_set_limits(pawl_store_registry *registry, pawl_store_type *type, const pawl_type_limits *limits)
{
    pawl_store_queue *queue = &type->queue;
    pawl_store_account *account;
    pawl_store_account *next;
    if (is_same(&queue->limits, limits))
        return;
    queue->limits = *limits;
    queue->limited = limits->concurrency != 0 || limits->rate_interval_ns != 0 || counts_keys(queue);
    queue->next_mono_ns = 0;
    RB_FOREACH_SAFE(account, pawl_store_account_tree, &queue->accounts, next)
    {
        account->next_mono_ns = 0;
        let_go(registry, account);
    }
}

uint32_t pawl_store_queue_held_by(const pawl_store_type *type, uint64_t key, uint64_t now_mono_ns, uint64_t *limit,
                                  uint64_t *interval_ns)
{
    const pawl_store_queue *queue = &type->queue;
    const pawl_type_limits *limits = &queue->limits;
    const pawl_store_account *account = key == 0 ? NULL : find_account(queue, key);
    *limit = *interval_ns = 0;
    if (pawl_store_queue_room(type) == 0) {
        *limit = limits->concurrency;
        return PAWL_HELD_TYPE_CONCURRENCY;
    }
    if (account != NULL && !account_has_room(queue, account)) {
        *limit = limits->key_concurrency;
        return PAWL_HELD_KEY_CONCURRENCY;
    }
    if (rate_room(queue->next_mono_ns, limits->rate_burst, limits->rate_interval_ns, now_mono_ns) == 0) {
        *interval_ns = limits->rate_interval_ns;
        return PAWL_HELD_TYPE_RATE;
    }
    if (account != NULL &&
        rate_room(account->next_mono_ns, limits->key_rate_burst, limits->key_rate_interval_ns, now_mono_ns) == 0) {
        *interval_ns = limits->key_rate_interval_ns;
        return PAWL_HELD_KEY_RATE;
    }
    return 0;
}

uint64_t pawl_store_queue_begins_at(const pawl_store_type *type, uint32_t priority, uint64_t key)
{
    const pawl_store_level *level = &type->queue.levels[priority];
    pawl_store_lane wanted = {.key = key};
    struct pawl_store_lane_tree tree = level->lanes; /* as in find_account */
    const pawl_store_lane *lane = key == 0 ? &level->base : RB_FIND(pawl_store_lane_tree, &tree, &wanted);
    return lane == NULL ? 0 : lane->cursor;
}

/* ---- beginning and end ---- */

void pawl_store_queue_init(pawl_store_type *type)
{
    pawl_store_queue *queue = &type->queue;
    queue->look_mono_ns = STORE_NEVER;
    RB_INIT(&queue->accounts);
    RB_INIT(&queue->rated);
    RB_INIT(&queue->refilling);
    for (uint32_t i = 0; i < STORE_PRIORITY_COUNT; i++) {
        pawl_store_level *level = &queue->levels[i];
        level->priority = i;
        level->whole = true;
        level->base.level = level;
        RB_INIT(&level->lanes);
        TAILQ_INIT(&level->turns);
    }
}

void pawl_store_queue_reopen(pawl_store_type *type)
{
    for (uint32_t i = 0; i < STORE_PRIORITY_COUNT; i++) {
        type->queue.levels[i].whole = false;
        pawl_store_lane_join_turn(&type->queue.levels[i].base);
    }
}

void pawl_store_queue_finish(pawl_store_registry *registry, pawl_store_type *type)
{
    pawl_store_queue *queue = &type->queue;
    pawl_store_lane *lane;
    pawl_store_account *account;
    for (uint32_t i = 0; i < STORE_PRIORITY_COUNT; i++)
        while ((lane = RB_MIN(pawl_store_lane_tree, &queue->levels[i].lanes)) != NULL)
            free_lane(registry, lane);
    while ((account = RB_MIN(pawl_store_account_tree, &queue->accounts)) != NULL) {
        set_timed(account, NULL, 0);
        RB_REMOVE(pawl_store_account_tree, &queue->accounts, account);
        free(account);
    }
}
