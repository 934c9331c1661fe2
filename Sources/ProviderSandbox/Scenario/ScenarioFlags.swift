import ArgumentParser

/// The flags of a scenario. They are read as texts, so that the same code checks them and a file.
struct ScenarioFlags: ParsableArguments {
    @Option(help: "Port of the provider's API on 127.0.0.1; 0 takes any free one. (default: 0)")
    var port: String?
    @Option(help: "Port of the receiver on 127.0.0.1; 0 takes any free one. (default: 0)")
    var receiverPort: String?
    @Option(help: "Path under which the API stands, such as /gw; the links in its answers lack it. (default: none)")
    var mount: String?
    @Option(help: "Seed of ids, bodies, times and chances. (default: 1)")
    var seed: String?
    @Option(help: "Deliveries that failed before the start. (default: 300)")
    var failures: String?
    @Option(help: "Deliveries that succeeded before the start and are only in the log. (default: failures / 5)")
    var successes: String?
    @Option(help: "Webhook endpoints. (default: 2)")
    var endpoints: String?
    @Option(help: "Event names, separated by commas. (default: four of the documented ones)")
    var events: String?
    @Option(help: "At the start, the times in the log lie in this past period. (default: 30m)")
    var spread: String?
    @Flag(name: .customLong("integer-ids"), help: "Task and customer ids are JSON integers.")
    var integerIDs = false
    @Flag(help: "Every seventh customer id is null.")
    var nullCustomers = false

    @Option(help: "The receiver of an endpoint answers 503 between two seconds, INDEX:FROM-TO. Repeatable.")
    var down: [String] = []
    @Option(help: "So many deliveries fail so many times more, COUNT:TIMES.")
    var refail: String?
    @Option(help: "Time that the receiver takes for an answer. (default: 5ms)")
    var receiverLatency: String?

    @Option(help: "Envelope: array, results, logs, data or items. (default: results)")
    var logShape: String?
    @Option(help: "Place of the next page: next, links, header or none; an array uses the header. (default: next)")
    var paging: String?
    @Option(
        name: .customLong("next-url"),
        help: "relative, absolute or inner (of a host that nobody else knows). (default: relative)")
    var nextURL: String?
    @Option(help: "newest, oldest or shuffled. (default: newest)")
    var order: String?
    @Option(help: "Entries on a page. (default: 50)")
    var pageSize: String?
    @Flag(help: "Answers do not say how many entries the log has.")
    var noCount = false
    @Option(help: "From this page on, 2 or more, links lead back to the page before; 0 ends that. (default: 0)")
    var loopPage: String?
    @Option(help: "Pages without an entry before each page but the first, or 'endless'. (default: 0)")
    var emptyPages: String?
    @Option(
        help: """
            For each page behind the first, so many successes that stand before it are deleted when it is asked for. \
            (default: 0)
            """
    )
    var deleteWhilePaging: String?
    @Option(help: "Field names: default or alternative. (default: default)")
    var spelling: String?
    @Option(
        help: """
            seconds, milliseconds, microseconds, nanoseconds, iso, gmt, rfc1123 or short-offset (+3:00). (default: \
            seconds, with the alternative spelling iso)
            """
    )
    var time: String?
    @Flag(help: "Compress answers for clients that accept gzip.")
    var gzip = false

    @Option(help: "A retry in the log: same, named, silent, in-place or never. (default: same)")
    var retryLogs: String?
    @Flag(help: "With in-place: the changed row gets an updated_at.")
    var inPlaceUpdatedAt = false
    @Option(help: "Time from the end of an attempt to its row in the log. (default: 0ms)")
    var logDelay: String?
    @Option(help: "Time between a retry call and the attempt. (default: 20ms)")
    var retryDelay: String?

    @Option(help: "Time that the API takes for any answer. (default: 0ms)")
    var latency: String?
    @Option(
        help: """
            OPERATION[/INDEX][#PAGE]:WHAT[:N][@PROBABILITY], repeatable; a page is one of logs. Operations: events, create, secret, rotate, update, \
            logs, retry, test, login, refresh, any. What: status=503, status=429,retry-after=2, drop-before, \
            drop-after, garbage, html, truncate, slow=3s, redirect=URL, huge=BYTES, \
            wire=gzip-members, wire=gzip-padded, wire=x-gzip, wire=bom, page=rows,BYTES, page=long-id,BYTES, \
            page=nested,BYTES, row=nan, row=infinity, row=tab, row=escape, row=latin-1, row=quotes, row=signed-url, \
            row=long-id. N: only the next N calls.
            """
    )
    var fault: [String] = []
    @Option(help: "Token that is always accepted. (default: one made from the seed, or none with --username)")
    var token: String?
    @Option(help: "User that can log in.")
    var username: String?
    @Option(help: "The user's password.")
    var password: String?
    @Option(help: "Access tokens expire after this time. (default: 1h)")
    var tokenLifetime: String?
    @Option(help: "File that gets a JSON line for each delivery, attempt, arrival and call, before the answer.")
    var ledger: String?

    /// The given flags under the names of the settings.
    var texts: ScenarioTexts {
        let options: [(String, String?)] = [
            ("port", port), ("receiver-port", receiverPort), ("mount", mount), ("seed", seed),
            ("failures", failures),
            ("successes", successes), ("endpoints", endpoints), ("events", events), ("spread", spread),
            ("refail", refail), ("receiver-latency", receiverLatency), ("log-shape", logShape), ("paging", paging),
            ("next-url", nextURL), ("order", order), ("page-size", pageSize),
            ("loop-page", loopPage), ("empty-pages", emptyPages), ("delete-while-paging", deleteWhilePaging),
            ("spelling", spelling), ("time", time),
            ("retry-logs", retryLogs), ("log-delay", logDelay), ("retry-delay", retryDelay), ("latency", latency),
            ("token", token), ("username", username), ("password", password), ("token-lifetime", tokenLifetime),
            ("ledger", ledger),
        ]
        let flags = [
            ("integer-ids", integerIDs), ("null-customers", nullCustomers), ("gzip", gzip),
            ("in-place-updated-at", inPlaceUpdatedAt), ("no-count", noCount),
        ]
        var texts = ScenarioTexts()
        texts.entries += options.compactMap { name, value in value.map { (name, [$0]) } }
        texts.entries += flags.filter(\.1).map { ($0.0, ["true"]) }
        texts.entries += [("down", down), ("fault", fault)].filter { !$0.1.isEmpty }
        return texts
    }
}
