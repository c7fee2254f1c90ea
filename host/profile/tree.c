/* tree.c: builds the tree from the parser's events, without recursion. The document model of the YAML library
 * is not used: it resolves aliases by copying, which lets a small file grow without bound, and keeps one place per
 * duplicate key. Shared subtrees here stay shared; only their weight is counted at each use.
 * Never trusts the text: encoding, depth, weight and self-reference are checked before anything walks the tree. */
#include "host/profile/tree.h"

#include "host/profile/text.h"

#include <assert.h>
#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#define TAG_MERGE   "tag:yaml.org,2002:merge"
#define ANCHORS_MAX 1000u /* keeps looking one up, which is linear, cheap */

typedef struct chained {
    struct chained *next;
    pawl_tree_entry entry;
} chained;

typedef struct frame {
    pawl_tree_node *node;
    pawl_tree_node *key; /* waits for its value */
    chained *first;
    chained *last;
    size_t count;
} frame;

typedef struct anchor {
    struct anchor *next; /* defined earlier */
    const char *name;
    const pawl_tree_node *node;
    bool open; /* its node has not ended yet */
} anchor;

typedef struct builder {
    pawl_profile_memory *memory;
    pawl_problem_list *problems;
    frame frames[PAWL_PROFILE_DEPTH_MAX];
    size_t depth;
    pawl_tree_node *root;
    anchor *anchors;
    size_t anchor_count;
    size_t merged; /* entries that merge keys made */
} builder;

/* ---- places and text of the library's tokens ---- */

static pawl_place place_of(const builder *b, struct fy_event *event)
{
    const struct fy_mark *mark = fy_event_start_mark(event);
    if (!mark) { /* a value left out stands where its key does */
        const frame *top = b->depth ? &b->frames[b->depth - 1] : NULL;
        if (!top)
            return (pawl_place){1, 1};
        return top->key ? top->key->place : top->node->place;
    }
    /* The library points behind the opening quote and behind the asterisk. */
    uint32_t back = event->type == FYET_ALIAS ? 1 : 0;
    if (event->type == FYET_SCALAR) {
        enum fy_scalar_style style = fy_token_scalar_style(event->scalar.value);
        back = style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED ? 1 : 0;
    }
    return (pawl_place){(uint32_t)mark->line + 1, (uint32_t)mark->column + 1 - back};
}

static const char *token_text(builder *b, struct fy_token *token, size_t *ret_size)
{
    size_t size = 0;
    const char *text = token ? fy_token_get_text(token, &size) : NULL;
    if (!text)
        size = 0;
    if (ret_size)
        *ret_size = size;
    return pawl_profile_memory_copy(b->memory, text, size);
}

/* ---- attaching ---- */

static bool attach(builder *b, pawl_tree_node *node)
{
    if (!b->depth) {
        b->root = node;
        return true;
    }
    frame *top = &b->frames[b->depth - 1];
    if (top->node->kind == PAWL_TREE_MAPPING && !top->key) {
        top->key = node;
        return true;
    }
    chained *l = pawl_profile_memory_array(b->memory, 1, sizeof(*l));
    if (!l)
        return false;
    l->entry = (pawl_tree_entry){top->key, node};
    if (top->last)
        top->last->next = l;
    else
        top->first = l;
    top->last = l;
    top->count++;
    top->key = NULL;
    return true;
}

static bool define_anchor(builder *b, struct fy_token *token, const pawl_tree_node *node, bool open)
{
    if (!token)
        return true;
    if (b->anchor_count++ == ANCHORS_MAX) {
        pawl_problems_add(b->problems, node->place, "profile.alias", "more than %u anchors", ANCHORS_MAX);
        return false;
    }
    anchor *a = pawl_profile_memory_array(b->memory, 1, sizeof(*a));
    if (!a)
        return false;
    a->name = token_text(b, token, NULL);
    a->node = node;
    a->open = open;
    a->next = b->anchors;
    b->anchors = a;
    return a->name != NULL;
}

static pawl_tree_node *new_node(builder *b, int kind, pawl_place place, struct fy_token *tag)
{
    pawl_tree_node *node = pawl_profile_memory_array(b->memory, 1, sizeof(*node));
    if (!node)
        return NULL;
    node->kind = kind;
    node->place = place;
    node->depth = 1;
    node->weight = 1;
    node->text = "";
    if (tag) {
        node->tag = token_text(b, tag, NULL);
        if (!node->tag)
            return NULL;
    }
    return node;
}

