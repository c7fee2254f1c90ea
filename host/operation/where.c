/* where.c: see where.h. One pass by recursive descent, which writes the conditions in postfix order as it goes. Never
 * takes a value for another type than the profile says. */
#include "host/operation/where.h"

#include "host/profile/value.h"
#include "worker/base/sink.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum token_kind {
    TOKEN_END,
    TOKEN_NAME, /* also the words of the language */
    TOKEN_STRING,
    TOKEN_NUMBER,
    TOKEN_SIGN, /* = != < ( , ... */
    TOKEN_BAD
} token_kind;

typedef struct token {
    token_kind kind;
    const char *at;
    size_t size;
} token;

typedef struct reader {
    const char *text;
    const char *next; /* behind the token */
    token token;
    uint32_t depth;
    const pawl_attribute_schema *schema;
    pawl_where *where;
    pawl_error *error;
} reader;

/* ---- tokens ---- */

static bool is_name_start(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t sign_size(const char *at)
{
    static const char *const signs[] = {"==", "!=", "<>", "<=", ">=", "^=", "=", "<", ">", "(", ")", ","};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (strncmp(at, signs[i], strlen(signs[i])) == 0)
            return strlen(signs[i]);
    return 0;
}

/* With its quotes; 0: it does not end. */
static size_t string_size(const char *at)
{
    const char *end = at + 1;
    while (*end != '\0' && *end != *at)
        end += *end == '\\' && end[1] != '\0' ? 2 : 1;
    return *end == '\0' ? 0 : (size_t)(end + 1 - at);
}

static size_t number_size(const char *at)
{
    size_t size = *at == '-' || *at == '+';
    while (is_digit(at[size]) || at[size] == '.' || at[size] == 'e' || at[size] == 'E' ||
           ((at[size] == '-' || at[size] == '+') && (at[size - 1] == 'e' || at[size - 1] == 'E')))
        size++;
    return size;
}

static void advance(reader *r)
{
    const char *at = r->next + strspn(r->next, " \t\r\n");
    token found = {TOKEN_BAD, at, 1};
    if (*at == '\0') {
        found = (token){TOKEN_END, at, 0};
    } else if (is_name_start(*at)) {
        found.kind = TOKEN_NAME;
        while (is_name_start(at[found.size]) || is_digit(at[found.size]))
            found.size++;
    } else if (*at == '"' || *at == '\'') {
        size_t size = string_size(at);
        found = (token){size == 0 ? TOKEN_BAD : TOKEN_STRING, at, size == 0 ? strlen(at) : size};
    } else if (is_digit(*at) || ((*at == '-' || *at == '+') && (is_digit(at[1]) || at[1] == '.'))) {
        found = (token){TOKEN_NUMBER, at, number_size(at)};
    } else if (sign_size(at) > 0) {
        found = (token){TOKEN_SIGN, at, sign_size(at)};
    }
    r->token = found;
    r->next = at + found.size;
}

static bool is(const reader *r, const char *text)
{
    const token *found = &r->token;
    return (found->kind == TOKEN_NAME || found->kind == TOKEN_SIGN) && strlen(text) == found->size &&
           strncmp(found->at, text, found->size) == 0;
}

static bool take(reader *r, const char *text)
{
    if (!is(r, text))
        return false;
    advance(r);
    return true;
}

/* ---- errors ---- */

static size_t column_of(const reader *r, const char *at)
{
    return (size_t)(at - r->text) + 1;
}

static pawl_status wanted(reader *r, const char *what)
{
    char found[48];
    int size = (int)(r->token.size < 30 ? r->token.size : 30);
    while (size > 0 && ((unsigned char)r->token.at[size] & 0xc0) == 0x80)
        size--; /* at the start of a character */
    if (r->token.kind == TOKEN_END)
        snprintf(found, sizeof found, "the end");
    else
        snprintf(found, sizeof found, "%.*s", size, r->token.at);
    bool open = r->token.kind == TOKEN_BAD && (*r->token.at == '"' || *r->token.at == '\'');
    return pawl_error_set(r->error, PAWL_E_INVALID, "where_syntax", "where, column %zu: found %s%s; wanted %s",
                          column_of(r, r->token.at), found, open ? " (a string without its closing quote)" : "", what);
}

static pawl_status no_memory(reader *r)
{
    return pawl_error_set(r->error, PAWL_E_NOMEM, "out_of_memory", "out of memory for an expression");
}

static pawl_status unknown_attribute(reader *r, const char *name, const char *at)
{
    const char *names[PAWL_ATTRIBUTES_MAX + 1] = {NULL};
    char all[200] = "";
    for (size_t i = 0; r->schema != NULL && i < r->schema->count && i < PAWL_ATTRIBUTES_MAX; i++) {
        size_t used = strlen(all);
        names[i] = r->schema->attributes[i].name;
        snprintf(all + used, sizeof all - used, "%s%s", used == 0 ? "" : ", ", names[i]);
    }
    const char *closest = pawl_closest(name, names);
    return pawl_error_set(r->error, PAWL_E_INVALID, "attribute_unknown",
                          "where, column %zu: no attribute is named \"%.64s\"; %s%s%s", column_of(r, at), name,
                          closest != NULL  ? "did you mean "
                          : all[0] == '\0' ? "the profile names none under `attributes`"
                                           : "the profile has ",
                          closest != NULL ? closest : all, closest != NULL ? "?" : "");
}

/* ---- values ---- */

static json_t *read_string(const token *found)
{
    char *plain = malloc(found->size);
    size_t size = 0;
    if (plain == NULL)
        return NULL;
    for (size_t i = 1; i + 1 < found->size; i++) {
        if (found->at[i] == '\\' && i + 2 < found->size)
            i++;
        plain[size++] = found->at[i];
    }
    json_t *made = json_stringn(plain, size);
    free(plain);
    return made;
}

static json_t *read_number(const token *found)
{
    char text[64];
    char *end;
    if (found->size >= sizeof text)
        return NULL;
    memcpy(text, found->at, found->size);
    text[found->size] = '\0';
    errno = 0;
    if (strpbrk(text, ".eE") == NULL) {
        long long whole = strtoll(text, &end, 10);
        return *end == '\0' && errno == 0 ? json_integer(whole) : NULL;
    }
    double number = strtod(text, &end);
    return *end == '\0' && errno == 0 ? json_real(number) : NULL;
}

static json_t *read_literal(const reader *r)
{
    if (r->token.kind == TOKEN_STRING)
        return read_string(&r->token);
    if (r->token.kind == TOKEN_NUMBER)
        return read_number(&r->token);
    return is(r, "true") ? json_true() : is(r, "false") ? json_false() : NULL;
}

/* A value of this attribute, as it is stored. */
static pawl_status read_value(reader *r, const pawl_attribute *attribute, json_t **ret)
{
    pawl_error why = {0};
    size_t column = column_of(r, r->token.at);
    json_t *given = read_literal(r);
    if (given == NULL)
        return wanted(r, "a string in quotes, a number, true or false");
    json_t *made = pawl_attribute_value(attribute, given, &why);
    json_decref(given);
    if (made == NULL)
        return pawl_error_set(r->error, PAWL_E_INVALID, why.code, "where, column %zu: %s", column, why.message);
    advance(r);
    *ret = made;
    return PAWL_OK;
}

/* ---- conditions ---- */

static pawl_status add(reader *r, uint32_t operation, const pawl_attribute *attribute, json_t *value)
{
    pawl_where *where = r->where;
    pawl_status status = PAWL_OK;
    pawl_condition made = {.struct_size = sizeof made, .operation = operation};
    char *text = value == NULL ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(17));
    if (where->count == PAWL_WHERE_CONDITIONS_MAX)
        status = pawl_error_set(r->error, PAWL_E_LIMIT, "where_limit",
                                "where, column %zu: more than %u comparisons, ands, ors and nots",
                                column_of(r, r->token.at), PAWL_WHERE_CONDITIONS_MAX);
    else if (attribute != NULL && (text == NULL || !pawl_arena_copy(&where->arena, pawl_bytes_text(text), &made.value)))
        status = no_memory(r);
    if (attribute != NULL)
        made.name = pawl_bytes_text(attribute->name);
    if (status == PAWL_OK)
        where->conditions[where->count++] = made;
    free(text);
    json_decref(value);
    return status;
}

