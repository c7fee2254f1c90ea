/* input.c: content that comes in on the command line, from a file or from standard input. Never guesses a type: an
 * option says whether it is JSON. */
#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"

#define CONTENT_MAX ((size_t)256 * 1024 * 1024)

static char *read_all(FILE *from, size_t *ret_size)
{
    char *text = NULL;
    size_t size = 0;
    size_t capacity = 0;
    do {
        if (size == capacity) {
            capacity = capacity == 0 ? 65536 : capacity * 2;
            char *larger = capacity > CONTENT_MAX * 2 ? NULL : realloc(text, capacity + 1);
            if (larger == NULL) {
                free(text);
                return NULL;
            }
            text = larger;
        }
        size += fread(text + size, 1, capacity - size, from);
    } while (!feof(from) && !ferror(from));
    text[size] = '\0';
    *ret_size = size;
    return text;
}

static char *read_file(const char *path, size_t *ret_size)
{
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return NULL;
    char *text = read_all(file, ret_size);
    if (ferror(file)) {
        free(text);
        text = NULL;
    }
    fclose(file);
    return text;
}

/* The bytes that were meant; free() them. NULL: printed. */
static char *read_given(pawl_cli *cli, const char *given, size_t *ret_size)
{
    char *text = NULL;
    errno = ENOMEM;
    if (strcmp(given, "-") == 0) {
        text = read_all(cli->in, ret_size);
    } else if (given[0] == '@') {
        text = read_file(given + 1, ret_size);
    } else {
        text = strdup(given);
        *ret_size = strlen(given);
    }
    if (text == NULL)
        pawl_cli_fail(cli, PAWL_EXIT_FAILED, "cli.input", "cannot read %s: %s",
                      given[0] == '@'           ? given + 1
                      : strcmp(given, "-") == 0 ? "standard input"
                                                : "a value",
                      strerror(errno));
    return text;
}

static json_t *base64_of(const char *text, size_t size)
{
    unsigned char *encoded = size > INT_MAX / 2 ? NULL : malloc(size / 3 * 4 + 5);
    if (encoded == NULL)
        return NULL;
    EVP_EncodeBlock(encoded, (const unsigned char *)text, (int)size);
    json_t *value = json_string((const char *)encoded);
    free(encoded);
    return value;
}

static bool put_text(json_t *object, const char *stem, const char *text, size_t size)
{
    char key[64];
    json_t *value = memchr(text, '\0', size) == NULL ? json_stringn(text, size) : NULL;
    snprintf(key, sizeof key, "%s_%s", stem, value != NULL ? "text" : "base64");
    if (value == NULL)
        value = base64_of(text, size);
    return json_object_set_new(object, key, value) == 0;
}

bool pawl_cli_put_content(pawl_cli *cli, json_t *object, const char *stem, const char *given, bool as_json)
{
    size_t size = 0;
    char *text = read_given(cli, given, &size);
    if (text == NULL)
        return false;
    bool put = false;
    if (as_json) {
        json_error_t where;
        json_t *value = json_loadb(text, size, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &where);
        put = value != NULL && json_object_set_new(object, stem, value) == 0;
        if (value == NULL)
            pawl_cli_fail(
                cli, PAWL_EXIT_USAGE, "usage",
                "%s is not JSON: line %d, column %d: %s (text goes with --text, a JSON string in quotes: '\"...\"')",
                stem, where.line, where.column, where.text);
    } else {
        put = put_text(object, stem, text, size);
    }
    free(text);
    return put;
}
