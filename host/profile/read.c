/* read.c: walks the tree along the schema and fills the struct. Goes on after every mistake, so that one run
 * shows all of them; a member whose value is wrong keeps its default. Never looks at the file system. */
#include "host/profile/read.h"

#include "host/profile/value.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

typedef struct target {
    unsigned char *base; /* the struct of the section */
    uint32_t *set;       /* where written members are noted; NULL: nowhere */
    bool tracked;        /* no defaults */
} target;

static void read_section(pawl_profile_reader *r, const pawl_section *section, const pawl_tree_node *node,
                         const char *where, pawl_place place, target into);

static void add_missing(pawl_profile_reader *r, pawl_place place, const char *path)
{
    pawl_problems_add(r->problems, place, "profile.missing_key", "%s is required and missing", path);
}

static const char *join(char *buffer, const char *where, const char *name)
{
    (void)snprintf(buffer, PAWL_WHERE, "%.120s%s%.120s", where, *where ? "." : "", name);
    return buffer;
}

/* ---- what was expected, in words ---- */

static void format_limit(const pawl_key *key, uint64_t value, char *text)
{
    if (key->kind == PAWL_KEY_DURATION)
        pawl_format_duration(value, text);
    else if (key->kind == PAWL_KEY_SIZE)
        pawl_format_size(value, text);
    else
        (void)snprintf(text, PAWL_VALUE_TEXT, "%llu", (unsigned long long)value);
}

static void list_choices(const pawl_choice *choices, char *text, size_t room)
{
    *text = 0;
    for (const pawl_choice *c = choices; c->word; c++) {
        size_t used = strlen(text);
        (void)snprintf(text + used, room - used, "%s%s", c == choices ? "" : c[1].word ? ", " : " or ", c->word);
    }
}

#define EXPECTED_TEXT 200
static void expected(const pawl_key *key, char *text)
{
    char words[EXPECTED_TEXT - 30];
    switch (key->kind) {
    case PAWL_KEY_DURATION:
        (void)snprintf(text, EXPECTED_TEXT, "a duration with its unit (ns, us, ms, s, m, h, d), such as 250ms or 30s");
        return;
    case PAWL_KEY_SIZE:
        (void)snprintf(text, EXPECTED_TEXT, "a size in bytes, or with its unit (KiB, MiB, GiB, TiB), such as 64KiB");
        return;
    case PAWL_KEY_CHOICE:
    case PAWL_KEY_CHOICE_FLAG:
        list_choices(key->choices, words, sizeof(words));
        (void)snprintf(text, EXPECTED_TEXT, "%s", words);
        return;
    case PAWL_KEY_TEXT:
    case PAWL_KEY_FACET:
        (void)snprintf(text, EXPECTED_TEXT, "a text: %s", key->form->words);
        return;
    default:
        break;
    }
    static const char *const words_of[] = {[PAWL_KEY_PATH] = "a path",
                                           [PAWL_KEY_SHA256] = "64 hexadecimal digits",
                                           [PAWL_KEY_COUNT] = "a whole number",
                                           [PAWL_KEY_DECIMAL] = "a number",
                                           [PAWL_KEY_FLAG] = "true or false",
                                           [PAWL_KEY_CODES] = "a list of failure codes",
                                           [PAWL_KEY_CONFIG] = "a mapping",
                                           [PAWL_KEY_SECTION] = "a mapping",
                                           [PAWL_KEY_MAP] = "a mapping of names",
                                           [PAWL_KEY_LIST] = "a list"};
    (void)snprintf(text, EXPECTED_TEXT, "%s", words_of[key->kind]);
}

static void add_wrong(pawl_profile_reader *r, const pawl_key *key, const pawl_tree_node *node, const char *where,
                      const char *code)
{
    assert(node != NULL); /* defaults are right */
    char found[PAWL_FOUND_TEXT];
    char wanted[EXPECTED_TEXT];
    pawl_value_found(node, found);
    expected(key, wanted);
    pawl_problems_add(r->problems, node->place, code, "%s: expected %s, found %s", where, wanted, found);
}

/* ---- scalars ---- */

