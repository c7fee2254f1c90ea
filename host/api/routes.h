/* routes.h: the table of what can be asked, and the steps behind it. */
#ifndef PAWL_API_ROUTES_H
#define PAWL_API_ROUTES_H

#include "host/api/exchange.h"

/** Find the route of a method and target; PAWL_E_NOT_FOUND (no such path), or PAWL_E_UNSUPPORTED with *allow naming the
 *  methods that the path has. HEAD is as GET. Refuses query keys that the route does not know. */
pawl_status pawl_route_find(const char *method, const pawl_uri *uri, const pawl_route **ret, const char **allow,
                            pawl_error *error);

bool pawl_route_start(pawl_exchange *exchange); /* routes_start.c */
bool pawl_route_wait(pawl_exchange *exchange);  /* routes_wait.c */
bool pawl_route_ends(pawl_exchange *exchange);  /* routes_ends.c */
bool pawl_route_list(pawl_exchange *exchange);  /* routes_process.c, from here on */
bool pawl_route_count(pawl_exchange *exchange);
bool pawl_route_get(pawl_exchange *exchange);
bool pawl_route_journal(pawl_exchange *exchange);
bool pawl_route_signal(pawl_exchange *exchange);
bool pawl_route_update(pawl_exchange *exchange);
bool pawl_route_cancel(pawl_exchange *exchange);
bool pawl_route_terminate(pawl_exchange *exchange);
bool pawl_route_pause(pawl_exchange *exchange);
bool pawl_route_schedules(pawl_exchange *exchange);
bool pawl_route_schedule(pawl_exchange *exchange);
bool pawl_route_schedule_create(pawl_exchange *exchange);
bool pawl_route_schedule_pause(pawl_exchange *exchange);
bool pawl_route_schedule_resume(pawl_exchange *exchange);
bool pawl_route_schedule_trigger(pawl_exchange *exchange);
bool pawl_route_schedule_backfill(pawl_exchange *exchange);
bool pawl_route_schedule_delete(pawl_exchange *exchange);
bool pawl_route_resume(pawl_exchange *exchange);
bool pawl_route_restart(pawl_exchange *exchange);
bool pawl_route_complete(pawl_exchange *exchange);
bool pawl_route_sessions(pawl_exchange *exchange); /* routes_session.c, from here on */
bool pawl_route_session(pawl_exchange *exchange);
bool pawl_route_session_key(pawl_exchange *exchange);
bool pawl_route_session_commit(pawl_exchange *exchange);
bool pawl_route_session_delete(pawl_exchange *exchange);
bool pawl_route_session_release(pawl_exchange *exchange);
bool pawl_route_handles(pawl_exchange *exchange);
bool pawl_route_change_handles(pawl_exchange *exchange);
bool pawl_route_attachments(pawl_exchange *exchange); /* routes_attachment.c, from here on */
bool pawl_route_attachment_put(pawl_exchange *exchange);
bool pawl_route_attachment_absorb(pawl_exchange *exchange);
bool pawl_route_attachment_get(pawl_exchange *exchange);
bool pawl_route_attachment_facts(pawl_exchange *exchange);
bool pawl_route_attachment_share(pawl_exchange *exchange);
bool pawl_route_attachment_drop(pawl_exchange *exchange);
bool pawl_route_host(pawl_exchange *exchange); /* routes_host.c, from here on */
bool pawl_route_plugins(pawl_exchange *exchange);
bool pawl_route_forget_plugin(pawl_exchange *exchange);
bool pawl_route_health(pawl_exchange *exchange);
bool pawl_route_drain(pawl_exchange *exchange);
bool pawl_route_prune(pawl_exchange *exchange);
bool pawl_route_backup(pawl_exchange *exchange);
bool pawl_route_metrics(pawl_exchange *exchange);

bool pawl_route_append_event(pawl_exchange *exchange); /* routes_event.c, from here on */
bool pawl_route_events(pawl_exchange *exchange);
bool pawl_route_next_event(pawl_exchange *exchange);
bool pawl_route_queue(pawl_exchange *exchange);
bool pawl_route_queue_claim(pawl_exchange *exchange);
bool pawl_route_queue_settle(pawl_exchange *exchange);
bool pawl_route_queue_redrive(pawl_exchange *exchange);
bool pawl_route_queue_drop(pawl_exchange *exchange);

/** The server's waits, for routes_wait.c. */
struct pawl_waits *pawl_api_server_waits(pawl_api_server *server);
/** The server's listeners, for routes_ends.c. */
struct pawl_ends *pawl_api_server_ends(pawl_api_server *server);

#endif
