/* http_test_place.h: what the tests of the HTTP connector stand on: a host with the connector and a server to talk to.
 */
#ifndef PAWL_TEST_HTTP_PLACE_H
#define PAWL_TEST_HTTP_PLACE_H

#include "tests/plugins/fake_host.h"
#include "tests/plugins/http_server.h"

typedef struct place {
    fake_host *host;
    http_server *server;
} place;

static inline int open_place(void **state)
{
    place *p = calloc(1, sizeof *p);
    p->host = fake_host_open("http");
    p->server = http_server_open(NULL, NULL, NULL);
    *state = p;
    return 0;
}

static inline int close_place(void **state)
{
    place *p = *state;
    http_server_close(p->server);
    fake_host_close(p->host);
    free(p);
    return 0;
}

/** An instance for the server with more configuration: ",\"redirects\":3". */
static inline void configure(place *p, const char *more)
{
    char config[1024];
    snprintf(config, sizeof config, "{\"base_url\":\"http://127.0.0.1:%u\"%s}", http_server_port(p->server), more);
    fake_must_create(p->host, config);
}

#define SECOND 1000000000ull
/* Generous: the machine may be busy. */
#define PROMPT     (20 * SECOND)
#define EACH(test) cmocka_unit_test_setup_teardown(test, open_place, close_place)

#endif
