/// Everything one run of the sandbox can be told: its data, its log, its faults. Each value has a flag of its name.
struct Scenario: Sendable {
    // Where it listens; 0 takes any free port.
    var port = 0
    var receiverPort = 0

    // The deliveries there are at the start.
    var seed: UInt64 = 1
    var failures = 300
    /// Nil means a fifth of the failures.
    var successes: Int?
    var endpoints = 2
    var events = ["profile_create", "profile_status_change", "document_upload", "document_status_change"]
    var spread = Duration.seconds(1800)
    var integerIDs = false
    var nullCustomers = false

    // How the receiver behaves.
    var outages: [Outage] = []
    var refail = Refail(count: 0, times: 0)
    var receiverLatency = Duration.milliseconds(5)

    // How the log looks.
    var logShape = LogShape.results
    var paging = Paging.next
    var nextURL = NextURL.relative
    var order = Order.newest
    var pageSize = 50
    var spelling = Spelling.default
    /// Nil means what the spelling uses: seconds in `default`, ISO 8601 in `alternative`.
    var time: TimeFormat?
    var gzip = false

    // What a retry does.
    var retryLogs = RetryLogs.same
    var inPlaceUpdatedAt = false
    var logDelay = Duration.zero
    var retryDelay = Duration.milliseconds(20)

    // How the API behaves.
    var latency = Duration.zero
    var faults: [Fault] = []
    var token: String?
    var username: String?
    var password: String?
    var tokenLifetime = Duration.seconds(3600)

    /// A file that gets one JSON line for each delivery, arrival, attempt and call.
    var ledger: String?
}

extension Scenario {
    /// The receiver of one endpoint answers 503 between two moments, in seconds after the start.
    struct Outage: Sendable, Equatable {
        let endpointIndex: Int
        let from: Double
        let to: Double
    }

    /// That many deliveries fail this many times more before they succeed.
    struct Refail: Sendable, Equatable {
        let count: Int
        let times: Int
    }

    /// The envelope of a log page: a bare array, or an object that holds it under this name.
    enum LogShape: String, CaseIterable, Sendable {
        case array, results, logs, data, items
    }

    /// Where the next page's URL stands. A bare array has no room for one, so there `next` and `links` act as `header`.
    enum Paging: String, CaseIterable, Sendable {
        case next, links, header, none
    }

    enum NextURL: String, CaseIterable, Sendable {
        case relative, absolute
    }

    enum Order: String, CaseIterable, Sendable {
        case newest, oldest, shuffled
    }

    /// Which of two sets of field names and value kinds a log entry uses.
    enum Spelling: String, CaseIterable, Sendable {
        case `default`, alternative
    }

    enum TimeFormat: String, CaseIterable, Sendable {
        case seconds, milliseconds, iso
    }

    /// How a retry shows in the log.
    enum RetryLogs: String, CaseIterable, Sendable {
        /// A new row under the same task id.
        case same
        /// A new row under a new task id, which the answer of the retry call names.
        case named
        /// A new row under a new task id that nothing names.
        case silent
        /// The first row of the delivery changes.
        case inPlace = "in-place"
        /// Nothing at all.
        case never
    }
}

extension Scenario {
    /// The documented event names, which operation 1 lists together with the scenario's own.
    static let documentedEvents = [
        "profile_create", "profile_update", "profile_status_change", "profile_level_update", "document_upload",
        "document_delete", "document_update", "document_status_change", "zip_file_create", "video_call_status_change",
    ]

    /// What does not fit together, one sentence each; empty when the run can start.
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
            found.append("username and password are given together or not at all")
        }
        if port != 0, port == receiverPort {
            found.append("port and receiver-port are the same")
        }
        if inPlaceUpdatedAt, retryLogs != .inPlace {
            found.append("in-place-updated-at has a meaning only with retry-logs in-place")
        }
        return found
    }
}
