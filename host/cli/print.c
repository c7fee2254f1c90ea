/* print.c: how values look to a person. Never lets text from outside reach a terminal unescaped. */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "host/cli/cli.h"

#define SECOND_NS 1000000000u

void pawl_cli_put(FILE *out, const char *text)
{
    for (const unsigned char *at = (const unsigned char *)text; *at != '\0'; at++) {
        if (*at == '\n')
            fputs("\\n", out);
        else if (*at == '\t')
            fputs("\\t", out);
        else if (*at < 0x20 || *at == 0x7f)
            fprintf(out, "\\x%02x", *at);
        else if (*at == 0xc2 && at[1] >= 0x80 && at[1] < 0xa0) /* C1 controls in UTF-8 */
            fprintf(out, "\\x%02x", *++at);
        else
            fputc(*at, out);
    }
}

void pawl_cli_put_color(const pawl_cli *cli, const char *color, const char *text)
{
    bool colored = cli->color && color[0] != '\0';
    if (colored)
        fprintf(cli->out, "\033[%sm", color);
    pawl_cli_put(cli->out, text);
    if (colored)
        fputs("\033[0m", cli->out);
}

const char *pawl_cli_status_color(const char *status)
{
    static const struct {
        const char *status;
        const char *color;
    } colors[] = {
        {"running", PAWL_COLOR_CYAN},  {"waiting", PAWL_COLOR_YELLOW},  {"stuck", PAWL_COLOR_RED},
        {"failed", PAWL_COLOR_RED},    {"completed", PAWL_COLOR_GREEN}, {"compensating", PAWL_COLOR_YELLOW},
        {"cancelled", PAWL_COLOR_DIM}, {"terminated", PAWL_COLOR_DIM},
    };
    for (size_t i = 0; i < sizeof colors / sizeof *colors; i++)
        if (strcmp(colors[i].status, status) == 0)
            return colors[i].color;
    return PAWL_COLOR_NONE;
}

void pawl_cli_put_json(FILE *out, const json_t *json)
{
    json_dumpf(json, out, JSON_COMPACT | JSON_ENCODE_ANY);
    fputc('\n', out);
}

void pawl_cli_put_value(FILE *out, const json_t *value)
{
    if (json_is_string(value)) {
        pawl_cli_put(out, json_string_value(value));
        return;
    }
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text != NULL)
        pawl_cli_put(out, text); /* JSON escapes C0 by itself, but not C1 */
    free(text);
}

const char *pawl_cli_text(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text == NULL ? "" : text;
}

static bool is_nested(const json_t *value)
{
    return (json_is_object(value) && json_object_size(value) > 0) ||
           (json_is_array(value) && json_is_object(json_array_get(value, 0)));
}

static void put_nested(const pawl_cli *cli, json_t *value, int indent)
{
    if (json_is_object(value)) {
        pawl_cli_put_object(cli, value, indent);
        return;
    }
    size_t i;
    json_t *item;
    json_array_foreach(value, i, item)
    {
        if (i > 0)
            fputc('\n', cli->out);
        if (json_is_object(item)) {
            pawl_cli_put_object(cli, item, indent);
        } else {
            fprintf(cli->out, "%*s", indent, "");
            pawl_cli_put_value(cli->out, item);
            fputc('\n', cli->out);
        }
    }
}

void pawl_cli_put_object(const pawl_cli *cli, json_t *object, int indent)
{
    const char *key;
    json_t *value;
    int widest = 0;
    json_object_foreach(object, key, value) if (!is_nested(value) && (int)strlen(key) > widest) widest =
        (int)strlen(key);
    json_object_foreach(object, key, value)
    {
        fprintf(cli->out, "%*s", indent, "");
        pawl_cli_put_color(cli, PAWL_COLOR_DIM, key);
        if (is_nested(value)) {
            fputc('\n', cli->out);
            put_nested(cli, value, indent + 2);
            continue;
        }
        fprintf(cli->out, "%*s", widest - (int)strlen(key) + 2, "");
        pawl_cli_put_value(cli->out, value);
        fputc('\n', cli->out);
    }
}

/* ---- times --------------------------------------------------------------------------------------------------------
 */

uint64_t pawl_cli_now_unix_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

uint64_t pawl_cli_time(const json_t *object, const char *key)
{
    char exact[64];
    snprintf(exact, sizeof exact, "%s_unix_ns", key);
    json_int_t value = json_integer_value(json_object_get(object, exact));
    return value > 0 ? (uint64_t)value : 0;
}

