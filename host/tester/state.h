/* state.h: the state of the session of a process under test, where the script says what it is at first: what
 * pawl.session.get, scan and commit give. Follows from the script and the journal alone: from the commits that are
 * recorded, and what others were said to have changed. So a lost worker loses nothing of it. [instance] */
#ifndef PAWL_TESTER_STATE_H
#define PAWL_TESTER_STATE_H

#include "machine.h"

/** Is this a call that the state answers? */
bool pawl_state_answers(const pawl_machine *m, pawl_bytes name);
/** What it gives now. False: it fails, with *failure, whose bytes are the machine's. */
bool pawl_state_call(pawl_machine *m, pawl_bytes name, pawl_bytes input, pawl_bytes *ret_value, pawl_failure *failure);
/** The state as lines; nothing when the script has none. */
void pawl_state_say(const pawl_machine *m, pawl_tester_text *ret);

#endif
