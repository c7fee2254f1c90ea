/* http_server.h: a real HTTP server on loopback (or a UNIX socket, or with TLS) whose routes behave well or badly on
 * request, and which remembers what it was asked.
 *
 *   /echo                      the request as JSON: method, target, headers, body
 *   /status/N[?after=TEXT]     status N with a small body, and Retry-After when given
 *   /redirect/N/TARGET         status N and Location: /TARGET (or the URL when TARGET begins with "http")
 *   /bytes/N                   N bytes of text
 *   /content?type=T            a body that repeats the request's body with this Content-Type
 *   /slow                      no answer until the server stops
 *   /drop                      the connection is closed without an answer
 *   /cut                       the connection is closed in the middle of the body */
#ifndef PAWL_TEST_HTTP_SERVER_H
#define PAWL_TEST_HTTP_SERVER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct http_server http_server;
/** On a free port of 127.0.0.1; unix_path: there instead; tls_key and tls_certificate (PEM): with TLS. */
http_server *http_server_open(const char *unix_path, const char *tls_key, const char *tls_certificate);
void http_server_close(http_server *server);
uint16_t http_server_port(const http_server *server);
/** Requests begun, connections accepted so far. */
int http_server_requests(http_server *server);
int http_server_connections(http_server *server);
/** The idempotency key of the n-th request (0: the first), "" for none. Lives as long as the server. */
const char *http_server_key(http_server *server, int n);
/** Wait until this many requests have begun. */
void http_server_wait_for(http_server *server, int requests);

/** A port of 127.0.0.1 on which nothing listens. */
uint16_t http_free_port(void);

#endif