/* Numbers of all kinds. Used for defaults too, with node NULL; those are right. */
static void read_number(pawl_profile_reader *r, const pawl_key *key, const char *text, const pawl_tree_node *node,
                        const char *where, unsigned char *slot, bool *good)
{
    uint64_t value = 0;
    double decimal = 0;
    pawl_parsed parsed = key->kind == PAWL_KEY_DURATION  ? pawl_parse_duration(text, &value)
                         : key->kind == PAWL_KEY_SIZE    ? pawl_parse_size(text, &value)
                         : key->kind == PAWL_KEY_DECIMAL ? pawl_parse_decimal(text, &decimal)
                                                         : pawl_parse_count(text, &value);
    bool negative = text[0] == '-' && key->kind == PAWL_KEY_COUNT;
    bool fits = key->kind == PAWL_KEY_DECIMAL ? decimal >= (double)key->min && decimal <= (double)key->max
                                              : value >= key->min && value <= key->max;
    if (parsed == PAWL_PARSED && fits) {
        if (key->kind == PAWL_KEY_DECIMAL)
            *(double *)(void *)slot = decimal;
        else if (key->kind == PAWL_KEY_COUNT)
            *(uint32_t *)(void *)slot = (uint32_t)value;
        else
            *(uint64_t *)(void *)slot = value;
        *good = true;
        return;
    }
    assert(node != NULL); /* defaults are right */
    if (parsed == PAWL_PARSED || parsed == PAWL_PARSED_OVERFLOW || negative) {
        char least[PAWL_VALUE_TEXT];
        char most[PAWL_VALUE_TEXT];
        format_limit(key, key->min, least);
        format_limit(key, key->max, most);
        pawl_problems_add(r->problems, node->place, "profile.range", "%s: %.60s is out of range; expected %s to %s",
                          where, text, least, most);
    } else if (parsed == PAWL_PARSED_FRACTION) {
        pawl_problems_add(r->problems, node->place, "profile.value",
                          "%s: %.60s is too precise; expected a whole number, or at most three digits after the point "
                          "that come out even",
                          where, text);
    } else {
        add_wrong(r, key, node, where, parsed == PAWL_PARSED_UNIT ? "profile.unit" : "profile.value");
    }
}

static void read_choice(pawl_profile_reader *r, const pawl_key *key, const char *text, const pawl_tree_node *node,
                        const char *where, unsigned char *slot, bool *good)
{
    for (const pawl_choice *c = key->choices; c->word; c++) {
        if (strcmp(c->word, text) != 0)
            continue;
        if (key->kind == PAWL_KEY_CHOICE)
            *(uint32_t *)(void *)slot = c->value;
        else
            *(bool *)(void *)slot = c->value != 0;
        *good = true;
        return;
    }
    add_wrong(r, key, node, where, "profile.value");
}

/* A scalar of the right type, or a default. */
static void read_text(pawl_profile_reader *r, const pawl_key *key, const char *text, const pawl_tree_node *node,
                      const char *where, unsigned char *slot, bool *good)
{
    const char **out = (const char **)(void *)slot;
    switch (key->kind) {
    case PAWL_KEY_FLAG:
        *(bool *)(void *)slot = text[0] == 't' || text[0] == 'T';
        *good = true;
        return;
    case PAWL_KEY_CHOICE:
    case PAWL_KEY_CHOICE_FLAG:
        read_choice(r, key, text, node, where, slot, good);
        return;
    case PAWL_KEY_DURATION:
    case PAWL_KEY_SIZE:
    case PAWL_KEY_COUNT:
    case PAWL_KEY_DECIMAL:
        read_number(r, key, text, node, where, slot, good);
        return;
    case PAWL_KEY_PATH:
        assert(node != NULL); /* no path has a default */
        if (node->size == 0)
            pawl_problems_add(r->problems, node->place, "profile.path", "%s: an empty path", where);
        else if (strlen(text) != node->size || node->size > 4000)
            pawl_problems_add(r->problems, node->place, "profile.path", "%s: no usable path", where);
        else
            *good = (*out = pawl_profile_absolute(r->memory, r->profile->directory, text)) != NULL;
        return;
    case PAWL_KEY_FACET: /* the store is found when all are known */
    case PAWL_KEY_TEXT:
        assert(node != NULL); /* no name has a default */
        if (!pawl_name_fits(key->form, text, node->size)) {
            add_wrong(r, key, node, where, "profile.name");
            return;
        }
        if (key->kind == PAWL_KEY_TEXT) {
            *out = text;
        } else {
            pawl_profile_facet *facet = (pawl_profile_facet *)(void *)slot;
            facet->place = node->place;
            r->facet_stores[facet - r->profile->facets] = text;
        }
        *good = true;
        return;
    default:
        return;
    }
}

