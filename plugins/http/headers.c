/* headers.c: see headers.h. */
#include "plugins/http/headers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define NAME_BYTES_MAX ((size_t)128)

bool pawl_http_is_header_name(const char *name)
{
    static const char token[] = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    size_t size = strlen(name);
    return size > 0 && size <= NAME_BYTES_MAX && strspn(name, token) == size;
}

bool pawl_http_is_header_value(const char *value)
{
    for (const unsigned char *at = (const unsigned char *)value; *at != '\0'; at++)
        if ((*at < 0x20 && *at != '\t') || *at == 0x7f)
            return false;
    return true;
}

bool pawl_http_is_reserved_header(const char *name)
{
    static const char *const names[] = {"host",       "content-length", "transfer-encoding",
                                        "connection", "expect",         "keep-alive",
                                        "te",         "trailer",        "upgrade"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcasecmp(names[i], name) == 0)
            return true;
    return strncasecmp(name, "proxy-", 6) == 0;
}

bool pawl_http_has_header(const struct curl_slist *list, const char *name)
{
    size_t size = strlen(name);
    for (; list != NULL; list = list->next)
        if (strncasecmp(list->data, name, size) == 0 && (list->data[size] == ':' || list->data[size] == ';'))
            return true;
    return false;
}

bool pawl_http_add_header(struct curl_slist **list, const char *name, const char *value)
{
    char *line = NULL;
    if (pawl_http_has_header(*list, name))
        return true;
    /* libcurl's ways to write a header without a value, and with one */
    int size = value[0] == '\0' ? asprintf(&line, "%s;", name) : asprintf(&line, "%s: %s", name, value);
    if (size < 0)
        return false;
    struct curl_slist *longer = curl_slist_append(*list, line);
    free(line);
    if (longer == NULL)
        return false;
    *list = longer;
    return true;
}
