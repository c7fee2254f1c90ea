/* ends_recent.c: see ends_recent.h. A line is made once, outside of any lock, with room for its position in front; the
 * position is written when the order is known. Never changes a line after that. */
#include "host/api/ends_recent.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/api/values.h"

/* In front of every line, of the same length always; what follows is the rest of the object. */
#define HEAD_FORMAT "{\"at\":\"%016" PRIx64 "-%016" PRIx64 "\","
#define HEAD_SIZE   (7u + 33u + 2u)

void pawl_recent_init(pawl_recent *recent, uint64_t life)
{
    *recent = (pawl_recent){.life = life};
    STAILQ_INIT(&recent->list);
}

static void drop_oldest(pawl_recent *recent)
{
    pawl_recent_end *oldest = STAILQ_FIRST(&recent->list);
    STAILQ_REMOVE_HEAD(&recent->list, link);
    recent->complete = oldest->number;
    recent->count--;
    recent->bytes -= oldest->line_size;
    free(oldest);
}

static void drop_all(pawl_recent *recent)
{
    while (!STAILQ_EMPTY(&recent->list))
        drop_oldest(recent);
    recent->complete = recent->number;
}

void pawl_recent_finish(pawl_recent *recent)
{
    drop_all(recent);
}

void pawl_recent_keep(pawl_recent *recent, bool keeping)
{
    if (recent->keeping == keeping)
        return;
    recent->keeping = keeping;
    if (keeping)
        recent->number++; /* stands for all that nobody counted */
    drop_all(recent);
}

static pawl_bytes text_bytes(const char *text)
{
    return (pawl_bytes){text, strlen(text)};
}

/* {"status", ..., "id", "type", "session", "ended_unix_ns"}; NULL when out of memory. */
static char *make_object(const pawl_end *end)
{
    json_t *object = pawl_value_outcome(&end->outcome);
    bool whole = object != NULL && pawl_value_put_text(object, "id", text_bytes(end->id)) &&
                 pawl_value_put_text(object, "type", text_bytes(end->type)) &&
                 pawl_value_put_text(object, "session", text_bytes(end->session)) &&
                 json_object_set_new(object, "ended_unix_ns", json_integer((json_int_t)end->ended_unix_ns)) == 0;
    char *text = whole ? json_dumps(object, JSON_COMPACT) : NULL;
    json_decref(object);
    return text;
}

/* Behind one another in the block; returns where the next one goes. */
static char *place(char *at, const char *text, const char **ret)
{
    size_t size = strlen(text) + 1;
    memcpy(at, text, size);
    *ret = at;
    return at + size;
}

pawl_recent_end *pawl_recent_make(const pawl_end *end)
{
    char *object = make_object(end);
    if (object == NULL)
        return NULL;
    size_t rest = strlen(object + 1); /* without the brace that the head has */
    size_t texts = strlen(end->type) + strlen(end->session) + strlen(end->id) + 3;
    pawl_recent_end *made = malloc(sizeof *made + texts + HEAD_SIZE + rest + 1);
    if (made != NULL) {
        char *at = (char *)(made + 1);
        at = place(at, end->type, &made->type);
        at = place(at, end->session, &made->session);
        made->line = place(at, end->id, &made->id);
        made->line_size = HEAD_SIZE + rest + 1;
        memcpy(made->line + HEAD_SIZE, object + 1, rest);
        made->line[HEAD_SIZE + rest] = '\n';
    }
    free(object);
    return made;
}

void pawl_recent_number(pawl_recent *recent, pawl_recent_end *made)
{
    char head[HEAD_SIZE + 1];
    made->number = ++recent->number;
    snprintf(head, sizeof head, HEAD_FORMAT, recent->life, made->number);
    memcpy(made->line, head, HEAD_SIZE);
}

void pawl_recent_lost(pawl_recent *recent)
{
    recent->number++;
    drop_all(recent);
}

void pawl_recent_add(pawl_recent *recent, pawl_recent_end *numbered)
{
    if (numbered->line_size > PAWL_RECENT_BYTES_MAX) {
        free(numbered);
        drop_all(recent);
        return;
    }
    while (recent->count >= PAWL_RECENT_LINES_MAX || recent->bytes + numbered->line_size > PAWL_RECENT_BYTES_MAX)
        drop_oldest(recent);
    STAILQ_INSERT_TAIL(&recent->list, numbered, link);
    recent->count++;
    recent->bytes += numbered->line_size;
}

void pawl_recent_position(const pawl_recent *recent, uint64_t number, char text[PAWL_POSITION_ROOM])
{
    snprintf(text, PAWL_POSITION_ROOM, "%016" PRIx64 "-%016" PRIx64, recent->life, number);
}

bool pawl_recent_find(const pawl_recent *recent, const char *position, uint64_t *ret)
{
    char again[PAWL_POSITION_ROOM];
    const char *dash = strchr(position, '-');
    uint64_t number = dash == NULL ? 0 : strtoull(dash + 1, NULL, 16);
    pawl_recent_position(recent, number, again);
    bool known = strcmp(again, position) == 0 && number >= recent->complete && number <= recent->number;
    *ret = known ? number : recent->complete;
    return known;
}