static bool add_scalar(builder *b, struct fy_event *event)
{
    const struct fy_event_scalar_data *data = &event->scalar;
    pawl_tree_node *node = new_node(b, PAWL_TREE_SCALAR, place_of(b, event), data->tag);
    if (!node)
        return false;
    node->text = token_text(b, data->value, &node->size);
    node->plain = !data->value || fy_token_scalar_style(data->value) == FYSS_PLAIN;
    if (!node->text)
        return false;
    if (!pawl_text_is_valid(node->text, node->size)) {
        pawl_problems_add(b->problems, node->place, "profile.encoding", "an escape that is not a character");
        node->text = "";
        node->size = 0;
        node->broken = true;
    }
    return define_anchor(b, data->anchor, node, false) && attach(b, node);
}

static bool add_alias(builder *b, struct fy_event *event)
{
    pawl_place place = place_of(b, event);
    const char *name = token_text(b, event->alias.anchor, NULL);
    if (!name)
        return false;
    const anchor *a = b->anchors;
    while (a && strcmp(a->name, name) != 0)
        a = a->next;
    pawl_tree_node *node = new_node(b, PAWL_TREE_SCALAR, place, NULL);
    if (!node)
        return false;
    node->broken = !a || a->open;
    if (!a)
        pawl_problems_add(b->problems, place, "profile.alias", "alias *%s: no anchor &%s stands before it", name, name);
    else if (a->open)
        pawl_problems_add(b->problems, place, "profile.alias", "alias *%s stands inside its own anchor", name);
    else {
        *node = *a->node;
        node->place = place; /* what is wrong with this use is shown where it is used */
    }
    return attach(b, node);
}

/* ---- containers ---- */

static bool open_container(builder *b, struct fy_event *event)
{
    bool mapping = event->type == FYET_MAPPING_START;
    pawl_place place = place_of(b, event);
    if (b->depth == PAWL_PROFILE_DEPTH_MAX) {
        pawl_problems_add(b->problems, place, "profile.too_deep", "nested deeper than %u levels",
                          PAWL_PROFILE_DEPTH_MAX);
        return false;
    }
    struct fy_token *tag = mapping ? event->mapping_start.tag : event->sequence_start.tag;
    struct fy_token *name = mapping ? event->mapping_start.anchor : event->sequence_start.anchor;
    pawl_tree_node *node = new_node(b, mapping ? PAWL_TREE_MAPPING : PAWL_TREE_LIST, place, tag);
    if (!node || !define_anchor(b, name, node, true))
        return false;
    b->frames[b->depth++] = (frame){.node = node};
    return true;
}

/* One entry that may end up in a mapping. rank 0: written in it; above: from its merge key, nearest first. */
typedef struct candidate {
    pawl_tree_entry entry;
    size_t order;
    bool merged;
    bool dropped;
} candidate;

static int compare_keys(const pawl_tree_node *a, const pawl_tree_node *b)
{
    size_t size = a->size < b->size ? a->size : b->size;
    int by_text = memcmp(a->text, b->text, size);
    return by_text ? by_text : (a->size > b->size) - (a->size < b->size);
}

static int by_key(const void *left, const void *right)
{
    const candidate *a = left;
    const candidate *b = right;
    int keys = compare_keys(a->entry.key, b->entry.key);
    if (keys)
        return keys;
    if (a->merged != b->merged)
        return a->merged ? 1 : -1;
    return (a->order > b->order) - (a->order < b->order);
}

static int by_order(const void *left, const void *right)
{
    const candidate *a = left;
    const candidate *b = right;
    return (a->order > b->order) - (a->order < b->order);
}

static bool is_merge(const pawl_tree_entry *entry)
{
    const pawl_tree_node *key = entry->key;
    return key->kind == PAWL_TREE_SCALAR && key->plain && key->size == 2 && memcmp(key->text, "<<", 2) == 0 &&
           (!key->tag || strcmp(key->tag, TAG_MERGE) == 0);
}

/* A merge key takes all that it names or nothing, so that counting and merging cannot differ. */
static bool can_merge(const pawl_tree_node *value)
{
    if (value->kind != PAWL_TREE_LIST)
        return value->kind == PAWL_TREE_MAPPING;
    for (size_t i = 0; i < value->count; i++)
        if (value->entries[i].value->kind != PAWL_TREE_MAPPING)
            return false;
    return true;
}

/* How many entries a merge key brings. */
static size_t merge_size(builder *b, const pawl_tree_node *value)
{
    if (!can_merge(value)) {
        pawl_problems_add(b->problems, value->place, "profile.merge",
                          "the merge key << takes a mapping or a list of mappings");
        return 0;
    }
    if (value->kind == PAWL_TREE_MAPPING)
        return value->count;
    size_t size = 0;
    for (size_t i = 0; i < value->count; i++)
        size += value->entries[i].value->count;
    return size;
}

