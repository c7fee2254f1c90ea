/* api.c: see api.h. */
#include "api.h"

#include <ctype.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct reply {
    char *text;
    size_t size;
};

static size_t collect(char *data, size_t one, size_t count, void *context)
{
    struct reply *reply = context;
    char *grown = realloc(reply->text, reply->size + one * count + 1);
    if (grown == NULL)
        return 0;
    memcpy(grown + reply->size, data, one * count);
    reply->text = grown;
    reply->size += one * count;
    return one * count;
}

void api_path(char *path, size_t room, const char *id, const char *tail)
{
    size_t used = (size_t)snprintf(path, room, "/v1/processes/");
    for (; *id != '\0' && used + 4 < room; id++) {
        unsigned char c = (unsigned char)*id;
        if (isalnum(c) || strchr("-._~", c) != NULL)
            path[used++] = (char)c;
        else
            used += (size_t)snprintf(path + used, room - used, "%%%02X", c);
    }
    snprintf(path + used, room - used, "%s", tail);
}

long api_call(const char *socket, const char *method, const char *path, const json_t *body, json_t **ret_answer)
{
    char url[1200];
    snprintf(url, sizeof url, "http://pawl%s", path);
    char *text = body == NULL ? NULL : json_dumps(body, JSON_COMPACT);
    struct reply reply = {NULL, 0};
    long status = 0;
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_TIMEOUT, 20L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &reply);
    if (text != NULL)
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, text);
    if (curl_easy_perform(curl) == CURLE_OK)
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (ret_answer != NULL)
        *ret_answer = json_loadb(reply.text == NULL ? "" : reply.text, reply.size, 0, NULL);
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    free(reply.text);
    free(text);
    return status;
}
