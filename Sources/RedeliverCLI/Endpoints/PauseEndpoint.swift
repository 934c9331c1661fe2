import ArgumentParser
import DeliveryQueue
import DeliveryWorker
import RedeliverConfiguration

extension EndpointsCommand {
    /// `redeliver endpoints pause`.
    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Holds an endpoint's deliveries until you resume it. Nothing is lost, and nothing else ends the hold.")

        @OptionGroup var hold: HoldOptions

        func run() async throws {
            try await hold.run("paused", needless: "was already paused") { store, id, now in
                try await store.pause(endpoint: id, by: Operator.name, reason: hold.reason, at: now)
            }
        }
    }

    /// `redeliver endpoints resume`.
    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends the hold of an endpoint, whatever its reason. Its deliveries are retried again.",
            discussion: "It needs the configuration, with --database too: `circuit.ramp` decides how calls begin again."
        )

        @Flag(
            help: ArgumentHelp(
                "Also call deliveries that wait for a part of the log that could not be read for a day. One that has arrived may then arrive twice."
            ))
        var unread = false

        @OptionGroup var hold: HoldOptions

        func run() async throws {
            let needless =
                unread ? "was not held, and no part of its log has been unread for a day" : "was not held"
            try await hold.run("resumed", needless: needless) { store, id, now in
                try await store.resume(
                    endpoint: id, freesGaps: unread, by: Operator.name, reason: hold.reason,
                    rules: try hold.database.settings().rules,
                    at: now)
            }
        }
    }
}

/// What pausing and resuming have in common: endpoint, reason and output.
struct HoldOptions: ParsableArguments {
    @Argument(help: "The endpoint's name or id.")
    var endpoint: String

    @Option(help: ArgumentHelp("Why you do it; stored with your name and the time.", valueName: "text"))
    var reason: String

    @OptionGroup var database: DatabaseOption
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if reason.allSatisfy(\.isWhitespace) { throw ValidationError("--reason is empty") }
    }

    struct Report: Encodable {
        let endpointId: String
        let done: String
        /// false when nothing had to be changed.
        let changed: Bool
    }

    /// - Parameters:
    ///   - done: the endpoint's new state.
    ///   - needless: the text when nothing had to be changed.
    func run(
        _ done: String, needless: String,
        _ change: (QueueStore, String, Timestamp) async throws -> HoldChange
    ) async throws {
        try await Exit.onError {
            let now = WallClock.system.now
            let path = try database.path()
            let id = try QueueReader(path: path).knownEndpointID(named: endpoint)
            let store = try QueueStore.forOperator(path: path, now: now)
            defer { try? store.close() }
            let change = try await change(store, id, now)
            if change == .noEndpoint {
                throw ValidationError("there is no endpoint \(endpoint) in the database any more")
            }
            try output.print(Report(endpointId: id, done: done, changed: change == .made)) { _ in
                change == .made
                    ? "endpoint \(endpoint) is \(done); a running daemon notices within a second"
                    : "endpoint \(endpoint) \(needless); nothing was changed"
            }
        }
    }
}
