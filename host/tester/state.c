/* state.c: see state.h. The formats are those of host/builtin/session.c. */
#include "state.h"

#include "world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SESSION_CALLS "pawl.session."
#define COMMIT_CALL   "pawl.session.commit"

typedef struct pair {
    pawl_bytes key, value;
} pair;

typedef struct state {
    pair *pairs; /* in the order of their keys */
    size_t count, room;
    uint64_t revision;
    bool no_memory;
} state;

/* ---- bytes ---- */

static bool is(pawl_bytes bytes, const char *text)
{
    return bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}

static int compare(pawl_bytes left, pawl_bytes right)
{
    size_t size = left.size < right.size ? left.size : right.size;
    int order = size == 0 ? 0 : memcmp(left.data, right.data, size);
    return order != 0 ? order : left.size < right.size ? -1 : left.size > right.size;
}

static bool take(pawl_bytes *from, size_t size, pawl_bytes *ret)
{
    if (size > from->size)
        return false;
    *ret = (pawl_bytes){from->data, size};
    *from = (pawl_bytes){(const char *)from->data + size, from->size - size};
    return true;
}

/* Up to a character, which is taken, too. */
static bool take_to(pawl_bytes *from, char end, pawl_bytes *ret)
{
    const char *at = from->size == 0 ? NULL : memchr(from->data, end, from->size);
    pawl_bytes skipped;
    return at != NULL && take(from, (size_t)(at - (const char *)from->data), ret) && take(from, 1, &skipped);
}

static bool number(pawl_bytes text, uint64_t *ret)
{
    const char *digits = text.data;
    *ret = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (digits[i] < '0' || digits[i] > '9')
            return false;
        *ret = *ret * 10 + (uint64_t)(digits[i] - '0');
    }
    return text.size > 0 && text.size < 20;
}

/* ---- the state ---- */

static size_t place_of(const state *s, pawl_bytes key, bool *ret_there)
{
    size_t at = 0;
    while (at < s->count && compare(s->pairs[at].key, key) < 0)
        at++;
    *ret_there = at < s->count && compare(s->pairs[at].key, key) == 0;
    return at;
}

static void set(state *s, pawl_bytes key, pawl_bytes value)
{
    bool there = false;
    size_t at = place_of(s, key, &there);
    if (!there && s->count == s->room) {
        size_t room = s->room == 0 ? 16 : s->room * 2;
        pair *pairs = realloc(s->pairs, room * sizeof *pairs);
        if (pairs == NULL) {
            s->no_memory = true;
            return;
        }
        s->pairs = pairs;
        s->room = room;
    }
    if (s->pairs == NULL)
        return;
    if (!there) {
        memmove(s->pairs + at + 1, s->pairs + at, (s->count - at) * sizeof *s->pairs);
        s->count++;
    }
    s->pairs[at] = (pair){key, value};
}

static void unset(state *s, pawl_bytes key)
{
    bool there = false;
    size_t at = place_of(s, key, &there);
    if (there && s->pairs != NULL)
        memmove(s->pairs + at, s->pairs + at + 1, (--s->count - at) * sizeof *s->pairs);
}

typedef struct change {
    pawl_bytes kind, key, value;
} change;

static bool take_change(pawl_bytes *from, change *ret)
{
    pawl_bytes line, word, newline;
    uint64_t key = 0, value = 0;
    return take_to(from, '\n', &line) && take_to(&line, ' ', &ret->kind) && take_to(&line, ' ', &word) &&
           number(word, &key) && number(line, &value) && take(from, key, &ret->key) && take(from, value, &ret->value) &&
           take(from, 1, &newline);
}

/* The changes of a commit that was accepted. */
static void apply(state *s, pawl_bytes input)
{
    pawl_bytes expected;
    change one;
    if (!take_to(&input, '\n', &expected))
        return;
    while (input.size > 0 && take_change(&input, &one))
        if (is(one.kind, "delete"))
            unset(s, one.key);
        else
            set(s, one.key, one.value);
    s->revision++;
}

static void apply_pairs(state *s, const pawl_script_pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (pairs[i].removed)
            unset(s, pairs[i].key);
        else
            set(s, pairs[i].key, pairs[i].value);
    s->revision += count > 0;
}

/* What others did, up to this event of the script. */
static void apply_others(const pawl_machine *m, state *s, size_t *done, size_t to)
{
    for (; *done < to; ++*done) {
        const pawl_script_event *event = &m->subject->script->events[*done];
        if (event->kind == PAWL_EVENT_SESSION)
            apply_pairs(s, event->pairs, event->pair_count);
    }
}

static const pawl_issue *issue_of(const pawl_machine *m, uint32_t run, uint64_t ordinal)
{
    for (size_t i = 0; i < m->issue_count; i++)
        if (!m->issues[i].child && m->issues[i].run == run && m->issues[i].ordinal == ordinal)
            return &m->issues[i];
    return NULL;
}

