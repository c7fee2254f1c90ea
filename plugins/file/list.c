/* list.c: file list and file stat. A list is sorted by the bytes of the names and comes in pages; it never shows the
 * temporary files of writes. */
#include "plugins/connector/text.h"
#include "plugins/file/connector.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define NAMES_MAX ((size_t)1000000) /* of one directory; beyond, the list is refused */

static const pawl_connector_field list_fields[] = {
    {"root", PAWL_CONNECTOR_TEXT, true, 0, 0},
    {"path", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"after", PAWL_CONNECTOR_TEXT, false, 0, 0},
    {"limit", PAWL_CONNECTOR_INTEGER, false, 1, PAWL_FILE_PAGE_MAX},
};
static const pawl_connector_field stat_fields[] = {
    {"root", PAWL_CONNECTOR_TEXT, true, 0, 0},
    {"path", PAWL_CONNECTOR_TEXT, true, 0, 0},
};

typedef struct names {
    char **items;
    size_t count, room;
    size_t unreadable; /* names that are not UTF-8 and so cannot stand in the result */
} names;

static bool add(names *list, const char *name)
{
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 64 : list->room * 2;
        char **grown = realloc(list->items, room * sizeof *grown);
        if (grown == NULL)
            return false;
        list->items = grown;
        list->room = room;
    }
    list->items[list->count] = strdup(name);
    return list->items[list->count] != NULL && list->count++ < SIZE_MAX;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static pawl_status collect(pawl_connector_call *call, DIR *directory, names *list)
{
    const char *after = pawl_connector_text(call->input, "after", "");
    const char *path = pawl_connector_text(call->input, "path", "");
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(directory);
        if (entry == NULL)
            return errno == 0 ? PAWL_OK : pawl_file_failed(call, errno, "list", path);
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || pawl_file_is_temporary(name) ||
            strcmp(name, after) <= 0)
            continue;
        if (!pawl_connector_is_text(name, strlen(name))) {
            list->unreadable++;
            continue;
        }
        if (list->count == NAMES_MAX)
            return pawl_connector_call_fail_as(call, PAWL_E_LIMIT, PAWL_TERMINAL, "too_many",
                                               "\"%s\" has more than %zu names", path, NAMES_MAX);
        if (!add(list, name))
            return pawl_connector_fail_memory(&call->error);
        if (list->count % 1024 == 0 && pawl_file_go_on(call) != PAWL_OK)
            return call->error.status;
    }
}

static json_t *entry_of(int directory, const char *name)
{
    struct stat facts;
    if (fstatat(directory, name, &facts, AT_SYMLINK_NOFOLLOW) != 0)
        return NULL; /* removed meanwhile: it is not in the list */
    return json_pack("{s:s, s:s, s:I, s:I}", "name", name, "type", pawl_file_type_name(facts.st_mode), "size",
                     (json_int_t)facts.st_size, "modified_unix_ns", pawl_file_modified(&facts));
}

static pawl_status answer_list(pawl_connector_call *call, int directory, const names *list)
{
    size_t limit = (size_t)pawl_connector_integer(call->input, "limit", 1000);
    json_t *result = json_object();
    json_t *entries = json_array();
    size_t count = list->count < limit ? list->count : limit;
    for (size_t i = 0; i < count; i++) {
        json_t *entry = entry_of(directory, list->items[i]);
        if (entry != NULL)
            json_array_append_new(entries, entry);
    }
    json_object_set_new(result, "entries", entries);
    if (count > 0 && count < list->count)
        json_object_set_new(result, "next", json_string(list->items[count - 1]));
    if (list->unreadable > 0)
        json_object_set_new(result, "unreadable", json_integer((json_int_t)list->unreadable));
    pawl_status status =
        result == NULL ? pawl_connector_fail_memory(&call->error) : pawl_connector_answer(call, result, NULL, NULL);
    json_decref(result);
    return status;
}

pawl_status pawl_file_list(const pawl_connector *connector, pawl_connector_call *call)
{
    pawl_file_place place;
    if (pawl_connector_call_check(call, list_fields, PAWL_CONNECTOR_COUNT(list_fields)) != PAWL_OK ||
        pawl_file_place_of(connector, call, false, true, &place) != PAWL_OK || pawl_file_go_on(call) != PAWL_OK)
        return call->error.status;
    int fd = pawl_connector_open_beneath(place.root->fd, place.path, O_RDONLY | O_DIRECTORY, 0);
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (directory == NULL) {
        int problem = errno;
        if (fd >= 0)
            close(fd);
        return pawl_file_failed(call, problem, "list", place.path);
    }
    names list = {0};
    pawl_status status = collect(call, directory, &list);
    if (status == PAWL_OK && list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, by_bytes);
    if (status == PAWL_OK)
        status = answer_list(call, dirfd(directory), &list);
    for (size_t i = 0; i < list.count; i++)
        free(list.items[i]);
    free(list.items);
    closedir(directory);
    return status;
}

pawl_status pawl_file_stat(const pawl_connector *connector, pawl_connector_call *call)
{
    pawl_file_place place;
    struct stat facts;
    if (pawl_connector_call_check(call, stat_fields, PAWL_CONNECTOR_COUNT(stat_fields)) != PAWL_OK ||
        pawl_file_place_of(connector, call, false, true, &place) != PAWL_OK || pawl_file_go_on(call) != PAWL_OK)
        return call->error.status;
    int fd = pawl_connector_open_beneath(place.root->fd, place.path, O_PATH, 0);
    if (fd < 0)
        return pawl_file_failed(call, errno, "look at", place.path);
    int looked = fstat(fd, &facts);
    int problem = errno;
    close(fd);
    if (looked != 0)
        return pawl_file_failed(call, problem, "look at", place.path);
    char mode[8];
    snprintf(mode, sizeof mode, "%04o", (unsigned)facts.st_mode & 07777u);
    json_t *result = json_pack("{s:s, s:I, s:s, s:I}", "type", pawl_file_type_name(facts.st_mode), "size",
                               (json_int_t)facts.st_size, "mode", mode, "modified_unix_ns", pawl_file_modified(&facts));
    pawl_status status =
        result == NULL ? pawl_connector_fail_memory(&call->error) : pawl_connector_answer(call, result, NULL, NULL);
    json_decref(result);
    return status;
}