static void read_sha256(pawl_profile_reader *r, const pawl_key *key, const pawl_tree_node *node, const char *where,
                        unsigned char *slot, bool *good)
{
    if (node->size != 64 || strspn(node->text, "0123456789abcdefABCDEF") != 64) {
        add_wrong(r, key, node, where, "profile.value");
        return;
    }
    char *digits = pawl_profile_memory_copy(r->memory, node->text, 64);
    for (char *c = digits; c && *c; c++)
        if (*c >= 'A' && *c <= 'F')
            *c = (char)(*c - 'A' + 'a');
    *(const char **)(void *)slot = digits;
    *good = digits != NULL;
}

static bool type_fits(const pawl_key *key, int type)
{
    switch (key->kind) {
    case PAWL_KEY_FLAG:
        return type == PAWL_SCALAR_BOOLEAN;
    case PAWL_KEY_COUNT:
        return type == PAWL_SCALAR_INTEGER;
    case PAWL_KEY_DECIMAL:
        return type == PAWL_SCALAR_INTEGER || type == PAWL_SCALAR_FLOAT;
    case PAWL_KEY_DURATION:
    case PAWL_KEY_SIZE:
        return type == PAWL_SCALAR_INTEGER || type == PAWL_SCALAR_FLOAT || type == PAWL_SCALAR_TEXT;
    default:
        return type == PAWL_SCALAR_TEXT;
    }
}

static void read_scalar(pawl_profile_reader *r, const pawl_key *key, const pawl_tree_node *node, const char *where,
                        unsigned char *slot, bool *good)
{
    if (node->kind != PAWL_TREE_SCALAR) {
        add_wrong(r, key, node, where, "profile.type");
        return;
    }
    int type = pawl_value_type(node);
    if (type == PAWL_SCALAR_BAD_TAG)
        pawl_problems_add(r->problems, node->place, "profile.tag",
                          "%s: the tag %.80s is unknown or does not fit the value", where, node->tag);
    else if (key->kind == PAWL_KEY_SHA256 && type != PAWL_SCALAR_NULL) /* digits alone look like a number */
        read_sha256(r, key, node, where, slot, good);
    else if (type_fits(key, type))
        read_text(r, key, node->text, node, where, slot, good);
    else
        add_wrong(r, key, node, where, "profile.type");
}

/* ---- lists and mappings ---- */

static void read_codes(pawl_profile_reader *r, const pawl_key *key, const pawl_tree_node *node, const char *where,
                       unsigned char *slot, bool *good)
{
    if (node->kind != PAWL_TREE_LIST) {
        add_wrong(r, key, node, where, "profile.type");
        return;
    }
    if (node->count > key->max) {
        pawl_problems_add(r->problems, node->place, "profile.range", "%s: %zu codes; expected at most %llu", where,
                          node->count, (unsigned long long)key->max);
        return;
    }
    const char **codes = pawl_profile_memory_array(r->memory, node->count + 1, sizeof(*codes));
    if (!codes)
        return;
    *good = true;
    for (size_t i = 0; i < node->count; i++) {
        const pawl_tree_node *code = node->entries[i].value;
        bool fits = code->kind == PAWL_TREE_SCALAR && pawl_value_type(code) == PAWL_SCALAR_TEXT &&
                    pawl_name_fits(&pawl_code_form, code->text, code->size);
        codes[i] = code->text;
        if (fits)
            continue;
        char found[PAWL_FOUND_TEXT];
        pawl_value_found(code, found);
        pawl_problems_add(r->problems, code->place, "profile.value", "%s[%zu]: expected a failure code (%s), found %s",
                          where, i, pawl_code_form.words, found);
        *good = false;
    }
    if (*good)
        *(const char *const **)(void *)slot = codes;
}

