# Reads the events of swift-testing, one object of JSON a line. Prints a line for each suite when it ends, everything about
# what failed, and the run's closing line. Ends with 1 when there is no closing line or no test ran.
#
# A quote inside a text of JSON is escaped: what is searched for here with its quotes is never part of a text.

/"kind":"testSkipped"/ { if (isTest(subject($0))) skipped[suite(subject($0))]++ }
/"kind":"issueRecorded"/ { if ($0 ~ /"symbol":"fail"/) issue($0) }
/"kind":"testEnded"/ {
    if (isTest(subject($0))) tests[suite(subject($0))]++
    else tell(subject($0), member($0, "text", 1))
}
/"kind":"runEnded"/ { closing = symbol($0 ~ /"symbol":"fail"/) " " member($0, "text", 1) }

END {
    for (test in failures) print "✘ failed: " name(test) " (" suite(test) ")"
    if (closing != "") print closing
    if (closing ~ /^✘/ || closing == "") print "everything that was printed: " log_file
    exit closing == "" || closing ~ / with 0 tests/
}

# Module.Suite, and for a test /`name`(_:)/File.swift:line:column behind it.
function subject(line) { return member(line, "testID", 1) }
function isTest(id) { return id ~ /\.swift:[0-9]+:[0-9]+$/ }
function suite(id) { return index(id, "/`") ? substr(id, 1, index(id, "/`") - 1) : id }
function name(id) {
    sub(/\([^()]*\)\/[^\/]*$/, "", id)
    id = substr(id, length(suite(id)) + 2)
    gsub(/`/, "", id)
    return id
}
function symbol(has_failed) { return has_failed ? "✘" : "✔" }

# Keeps the texts of an issue, with its place and the arguments of its test case.
function issue(line,    test, case_name, text, from) {
    test = subject(line)
    failures[test]++
    text = "✘ " (test == "" ? "outside of a test" : name(test))
    case_name = member(line, "displayName", 1)
    if (case_name != "") text = text " (" case_name ")"
    if (match(line, /"line":[0-9]+/)) text = text ", " member(line, "fileID", 1) ":" substr(line, RSTART + 7, RLENGTH - 7)
    from = index(line, "\"messages\":[")
    while ((from = next_text(line, from)) > 0) text = text "\n" found
    details[suite(test)] = details[suite(test)] indented(text) "\n"
}

# A suite's line. Where suites run beside each other, all of them begin with the run, and the time is that to the suite's end.
function tell(suite_id, text,    line, seconds) {
    if (match(text, /after [0-9.]+/)) seconds = substr(text, RSTART + 6, RLENGTH - 6)
    line = sprintf("%s %-55s %3d tests, after %5.1f s", symbol(suite_id in details), suite_id, tests[suite_id], seconds)
    if (skipped[suite_id]) line = line ", " skipped[suite_id] " skipped"
    print line
    printf "%s", details[suite_id]
    fflush()
}

function indented(text) {
    gsub(/\n/, "\n      ", text)
    return "    " text
}

# The text of the first member of this name at or behind `from`; "" where there is none.
function member(line, key, from) {
    return string(line, from, "\"" key "\":\"") ? found : ""
}

# The place behind the next message, or 0; its text is `found`.
function next_text(line, from) {
    return from ? string(line, from, "\"text\":\"") : 0
}

# Sets `found` to the text behind `start`.
function string(line, from, start,    at, stop, letter) {
    at = index(substr(line, from), start)
    if (!at) return 0
    at += from - 1 + length(start)
    for (stop = at; (letter = substr(line, stop, 1)) != "\"" && letter != ""; stop++) if (letter == "\\") stop++
    found = plain(substr(line, at, stop - at))
    return stop
}

# Without the escapes of JSON.
function plain(text,    out, at, letter) {
    while ((at = index(text, "\\")) > 0) {
        letter = substr(text, at + 1, 1)
        out = out substr(text, 1, at - 1)
        if (letter == "n") out = out "\n"
        else if (letter == "t") out = out "\t"
        else if (letter == "u") out = out "\\u"
        else if (letter != "r") out = out letter
        text = substr(text, at + 2)
    }
    return out text
}
