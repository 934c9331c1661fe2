import Foundation
import GRDB
import TestSupport
import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

/// The power fails between any two writes. Everything that had returned must be there, above all the intent of each
/// call.
@Suite struct PowerLossTests {
    /// What a day of work wrote to the disk, and the states that its steps left.
    private struct Workday {
        let events: [DiskEvent]
        /// How many of the events had happened when the step returned, and what the database held then.
        var steps: [(events: Int, state: [String])] = []

        /// The states that may be found after this many events: that of the last step that had returned, or of the one
        /// under way.
        func legal(after count: Int) -> [[String]] {
            guard let last = steps.lastIndex(where: { $0.events <= count }) else { return [] }
            return steps[last...].prefix(2).map(\.state)
        }
    }

    private func workday(isDurable: Bool) async throws -> Workday {
        let folder = try FaultyFolder()
        folder.record()
        let store = try QueueStore.forSimulation(path: folder.database, isDurable: isDurable, now: start)
        var steps: [(events: Int, state: [String])] = []
        func step(_ work: () async throws -> Void) async throws {
            try await work()
            steps.append((folder.eventCount, try FolderState.of(folder.path)))
        }
        let endpoints = [(id: QueueFixture.endpoint, name: "first"), (id: QueueFixture.other, name: "second")]
        try await step { try await store.registerEndpoints(endpoints, historyFrom: start - .hours(72), at: start) }
        for hour in 0..<6 {
            try await work(on: store, at: start + .hours(hour), step)
            if hour % 2 == 1 { try await step { try checkpoint(store) } }
        }
        try store.close()
        return Workday(events: folder.events, steps: steps)
    }

    /// New failures, their calls, the results, and what the log proves.
    private func work(
        on store: QueueStore, at now: Timestamp, _ step: (() async throws -> Void) async throws -> Void
    ) async throws {
        let tasks = (0..<3).map { "\(now.milliseconds).\($0)" }
        let rules = RetryRules.exact()
        func page(_ observations: [LogObservation]) -> ObservedPage {
            ObservedPage(
                endpointID: QueueFixture.endpoint, observations: observations, unreadable: [],
                progress: ScanProgress(started: now))
        }
        try await step {
            _ = try await store.ingest(page(tasks.map { .failure($0, at: now) }), rules: rules, at: now)
        }
        let called = now + .minutes(1)
        var claimed: [ClaimedDelivery] = []
        try await step {
            claimed = try await store.claimDue(limit: 9, lease: .seconds(60), rules: rules, at: called).deliveries
        }
        let outcomes = claimed.map { claimed in
            CallResult(
                deliveryID: claimed.id, leaseToken: claimed.leaseToken, answer: .accepted,
                duration: .milliseconds(80), answered: called)
        }
        try await step { _ = try await store.record(outcomes, rules: rules, at: called) }
        try await step {
            _ = try await store.ingest(page([.success(tasks[0], at: called)]), rules: rules, at: called + .minutes(1))
        }
    }

    /// As SQLite does by itself when the log is long: the next transaction writes it from its start.
    private func checkpoint(_ store: QueueStore) throws {
        _ = try store.pool.writeWithoutTransaction { try $0.checkpoint(.restart) }
    }

    /// Leaves out what cannot even be read.
    private func isLegal(_ files: [String: Data], _ legal: [[String]]) -> Bool {
        guard let folder = try? FaultyFolder(files), let state = try? FolderState.of(folder.path) else { return false }
        return legal.contains(state)
    }

    /// - Returns: the places at which something that had returned was lost, or the file is damaged.
    private func losses(in day: Workday, seeds: Int) -> [String] {
        var image = DiskImage()
        var losses: [String] = []
        var generator = SeededNumbers(seed: 5)
        var tried = 0
        // Each sync and each step, and in between as many moments as there are seeds.
        let edges = Set(day.steps.map(\.events))
        let moments = Set((0..<seeds).map { _ in Int.random(in: 0...day.events.count, using: &generator) })
        for count in 0...day.events.count {
            if count > 0 { image.take(day.events[count - 1]) }
            let legal = day.legal(after: count)
            guard !legal.isEmpty else { continue }
            if edges.contains(count) {
                tried += 1
                if !isLegal(image.withoutUnsynced, legal) { losses.append("after \(count) events") }
            }
            if moments.contains(count) {
                tried += 1
                var some = SeededNumbers(seed: UInt64(count))
                if !isLegal(image.withSome(&some), legal) {
                    losses.append("after \(count) events, with some of the unsynced sectors (seed \(count))")
                }
            }
        }
        print("power lost \(tried) times in \(day.events.count) events: \(losses.count) losses")
        return losses
    }

    @Test func `what a transaction has returned survives a loss of power, whatever else reached the disk`() async throws
    {
        let day = try await workday(isDurable: true)
        #expect(day.steps.count == 28 && day.events.contains { $0.file == "queue.db-wal" })
        #expect(losses(in: day, seeds: Proofs.areLong ? 250 : 25) == [])
    }

    /// The proof that the test above can fail.
    @Test func `without syncs the same loss of power is noticed`() async throws {
        #expect(try await losses(in: workday(isDurable: false), seeds: 20).count > 20)
    }
}
