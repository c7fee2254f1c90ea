/* value.c: small parsers and their formatters, each the inverse of the other. strtod and friends are used only
 * on text whose form has been checked, so neither hexadecimal floats nor leading blanks slip in. Assumes the "C"
 * numeric locale, as the whole program does. */
#include "host/profile/value.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- YAML core types ---- */

static bool one_of(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

static const char *const null_words[] = {"", "~", "null", "Null", "NULL", NULL};
static const char *const boolean_words[] = {"true", "True", "TRUE", "false", "False", "FALSE", NULL};
static const char *const special_floats[] = {".inf",  ".Inf",  ".INF", "+.inf", "+.Inf", "+.INF", "-.inf",
                                             "-.Inf", "-.INF", ".nan", ".NaN",  ".NAN",  NULL};

static bool is_integer(const char *text)
{
    if (text[0] == '0' && (text[1] == 'x' || text[1] == 'o')) {
        const char *digits = text[1] == 'x' ? "0123456789abcdefABCDEF" : "01234567";
        return text[2] && text[2 + strspn(text + 2, digits)] == 0;
    }
    text += *text == '-' || *text == '+';
    return *text && text[strspn(text, "0123456789")] == 0;
}

static bool is_float(const char *text)
{
    if (one_of(text, special_floats))
        return true;
    text += *text == '-' || *text == '+';
    size_t whole = strspn(text, "0123456789");
    text += whole;
    size_t fraction = 0;
    if (*text == '.') {
        fraction = strspn(++text, "0123456789");
        text += fraction;
    }
    if (!whole && !fraction)
        return false;
    if (*text == 'e' || *text == 'E') {
        text++;
        text += *text == '-' || *text == '+';
        size_t exponent = strspn(text, "0123456789");
        return exponent && text[exponent] == 0;
    }
    return *text == 0;
}

static int type_by_look(const char *text)
{
    if (one_of(text, null_words))
        return PAWL_SCALAR_NULL;
    if (one_of(text, boolean_words))
        return PAWL_SCALAR_BOOLEAN;
    if (is_integer(text))
        return PAWL_SCALAR_INTEGER;
    return is_float(text) ? PAWL_SCALAR_FLOAT : PAWL_SCALAR_TEXT;
}

int pawl_value_type(const pawl_tree_node *scalar)
{
    int look = scalar->size == strlen(scalar->text) ? type_by_look(scalar->text) : PAWL_SCALAR_TEXT;
    if (!scalar->tag)
        return scalar->plain ? look : PAWL_SCALAR_TEXT;
    static const struct {
        const char *tag;
        int type;
    } tags[] = {{"tag:yaml.org,2002:null", PAWL_SCALAR_NULL},   {"tag:yaml.org,2002:bool", PAWL_SCALAR_BOOLEAN},
                {"tag:yaml.org,2002:int", PAWL_SCALAR_INTEGER}, {"tag:yaml.org,2002:float", PAWL_SCALAR_FLOAT},
                {"tag:yaml.org,2002:str", PAWL_SCALAR_TEXT},    {"!", PAWL_SCALAR_TEXT}};
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        if (strcmp(scalar->tag, tags[i].tag) != 0)
            continue;
        bool fits = tags[i].type == look || tags[i].type == PAWL_SCALAR_TEXT ||
                    (tags[i].type == PAWL_SCALAR_FLOAT && look == PAWL_SCALAR_INTEGER);
        return fits ? tags[i].type : PAWL_SCALAR_BAD_TAG;
    }
    return PAWL_SCALAR_BAD_TAG;
}

/* ---- numbers with units ---- */

typedef struct unit {
    const char *name;
    uint64_t factor;
} unit;

/* Smallest first; the formatters take the last one that divides. */
static const unit durations[] = {{"ns", 1},
                                 {"us", 1000},
                                 {"ms", 1000000},
                                 {"s", UINT64_C(1000000000)},
                                 {"m", UINT64_C(60000000000)},
                                 {"h", UINT64_C(3600000000000)},
                                 {"d", UINT64_C(86400000000000)},
                                 {NULL, 0}};
static const unit sizes[] = {{"B", 1},
                             {"KiB", UINT64_C(1) << 10},
                             {"MiB", UINT64_C(1) << 20},
                             {"GiB", UINT64_C(1) << 30},
                             {"TiB", UINT64_C(1) << 40},
                             {NULL, 0}};

