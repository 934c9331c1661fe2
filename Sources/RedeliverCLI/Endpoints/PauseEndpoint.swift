import ArgumentParser
import DeliveryQueue
import DeliveryWorker

extension EndpointsCommand {
    /// `redeliver endpoints pause`.
    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Holds an endpoint's deliveries, without loss, until it is resumed; nothing else ends it.")

        @OptionGroup var hold: HoldOptions

        func run() async throws {
            try await hold.run("paused", needless: "was paused already") { store, id, reason, now in
                try await store.pause(endpoint: id, by: Operator.name, reason: reason, at: now)
            }
        }
    }

    /// `redeliver endpoints resume`.
    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Ends the hold of an endpoint, whatever its reason: its deliveries are retried again.")

        @OptionGroup var hold: HoldOptions

        func run() async throws {
            try await hold.run("resumed", needless: "was not held") { store, id, reason, now in
                try await store.resume(endpoint: id, by: Operator.name, reason: reason, at: now)
            }
        }
    }
}

/// What pausing and resuming share: which endpoint, why, and what is printed.
struct HoldOptions: ParsableArguments {
    @Argument(help: "The endpoint's name or id.")
    var endpoint: String

    @Option(help: ArgumentHelp("Why; kept with your name and the time.", valueName: "text"))
    var reason: String

    @OptionGroup var database: DatabaseOption
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if reason.allSatisfy(\.isWhitespace) { throw ValidationError("--reason is empty") }
    }

    struct Report: Encodable {
        let endpointId: String
        let done: String
        /// false: it was so already, and nothing is noted.
        let changed: Bool
    }

    /// - Parameters:
    ///   - done: what the endpoint is afterwards.
    ///   - needless: what is said of an endpoint for which nothing had to be done.
    func run(
        _ done: String, needless: String,
        _ change: (QueueStore, String, String, Timestamp) async throws -> HoldChange
    ) async throws {
        try await Exit.onError {
            let now = WallClock.system.now
            let path = try database.path()
            let id = try QueueReader(path: path).knownEndpointID(named: endpoint)
            let store = try QueueStore.forOperator(path: path, now: now)
            defer { try? store.close() }
            let change = try await change(store, id, reason, now)
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
