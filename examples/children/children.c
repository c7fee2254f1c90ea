/* children.c: a process that has its work done by others of its kind, and puts together what they give. */
#include <pawl_plugin.h>
#include <pawl_process.h>

#define PAGES 3u

/* One page: a process of its own, with its own journal and retries. */
static pawl_status page(pawl_process *p)
{
    pawl_bytes number = pawl_input(p);
    PAWL_TRY(pawl_sleep(p, PAWL_SECOND));
    return pawl_complete(p, pawl_printf(p, "\"page %.*s\"", (int)number.size, (const char *)number.data));
}

static pawl_status album(pawl_process *p)
{
    pawl_future pages[PAGES];
    pawl_bytes done = pawl_text(""), one, archive;
    for (unsigned i = 0; i < PAGES; i++) /* all at once; each is started once, whatever happens */
        pages[i] = pawl_start_child(p, "album.page", pawl_printf(p, "%u", i + 1));
    PAWL_TRY(pawl_await_all_of(p, pages, PAGES));
    for (unsigned i = 0; i < PAGES; i++) {
        PAWL_TRY(pawl_result(p, pages[i], &one)); /* of one that failed: the album fails with the same code */
        done = pawl_printf(p, "%.*s%s%.*s", (int)done.size, (const char *)done.data, i == 0 ? "" : ",", (int)one.size,
                           (const char *)one.data);
    }
    /* One that goes on by itself: the album does not wait for its end. */
    pawl_future later = pawl_start_detached(p, "album.page", pawl_text("\"archive\""));
    PAWL_TRY(pawl_await(p, later));
    PAWL_TRY(pawl_result(p, later, &archive)); /* its id */
    return pawl_complete(p, pawl_printf(p, "{\"pages\":[%.*s],\"archive\":\"%.*s\"}", (int)done.size,
                                        (const char *)done.data, (int)archive.size, (const char *)archive.data));
}

PAWL_PROCESSES(PAWL_TYPE("album.make", 1, album), PAWL_TYPE("album.page", 1, page))
PAWL_PLUGIN("com.example.album", "1.0.0", "Example",
            "{\"manifest_version\":1, \"id\":\"com.example.album\", \"version\":\"1.0.0\","
            "\"abi\":{\"major\":1,\"minor\":0}, \"kinds\":[\"process\"],"
            "\"processes\":[{\"name\":\"album.make\",\"revision\":1},{\"name\":\"album.page\",\"revision\":1}]}",
            pawl_plain_init, pawl_plain_deinit, pawl_process_factory);
