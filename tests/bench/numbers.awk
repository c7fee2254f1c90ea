# numbers.awk: the numbers of lines of JSON, and their medians over rounds. Objects are flat, a line each, as `pawl bench`
# and its kin print them; it is no parser for others.

# The value of a number in a flat object; "" when it is not there.
function field(json, key,    at, rest) {
    at = index(json, "\"" key "\":")
    if (at == 0)
        return ""
    rest = substr(json, at + length(key) + 3)
    return match(rest, /^-?[0-9][0-9.eE+-]*/) ? substr(rest, 1, RLENGTH) : ""
}

function note(label, json, key,    value) {
    value = field(json, key)
    if (value != "")
        seen[label, key, ++count[label, key]] = value + 0
}

function median(label, key,    total, i, j, held, sorted) {
    total = count[label, key]
    if (total == 0)
        return ""
    for (i = 1; i <= total; i++) {
        held = seen[label, key, i]
        for (j = i - 1; j >= 1 && sorted[j] > held; j--)
            sorted[j + 1] = sorted[j]
        sorted[j + 1] = held
    }
    return total % 2 ? sorted[(total + 1) / 2] : (sorted[total / 2] + sorted[total / 2 + 1]) / 2
}
