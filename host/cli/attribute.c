/* attribute.c: search attributes of a command line. What type a value has is the host's to say: a customer may be
 * called "12". Never guesses it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/cli/cli.h"

static json_t *number_of(const char *text, bool whole)
{
    char *end;
    errno = 0;
    if (whole) {
        long long number = strtoll(text, &end, 10);
        return end != text && *end == '\0' && errno == 0 ? json_integer(number) : NULL;
    }
    double number = strtod(text, &end);
    return end != text && *end == '\0' && errno == 0 ? json_real(number) : NULL;
}

/* What does not look like its type goes as text, and the host says what is wrong with it. */
static json_t *value_of(const char *type, const char *text)
{
    json_t *made = NULL;
    if (strcmp(type, "integer") == 0 || strcmp(type, "time") == 0)
        made = number_of(text, true);
    else if (strcmp(type, "number") == 0)
        made = number_of(text, false);
    else if (strcmp(type, "boolean") == 0 && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
        made = json_boolean(text[0] == 't');
    return made != NULL ? made : json_string(text);
}

static int put(pawl_cli *cli, json_t *attributes, const json_t *types, const char *given)
{
    char name[80];
    size_t size = strcspn(given, "=");
    if (given[size] == '\0' || size == 0 || size >= sizeof name)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "--attribute %s: wanted NAME=VALUE", given);
    memcpy(name, given, size);
    name[size] = '\0';
    if (json_object_get(attributes, name) != NULL)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "--attribute %s is given twice", name);
    if (json_object_set_new(attributes, name, value_of(pawl_cli_text(types, name), given + size + 1)) != 0)
        return pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "--attribute %s is not UTF-8", name);
    return PAWL_EXIT_OK;
}

int pawl_cli_put_attributes(pawl_cli *cli, json_t *object)
{
    pawl_client_reply host;
    if (!pawl_cli_flag(cli, "attribute"))
        return PAWL_EXIT_OK;
    int status = pawl_cli_ask(cli, "GET", strdup("/v1/host"), NULL, &host);
    if (status != PAWL_EXIT_OK)
        return status;
    json_t *attributes = json_object();
    for (int i = 0; i < (int)cli->given_count && status == PAWL_EXIT_OK; i++)
        if (strcmp(cli->given[i].name, "attribute") == 0)
            status = put(cli, attributes, json_object_get(host.json, "attributes"), cli->given[i].value);
    pawl_client_reply_finish(&host);
    if (json_object_set_new(object, "attributes", attributes) != 0 && status == PAWL_EXIT_OK)
        status = pawl_cli_fail(cli, PAWL_EXIT_USAGE, "usage", "out of memory for search attributes");
    return status;
}
