/* fake_host_lacks.h: what pawl.h has and the fake host does not: sessions, attachments, handles, care of stores, events
 * and queues. Its functions are those of pawl.h; here stands only what both files of the fake host use. */
#ifndef FAKE_HOST_LACKS_H
#define FAKE_HOST_LACKS_H

#include <jansson.h>
#include <pawl/pawl.h>

/** An answer; takes the reference to json. */
pawl_status fake_give(json_t *json, pawl_text *ret);

#endif