/* As of now. Freed with free(ret->pairs). */
static void read_state(const pawl_machine *m, state *ret)
{
    const pawl_script *script = m->subject->script;
    size_t others = 0;
    *ret = (state){0};
    apply_pairs(ret, script->state, script->state_count);
    for (size_t i = 0; i < m->record_count; i++) {
        pawl_entry entry;
        if (m->records[i].kind != PAWL_RECORD_STEP || pawl_entry_decode(&m->records[i], &entry, NULL) != PAWL_OK ||
            entry.failed || !is(entry.name, COMMIT_CALL))
            continue;
        const pawl_issue *issue = issue_of(m, m->marks[i].run, entry.ordinal);
        apply_others(m, ret, &others, m->marks[i].script_at);
        if (issue != NULL)
            apply(ret, issue->input);
    }
    apply_others(m, ret, &others, m->script_at);
}

/* ---- calls ---- */

bool pawl_state_answers(const pawl_machine *m, pawl_bytes name)
{
    size_t size = sizeof SESSION_CALLS - 1;
    return m->subject->script->has_state && name.size > size && memcmp(name.data, SESSION_CALLS, size) == 0 &&
           pawl_script_effect_of(m->subject->script, name) == NULL;
}

static void get(const state *s, pawl_bytes key, pawl_tester_text *ret)
{
    bool there = false;
    size_t at = place_of(s, key, &there);
    pawl_tester_text_add(ret, "%" PRIu64 "%s", s->revision, there ? "\n" : "");
    if (there)
        pawl_tester_text_bytes(ret, s->pairs[at].value.data, s->pairs[at].value.size);
}

static void scan(const state *s, pawl_bytes prefix, pawl_tester_text *ret)
{
    pawl_tester_text_add(ret, "%" PRIu64 "\n", s->revision);
    for (size_t i = 0; i < s->count; i++) {
        const pair *one = &s->pairs[i];
        if (one->key.size < prefix.size || (prefix.size > 0 && memcmp(one->key.data, prefix.data, prefix.size) != 0))
            continue;
        pawl_tester_text_add(ret, "%zu %zu\n", one->key.size, one->value.size);
        pawl_tester_text_bytes(ret, one->key.data, one->key.size);
        pawl_tester_text_bytes(ret, one->value.data, one->value.size);
        pawl_tester_text_bytes(ret, "\n", 1);
    }
}

static bool refuse(pawl_failure *failure, const char *code, const char *message)
{
    *failure = pawl_tester_call_failure(PAWL_TERMINAL, code, message);
    return false;
}

static bool commit(pawl_machine *m, const state *s, pawl_bytes input, pawl_tester_text *ret, pawl_failure *failure)
{
    pawl_bytes expected;
    uint64_t revision = 0;
    change one;
    bool there = false;
    if (!take_to(&input, '\n', &expected) || (!is(expected, "any") && !number(expected, &revision)))
        return refuse(failure, "session.invalid", "the first line of a commit is the expected revision, or \"any\"");
    if (!is(expected, "any") && revision != s->revision) {
        char detail[64];
        int size = snprintf(detail, sizeof detail, "{\"revision\":%" PRIu64 "}", s->revision);
        (void)refuse(failure, "session.stale", "the session has another revision than the expected one");
        if (!pawl_arena_copy(&m->arena, (pawl_bytes){detail, (size_t)size}, &failure->detail_json))
            pawl_machine_no_memory(m);
        return false;
    }
    while (input.size > 0) {
        if (!take_change(&input, &one))
            return refuse(failure, "session.invalid", "a change of the commit cannot be read");
        (void)place_of(s, one.key, &there);
        if (there && is(one.kind, "new"))
            return refuse(failure, "session.exists", "a key that was to be new is there");
    }
    pawl_tester_text_add(ret, "%" PRIu64, s->revision + 1);
    return true;
}

bool pawl_state_call(pawl_machine *m, pawl_bytes name, pawl_bytes input, pawl_bytes *ret_value, pawl_failure *failure)
{
    state now;
    pawl_tester_text text = {0};
    bool good = true;
    read_state(m, &now);
    if (is(name, SESSION_CALLS "get"))
        get(&now, input, &text);
    else if (is(name, SESSION_CALLS "scan"))
        scan(&now, input, &text);
    else if (is(name, COMMIT_CALL))
        good = commit(m, &now, input, &text, failure);
    else
        good = refuse(failure, "test.unsupported", "`pawl test` knows no such call of a session");
    const pawl_bytes made = {pawl_tester_text_of(&text), text.size};
    if (now.no_memory || text.no_memory || !pawl_arena_copy(&m->arena, made, ret_value))
        pawl_machine_no_memory(m);
    pawl_tester_text_finish(&text);
    free(now.pairs);
    return good;
}

void pawl_state_say(const pawl_machine *m, pawl_tester_text *ret)
{
    state now;
    if (!m->subject->script->has_state)
        return;
    read_state(m, &now);
    pawl_tester_text_add(ret, "session, revision %" PRIu64 "\n", now.revision);
    for (size_t i = 0; i < now.count; i++) {
        pawl_tester_text_add(ret, "  ");
        pawl_tester_text_value(ret, now.pairs[i].key);
        pawl_tester_text_add(ret, " = ");
        pawl_tester_text_value(ret, now.pairs[i].value);
        pawl_tester_text_add(ret, "\n");
    }
    free(now.pairs);
}