static size_t merge_in(candidate *into, size_t order, const pawl_tree_node *source)
{
    for (size_t i = 0; i < source->count; i++)
        into[i] = (candidate){.entry = source->entries[i], .order = order + i, .merged = true};
    return source->count;
}

static bool key_is_good(builder *b, const pawl_tree_entry *entry)
{
    const pawl_tree_node *key = entry->key;
    if (key->kind != PAWL_TREE_SCALAR)
        pawl_problems_add(b->problems, key->place, "profile.key", "a key must be a text, found a %s",
                          key->kind == PAWL_TREE_LIST ? "list" : "mapping");
    else if (!key->size)
        pawl_problems_add(b->problems, key->place, "profile.key", "an empty key");
    else if (memchr(key->text, 0, key->size))
        pawl_problems_add(b->problems, key->place, "profile.key", "a key with a NUL character");
    else
        return true;
    return false;
}

/* All that may become entries of a mapping. Returns how many; SIZE_MAX when it had to stop. */
static size_t collect(builder *b, const frame *f, candidate **ret)
{
    size_t room = f->count;
    for (const chained *l = f->first; l; l = l->next)
        if (is_merge(&l->entry))
            room += merge_size(b, l->entry.value);
    b->merged += room - f->count;
    if (b->merged > PAWL_PROFILE_NODES_MAX) {
        pawl_problems_add(b->problems, f->node->place, "profile.too_many_values",
                          "merge keys make more than %u entries", PAWL_PROFILE_NODES_MAX);
        return SIZE_MAX;
    }
    candidate *all = calloc(room + 1, sizeof(*all));
    if (!all) {
        pawl_profile_memory_fail(b->memory);
        return SIZE_MAX;
    }
    size_t count = 0;
    for (const chained *l = f->first; l; l = l->next) {
        const pawl_tree_node *value = l->entry.value;
        if (!is_merge(&l->entry)) {
            if (key_is_good(b, &l->entry)) {
                all[count] = (candidate){.entry = l->entry, .order = count};
                count++;
            }
        } else if (value->kind == PAWL_TREE_MAPPING) {
            count += merge_in(&all[count], count, value);
        } else if (can_merge(value)) {
            for (size_t i = 0; i < value->count; i++)
                count += merge_in(&all[count], count, value->entries[i].value);
        }
    }
    *ret = all;
    return count;
}

static bool finish_mapping(builder *b, const frame *f)
{
    candidate *all = NULL;
    size_t count = collect(b, f, &all);
    if (count == SIZE_MAX)
        return false;
    qsort(all, count, sizeof(*all), by_key);
    size_t kept = count;
    for (size_t i = 1, first = 0; i < count; i++) {
        if (compare_keys(all[first].entry.key, all[i].entry.key) != 0) {
            first = i;
            continue;
        }
        all[i].dropped = true;
        kept--;
        pawl_place earlier = all[first].entry.key->place;
        if (!all[i].merged)
            pawl_problems_add(b->problems, all[i].entry.key->place, "profile.duplicate_key",
                              "\"%.80s\" is here again; the first one is at %s:%u:%u", all[i].entry.key->text,
                              b->problems->path, earlier.line, earlier.column);
    }
    qsort(all, count, sizeof(*all), by_order);
    f->node->entries = pawl_profile_memory_array(b->memory, kept, sizeof(pawl_tree_entry));
    for (size_t i = 0; f->node->entries && i < count; i++)
        if (!all[i].dropped)
            f->node->entries[f->node->count++] = all[i].entry;
    free(all);
    return f->node->entries != NULL;
}

static bool finish_list(builder *b, const frame *f)
{
    f->node->entries = pawl_profile_memory_array(b->memory, f->count, sizeof(pawl_tree_entry));
    if (!f->node->entries)
        return false;
    for (const chained *l = f->first; l; l = l->next)
        f->node->entries[f->node->count++] = l->entry;
    return true;
}

static bool measure(builder *b, pawl_tree_node *node)
{
    for (size_t i = 0; i < node->count; i++) {
        const pawl_tree_node *value = node->entries[i].value;
        if (node->depth <= value->depth)
            node->depth = value->depth + 1;
        node->weight += value->weight + 1;
        if (node->weight > PAWL_PROFILE_NODES_MAX) {
            pawl_problems_add(b->problems, node->place, "profile.too_many_values",
                              "more than %u values, with aliases followed", PAWL_PROFILE_NODES_MAX);
            return false;
        }
    }
    if (node->depth <= PAWL_PROFILE_DEPTH_MAX)
        return true;
    pawl_problems_add(b->problems, node->place, "profile.too_deep",
                      "nested deeper than %u levels, with aliases followed", PAWL_PROFILE_DEPTH_MAX);
    return false;
}