static void read_value(pawl_profile_reader *r, const pawl_key *key, const pawl_tree_node *node, const char *where,
                       target into, pawl_place key_place);

/* One element of a MAP (entry->key set) or a LIST. */
static void read_element(pawl_profile_reader *r, const pawl_key *key, const pawl_tree_entry *entry, const char *where,
                         unsigned char *element)
{
    const pawl_section *section = key->section;
    pawl_place place = entry->key ? entry->key->place : entry->value->place;
    if (entry->key && !pawl_name_fits(section->form, entry->key->text, entry->key->size))
        pawl_problems_add(r->problems, place, "profile.name", "%s: not a good name; expected %s", where,
                          section->form->words);
    if (entry->key)
        *(const char **)(void *)(element + section->name_offset) = entry->key->text;
    *(pawl_place *)(void *)(element + section->place_offset) = place;
    if (section->value) {
        read_value(r, section->value, entry->value, where, (target){element, NULL, false}, place);
        return;
    }
    target into = {element, NULL, section->tracked};
    if (section->tracked)
        into.set = (uint32_t *)(void *)(element + section->set_offset);
    read_section(r, section, entry->value, where, place, into);
}

static void read_elements(pawl_profile_reader *r, const pawl_key *key, const pawl_tree_node *node, const char *where,
                          unsigned char *base)
{
    bool map = key->kind == PAWL_KEY_MAP;
    if (node->kind != (map ? PAWL_TREE_MAPPING : PAWL_TREE_LIST)) {
        add_wrong(r, key, node, where, "profile.type");
        return;
    }
    unsigned char *elements = pawl_profile_memory_array(r->memory, node->count, key->section->size);
    if (!elements)
        return;
    memcpy(base + key->offset, &(void *){elements}, sizeof(void *));
    memcpy(base + key->count_offset, &node->count, sizeof(size_t));
    for (size_t i = 0; i < node->count; i++) {
        char inner[PAWL_WHERE];
        if (map)
            join(inner, where, node->entries[i].key->text);
        else
            (void)snprintf(inner, sizeof(inner), "%.200s[%zu]", where, i);
        read_element(r, key, &node->entries[i], inner, elements + i * key->section->size);
    }
}

static bool is_nothing(const pawl_tree_node *node)
{
    return node->kind == PAWL_TREE_SCALAR && pawl_value_type(node) == PAWL_SCALAR_NULL;
}

/* ---- sections ---- */

static void read_value(pawl_profile_reader *r, const pawl_key *key, const pawl_tree_node *node, const char *where,
                       target into, pawl_place key_place)
{
    assert(into.base != NULL);
    unsigned char *slot = into.base + key->offset;
    bool good = false;
    if (node->broken)
        return;
    switch (key->kind) {
    case PAWL_KEY_SECTION:
        if (key->section->optional && is_nothing(node))
            return;
        if (key->section->optional) {
            *(bool *)(void *)(slot + key->section->written_offset) = true;
            into = (target){NULL, NULL, false};
        }
        read_section(r, key->section, node, where, key_place, (target){slot, into.set, into.tracked});
        return;
    case PAWL_KEY_MAP:
    case PAWL_KEY_LIST:
        if (!is_nothing(node))
            read_elements(r, key, node, where, into.base);
        return;
    case PAWL_KEY_CONFIG:
        *(json_t **)(void *)slot = pawl_profile_read_config(r, node, where);
        return;
    case PAWL_KEY_CODES:
        read_codes(r, key, node, where, slot, &good);
        break;
    default:
        read_scalar(r, key, node, where, slot, &good);
        break;
    }
    if (good && into.set)
        *into.set |= key->set;
    if (key->place_offset)
        *(pawl_place *)(void *)(into.base + key->place_offset) = node->place;
}

/* Where else in the profile a key of this name stands, for a key in the wrong place. */
typedef struct home {
    const char *name;
    char path[PAWL_WHERE];
} home;

