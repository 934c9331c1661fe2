/// The settings of one run of the sandbox: its data, its log and its faults. Each has a flag of the same name.
struct Scenario: Sendable {
    // The ports; 0 takes any free one.
    var port = 0
    var receiverPort = 0
    /// The path under which a proxy would have mounted the API; empty, or `/…`. The provider does not know of it, so
    /// the links in its answers lack it.
    var mount = ""

    // The deliveries at the start.
    var seed: UInt64 = 1
    var failures = 300
    /// nil makes a fifth of the failures.
    var successes: Int?
    var endpoints = 2
    var events = ["profile_create", "profile_status_change", "document_upload", "document_status_change"]
    var spread = Duration.seconds(1800)
    var integerIDs = false
    var nullCustomers = false

    // The receiver.
    var outages: [Outage] = []
    var refail = Refail(count: 0, times: 0)
    var receiverLatency = Duration.milliseconds(5)

    // The log.
    var logShape = LogShape.results
    var paging = Paging.next
    var nextURL = NextURL.relative
    var order = Order.newest
    var pageSize = 50
    /// Answers do not say how many entries the log has.
    var noCount = false
    /// From this page on, 2 or more, links lead back to the page before: a circle of two pages. nil: none does.
    var loopPage: Int?
    /// Pages without a row before each page but the first, each under an address of its own.
    var emptyPages = EmptyPages.some(0)
    /// So many entries before a page behind the first are deleted when it is asked for, so that the others move up.
    var deleteWhilePaging = 0
    var spelling = Spelling.default
    /// nil writes what the spelling uses: seconds in `default`, ISO 8601 in `alternative`.
    var time: TimeFormat?
    var gzip = false

    // The effect of a retry.
    var retryLogs = RetryLogs.same
    var inPlaceUpdatedAt = false
    var logDelay = Duration.zero
    var retryDelay = Duration.milliseconds(20)

    // The API.
    var latency = Duration.zero
    var faults: [Fault] = []
    var token: String?
    var username: String?
    var password: String?
    var tokenLifetime = Duration.seconds(3600)

    /// The path of a file that gets one JSON line for each delivery, arrival, attempt and call; nil writes none.
    var ledger: String?
}

extension Scenario {
    /// A time during which the receiver of one endpoint answers 503, in seconds after the start.
    struct Outage: Sendable, Equatable {
        let endpointIndex: Int
        let from: Double
        let to: Double
    }

    /// `count` deliveries fail `times` times more before they succeed.
    struct Refail: Sendable, Equatable {
        let count: Int
        let times: Int
    }

    /// The envelope of a log page: a bare array, or an object with the array under this name.
    enum LogShape: String, CaseIterable, Sendable {
        case array, results, logs, data, items
    }

    /// The place of the next page's URL. A bare array has no place for it, so there `next` and `links` act as `header`.
    enum Paging: String, CaseIterable, Sendable {
        case next, links, header, none
    }

    enum NextURL: String, CaseIterable, Sendable {
        case relative, absolute
        /// Absolute, with a host that only the provider knows.
        case inner
    }

    enum EmptyPages: Sendable, Equatable {
        case some(Int)
        /// What stands behind them is never shown.
        case endless
    }

    enum Order: String, CaseIterable, Sendable {
        case newest, oldest, shuffled
    }

    /// One of two sets of field names and value kinds for log entries.
    enum Spelling: String, CaseIterable, Sendable {
        case `default`, alternative
    }

    enum TimeFormat: String, CaseIterable, Sendable {
        case seconds, milliseconds, microseconds, nanoseconds, iso, gmt, rfc1123
        /// ISO with an offset whose hour has one digit: `+3:00`.
        case shortOffset = "short-offset"
    }

    /// How a retry shows in the log.
    enum RetryLogs: String, CaseIterable, Sendable {
        /// A new row under the same task id.
        case same
        /// A new row under a new task id, which the answer to the retry call names.
        case named
        /// A new row under a new task id that nothing names.
        case silent
        /// A change of the delivery's first row.
        case inPlace = "in-place"
        /// No trace.
        case never
    }
}

extension Scenario {
    /// The documented event names. The list of event types has these and the scenario's own.
    static let documentedEvents = [
        "profile_create", "profile_update", "profile_status_change", "profile_level_update", "document_upload",
        "document_delete", "document_update", "document_status_change", "zip_file_create", "video_call_status_change",
    ]

    /// The settings that contradict each other, one sentence each; empty when the run can start.
    func contradictions() -> [String] {
        var found: [String] = []
        for outage in outages where outage.endpointIndex >= endpoints {
            found.append("down: there is no endpoint \(outage.endpointIndex), the last one is \(endpoints - 1)")
        }
        for fault in faults {
            if let index = fault.endpointIndex, index >= endpoints {
                found.append("fault: '\(fault.text)' names endpoint \(index), the last one is \(endpoints - 1)")
            }
        }
        if refail.count > failures {
            found.append("refail: \(refail.count) deliveries cannot fail again, there are \(failures) failures")
        }
        if (username == nil) != (password == nil) {
            found.append("username and password belong together: give both or neither")
        }
        if port != 0, port == receiverPort {
            found.append("port and receiver-port are the same")
        }
        if emptyPages == .endless, loopPage != nil {
            found.append("loop-page cannot show behind empty pages without end")
        }
        if inPlaceUpdatedAt, retryLogs != .inPlace {
            found.append("in-place-updated-at works only with retry-logs in-place")
        }
        return found
    }
}
