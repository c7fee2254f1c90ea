/* orders.c: what is in flight together, ending in other orders. Of two orders that the program cannot tell apart one is
 * tried: whether it can, follows from what it awaited together (dynamic partial-order reduction): from each order that
 * was run come those in which one event overtakes another that an `await any`, the order of undoing, or a cancel
 * request makes it race with. Breadth first, so that small changes come first; when there are more than may be tried,
 * the rest are drawn by a seed. Each order is its own truth: it is only asked to be the same after every crash. */
#include "tester_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#define ORDERS_DEFAULT 500u
#define OUTCOMES_MAX   20u

typedef struct prefix {
    pawl_happening *list;
    size_t count;
} prefix;

typedef struct search {
    pawl_tester *t;
    prefix *open; /* still to be run; from `next` on */
    size_t next, count, room;
    uint64_t *seen; /* hashes of prefixes, open addressing */
    size_t seen_count, seen_room;
    uint64_t seed;
    uint64_t tried, most, unreachable;
    pawl_tester_group group;
    json_t *outcomes; /* [{end, orders, first}] */
} search;

/* ---- prefixes ---- */

static uint64_t hash_of(const pawl_happening *list, size_t count, const pawl_happening *last)
{
    uint64_t hash = 1;
    for (size_t i = 0; i <= count; i++) {
        const pawl_happening *one = i < count ? &list[i] : last;
        const uint64_t parts[4] = {hash, one->kind | (uint64_t)one->run << 32, one->attempt, one->number};
        hash = XXH3_64bits(parts, sizeof parts);
    }
    return hash == 0 ? 1 : hash;
}

static bool grow_seen(search *s)
{
    size_t room = s->seen_room == 0 ? 1024 : s->seen_room * 2;
    uint64_t *seen = calloc(room, sizeof *seen);
    if (seen == NULL)
        return false;
    for (size_t i = 0; i < s->seen_room; i++)
        if (s->seen[i] != 0) {
            size_t at = s->seen[i] & (room - 1);
            while (seen[at] != 0)
                at = (at + 1) & (room - 1);
            seen[at] = s->seen[i];
        }
    free(s->seen);
    s->seen = seen;
    s->seen_room = room;
    return true;
}

/* True: it is new. */
static bool note_seen(search *s, uint64_t hash)
{
    if (s->seen_count * 2 >= s->seen_room && !grow_seen(s))
        return false;
    size_t at = hash & (s->seen_room - 1);
    while (s->seen[at] != 0) {
        if (s->seen[at] == hash)
            return false;
        at = (at + 1) & (s->seen_room - 1);
    }
    s->seen[at] = hash;
    s->seen_count++;
    return true;
}

static void add_prefix(search *s, const pawl_happening *list, size_t count, const pawl_happening *last)
{
    if (!note_seen(s, hash_of(list, count, last)))
        return;
    if (s->count == s->room) {
        size_t room = s->room == 0 ? 64 : s->room * 2;
        prefix *open = realloc(s->open, room * sizeof *open);
        if (open == NULL)
            return;
        s->open = open;
        s->room = room;
    }
    pawl_happening *copy = malloc((count + 1) * sizeof *copy);
    if (copy == NULL)
        return;
    if (count > 0)
        memcpy(copy, list, count * sizeof *copy);
    copy[count] = *last;
    s->open[s->count++] = (prefix){copy, count + 1};
}

/* ---- which orders there are ---- */

static bool races(const pawl_machine *m, const pawl_happening *left, const pawl_happening *right)
{
    bool both_sent = left->kind == PAWL_HAPPENS_SCRIPT && right->kind == PAWL_HAPPENS_SCRIPT; /* in one order only */
    return !both_sent &&
           ((left->shared && right->shared) || pawl_witness_tells_apart(&m->witness, left->token, right->token));
}

static bool could_happen(const pawl_machine *m, const pawl_choice_point *choice, const pawl_happening *what)
{
    for (size_t c = choice->first; c < choice->first + choice->count; c++)
        if (pawl_happening_same(&m->could[c], what))
            return true;
    return false;
}

/* Does something that could not happen yet race with what happened here, and not because of it? Then it may come first
 * when this waits. */