static bool close_container(builder *b)
{
    assert(b->depth > 0); /* the parser opens what it closes */
    const frame f = b->frames[--b->depth];
    assert(f.node != NULL);
    bool good = f.node->kind == PAWL_TREE_MAPPING ? finish_mapping(b, &f) : finish_list(b, &f);
    for (anchor *a = b->anchors; a; a = a->next)
        if (a->node == f.node)
            a->open = false;
    return good && measure(b, f.node) && attach(b, f.node);
}

/* ---- the library's parser ---- */

static void report_syntax(struct fy_diag *diag, const builder *b)
{
    void *cursor = NULL;
    const struct fy_diag_error *error;
    size_t reported = 0;
    while ((error = fy_diag_errors_iterate(diag, &cursor))) {
        if (error->type < FYET_ERROR || !error->msg)
            continue;
        pawl_place place = {error->line > 0 ? (uint32_t)error->line : 1,
                            error->column > 0 ? (uint32_t)error->column : 1};
        pawl_problems_add(b->problems, place, "profile.syntax", "not valid YAML: %.300s", error->msg);
        reported++;
    }
    if (!reported)
        pawl_problems_add(b->problems, (pawl_place){1, 1}, "profile.syntax", "not valid YAML");
}

/* Take one event; false ends the reading. */
static bool take(builder *b, struct fy_event *event)
{
    switch (event->type) {
    case FYET_SCALAR:
        return add_scalar(b, event);
    case FYET_ALIAS:
        return add_alias(b, event);
    case FYET_MAPPING_START:
    case FYET_SEQUENCE_START:
        return open_container(b, event);
    case FYET_MAPPING_END:
    case FYET_SEQUENCE_END:
        return close_container(b);
    case FYET_DOCUMENT_START:
        if (!b->root)
            return true;
        pawl_problems_add(b->problems, place_of(b, event), "profile.documents",
                          "a second document begins here; a profile is one document");
        return false;
    default:
        return true;
    }
}

static bool build(builder *b, struct fy_parser *parser, struct fy_diag *diag)
{
    for (;;) {
        struct fy_event *event = fy_parser_parse(parser);
        if (!event) {
            if (fy_parser_get_stream_error(parser)) {
                report_syntax(diag, b);
                return false;
            }
            return true;
        }
        bool go_on = take(b, event);
        fy_parser_event_free(parser, event);
        if (!go_on)
            return false;
    }
}

const pawl_tree_node *pawl_profile_tree_read(const char *text, size_t size, pawl_profile_memory *memory,
                                             pawl_problem_list *problems)
{
    if (!pawl_text_check(text, size, problems))
        return NULL;
    struct fy_diag_cfg diag_config;
    fy_diag_cfg_default(&diag_config);
    diag_config.fp = NULL;
    diag_config.colorize = false;
    struct fy_diag *diag = fy_diag_create(&diag_config);
    if (diag)
        fy_diag_set_collect_errors(diag, true);
    struct fy_parse_cfg config = {.flags = FYPCF_DEFAULT_VERSION_1_2 | FYPCF_JSON_NONE | FYPCF_ALLOW_DUPLICATE_KEYS,
                                  .diag = diag};
    struct fy_parser *parser = diag ? fy_parser_create(&config) : NULL;
    builder *b = calloc(1, sizeof(*b));
    const pawl_tree_node *root = NULL;
    if (parser && b && fy_parser_set_string(parser, text, size) == 0) {
        b->memory = memory;
        b->problems = problems;
        bool good = build(b, parser, diag);
        if (good && !b->root)
            pawl_problems_add(problems, (pawl_place){1, 1}, "profile.empty", "the profile is empty");
        root = good ? b->root : NULL;
    } else {
        pawl_profile_memory_fail(memory);
    }
    free(b);
    if (parser)
        fy_parser_destroy(parser);
    if (diag)
        fy_diag_destroy(diag);
    return root;
}

const pawl_tree_entry *pawl_tree_find(const pawl_tree_node *node, const char *key)
{
    if (!node || node->kind != PAWL_TREE_MAPPING)
        return NULL;
    for (size_t i = 0; i < node->count; i++)
        if (strcmp(node->entries[i].key->text, key) == 0)
            return &node->entries[i];
    return NULL;
}

const pawl_tree_node *pawl_tree_get(const pawl_tree_node *node, const char *key)
{
    const pawl_tree_entry *entry = pawl_tree_find(node, key);
    return entry ? entry->value : NULL;
}