static pawl_status read_in(reader *r, const pawl_attribute *attribute)
{
    json_t *list = json_array();
    json_t *value = NULL;
    pawl_status status = list == NULL ? no_memory(r) : PAWL_OK;
    if (status == PAWL_OK && !take(r, "("))
        status = wanted(r, "( and the values");
    do {
        if (status == PAWL_OK)
            status = read_value(r, attribute, &value);
        if (status == PAWL_OK && json_array_append_new(list, value) != 0)
            status = no_memory(r);
    } while (status == PAWL_OK && take(r, ","));
    if (status == PAWL_OK && !take(r, ")"))
        status = wanted(r, "a comma or )");
    if (status == PAWL_OK && json_array_size(list) > PAWL_WHERE_VALUES_MAX)
        status = pawl_error_set(r->error, PAWL_E_LIMIT, "where_limit",
                                "where, column %zu: %zu values in one list; at most %u are allowed",
                                column_of(r, r->token.at), json_array_size(list), PAWL_WHERE_VALUES_MAX);
    if (status == PAWL_OK)
        return add(r, PAWL_CONDITION_IN, attribute, list);
    json_decref(list);
    return status;
}

static uint32_t comparison(reader *r)
{
    static const struct {
        const char *sign;
        uint32_t operation;
    } signs[] = {{"=", PAWL_CONDITION_EQUAL},      {"==", PAWL_CONDITION_EQUAL},    {"!=", PAWL_CONDITION_NOT_EQUAL},
                 {"<>", PAWL_CONDITION_NOT_EQUAL}, {"<", PAWL_CONDITION_LESS},      {"<=", PAWL_CONDITION_AT_MOST},
                 {">", PAWL_CONDITION_MORE},       {">=", PAWL_CONDITION_AT_LEAST}, {"^=", PAWL_CONDITION_PREFIX}};
    for (size_t i = 0; i < sizeof signs / sizeof *signs; i++)
        if (take(r, signs[i].sign))
            return signs[i].operation;
    return 0;
}