static bool races_with_later(const pawl_machine *m, size_t at)
{
    const pawl_happening *here = &m->history[at];
    for (size_t i = at + 1; i < m->history_count; i++) {
        const pawl_happening *later = &m->history[i];
        bool same = here->kind == later->kind && here->run == later->run && here->number == later->number;
        bool after = later->kind != PAWL_HAPPENS_SCRIPT && pawl_witness_follows(&m->witness, later->token, here->token);
        bool other_run = here->run != 0 && later->run != 0 && here->run != later->run;
        if (!same && !after && !other_run && races(m, here, later) && !could_happen(m, &m->choices[at], later))
            return true;
    }
    return false;
}

/* Orders that begin like this one, until one event overtakes another that it races with. */
static void add_others(search *s, const pawl_machine *m)
{
    for (size_t i = 0; i < m->history_count; i++)
        (void)note_seen(s, hash_of(m->history, i, &m->history[i])); /* all that begins so comes from here */
    for (size_t i = 0; i < m->history_count; i++) {
        const pawl_happening *here = &m->history[i];
        const pawl_choice_point *choice = &m->choices[i];
        bool all = s->t->request->all_orders || (choice->count > 1 && races_with_later(m, i));
        for (size_t c = choice->first; c < choice->first + choice->count; c++)
            if (!pawl_happening_same(&m->could[c], here) && (all || races(m, here, &m->could[c])))
                add_prefix(s, m->history, i, &m->could[c]);
    }
}

/* About how many orders there are, told apart or not. */
static double count_all(const pawl_machine *m)
{
    double all = 1;
    for (size_t i = 0; i < m->history_count; i++)
        all *= (double)m->choices[i].count;
    return all;
}

/* ---- running them ---- */

static void say_order(const pawl_machine *m, pawl_tester_text *ret)
{
    const pawl_script *script = m->subject->script;
    for (size_t i = 0; i < m->history_count; i++) {
        const pawl_happening *one = &m->history[i];
        if (i > 0)
            pawl_tester_text_add(ret, " ");
        if (one->kind != PAWL_HAPPENS_SCRIPT)
            pawl_tester_text_add(ret, "#%" PRIu64, one->number);
        else if (script->events[one->number].kind == PAWL_EVENT_CANCEL)
            pawl_tester_text_add(ret, "cancel");
        else if (script->events[one->number].kind == PAWL_EVENT_SESSION)
            pawl_tester_text_add(ret, "session");
        else
            pawl_tester_text_add(ret, "%.*s", (int)script->events[one->number].name.size,
                                 (const char *)script->events[one->number].name.data);
    }
}

static void note_outcome(search *s, const pawl_machine *m, const char *name)
{
    pawl_tester_text end = {0}, order = {0};
    size_t i;
    json_t *one, *found = NULL;
    pawl_machine_say_end(m, &end);
    say_order(m, &order);
    json_array_foreach(s->outcomes, i, one) if (strcmp(json_string_value(json_object_get(one, "end")),
                                                       pawl_tester_text_of(&end)) == 0) found = one;
    if (found != NULL)
        (void)json_object_set_new(found, "orders",
                                  json_integer(json_integer_value(json_object_get(found, "orders")) + 1));
    else if (json_array_size(s->outcomes) < OUTCOMES_MAX)
        (void)json_array_append_new(s->outcomes,
                                    json_pack("{s:s, s:i, s:s, s:s}", "end", pawl_tester_text_of(&end), "orders", 1,
                                              "first", name, "order", pawl_tester_text_of(&order)));
    pawl_tester_text_finish(&end);
    pawl_tester_text_finish(&order);
}

static void check_same_outcome(search *s, const pawl_machine *m, const char *name)
{
    pawl_tester_text here = {0}, first = {0}, message = {0};
    pawl_machine_say_end(m, &here);
    pawl_machine_say_end(&s->t->basic, &first);
    if (strcmp(pawl_tester_text_of(&here), pawl_tester_text_of(&first)) != 0) {
        pawl_tester_text_add(&message, "it ends otherwise: %s", pawl_tester_text_of(&here));
        pawl_tester_text_reset(&here);
        pawl_machine_summary(m, &here);
        pawl_tester_find(s->t, name, "outcome", pawl_tester_text_of(&message), &s->t->expected, &here);
    }
    pawl_tester_text *const texts[] = {&here, &first, &message};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        pawl_tester_text_finish(texts[i]);
}

