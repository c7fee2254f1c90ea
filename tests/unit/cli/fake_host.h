/* fake_host.h: a small host in memory behind <pawl/pawl.h>, with a real thread and real callbacks, for tests of the
 * ways in. Its "profile" has one `key: value` a line: profile, socket, data, requests, input, refuse (an error code to
 * fail with), busy (1: a drain lasts until the next mode). Process types: test.echo completes with its input, test.fail
 * fails, test.hold waits for a signal "go" and completes with its payload, test.stuck is stuck until resumed, test.full
 * finds no space. Getting the process "slow" blocks until the gate is open. */
#ifndef FAKE_HOST_H
#define FAKE_HOST_H

#include <pawl/pawl.h>

void fake_host_open_gate(pawl_host *host);
/** How many calls stand at the gate now. */
uint32_t fake_host_at_gate(pawl_host *host);
/** Waits that have been begun and not ended. */
uint32_t fake_host_waits(pawl_host *host);

#endif
