/* problem.c: the list of what is wrong with a profile. Keeps the order of places, whatever the order of
 * finding. Never lets a broken file make it grow without end: beyond PAWL_PROBLEMS_MAX it only counts. */
#include "host/profile/profile.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static bool before(pawl_place a, pawl_place b)
{
    return a.line != b.line ? a.line < b.line : a.column < b.column;
}

void pawl_problems_add(pawl_problem_list *list, pawl_place place, const char *code, const char *format, ...)
{
    if (!list)
        return;
    char *message = NULL;
    va_list args;
    va_start(args, format);
    int size = list->count < PAWL_PROBLEMS_MAX ? vasprintf(&message, format, args) : -1;
    va_end(args);
    pawl_problem *items = size >= 0 ? realloc(list->items, (list->count + 1) * sizeof(*items)) : NULL;
    if (!items) {
        if (size >= 0)
            free(message);
        list->more++;
        return;
    }
    list->items = items;
    size_t at = list->count++;
    while (at > 0 && before(place, items[at - 1].place)) {
        items[at] = items[at - 1];
        at--;
    }
    items[at] = (pawl_problem){place, code, message};
}

static void write_all(const pawl_problem_list *list, FILE *out)
{
    const char *path = list->path ? list->path : "profile";
    for (size_t i = 0; i < list->count; i++) {
        const pawl_problem *p = &list->items[i];
        if (p->place.line)
            (void)fprintf(out, "%s:%u:%u: %s [%s]\n", path, p->place.line, p->place.column, p->message, p->code);
        else
            (void)fprintf(out, "%s: %s [%s]\n", path, p->message, p->code);
    }
    if (list->more)
        (void)fprintf(out, "%s: and %zu more\n", path, list->more);
}

char *pawl_problems_text(const pawl_problem_list *list)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    if (!out)
        return NULL;
    write_all(list, out);
    bool failed = ferror(out) != 0;
    if (fclose(out) != 0 || failed) {
        free(text);
        return NULL;
    }
    return text;
}

void pawl_problems_print(const pawl_problem_list *list, FILE *out)
{
    write_all(list, out);
}

void pawl_problems_free(pawl_problem_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i].message);
    free(list->items);
    free(list->path);
    memset(list, 0, sizeof(*list));
}