#define FRACTION_DIGITS 3 /* keeps fraction * factor inside 64 bits for every unit */

static pawl_parsed parse_digits(const char **text, uint64_t *ret)
{
    uint64_t value = 0;
    if (!isdigit((unsigned char)**text))
        return PAWL_PARSED_FORMAT;
    for (; isdigit((unsigned char)**text); (*text)++)
        if (__builtin_mul_overflow(value, 10u, &value) ||
            __builtin_add_overflow(value, (uint64_t)(**text - '0'), &value))
            return PAWL_PARSED_OVERFLOW;
    *ret = value;
    return PAWL_PARSED;
}

static pawl_parsed parse_with_unit(const char *text, const unit *units, bool bare, uint64_t *ret)
{
    uint64_t whole = 0;
    uint64_t fraction = 0;
    uint64_t scale = 1;
    pawl_parsed parsed = parse_digits(&text, &whole);
    if (parsed != PAWL_PARSED)
        return parsed;
    if (*text == '.') {
        const char *digits = ++text;
        size_t count = strspn(digits, "0123456789");
        if (count > FRACTION_DIGITS)
            return PAWL_PARSED_FRACTION;
        if (parse_digits(&text, &fraction) != PAWL_PARSED)
            return PAWL_PARSED_FORMAT;
        while (count--)
            scale *= 10;
    }
    if (!*text) {
        if (fraction || (whole && !bare))
            return bare ? PAWL_PARSED_FRACTION : PAWL_PARSED_UNIT;
        *ret = whole;
        return PAWL_PARSED;
    }
    while (units->name && strcmp(units->name, text) != 0)
        units++;
    if (!units->name)
        return PAWL_PARSED_UNIT;
    if ((fraction * units->factor) % scale)
        return PAWL_PARSED_FRACTION;
    uint64_t value;
    if (__builtin_mul_overflow(whole, units->factor, &value) ||
        __builtin_add_overflow(value, fraction * units->factor / scale, &value))
        return PAWL_PARSED_OVERFLOW;
    *ret = value;
    return PAWL_PARSED;
}

pawl_parsed pawl_parse_duration(const char *text, uint64_t *ret_ns)
{
    return parse_with_unit(text, durations, false, ret_ns);
}

pawl_parsed pawl_parse_size(const char *text, uint64_t *ret_bytes)
{
    return parse_with_unit(text, sizes, true, ret_bytes);
}

static pawl_parsed parse_based(const char *digits, unsigned bits, uint64_t *ret)
{
    uint64_t value = 0;
    for (; *digits; digits++) {
        unsigned digit = isdigit((unsigned char)*digits) ? (unsigned)(*digits - '0')
                                                         : (unsigned)(tolower((unsigned char)*digits) - 'a' + 10);
        if (value >> (64 - bits))
            return PAWL_PARSED_OVERFLOW;
        value = value << bits | digit;
    }
    *ret = value;
    return PAWL_PARSED;
}

pawl_parsed pawl_parse_count(const char *text, uint64_t *ret)
{
    if (!is_integer(text) || *text == '-')
        return PAWL_PARSED_FORMAT;
    if (text[0] == '0' && text[1] == 'x')
        return parse_based(text + 2, 4, ret);
    if (text[0] == '0' && text[1] == 'o')
        return parse_based(text + 2, 3, ret);
    text += *text == '+';
    return parse_digits(&text, ret);
}

pawl_parsed pawl_parse_decimal(const char *text, double *ret)
{
    if (one_of(text, special_floats))
        return PAWL_PARSED_OVERFLOW;
    uint64_t count;
    if (is_integer(text) && text[0] == '0' && (text[1] == 'x' || text[1] == 'o')) {
        pawl_parsed parsed = pawl_parse_count(text, &count);
        if (parsed == PAWL_PARSED)
            *ret = (double)count;
        return parsed;
    }
    if (!is_float(text))
        return PAWL_PARSED_FORMAT;
    double value = strtod(text, NULL);
    if (!isfinite(value))
        return PAWL_PARSED_OVERFLOW;
    *ret = value;
    return PAWL_PARSED;
}

