# run.sh: what @NAME@ does, in a real host. Part of ../test.
check --instance '{"greeting":"hello"}'
serve
for instance in english french; do
    pawl start call.once --input "{\"call\":\"$instance.greet\",\"input\":{\"name\":\"Ada \\\"A.\\\" L.\"}}" --wait \
        >"$work/out" 2>&1 || fail "the operation failed"
    case $instance in english) expect 'hello, Ada \"A.\" L.' ;; french) expect 'bonjour, Ada \"A.\" L.' ;; esac
done
pawl start call.once --input '{"call":"english.greet","input":{"nam":"x"}}' --wait >"$work/out" 2>&1 &&
    fail "a call without a name succeeded"
expect 'effect.input'
stop_server

# A configuration that cannot be used stops the host before it begins.
sed -e 's|greeting: bonjour|gretting: bonjour|' "$work/pawl.yaml" >"$work/bad.yaml"
pawl serve --profile "$work/bad.yaml" >"$work/out" 2>&1 && fail "a mistake in the configuration was taken"
expect '@NAME@.config'
