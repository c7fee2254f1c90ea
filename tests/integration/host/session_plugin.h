/* session_plugin.h: a plugin linked into the tests whose processes use the state and the attachments of their session.
 */
#ifndef PAWL_TESTS_HOST_SESSION_PLUGIN_H
#define PAWL_TESTS_HOST_SESSION_PLUGIN_H

#include <pawl_abi.h>
#include <stdatomic.h>

const pawl_plugin_root *session_plugin(void);

#endif
