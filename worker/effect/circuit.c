/* circuit.c: see circuit.h. */
#include "circuit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAILED 1u
#define SLOW   2u

bool pawl_circuit_init(pawl_circuit *circuit, const pawl_circuit_config *config)
{
    *circuit = (pawl_circuit){.config = *config};
    if (circuit->config.window == 0)
        circuit->config.window = 1;
    if (circuit->config.probes == 0)
        circuit->config.probes = 1;
    circuit->ring = calloc(circuit->config.window, 1);
    return circuit->ring != NULL;
}

void pawl_circuit_finish(pawl_circuit *circuit)
{
    free(circuit->ring);
    circuit->ring = NULL;
}

static void forget_window(pawl_circuit *circuit)
{
    circuit->calls = circuit->failed = circuit->slow = circuit->at = 0;
    memset(circuit->slices, 0, sizeof circuit->slices);
}

static void move(pawl_circuit *circuit, pawl_circuit_state state, uint64_t now)
{
    if (state == PAWL_CIRCUIT_OPEN) {
        circuit->shown_calls = circuit->calls;
        circuit->shown_failed = circuit->failed;
        circuit->shown_slow = circuit->slow;
        circuit->until_mono_ns = now + circuit->config.open_ns;
    }
    circuit->state = state;
    circuit->generation++;
    circuit->transitions[state]++;
    circuit->probing = circuit->let_through = 0;
    forget_window(circuit);
}

/* Forget what is older than the window of time, and stand in the slice of now. */
static pawl_circuit_slice *slide(pawl_circuit *circuit, uint64_t now)
{
    uint64_t span = circuit->config.window_ns / PAWL_CIRCUIT_SLICES;
    uint64_t index = now / (span == 0 ? 1 : span);
    for (size_t i = 0; i < PAWL_CIRCUIT_SLICES; i++) {
        pawl_circuit_slice *slice = &circuit->slices[i];
        if (slice->calls == 0 || slice->index + PAWL_CIRCUIT_SLICES > index)
            continue;
        circuit->calls -= slice->calls;
        circuit->failed -= slice->failed;
        circuit->slow -= slice->slow;
        *slice = (pawl_circuit_slice){0};
    }
    pawl_circuit_slice *slice = &circuit->slices[index % PAWL_CIRCUIT_SLICES];
    slice->index = index;
    return slice;
}

static void count(pawl_circuit *circuit, uint8_t outcome)
{
    circuit->calls++;
    circuit->failed += (outcome & FAILED) != 0;
    circuit->slow += (outcome & SLOW) != 0;
}

static void count_in_window(pawl_circuit *circuit, uint64_t now, uint8_t outcome)
{
    if (circuit->config.window_ns != 0) {
        pawl_circuit_slice *slice = slide(circuit, now);
        slice->calls++;
        slice->failed += (outcome & FAILED) != 0;
        slice->slow += (outcome & SLOW) != 0;
    } else {
        uint8_t *oldest = &circuit->ring[circuit->at];
        if (circuit->calls == circuit->config.window) {
            circuit->calls--;
            circuit->failed -= (*oldest & FAILED) != 0;
            circuit->slow -= (*oldest & SLOW) != 0;
        }
        *oldest = outcome;
        circuit->at = (circuit->at + 1) % circuit->config.window;
    }
    count(circuit, outcome);
}

static bool reached(uint32_t part, uint32_t whole, double rate)
{
    return rate > 0 && (double)part >= rate * (double)whole;
}

/* Is what was counted bad enough? */
static bool is_bad(const pawl_circuit *circuit)
{
    return reached(circuit->failed, circuit->calls, circuit->config.failure_rate) ||
           reached(circuit->slow, circuit->calls, circuit->config.slow_rate);
}

static uint32_t wanted(const pawl_circuit *circuit)
{
    uint32_t most = circuit->config.window_ns != 0 ? UINT32_MAX : circuit->config.window;
    uint32_t least = circuit->config.calls_min == 0 ? 1 : circuit->config.calls_min;
    return least < most ? least : most;
}

bool pawl_circuit_ask(pawl_circuit *circuit, uint64_t now_mono_ns, uint64_t *ret_permit, uint64_t *ret_wait_ns)
{
    if (circuit->state == PAWL_CIRCUIT_OPEN && now_mono_ns >= circuit->until_mono_ns)
        move(circuit, PAWL_CIRCUIT_HALF_OPEN, now_mono_ns);
    if (circuit->state == PAWL_CIRCUIT_OPEN) {
        *ret_wait_ns = circuit->until_mono_ns - now_mono_ns;
        return false;
    }
    if (circuit->state == PAWL_CIRCUIT_HALF_OPEN) {
        if (circuit->let_through == circuit->config.probes) {
            *ret_wait_ns = 0;
            return false;
        }
        circuit->let_through++;
        circuit->probing++;
    }
    *ret_permit = circuit->generation;
    return true;
}

bool pawl_circuit_ended(pawl_circuit *circuit, uint64_t now_mono_ns, uint64_t permit, bool failed, uint64_t duration_ns)
{
    if (permit != circuit->generation)
        return false; /* it says how it was before */
    uint8_t outcome = (uint8_t)((failed ? FAILED : 0u) | (duration_ns >= circuit->config.slow_call_ns ? SLOW : 0u));
    if (circuit->state == PAWL_CIRCUIT_HALF_OPEN) {
        circuit->probing--;
        count(circuit, outcome);
        if (circuit->calls < circuit->config.probes)
            return false;
        move(circuit, is_bad(circuit) ? PAWL_CIRCUIT_OPEN : PAWL_CIRCUIT_CLOSED, now_mono_ns);
        return true;
    }
    count_in_window(circuit, now_mono_ns, outcome);
    if (circuit->calls < wanted(circuit) || !is_bad(circuit))
        return false;
    move(circuit, PAWL_CIRCUIT_OPEN, now_mono_ns);
    return true;
}

void pawl_circuit_give_back(pawl_circuit *circuit, uint64_t permit)
{
    if (permit != circuit->generation || circuit->state != PAWL_CIRCUIT_HALF_OPEN)
        return;
    circuit->probing--;
    circuit->let_through--;
}

const char *pawl_circuit_state_name(pawl_circuit_state state)
{
    static const char *const names[] = {"closed", "open", "half_open"};
    return names[state];
}

void pawl_circuit_explain(const pawl_circuit *circuit, char *text, size_t room)
{
    bool by_failures = reached(circuit->shown_failed, circuit->shown_calls, circuit->config.failure_rate);
    snprintf(text, room, "%u of %u calls %s", by_failures ? circuit->shown_failed : circuit->shown_slow,
             circuit->shown_calls, by_failures ? "failed" : "were slow");
}
