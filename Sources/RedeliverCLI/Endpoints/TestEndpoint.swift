import ArgumentParser
import DeliveryQueue
import DeliveryWorker
import Foundation
import ProviderAPI
import RedeliverConfiguration

extension EndpointsCommand {
    /// `redeliver endpoints test`.
    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Makes the provider send an event with dummy data to an endpoint.",
            discussion: """
                Prints the task id from the answer. The database marks the event as a test: if it fails, it is stored and \
                never retried. Exit codes with --wait: 0 delivered, 1 failed, 69 not in the log in time.
                """)

        @OptionGroup var endpoint: ProviderEndpointArgument
        @OptionGroup var output: OutputOptions

        @Option(help: ArgumentHelp("The event type; `redeliver events` lists them.", valueName: "name"))
        var event: String

        @Flag(help: "Read the log until it shows the event's result.")
        var wait = false

        @Option(help: "How long --wait waits, such as 90s or 5m. Default: 60s.")
        var timeout: ArgumentDuration?

        func validate() throws {
            guard !event.isEmpty else { throw ValidationError("--event: expected the name of an event type") }
        }

        func run() async throws {
            try await Exit.onError {
                // Not in `validate`, which would hide a mistyped --wait.
                if timeout != nil, !wait { throw ValidationError("--timeout needs --wait") }
                let (settings, endpoint) = try endpoint.load()
                let book = try TestEventBook(settings, endpoint)
                defer { book.close() }
                try await withProvider(settings) { client in
                    let taskID = try await send(to: endpoint, with: client)
                    try await book.note(taskID, event: event)
                    let line = try await waited(for: taskID, at: endpoint, settings, client)
                    try report(TestReport(endpoint, event: event, taskID: taskID, waited: wait, outcome: line))
                }
            }
        }

        private func send(to endpoint: ProviderEndpoint, with client: ProviderClient) async throws -> String? {
            do {
                return try await client.test(endpoint.id, event: event)
            } catch  where error.kind == .unknownOutcome {
                Note.print(
                    "the event may have been sent; if it fails, a running daemon retries it like any other event")
                throw error
            }
        }

        private func waited(
            for taskID: String?, at endpoint: ProviderEndpoint, _ settings: WorkerConfiguration,
            _ client: ProviderClient
        ) async throws -> LogTail.Line? {
            guard wait, let taskID else { return nil }
            let limit = timeout?.duration ?? .seconds(60)
            let watch = TestWatch(
                endpoint: endpoint, taskID: taskID, interval: settings.confirm.interval, limit: limit,
                overlap: settings.poll.overlap)
            return try await watch.outcome(from: client)
        }

        private func report(_ report: TestReport) throws {
            try output.print(report) { _ in report.text }
            if let code = report.exitCode { throw code }
        }
    }
}

/// A duration of the command line, written as in the configuration.
struct ArgumentDuration: ExpressibleByArgument {
    let duration: Duration

    init?(argument: String) {
        guard let duration = DurationText.duration(argument), duration > .zero else { return nil }
        self.duration = duration
    }
}

/// What `redeliver endpoints test` prints.
struct TestReport: Encodable, Equatable {
    enum Outcome: String, Encodable {
        /// Without `--wait`.
        case sent
        case delivered, failed
        /// The log did not show it in time.
        case unknown
    }

    let endpoint: String
    let eventType: String
    /// nil when the provider's answer names none.
    let taskId: String?
    let outcome: Outcome
    let httpStatus: Int?
    let detail: String?

    init(_ endpoint: ProviderEndpoint, event: String, taskID: String?, waited: Bool, outcome line: LogTail.Line?) {
        self.endpoint = endpoint.id
        eventType = event
        taskId = taskID
        httpStatus = line?.httpStatus
        detail = line?.detail
        switch line?.outcome {
        case .succeeded: outcome = .delivered
        case .failed: outcome = .failed
        case .inProgress, .unreadable, nil: outcome = waited ? .unknown : .sent
        }
    }

    /// nil for success.
    var exitCode: ExitCode? {
        switch outcome {
        case .failed: ExitCode(1)
        case .unknown: Exit.unavailable
        case .sent, .delivered: nil
        }
    }

    var text: String {
        let task = taskId.map { "task \(Printable.text($0))" } ?? "the answer names no task id"
        let sent = "test event \(Printable.text(eventType)) is sent: \(task)"
        let more = [httpStatus.map { "HTTP \($0)" }, detail.map(Printable.text)].compactMap { $0 }
        switch outcome {
        case .delivered: return "\(sent)\ndelivered"
        case .failed: return "\(sent)\nfailed" + (more.isEmpty ? "" : ": \(more.joined(separator: ", "))")
        case .unknown: return "\(sent)\nthe log did not show its result in time"
        case .sent: return sent
        }
    }
}