static void look_for_home(void *context, const char *path, const pawl_key *key)
{
    home *h = context;
    bool config = strstr(path, ".config") != NULL;
    if (!*h->path && !config && strcmp(key->name, h->name) == 0)
        (void)snprintf(h->path, sizeof(h->path), "%s", path);
}

static void add_unknown(pawl_profile_reader *r, const pawl_section *section, const pawl_tree_node *name,
                        const char *where)
{
    const char *names[32] = {NULL};
    char known[PAWL_WHERE] = "";
    size_t count = 0;
    for (const pawl_key *key = section->keys; key->name && count < 31; key++) {
        size_t used = strlen(known);
        names[count++] = key->name;
        (void)snprintf(known + used, sizeof(known) - used, "%s%s", used ? ", " : "", key->name);
    }
    const char *in = *where ? where : "the profile";
    const char *closest = pawl_closest(name->text, names);
    home h = {.name = name->text};
    if (!closest)
        pawl_profile_schema_walk(look_for_home, &h);
    if (closest)
        pawl_problems_add(r->problems, name->place, "profile.unknown_key",
                          "unknown key \"%.80s\" in %s; did you mean \"%s\"?", name->text, in, closest);
    else if (*h.path)
        pawl_problems_add(r->problems, name->place, "profile.unknown_key",
                          "unknown key \"%.80s\" in %s; there is %s, and here: %s", name->text, in, h.path, known);
    else
        pawl_problems_add(r->problems, name->place, "profile.unknown_key",
                          "unknown key \"%.80s\" in %s; expected one of %s", name->text, in, known);
}

static void fill_default(pawl_profile_reader *r, const pawl_key *key, target into)
{
    unsigned char *slot = into.base + key->offset;
    bool good = false;
    if (key->kind == PAWL_KEY_CONFIG)
        *(json_t **)(void *)slot = pawl_profile_read_config(r, NULL, "");
    else if (key->kind == PAWL_KEY_SECTION && !key->section->optional)
        read_section(r, key->section, NULL, "", (pawl_place){0, 0}, (target){slot, NULL, false});
    else if (key->initial)
        read_text(r, key, key->initial, NULL, key->name, slot, &good);
}

/* node NULL: only the defaults. */
static void read_section(pawl_profile_reader *r, const pawl_section *section, const pawl_tree_node *node,
                         const char *where, pawl_place place, target into)
{
    if (!into.tracked)
        for (const pawl_key *key = section->keys; key->name; key++)
            fill_default(r, key, into);
    if (!node || node->broken)
        return;
    if (node->kind != PAWL_TREE_MAPPING && !is_nothing(node)) {
        char found[PAWL_FOUND_TEXT];
        pawl_value_found(node, found);
        pawl_problems_add(r->problems, node->place, "profile.type", "%s: expected a mapping, found %s",
                          *where ? where : "the profile", found);
        return;
    }
    for (size_t i = 0; i < node->count; i++) {
        const pawl_tree_node *name = node->entries[i].key;
        const pawl_key *key = section->keys;
        while (key->name && strcmp(key->name, name->text) != 0)
            key++;
        char inner[PAWL_WHERE];
        if (key->name)
            read_value(r, key, node->entries[i].value, join(inner, where, key->name), into, name->place);
        else
            add_unknown(r, section, name, where);
    }
    for (const pawl_key *key = section->keys; key->name; key++) {
        char inner[PAWL_WHERE];
        if (key->required && !pawl_tree_find(node, key->name))
            add_missing(r, place, join(inner, where, key->name));
    }
}

void pawl_profile_read_tree(pawl_profile_reader *r)
{
    target into = {(unsigned char *)(void *)r->profile, &r->profile->retry_set, false};
    read_section(r, &pawl_profile_section, r->root, "", r->root->place, into);
}

bool pawl_profile_troubled(const pawl_profile_reader *r, const pawl_tree_node *node)
{
    for (size_t i = 0; node && i < r->problems->count; i++)
        if (r->problems->items[i].place.line == node->place.line &&
            r->problems->items[i].place.column == node->place.column)
            return true;
    return false;
}