static void say_context(pawl_tester *t, const pawl_machine *m)
{
    pawl_tester_text order = {0};
    say_order(m, &order);
    snprintf(t->context, sizeof t->context, "in the order %s", pawl_tester_text_of(&order));
    pawl_tester_text_finish(&order);
}

static void run_order(search *s, const prefix *plan)
{
    char name[64], inner[80];
    pawl_tester *t = s->t;
    pawl_machine m;
    pawl_tester_text summary = {0};
    snprintf(name, sizeof name, "order@%" PRIu64, s->tried + 1);
    if (!pawl_tester_begin(t, &s->group, name))
        return;
    s->tried++;
    (void)pawl_machine_init(&m, &t->subject, PAWL_MACHINE_LONG | pawl_tester_traced(t, name));
    m.plan = plan->list;
    m.plan_count = plan->count;
    m.plan_strict = true;
    pawl_machine_run(&m);
    say_context(t, &m);
    if (m.end == PAWL_END_PLAN) {
        s->unreachable++;
    } else {
        add_others(s, &m);
        pawl_tester_judge(t, &s->group, name, &m, NULL, false);
        note_outcome(s, &m, name);
        if (t->finding_count == 0 && t->request->same_outcome)
            check_same_outcome(s, &m, name);
        pawl_machine_summary(&m, &summary);
        snprintf(inner, sizeof inner, "%s/", name);
        if (t->finding_count == 0 && (t->request->only == NULL || strncmp(t->request->only, inner, strlen(inner)) == 0))
            pawl_tester_crashes(t, &s->group, &m, &summary, inner);
    }
    pawl_tester_text_finish(&summary);
    pawl_machine_finish(&m);
}

/* Breadth first for the first half, then by chance, so that a bound does not hide all that is far away. */
static prefix take(search *s)
{
    size_t at = s->next;
    if (s->count - s->next > s->most - s->tried && s->tried * 2 >= s->most) {
        s->seed ^= s->seed << 13;
        s->seed ^= s->seed >> 7;
        s->seed ^= s->seed << 17;
        at += s->seed % (s->count - s->next);
    }
    prefix taken = s->open[at];
    s->open[at] = s->open[s->next];
    s->open[s->next++] = (prefix){0};
    return taken;
}

static void report_orders(search *s)
{
    size_t left = s->count - s->next;
    bool all = left == 0 && !s->group.cut_short && s->t->finding_count == 0;
    char note[200];
    const char *which = ", and there are more (--orders)";
    if (s->t->finding_count > 0)
        which = "";
    else if (all)
        which = s->t->request->all_orders ? ", all that there are" : ", all that the program can tell apart";
    uint64_t tried = s->tried + 1 - s->unreachable;
    double in_all = count_all(&s->t->basic);
    char of[48] = "";
    if (in_all > (double)tried)
        snprintf(of, sizeof of, in_all < 1e6 ? " of about %.0f" : " of about %.0e", in_all);
    snprintf(note, sizeof note, "%" PRIu64 "%s order%s%s", tried, of, tried == 1 && of[0] == '\0' ? "" : "s", which);
    s->t->orders = json_pack("{s:I, s:b, s:f, s:O}", "tried", (json_int_t)(s->tried + 1 - s->unreachable), "all", all,
                             "in_all", count_all(&s->t->basic), "outcomes", s->outcomes);
    pawl_tester_report_group(s->t, &s->group, note);
}

void pawl_tester_orders(pawl_tester *t)
{
    search s = {.t = t, .group = {.name = "order"}, .seed = t->request->seed * 2 + UINT64_C(0x9E3779B97F4A7C15)};
    if (!pawl_tester_wants(t, "order") || t->finding_count > 0)
        return;
    s.most = t->request->orders_max == 0 ? ORDERS_DEFAULT : t->request->orders_max;
    s.outcomes = json_array();
    note_outcome(&s, &t->basic, "basic");
    add_others(&s, &t->basic);
    while (s.next < s.count && s.tried + 1 < s.most && t->finding_count == 0 && !s.group.cut_short) {
        prefix plan = take(&s);
        run_order(&s, &plan);
        free(plan.list);
    }
    report_orders(&s);
    for (size_t i = s.next; i < s.count; i++)
        free(s.open[i].list);
    free(s.open);
    free(s.seen);
    json_decref(s.outcomes);
}