static pawl_status read_prefix(reader *r, const pawl_attribute *attribute, const char *at)
{
    json_t *value = NULL;
    if (attribute->type != PAWL_ATTRIBUTE_KEYWORD)
        return pawl_error_set(r->error, PAWL_E_INVALID, "attribute_type",
                              "where, column %zu: attribute \"%s\" is a %s; only a keyword starts with something",
                              column_of(r, at), attribute->name, pawl_attribute_type_name(attribute->type));
    pawl_status status = read_value(r, attribute, &value);
    return status == PAWL_OK ? add(r, PAWL_CONDITION_PREFIX, attribute, value) : status;
}

static pawl_status read_comparison(reader *r)
{
    char name[80];
    json_t *value = NULL;
    const char *at = r->token.at;
    if (r->token.kind != TOKEN_NAME)
        return wanted(r, "the name of an attribute, not, or (");
    snprintf(name, sizeof name, "%.*s", (int)(r->token.size < 79 ? r->token.size : 79), at);
    const pawl_attribute *attribute = pawl_attribute_find(r->schema, name);
    if (attribute == NULL)
        return unknown_attribute(r, name, at);
    advance(r);
    if (take(r, "starts"))
        return take(r, "with") ? read_prefix(r, attribute, at) : wanted(r, "with");
    if (take(r, "in"))
        return read_in(r, attribute);
    if (take(r, "not")) {
        pawl_status status = take(r, "in") ? read_in(r, attribute) : wanted(r, "in");
        return status == PAWL_OK ? add(r, PAWL_CONDITION_NOT, NULL, NULL) : status;
    }
    uint32_t operation = comparison(r);
    if (operation == 0)
        return wanted(r, "=, !=, <, <=, >, >=, starts with, or in");
    if (operation == PAWL_CONDITION_PREFIX)
        return read_prefix(r, attribute, at);
    pawl_status status = read_value(r, attribute, &value);
    return status == PAWL_OK ? add(r, operation, attribute, value) : status;
}

static pawl_status read_or(reader *r);

static pawl_status deeper(reader *r)
{
    if (r->depth++ < PAWL_WHERE_DEPTH_MAX)
        return PAWL_OK;
    return pawl_error_set(r->error, PAWL_E_LIMIT, "where_limit",
                          "where, column %zu: more than %u parentheses and nots inside each other",
                          column_of(r, r->token.at), PAWL_WHERE_DEPTH_MAX);
}

static pawl_status read_unary(reader *r)
{
    if (!is(r, "not") && !is(r, "("))
        return read_comparison(r);
    pawl_status status = deeper(r);
    if (status != PAWL_OK)
        return status;
    if (take(r, "not")) {
        status = read_unary(r);
        if (status == PAWL_OK)
            status = add(r, PAWL_CONDITION_NOT, NULL, NULL);
    } else {
        advance(r);
        status = read_or(r);
        if (status == PAWL_OK && !take(r, ")"))
            status = wanted(r, "and, or, or )");
    }
    r->depth--;
    return status;
}

static pawl_status read_and(reader *r)
{
    pawl_status status = read_unary(r);
    while (status == PAWL_OK && take(r, "and")) {
        status = read_unary(r);
        if (status == PAWL_OK)
            status = add(r, PAWL_CONDITION_AND, NULL, NULL);
    }
    return status;
}

static pawl_status read_or(reader *r)
{
    pawl_status status = read_and(r);
    while (status == PAWL_OK && take(r, "or")) {
        status = read_and(r);
        if (status == PAWL_OK)
            status = add(r, PAWL_CONDITION_OR, NULL, NULL);
    }
    return status;
}

pawl_status pawl_where_read(const char *text, const pawl_attribute_schema *schema, pawl_where *ret, pawl_error *error)
{
    reader r = {.text = text, .next = text, .schema = schema, .where = ret, .error = error};
    if (strlen(text) > PAWL_WHERE_BYTES_MAX)
        return pawl_error_set(error, PAWL_E_LIMIT, "where_limit", "an expression of %zu bytes; at most %u are read",
                              strlen(text), PAWL_WHERE_BYTES_MAX);
    advance(&r);
    pawl_status status = read_or(&r);
    if (status == PAWL_OK && r.token.kind != TOKEN_END)
        status = wanted(&r, "and, or, or the end");
    return status;
}

void pawl_where_finish(pawl_where *where)
{
    pawl_arena_finish(&where->arena);
    where->count = 0;
}
