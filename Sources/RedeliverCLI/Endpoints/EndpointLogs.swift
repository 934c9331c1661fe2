import ArgumentParser
import DeliveryQueue
import DeliveryWorker
import ProviderAPI
import RedeliverConfiguration

extension EndpointsCommand {
    /// `redeliver endpoints logs`.
    struct Logs: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shows the provider's log of an endpoint as Redeliver reads it, oldest entry first.",
            discussion: """
                Reads from the provider, not from the database, and changes nothing. Unreadable entries are shown as such; \
                bodies are never shown. --follow reads again every `poll.interval` and prints new entries, until Ctrl-C.
                """)

        @OptionGroup var endpoint: ProviderEndpointArgument
        @OptionGroup var output: RowOutputOptions

        @Flag(help: "Keep reading and print new entries; with --json one object per line.")
        var follow = false

        @Flag(help: "Only failures, and unreadable entries, which may be failures.")
        var failed = false

        @Option(
            name: .customLong("limit"),
            help: "Print this many of the newest entries; 0 prints the whole log. Default: 100.")
        private var wantedLimit: Int?

        private var limit: Int { wantedLimit ?? 100 }

        func validate() throws {
            guard limit >= 0 else { throw ValidationError("--limit: expected a number of entries, 0 or more") }
        }

        func run() async throws {
            try await Exit.onError {
                let (settings, endpoint) = try endpoint.load()
                let tail = LogTail(limit: limit, onlyFailures: failed, overlap: settings.poll.overlap)
                let printer = LogPrinter(json: output.json, csv: output.csv, rawCSV: output.rawCSV)
                let follow = follow
                try await withProvider(settings) { client in
                    guard follow else { return try await printOnce(tail, of: endpoint, from: client) }
                    let follower = LogFollower(
                        endpoint: endpoint, client: client, interval: settings.poll.interval, printer: printer)
                    try await untilStopped { try await follower.run(tail) }
                }
            }
        }

        private func printOnce(
            _ tail: LogTail, of endpoint: ProviderEndpoint, from client: ProviderClient
        ) async throws {
            var tail = tail
            let reading = try await tail.read(endpoint.id, from: client)
            let now = WallClock.system.now
            if let fault = reading.fault { Note.print("\(fault)") }
            let footer =
                reading.isCut && reading.fault == nil
                ? "Older entries are not shown; --limit 0 shows the whole log." : nil
            try output.print(reading.lines, LogTail.Line.table(reading.lines, at: now), footer: footer)
        }
    }
}

extension LogTail.Line: JSONReport {
    /// The line as `redeliver endpoints logs --json` prints it; times are Unix seconds.
    var json: JSONObject {
        [
            "at": time, "outcome": outcome.rawValue, "event_type": eventType, "task_id": taskID,
            "customer_id": customerID, "http_status": httpStatus, "detail": detail,
        ]
    }

    /// - Parameter now: the ages are relative to it; nil for times without ages, for lines that stay on the screen.
    static func table(_ lines: [LogTail.Line], at now: Timestamp?) -> Table {
        Table(
            ["at", "outcome", "event_type", "task_id", "customer_id", "http_status", "detail"],
            lines.map { line in
                [
                    now.map { Cell(line.time, at: $0) } ?? Cell(ifAny: line.time?.iso8601),
                    Cell(line.outcome.rawValue, style: line.outcome.style), Cell(ifAny: line.eventType),
                    Cell(ifAny: line.taskID), Cell(ifAny: line.customerID),
                    Cell(ifAny: line.httpStatus.map { "\($0)" }),
                    Cell(ifAny: line.detail),
                ]
            })
    }
}

extension LogTail.Line.Outcome {
    fileprivate var style: Style {
        switch self {
        case .succeeded: .good
        case .failed: .bad
        case .inProgress: .plain
        case .unreadable: .warning
        }
    }
}