static void span_text(uint64_t seconds, const char *blank, char *text, size_t room)
{
    static const struct {
        const char *unit;
        uint64_t seconds;
    } units[] = {{"d", 86400}, {"h", 3600}, {"m", 60}, {"s", 1}};
    size_t i = 0;
    while (i < 3 && seconds < 2 * units[i].seconds)
        i++;
    snprintf(text, room, "%llu%s%s", (unsigned long long)(seconds / units[i].seconds), blank, units[i].unit);
}

void pawl_cli_age(uint64_t since_unix_ns, uint64_t now_unix_ns, char *text, size_t room)
{
    if (since_unix_ns == 0)
        snprintf(text, room, "-");
    else
        span_text(now_unix_ns > since_unix_ns ? (now_unix_ns - since_unix_ns) / SECOND_NS : 0, "", text, room);
}

void pawl_cli_moment(uint64_t unix_ns, uint64_t now_unix_ns, char *text, size_t room)
{
    time_t seconds = (time_t)(unix_ns / SECOND_NS);
    struct tm local;
    char date[32];
    char span[32];
    localtime_r(&seconds, &local);
    strftime(date, sizeof date, "%Y-%m-%d %H:%M:%S", &local);
    if (unix_ns > now_unix_ns) {
        span_text((unix_ns - now_unix_ns) / SECOND_NS, " ", span, sizeof span);
        snprintf(text, room, "%s (in %s)", date, span);
    } else {
        span_text((now_unix_ns - unix_ns) / SECOND_NS, " ", span, sizeof span);
        snprintf(text, room, "%s (%s ago)", date, span);
    }
}

/* ---- tables -------------------------------------------------------------------------------------------------------
 */

static char *escaped_copy(const char *text)
{
    char *copy = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&copy, &size);
    if (out == NULL)
        return NULL;
    pawl_cli_put(out, text);
    fclose(out);
    return copy;
}

void pawl_cli_table_add(pawl_cli_table *table, const char *color, const char *text)
{
    if (table->count == table->capacity) {
        size_t capacity = table->capacity == 0 ? 128 : table->capacity * 2;
        char **cells = realloc(table->cells, capacity * sizeof *cells);
        if (cells == NULL)
            return;
        table->cells = cells;
        const char **colors = realloc(table->colors, capacity * sizeof *colors);
        if (colors == NULL)
            return;
        table->colors = colors;
        table->capacity = capacity;
    }
    table->cells[table->count] = escaped_copy(text);
    table->colors[table->count] = color;
    table->count++;
}

/* In characters, counting each code point as one column. */
static int width_of(const char *text)
{
    int width = 0;
    for (; text != NULL && *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void cut(char *text, int width)
{
    if (text == NULL || width_of(text) <= width)
        return;
    int seen = 0;
    while (*text != '\0' && (seen < width - 1 || ((unsigned char)*text & 0xc0) == 0x80)) {
        text++;
        seen += ((unsigned char)*text & 0xc0) != 0x80;
    }
    text[0] = '.'; /* there is a character to take the place of: the text is wider than the width */
    text[1] = '\0';
}

static int terminal_width(const pawl_cli *cli)
{
    struct winsize size;
    int descriptor = fileno(cli->out);
    if (descriptor < 0 || !isatty(descriptor) || ioctl(descriptor, TIOCGWINSZ, &size) != 0 || size.ws_col < 40)
        return 0;
    return size.ws_col;
}

static void measure(const pawl_cli_table *table, int *widths)
{
    for (size_t i = 0; i < table->count; i++) {
        int width = width_of(table->cells[i]);
        if (width > widths[i % table->columns])
            widths[i % table->columns] = width;
    }
}

void pawl_cli_table_print(const pawl_cli *cli, pawl_cli_table *table)
{
    int widths[PAWL_CLI_COLUMNS_MAX] = {0};
    int terminal = terminal_width(cli);
    measure(table, widths);
    for (size_t c = 0; c + 1 < table->columns; c++)
        terminal -= widths[c] + 2;
    for (size_t i = 0; i < table->count; i++) {
        size_t column = i % table->columns;
        bool last = column + 1 == table->columns;
        if (last && terminal > 8)
            cut(table->cells[i], terminal);
        const char *cell = table->cells[i] == NULL ? "" : table->cells[i];
        pawl_cli_put_color(cli, table->colors[i], cell);
        bool nothing_follows =
            column + 2 == table->columns && table->cells[i + 1] != NULL && table->cells[i + 1][0] == '\0';
        if (last)
            fputc('\n', cli->out);
        else if (!nothing_follows)
            fprintf(cli->out, "%*s", widths[column] - width_of(cell) + 2, "");
        free(table->cells[i]);
    }
    free(table->cells);
    free(table->colors);
}
