# run.sh: what @NAME@ does: the conformance suite of its facet, and a real host over it. Part of ../test.
check
pawl-conformance --plugin "$plugin" --config '{}' --facets 4 >"$work/out" 2>&1 || fail "it is no session facet"
expect 'session'
serve
pawl session set ann balance 12 >"$work/out" 2>&1 || fail "the state was not set"
pawl session get ann balance >"$work/out" 2>&1 || fail "the state is not there"
expect 12
pawl session set ann balance 13 --revision 7 >"$work/out" 2>&1 && fail "a stale revision was taken"
pawl session list >"$work/out" 2>&1 || fail "sessions are not listed"
expect ann
stop_server