static void format_with_unit(uint64_t value, const unit *units, bool bare, char *text)
{
    const unit *best = units;
    for (const unit *u = units; value && u->name; u++)
        if (value % u->factor == 0)
            best = u;
    const char *name = value == 0 || (bare && best == units) ? "" : best->name;
    (void)snprintf(text, PAWL_VALUE_TEXT, "%llu%s", (unsigned long long)(value / best->factor), name);
}

void pawl_format_duration(uint64_t ns, char *text)
{
    format_with_unit(ns, durations, false, text);
}

void pawl_format_size(uint64_t bytes, char *text)
{
    format_with_unit(bytes, sizes, true, text);
}

/* ---- messages ---- */

/* The start of a text in quotes, cut between characters; control characters become '?'. */
static void quote(const pawl_tree_node *node, const char *before, char *text)
{
    size_t size = node->size;
    const size_t most = 60;
    bool cut = size > most;
    if (cut)
        for (size = most; size > 0 && ((unsigned char)node->text[size] & 0xc0) == 0x80;)
            size--;
    char piece[64];
    for (size_t i = 0; i < size; i++)
        piece[i] = (unsigned char)node->text[i] < 0x20 || node->text[i] == 0x7f ? '?' : node->text[i];
    (void)snprintf(text, PAWL_FOUND_TEXT, "%s \"%.*s%s\"", before, (int)size, piece, cut ? "..." : "");
}

const char *pawl_value_kind(const pawl_tree_node *node)
{
    if (node->kind == PAWL_TREE_MAPPING)
        return "a mapping";
    if (node->kind == PAWL_TREE_LIST)
        return "a list";
    switch (pawl_value_type(node)) {
    case PAWL_SCALAR_NULL:
        return "nothing";
    case PAWL_SCALAR_BOOLEAN:
        return "true or false";
    case PAWL_SCALAR_INTEGER:
    case PAWL_SCALAR_FLOAT:
        return "a number";
    default:
        return "a text";
    }
}

void pawl_value_found(const pawl_tree_node *node, char *text)
{
    int type = node->kind == PAWL_TREE_SCALAR ? pawl_value_type(node) : PAWL_SCALAR_NULL;
    if (type == PAWL_SCALAR_NULL)
        (void)snprintf(text, PAWL_FOUND_TEXT, "%s", pawl_value_kind(node));
    else if (type == PAWL_SCALAR_BOOLEAN)
        (void)snprintf(text, PAWL_FOUND_TEXT, "%s", node->text);
    else if (type == PAWL_SCALAR_INTEGER || type == PAWL_SCALAR_FLOAT)
        (void)snprintf(text, PAWL_FOUND_TEXT, "the number %.60s", node->text);
    else
        quote(node, "the text", text);
}

/* ---- suggestions ---- */

#define CLOSEST_MAX 64

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Optimal string alignment distance, without regard to case; two neighbours swapped count as one. */
static size_t distance(const char *a, size_t a_size, const char *b, size_t b_size)
{
    size_t rows[3][CLOSEST_MAX + 1];
    size_t *two = rows[0];
    size_t *one = rows[1];
    size_t *now = rows[2];
    for (size_t j = 0; j <= b_size; j++)
        one[j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        now[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            int x = tolower((unsigned char)a[i - 1]);
            int y = tolower((unsigned char)b[j - 1]);
            now[j] = least(least(one[j] + 1, now[j - 1] + 1), one[j - 1] + (x != y));
            if (i > 1 && j > 1 && x == tolower((unsigned char)b[j - 2]) && y == tolower((unsigned char)a[i - 2]))
                now[j] = least(now[j], two[j - 2] + 1);
        }
        size_t *free_row = two;
        two = one;
        one = now;
        now = free_row;
    }
    return one[b_size];
}

const char *pawl_closest(const char *found, const char *const *candidates)
{
    size_t size = strlen(found);
    const char *best = NULL;
    size_t best_distance = 0;
    if (size > CLOSEST_MAX)
        return NULL;
    for (; *candidates; candidates++) {
        size_t candidate_size = strlen(*candidates);
        if (candidate_size > CLOSEST_MAX)
            continue;
        size_t d = distance(found, size, *candidates, candidate_size);
        size_t most = (size > candidate_size ? size : candidate_size) / 3;
        if (d <= (most ? most : 1) && d < candidate_size && (!best || d < best_distance)) {
            best = *candidates;
            best_distance = d;
        }
    }
    return best;
}
